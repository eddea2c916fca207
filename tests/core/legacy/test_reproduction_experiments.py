"""A category of deviation only where an experiment supports it."""

import pytest
from support.record import forecasts_of, hourly_bars, small_record

from golden_core.legacy.reproduction.errors import Attribution, Experiment, Outcome, Spread, attribute, outcomes

METRICS = ("mae", "mse", "rmse", "r2")
PUBLISHED, OURS = 0.005, 0.002


def spread(mean, seeds=5):
    return Spread(seeds, mean, 1e-4, mean - 1e-4, mean + 1e-4, mean, 1e-2, mean - 3e-4, mean + 3e-4)


def outcome(name, category, verdict, seeds=5, mean=0.004):
    return Outcome(name, category, dict.fromkeys(METRICS, spread(mean, seeds)), dict.fromkeys(METRICS, verdict))


def reason(verdict, tried=(), elsewhere=()):
    return attribute(verdict, "rmse", PUBLISHED, spread(OURS), tried, elsewhere)


WORSE, SURE = "published_worse", "consistent"


@pytest.mark.parametrize(
    ("verdict", "tried", "expected"),
    [
        ("published_better", [], ("unknown", "", "")),
        (WORSE, [], ("unknown", "", "")),
        ("other_test_set", [], ("unknown", "", "")),
        ("undecided", [], ("unknown", "", "")),
        (SURE, [outcome("e1", "precision", SURE)], (None, "", "")),
        (
            WORSE,
            [outcome("e1", "precision", "published_better"), outcome("e2", "initialisation", SURE)],
            ("initialisation", "e2", "e1"),
        ),
        (
            WORSE,
            [outcome("e1", "precision", WORSE), outcome("e2", "optimiser", "undecided")],
            ("unknown", "", "e1, e2"),
        ),
        (WORSE, [outcome("e1", "precision", SURE), outcome("e2", "optimiser", SURE)], ("unknown", "e1, e2", "")),
        (WORSE, [outcome("e1", "precision", SURE), outcome("e2", "precision", SURE)], ("precision", "e1, e2", "")),
        (WORSE, [outcome("e1", "precision", SURE, seeds=4)], ("unknown", "", "e1")),
        # Runs that only scatter more explain nothing: a typical one must be nearer to what was published.
        (WORSE, [outcome("e1", "precision", SURE, mean=0.0021)], ("precision", "e1", "")),
        (WORSE, [outcome("e1", "precision", SURE, mean=0.0124)], ("precision", "e1", "")),
        (WORSE, [outcome("e1", "precision", SURE, mean=0.002)], ("unknown", "", "e1")),
        (WORSE, [outcome("e1", "precision", SURE, mean=0.0126)], ("unknown", "", "e1")),
        ("other_test_set", [outcome("e1", "precision", SURE)], ("unknown", "", "")),
    ],
)
def test_a_category_needs_an_experiment_that_explains_the_deviation(verdict, tried, expected):
    assert reason(verdict, tried) == Attribution(*expected)


def test_another_test_set_is_the_split_only_where_the_published_rows_were_run_elsewhere():
    tried = [outcome("e1", "precision", SURE)]
    assert reason("other_test_set", tried, ["legacy_94_3_3"]) == Attribution("split", "legacy_94_3_3", "")


@pytest.fixture
def bars():
    return hourly_bars(200)


def test_outcomes_are_those_of_the_changed_runs(bars):
    record = small_record(bars["close"].to_numpy(), v02=0.002)
    near = Experiment("e1", "precision", "x=1", forecasts_of("changed", bars, 37, {"v02": 0.002}))
    far = Experiment("e2", "optimiser", "x=2", forecasts_of("changed", bars, 37, {"v02": 0.02, "v03": 0.002}))
    found = outcomes([near, far], record, 0.95)
    assert [one.id for one in found["v02"]] == ["e1", "e2"]
    assert [one.verdicts["rmse"] for one in found["v02"]] == ["consistent", "published_better"]
    assert [one.spreads["rmse"].seeds for one in found["v02"]] == [5, 5]
    assert [one.category for one in found["v03"]] == ["optimiser"]


def test_changed_runs_on_other_rows_say_nothing(bars):
    record = small_record(bars["close"].to_numpy())
    elsewhere = Experiment("e1", "precision", "x=1", forecasts_of("changed", bars[:150], 37, {"v02": 0.002}))
    longer = Experiment("e2", "precision", "x=1", forecasts_of("changed", bars, 57, {"v02": 0.002}))
    assert outcomes([elsewhere, longer], record, 0.95) == {}


def test_ids_are_unique(bars):
    record = small_record(bars["close"].to_numpy())
    twin = Experiment("e1", "precision", "x=1", forecasts_of("changed", bars, 37, {"v02": 0.002}))
    with pytest.raises(ValueError, match="ids of their own, got e1, e1"):
        outcomes([twin, twin], record, 0.95)
