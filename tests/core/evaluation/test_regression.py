"""Two implementations of every comparison agree, where a test is defined and where it is not."""

import polars as pl
import pytest

from golden_core.evaluation.comparisons import comparisons_table
from golden_core.evaluation.regression import comparison_differences
from golden_core.evaluation.verification import TEST_TOLERANCE
from golden_core.store.warehouse import Warehouse

NUMBERS = ["mean_difference", "statistic", "p_value", "p_holm"]


@pytest.fixture
def compare(tmp_path):
    def differences(forecasts, trials=None):
        warehouse = Warehouse(tmp_path / "warehouse.duckdb")
        comparisons = comparisons_table(forecasts, trials=trials)
        asked = {} if trials is None else {"trials": trials}
        warehouse.load("made", {"forecasts": forecasts, "comparisons": comparisons, **asked})
        return comparison_differences(warehouse, "made"), comparisons

    return differences


def largest(differences):
    return differences.select(pl.max_horizontal(NUMBERS)).max().item()


@pytest.mark.parametrize("n", [400, 1000])  # 1000^⅔ as a power is a little less than 100
def test_every_test_agrees(make_forecasts, compare, n):
    differences, comparisons = compare(make_forecasts(("noisy", "oracle", "steady"), n=n))
    assert len(differences) == len(comparisons)
    assert comparisons["statistic"].null_count() == 0
    assert largest(differences) < 1e-9


def test_trials_that_failed_are_adjusted_for_twice(make_forecasts, trials_of, compare):
    forecasts = make_forecasts(("noisy", "oracle", "steady"))
    gone = (pl.col("forecaster") == "noisy") & ((pl.col("pair") == "EURUSD") | (pl.col("seed") == 1))
    differences, comparisons = compare(forecasts.filter(~gone), trials_of(forecasts))
    assert len(differences) == len(comparisons)
    assert largest(differences) < 1e-9
    assert comparisons["p_holm"].min() > comparisons_table(forecasts.filter(~gone))["p_holm"].min()


def test_a_forecaster_that_is_hardly_another_than_the_random_walk(make_forecasts, compare):
    noisy = pl.when(pl.col("forecaster") == "noisy").then(pl.col("y_pred") * 1e-9).otherwise("y_pred")
    differences, _ = compare(make_forecasts(("noisy",), n=400).with_columns(y_pred=noisy))
    assert largest(differences) < TEST_TOLERANCE


def test_undefined_tests_are_undefined_twice_and_not_adjusted_for(make_forecasts, compare):
    same = pl.when(pl.col("forecaster") == "steady").then(0.0).otherwise("y_pred")
    differences, comparisons = compare(make_forecasts(("noisy", "steady")).with_columns(y_pred=same))
    assert comparisons.filter(forecaster="steady")["p_holm"].null_count() == 4 * 2
    assert largest(differences) < 1e-9


def test_losses_that_differ_by_a_constant_are_undefined_twice(make_forecasts, compare):
    """A pegged price, and a forecaster that says one small number of it every day."""
    told = pl.when(pl.col("forecaster") == "steady").then(1.23e-6).otherwise(0.0)
    forecasts = make_forecasts(("steady",), n=400).with_columns(y_true=pl.lit(0.0), y_pred=told)
    differences, comparisons = compare(forecasts)
    assert comparisons["statistic"].is_null().all()
    assert largest(differences) < TEST_TOLERANCE


def test_too_few_forecasts_for_the_horizon(make_forecasts, compare):
    differences, comparisons = compare(make_forecasts(("noisy",), n=5))
    assert comparisons["statistic"].is_null().all()
    assert comparisons.filter(horizon=5)["hln_statistic"].is_null().all()
    assert comparisons.filter(horizon=1)["hln_statistic"].is_not_null().all()
    assert largest(differences) < 1e-9


def test_a_variance_that_is_not_positive(make_forecasts, compare):
    turn = pl.when(pl.int_range(pl.len()).over("forecaster", "pair", "horizon", "seed") % 2 == 0)
    forecasts = make_forecasts(("noisy",), ("EURUSD",), (2,), seeds=1).with_columns(
        y_true=pl.lit(0.0),
        y_pred=pl.when(pl.col("forecaster") == "noisy").then(turn.then(1.0).otherwise(0.0)).otherwise(0.0),
    )
    differences, comparisons = compare(forecasts)
    assert comparisons["statistic"].is_not_null().all()  # cosines are never negative
    assert comparisons["hln_statistic"].is_null().all()
    assert largest(differences) < 1e-9
