"""Errors in prices, their spread over seeds, and what an experiment says of a deviation."""

from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.record import STREAM, around, forecasts_of, hourly_bars, small_record

from golden_core.legacy.audit.intervals import Interval
from golden_core.legacy.reproduction.errors import (
    Experiment,
    Outcome,
    Spread,
    attribute,
    distance,
    judge,
    outcomes,
    rows_unlike_the_random_walk,
    spread_of,
    z_score,
)


def interval(low, high):
    return Interval(Fraction(low), None if high is None else Fraction(high))


def test_by_hand():
    # Powers of two: in units of log 2, logarithms of mean 3 and sample variance 2.5. t(0.975; 4) = 2.776445: any table.
    spread = spread_of(np.array([2.0, 4, 8, 16, 32]), 0.95, "rmse")
    of_mean, of_run = 2.776445 * np.sqrt(148.8 / 5), 2.776445 * np.sqrt(2.5 * 6 / 5)
    assert (spread.seeds, spread.mean, spread.sd) == (5, 12.4, pytest.approx(np.sqrt(148.8)))
    assert [spread.mean_low, spread.mean_high] == pytest.approx([12.4 - of_mean, 12.4 + of_mean], abs=1e-5)
    assert (spread.typical, spread.log_sd) == (pytest.approx(8), pytest.approx(np.log(2) * np.sqrt(2.5)))
    assert [spread.run_low, spread.run_high] == pytest.approx([8 / 2**of_run, 8 * 2**of_run], rel=1e-6)
    assert z_score(64.0, spread, "rmse") == pytest.approx(3 / np.sqrt(2.5))


def test_one_number_in_four_forms_is_judged_once():
    # On one test set, MSE is RMSE² and R² is 1 − MSE / variance: whichever was printed, the verdict is the same.
    rmse, published, variance = np.array([0.001, 0.002, 0.0015, 0.003, 0.0012]), 0.0048, 1e-4
    forms = {"rmse": (rmse, published), "mse": (rmse**2, published**2)}
    forms["r2"] = (1 - rmse**2 / variance, 1 - published**2 / variance)
    spreads = {metric: spread_of(values, 0.95, metric) for metric, (values, _) in forms.items()}
    assert spreads["rmse"].run_low ** 2 == pytest.approx(spreads["mse"].run_low)
    assert spreads["r2"].run_high == pytest.approx(1 - spreads["mse"].run_low / variance)
    z = {metric: z_score(forms[metric][1], spread, metric) for metric, spread in spreads.items()}
    assert z["rmse"] > 0
    assert [z["mse"], z["r2"]] == pytest.approx([z["rmse"], -z["rmse"]])


@pytest.mark.parametrize("seeds", [2, 5, 20])
def test_one_more_run_lies_in_its_interval_as_often_as_promised(seeds):
    draws = STREAM.child("one more run", seeds).generator().normal(-6, 0.7, size=(1500, seeds + 1))
    draws = np.exp(draws)
    spreads = [spread_of(row[:-1], 0.9, "mae") for row in draws]
    inside = np.mean([s.run_low <= row[-1] <= s.run_high for s, row in zip(spreads, draws, strict=True)])
    # Three standard errors of a share of 0.9 in 1,500 draws.
    assert inside == pytest.approx(0.9, abs=0.0233)


def test_a_single_run_has_no_spread():
    spread = spread_of(np.array([1.5]), 0.95, "rmse")
    assert (spread.seeds, spread.mean) == (1, 1.5)
    assert {value for name, value in vars(spread).items() if name not in {"seeds", "mean"}} == {None}
    assert z_score(2.0, spread, "rmse") is None
    assert judge(around(1.5), spread, "rmse") == "undecided"


def test_equal_runs_have_no_z():
    assert z_score(2.0, spread_of(np.ones(3), 0.95, "rmse"), "rmse") is None


@pytest.mark.parametrize(("values", "metric"), [([0.0, 1, 2], "mse"), ([0.5, 1.0, 0.9], "r2")])
def test_runs_without_error_have_no_interval(values, metric):
    spread = spread_of(np.array(values), 0.95, metric)
    assert spread.sd > 0
    assert (spread.run_low, spread.run_high, z_score(0.7, spread, metric)) == (None, None, None)
    assert judge(around(0.7), spread, metric) == "undecided"


