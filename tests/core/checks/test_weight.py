"""What follows from a check that fails: which block, which only warn, which are too dear to be repeated."""

import pytest

from golden_core.checks import Check, Examined, all_checks
from golden_core.preparation.catalogue import load_study

ALL = all_checks(load_study("golden"))
BLOCK = {
    "prices_positive_and_plausible", "timestamps_unique_and_increasing", "every_row_accounted_for", "no_label_overlap",
    "embargo_kept", "scaler_fitted_on_train_only", "parts_kept_apart", "no_feature_too_good", "nothing_sees_the_future",
    "fits_touch_only_their_rows", "random_walk_on_the_same_rows",
}  # fmt: skip
WARN = {"bars_are_prices", "warm_up_settled", "no_slower_than_accepted"}
DEAR = {
    "nothing_sees_the_future", "fits_touch_only_their_rows", "forecasts_reproduce_bitwise",
    "explanations_reproduce_bitwise", "calibration_repeats",
}  # fmt: skip


def test_nothing_is_built_on_inputs_that_are_at_fault():
    """A check of bars or folds that does not block lets trials be trained on what it found."""
    assert {check.name for check in ALL if check.blocking} == BLOCK


def test_few_checks_are_only_warnings_and_few_are_not_repeated():
    assert {check.name for check in ALL if check.severity == "warn"} == WARN
    assert {check.name for check in ALL if not check.cheap} == DEAR


@pytest.mark.parametrize(("own", "found", "counts"), [
    ("error", None, True), ("warn", None, False), ("error", "warn", False), ("warn", "error", True),
])  # fmt: skip
def test_a_warning_is_no_fault_and_what_was_found_can_weigh_otherwise(own, found, counts):
    check = Check("folds", "claim", "It holds.", "rows", lambda _home, _study: Examined([], 0, severity=found), own)
    assert check.faults(None, None) == (["no rows to examine: the claim cannot be checked"] if counts else [])
    assert check.against(Examined(["one"], 3, severity=found)) == (["one"] if counts else [])
    assert check.against(Examined([], 3, severity=found)) == []
