"""What a person asks for, and the claim that nothing was scored on other rows than the random walk."""

from pathlib import Path

import polars as pl
import pytest
from support.record import forecasts_of, hourly_bars

from golden_core.legacy.reproduction import Plan, RecordError, Request, rows_unlike_the_random_walk


def test_a_plan_is_read_and_written():
    text = "wide:initialisation:forecasters.v04.initialisers=keras_3.15;training.epochs=3"
    plan = Plan.parse(text)
    assert (plan.identity, plan.category) == ("wide", "initialisation")
    assert plan.change == ("forecasters.v04.initialisers=keras_3.15", "training.epochs=3")
    assert str(plan) == text


@pytest.mark.parametrize("text", ["", "wide", "wide:luck:a=1", "wide:unknown:a=1", "Wide:data:a=1", "wide:data:"])
def test_another_form_is_refused(text):
    with pytest.raises(RecordError, match="an experiment is ID:CATEGORY:KEY=VALUE"):
        Plan.parse(text)


def test_the_files_of_a_request():
    assert Request(Path("a")).files == (Path("a"),)
    assert Request(Path("a"), Path("b")).files == (Path("a"), Path("b"))


@pytest.fixture
def forecasts():
    return forecasts_of("legacy", hourly_bars(100), 40, {"v02": 0.001}, seeds=2)


def test_equal_rows_are_no_finding(forecasts):
    assert rows_unlike_the_random_walk(forecasts) == []


def test_a_missing_row_names_its_trial(forecasts):
    first = forecasts.filter(pl.col("forecaster") == "v02", pl.col("seed") == 1)["cutoff"].min()
    cut = forecasts.filter(~((pl.col("forecaster") == "v02") & (pl.col("seed") == 1) & (pl.col("cutoff") == first)))
    assert rows_unlike_the_random_walk(cut) == ["v02, seed 1, of legacy: 1 rows are not shared with the random_walk"]


def test_another_target_is_another_row(forecasts):
    other = pl.when(pl.col("forecaster") == "v02").then(pl.col("true_close") * 1.001).otherwise(pl.col("true_close"))
    found = rows_unlike_the_random_walk(forecasts.with_columns(true_close=other))
    assert found == [f"v02, seed {k}, of legacy: 80 rows are not shared with the random_walk" for k in (0, 1)]


def test_a_row_twice_is_a_finding(forecasts):
    twice = pl.concat([forecasts, forecasts.filter(pl.col("forecaster") == "v02", pl.col("seed") == 0).head(1)])
    assert len(rows_unlike_the_random_walk(twice)) == 1
