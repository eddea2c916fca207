"""Probes: each shows its risk, none shows it once remedied, whatever the draw; and their numbers are the known ones."""

import functools
import math

import numpy as np
import pytest
from scipy import integrate, stats

from golden_core.legacy.forensics.probes import PROBES
from golden_core.legacy.forensics.probes.result import ProbeResult
from golden_core.legacy.risks import read_risks
from golden_core.store.randomness import Stream

SOUND = {risk.probe for risk in read_risks() if risk.status == "sound"}


@functools.cache
def found(name: str, practice: str = "legacy") -> ProbeResult:
    return PROBES[name](practice)


@pytest.mark.parametrize("name", sorted(PROBES))
def test_the_legacy_practice_shows_the_risk_and_its_remedy_removes_it_or_the_other_way_round_where_it_is_sound(name):
    legacy, alternative = found(name), found(name, "alternative")
    assert (legacy.shown, alternative.shown) == (name not in SOUND, name in SOUND)
    assert legacy.threshold == alternative.threshold
    assert math.isfinite(legacy.value)
    assert math.isfinite(alternative.value)
    assert PROBES[name]() == legacy  # and it says the same twice


@pytest.mark.parametrize("root", range(1, 5))
@pytest.mark.parametrize("name", sorted(PROBES))
def test_the_verdict_is_not_the_luck_of_one_draw(name, root):
    stream = Stream(root, ("another",))
    assert PROBES[name]("legacy", stream).shown == (name not in SOUND)
    assert PROBES[name]("alternative", stream).shown == (name in SOUND)


def test_a_value_at_the_threshold_shows_nothing():
    assert not ProbeResult(1.0, 1.0, "").shown
    assert ProbeResult(1.0 + 1e-9, 1.0, "").shown


def _expected_maximum(count: int) -> float:
    """Mean of the largest of so many standard normals, by integration."""
    density = lambda x: x * count * stats.norm.pdf(x) * stats.norm.cdf(x) ** (count - 1)  # noqa: E731
    return integrate.quad(density, -10, 10)[0]


def test_the_best_of_ten_leads_by_the_expected_maximum():
    """1.5388 for ten; the standard deviation of the maximum is 0.59, of a mean over 2,000 tables 0.013."""
    assert found("best_of_ten").value == pytest.approx(_expected_maximum(10), abs=4 * 0.013)


def test_the_kept_epoch_looks_better_by_the_expected_maximum():
    """2.319 for sixty; the standard deviation of the maximum is 0.43, of a mean over 1,000 runs 0.014."""
    assert found("validation_used_to_choose").value == pytest.approx(_expected_maximum(60), abs=4 * 0.014)


def test_single_runs_name_a_better_model_nine_times_in_ten():
    """Of ten equal models the first is the best in one table of ten; Holm keeps the other rate below 5 %."""
    assert found("single_run").value == pytest.approx(0.9, abs=4 * np.sqrt(0.09 / 400))
    assert found("single_run", "alternative").value < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


def test_dropping_a_tenth_of_still_bars_raises_the_moves_by_one_over_root_nine_tenths():
    assert found("rows_chosen_by_outcome").value == pytest.approx(1 / np.sqrt(0.9) - 1, abs=0.005)


def test_the_bounds_of_two_keras_versions():
    """√(6 / (400 · 6 + 400 · 10)) is 0.0306 in Keras 3.8, √(6 / (400 + 60)) is 0.1142 in Keras 3.15."""
    expected = np.sqrt((400 * 6 + 400 * 10) / (400 + 60))
    assert found("initialisers_drift").value == pytest.approx(expected, rel=1e-3)


def test_a_third_of_the_rows_of_v01_has_no_partner():
    assert found("paired_test_undefined").value == pytest.approx(944 / 2829)


def test_three_windows_a_week_cross_the_weekend():
    assert found("windows_cross_closures").value == pytest.approx(3 * 51 / (52 * 120 - 3))


def test_windows_before_the_split_would_straddle_by_the_context():
    assert found("windows_straddle_parts", "alternative").value == 3


def test_levels_of_a_walk_have_an_r2_of_one_minus_six_over_their_number():
    """A walk of n steps has a variance about its mean of nσ²/6 in expectation, and an error of σ²."""
    values = [1 - PROBES["level_r2"]("legacy", Stream(root)).value for root in range(40)]
    assert 2 / 1885 < np.median(values) < 18 / 1885


def test_v08_and_v06_differ_in_more_than_the_experts():
    assert found("ablation_confounded").sentence == "The two differ in 3: attention, experts, hidden."
    assert found("ablation_confounded", "alternative").sentence == "The two differ in 1: experts."


def test_the_paired_test_is_refused_on_two_windows_and_defined_on_one():
    assert found("paired_test_undefined").sentence.endswith("there is no paired test.")
    assert "p-value" in found("paired_test_undefined", "alternative").sentence


def test_the_two_modules_of_the_missing_package_are_counted():
    assert found("package_missing").value == 2


def test_sixty_checkpoints_of_three_numbers_a_weight():
    """Of the 796,641 numbers of v08, 795,633 are trained and have two moments each."""
    assert found("checkpoint_per_epoch").value == pytest.approx(60 * (1 + 2 * 795_633 / 796_641))
    assert found("checkpoint_per_epoch", "alternative").value == 2