@pytest.mark.parametrize(("metric", "low", "high"), [("rmse", 0.0, np.inf), ("r2", -np.inf, 1.0)])
def test_two_runs_may_leave_everything_possible(metric, low, high):
    spread = spread_of(np.array([0.2, 0.6]), 0.9999, metric)
    assert (spread.run_low, spread.run_high) == (low, high)
    assert judge(around(0.7), spread, metric) == "consistent"


def test_a_number_published_without_error_is_at_no_distance():
    spread = spread_of(np.array([0.5, 0.6]), 0.95, "r2")
    assert distance(1.0, spread, "r2") is None
    assert distance(0.9, spread, "r2") > 0


RUNS = spread_of(np.array([2.0, 4, 8, 16, 32]), 0.95, "rmse")  # one more run: 8 / 2⁴·⁸ = 0.29 to 8 · 2⁴·⁸ = 224
OF_R2 = spread_of(np.array([0.2, 0.4, 0.5, 0.6, 0.8]), 0.95, "r2")  # one more run: −1.13 to 0.90


@pytest.mark.parametrize(("published", "verdict"), [
    (interval(0, 0.25), "published_better"), (interval(0, 0.5), "consistent"), (interval(1, 2), "consistent"),
    (interval(0, 1000), "consistent"), (interval(220, 230), "consistent"),
    (interval(230, 240), "published_worse"), (interval(230, None), "published_worse"),
    (interval(0, None), "consistent"),
])  # fmt: skip
def test_one_value_that_rounds_to_the_printed_number_is_enough(published, verdict):
    assert judge(published, RUNS, "rmse") == verdict
    assert judge(published, RUNS, "mae") == verdict


@pytest.mark.parametrize(("published", "verdict"), [
    (interval(-3, -2), "published_worse"), (interval(-3, -1), "consistent"), (interval(0, 1), "consistent"),
    (interval(0.9375, 1), "published_better"), (interval(0.9375, None), "published_better"),
])  # fmt: skip
def test_of_r2_more_is_better(published, verdict):
    assert judge(published, OF_R2, "r2") == verdict


@given(st.lists(st.floats(1e-6, 10), min_size=2, max_size=8), st.floats(0, 30))
def test_the_unit_does_not_matter(values, published):
    assume(min(values) < max(values))  # equal runs leave one value, subject to rounding
    one, other = (spread_of(np.array(values) * unit, 0.95, "rmse") for unit in (1.0, 1024.0))
    exact = [Interval(Fraction(published) * unit, Fraction(published) * unit) for unit in (1, 1024)]
    assert judge(exact[0], one, "rmse") == judge(exact[1], other, "rmse")


@pytest.fixture(scope="module")
def equal():
    return forecasts_of("legacy", hourly_bars(100), 40, {"v02": 0.001}, seeds=2)


OF_V02, SEED_1 = pl.col("forecaster") == "v02", pl.col("seed") == 1
FIRST = pl.col("cutoff") == pl.col("cutoff").min()


@pytest.mark.parametrize(
    ("change", "apart"),
    [
        (lambda frame: frame, []),
        (lambda frame: frame.filter(~(OF_V02 & SEED_1 & FIRST)), [(1, 1)]),
        (
            lambda frame: frame.with_columns(
                true_close=pl.col("true_close") * pl.when(OF_V02).then(1.001).otherwise(1)
            ),
            [(0, 80), (1, 80)],
        ),
        (lambda frame: pl.concat([frame, frame.filter(OF_V02 & SEED_1 & FIRST)]), [(1, 0)]),
    ],
    ids=["equal", "a missing row", "other targets", "a row twice"],
)
def test_rows_unlike_the_random_walk_name_their_trial(change, apart, equal):
    assert rows_unlike_the_random_walk(change(equal)) == [
        f"v02, seed {seed}, of legacy: {rows} rows are not shared with the random_walk" for seed, rows in apart
    ]


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
    assert reason(verdict, tried) == expected


def test_another_test_set_is_the_split_only_where_the_published_rows_were_run_elsewhere():
    tried = [outcome("e1", "precision", SURE)]
    assert reason("other_test_set", tried, ["legacy_94_3_3"]) == ("split", "legacy_94_3_3", "")


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
