"""Two implementations of every metric agree, and the comparison turns red for a metric that is off by 1e-9."""

import time

import polars as pl
import pytest

from golden_core.evaluation.point import METRICS, metrics_table
from golden_core.evaluation.sql import METRICS_SQL, metric_differences
from golden_core.store.warehouse import Warehouse

KINDS = ("year", "volatility_tercile", "session", "weekday")
TOLERANCE = 1e-12


@pytest.fixture
def compare(tmp_path):
    def differences(forecasts, strata=(), metrics=None):
        metrics = metrics_table(forecasts, strata) if metrics is None else metrics
        warehouse = Warehouse(tmp_path / "warehouse.duckdb")
        warehouse.load("made", {"forecasts": forecasts, "metrics": metrics})
        return metric_differences(warehouse, "made", strata)

    return differences


def largest(differences):
    return differences["difference"].max()


def test_every_metric_agrees_in_every_stratum(make_forecasts, compare):
    forecasts = make_forecasts(("noisy", "oracle", "steady"), ("EURUSD", "USDJPY", "AUDNZD"), n=400)
    differences = compare(forecasts, KINDS)
    assert len(differences) == len(metrics_table(forecasts, KINDS))
    assert set(differences["metric"]) == set(METRICS)
    assert largest(differences) <= TOLERANCE
    assert differences["polars"].null_count() == differences["sql"].null_count() > 0


def test_sessions_agree_over_every_change_of_clocks(make_forecasts, compare):
    """Four weeks around the changes of March 2024, at every hour of the day."""
    first, step = pl.datetime(2024, 3, 5, time_zone="UTC"), pl.duration(minutes=97)
    forecasts = make_forecasts((), ("EURUSD",), (1,), n=400).with_columns(cutoff=first + pl.int_range(400) * step)
    differences = compare(forecasts, ["session"])
    assert differences["stratum"].n_unique() > 8
    assert largest(differences) <= TOLERANCE


def test_skill_near_zero_and_closes_near_each_other_agree(make_forecasts, compare):
    forecasts = make_forecasts(("noisy",), ("USDJPY",), n=400)
    noisy = pl.col("forecaster") == "noisy"
    step = pl.int_range(pl.len()) % 11
    forecasts = forecasts.with_columns(
        y_pred=pl.when(noisy).then(pl.col("y_pred") * 1e-9).otherwise("y_pred"),
        true_close=150 + 1e-6 * step,
        pred_close=150 + 1e-6 * ((step + 3) % 11),
    )
    differences = compare(forecasts, KINDS)
    assert differences.filter(metric="r2_oos", forecaster="noisy")["polars"].abs().max() < 1e-6
    assert largest(differences) <= TOLERANCE


def test_undefined_agrees(make_forecasts, compare):
    forecasts = make_forecasts(n=12).with_columns(
        y_true=pl.lit(0.0), y_pred=pl.lit(0.0), scale=pl.lit(0.0), true_close=pl.lit(1.1)
    )
    differences = compare(forecasts, KINDS)
    assert largest(differences) == 0
    undefined = differences.filter(pl.col("sql").is_null())["metric"].unique()
    assert set(undefined) == {"r2_levels", "r2_oos", "mase", "directional_accuracy"}


def test_strata_that_were_not_asked_for_are_not_missed_and_without_the_random_walk_both_know_no_skill(
    forecasts, compare
):
    lacking = forecasts.filter((pl.col("forecaster") != "random_walk") | (pl.col("cutoff").dt.day() != 7))
    differences = compare(lacking, ["weekday"])
    assert largest(differences) <= TOLERANCE
    assert set(differences["stratum_kind"]) == {"all", "weekday"}


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("factor", [1 + 1e-9, 1 - 1e-9])
def test_a_metric_that_is_off_by_a_billionth_is_found(forecasts, compare, metric, factor):
    target = (pl.col("metric") == metric) & (pl.col("forecaster") == "noisy") & (pl.col("seed") == 2)
    wrong = pl.when(target).then(pl.col("value") * factor).otherwise("value")
    differences = compare(forecasts, metrics=metrics_table(forecasts, ()).with_columns(value=wrong))
    found = differences.filter(pl.col("difference") > TOLERANCE)
    assert set(found.select("metric", "forecaster", "seed").iter_rows()) == {(metric, "noisy", 2)}
    assert differences["difference"].is_sorted(descending=True)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda m: m[1:], id="a row is missing"),
        pytest.param(lambda m: m.clear(), id="all rows are missing"),
        pytest.param(lambda m: m.filter(stratum_kind="all"), id="a stratum is missing, of everybody"),
        pytest.param(lambda m: m.with_columns(value=pl.lit(float("inf"))), id="an infinity"),
        pytest.param(lambda m: m.with_columns(stratum_kind=pl.lit("session")), id="a stratum that nobody asked for"),
        pytest.param(lambda m: m.with_columns(value=pl.when(pl.int_range(pl.len()) > 0).then("value")), id="a null"),
        pytest.param(lambda m: m.with_columns(pl.col("value").fill_null(0.5)), id="a number where none is defined"),
        pytest.param(lambda m: m.with_columns(n=pl.col("n") + (pl.int_range(pl.len()) == 0)), id="another count"),
        pytest.param(lambda m: m.with_columns(metric=pl.col("metric").replace("mae", "mean")), id="an unknown metric"),
    ],
)
def test_a_difference_in_kind_is_infinite(forecasts, compare, change):
    assert largest(compare(forecasts, ["year"], change(metrics_table(forecasts, ["year"])))) == float("inf")


def test_strata_do_not_depend_on_the_zone_of_the_machine(forecasts, compare, monkeypatch):
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")  # UTC+14: tomorrow for most cutoffs
    time.tzset()
    try:
        assert largest(compare(forecasts, KINDS)) <= TOLERANCE
    finally:
        monkeypatch.undo()
        time.tzset()


def test_other_studies_do_not_mix_in(forecasts, compare, tmp_path):
    other = forecasts.with_columns(study=pl.lit("other"), y_pred=pl.col("y_pred") + 0.01)
    Warehouse(tmp_path / "warehouse.duckdb").load("other", {"forecasts": other})
    assert largest(compare(forecasts, KINDS)) <= TOLERANCE


def test_every_registered_metric_stands_in_the_sql():
    for name in METRICS:
        assert f"AS {name}" in METRICS_SQL
