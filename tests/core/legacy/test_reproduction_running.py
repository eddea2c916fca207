"""The whole way on a small file: what is asked, merge, both splits, an experiment, table, report; twice."""

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from support.record import flat_bars, hourly_bars

from golden_core.legacy.reproduction.pages import record_files
from golden_core.legacy.reproduction.published import RecordError
from golden_core.legacy.reproduction.running import Plan, Request, carry_out
from golden_core.store.lake import Home

OVERRIDES = (
    "name=smoke_record",
    "seeds.count=2",
    "training.epochs=2",
    "training.batch_size=500",
    "forecasters={random_walk: {}, v01: {gate: linear, initialisers: keras_3.8}, "
    "v02: {gate: linear, initialisers: keras_3.8}}",
)
BARS = 5800  # the shorter training part has 109 windows
PLAN = "e1:initialisation:forecasters.v02.initialisers=keras_3.15;training.epochs=1"


def test_a_plan_is_read_and_written():
    plan = Plan.parse(PLAN)
    assert (plan.identity, plan.category) == ("e1", "initialisation")
    assert plan.change == ("forecasters.v02.initialisers=keras_3.15", "training.epochs=1")
    assert str(plan) == PLAN


@pytest.mark.parametrize("text", ["", "wide", "wide:luck:a=1", "wide:unknown:a=1", "Wide:data:a=1", "wide:data:"])
def test_another_form_is_refused(text):
    with pytest.raises(RecordError, match="an experiment is ID:CATEGORY:KEY=VALUE"):
        Plan.parse(text)


def test_the_files_of_a_request():
    assert Request(Path("a")).files == (Path("a"),)
    assert Request(Path("a"), Path("b")).files == (Path("a"), Path("b"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("record")


@pytest.fixture(scope="module")
def request_(folder):
    bars = hourly_bars(BARS)
    closed = flat_bars(bars[3000:3010], later=dt.timedelta(days=3))
    assert set(closed["timestamp"].dt.weekday()) == {6}
    pl.concat([bars[2000:], closed]).write_parquet(folder / "late.parquet")
    bars[:2500].write_parquet(folder / "early.parquet")
    return Request(folder / "late.parquet", folder / "early.parquet", OVERRIDES, (Plan.parse(PLAN),))


@pytest.fixture(scope="module")
def home(folder):
    return Home(folder / "home", folder / "reports")


@pytest.fixture(scope="module")
def outcomes():
    return []


@pytest.fixture(scope="module")
def validation(home, request_, outcomes):
    return carry_out(home, request_, on_outcome=outcomes.append)


def test_every_trial_of_both_splits_is_run_and_once_more_with_one_thing_changed(validation, outcomes):
    main, other = validation.runs
    assert (main.study.name, main.shares) == ("smoke_record", "96/2/2")
    assert (other.study.name, other.shares) == ("smoke_record_94_3_3", "94/3/3")
    assert [run.failures for run in validation.runs] == [(), ()]
    assert len(outcomes) == 2 * (3 * 2 + 2 * 2)
    assert main.bars.height == other.bars.height == BARS
    assert (main.training_windows, other.training_windows) == (BARS - 3800 - 3, BARS - 5688 - 3)
    assert main.forecasts.group_by("forecaster").len().sort("forecaster").rows() == [
        ("random_walk", 1885),
        ("v01", 3770),
        ("v02", 3770),
    ]
    assert set(other.forecasts["forecaster"]) == {"random_walk", "v01"}
    (found,) = validation.alignment.experiments
    assert (found.id, found.category, found.change) == ("e1", "initialisation", PLAN.split(":")[2].replace(";", "; "))
    assert set(found.forecasts["study"]) == {"smoke_record_e1", "smoke_record_e1_94_3_3"}


def test_the_table_has_all_of_it(validation):
    table = validation.alignment.table
    assert table.select("study", "variant").unique(maintain_order=True).rows() == [
        ("smoke_record", "v01"),
        ("smoke_record", "v02"),
        ("smoke_record_94_3_3", "v01"),
    ]
    # The prices are invented, so nothing published was scored on them, and the experiment explains nothing.
    assert set(table["verdict"]) == {"other_test_set"}
    assert set(table["category"]) == {"unknown"}
    assert not validation.window.recovered


def test_the_report_says_where_everything_comes_from_and_what_was_changed(validation):
    files = record_files(validation)
    report = files["validation_report.md"]
    for account in validation.merged.files:
        assert account.sha256 in report
    assert "| epochs | 60 | 2 | v01, v02 |" in report
    assert "| batch size | 5000 | 500 | v01, v02 |" in report
    assert "**The bars are of two feeds**" in report
    assert "Not recovered: up to the bar of 2025-02-18 23:00 UTC" in report
    assert "This is a smoke run" in report
    assert "random walk: MAE" in report
    assert "500 bars" in report
    assert "| e1 | initialisation | forecasters.v02.initialisers=keras_3.15; training.epochs=1 |" in report
    assert "| e1 | initialisation |" in files["alignment.md"]
    for run in validation.runs:
        assert run.study.hash() in report
    for block in report.split("\n\n"):
        if block.startswith("|"):
            assert len({line.count("|") for line in block.splitlines()}) == 1
    assert "\n\n\n" not in report


def test_a_second_time_nothing_is_trained_and_every_byte_is_the_same(validation, home, request_):
    trials = {path: path.stat().st_mtime_ns for path in home.root.glob("studies/*/trials/**/*.parquet")}
    again = carry_out(home, request_)
    assert {path: path.stat().st_mtime_ns for path in home.root.glob("studies/*/trials/**/*.parquet")} == trials
    assert record_files(again) == record_files(validation)


def test_a_trial_that_fails_is_named_and_the_others_are_aligned(home, request_, monkeypatch):
    def fails(self, *_):
        raise ValueError("no luck")

    monkeypatch.setattr("golden_core.forecasters.neural.V02.fit", fails)
    overrides = (*OVERRIDES, "name=smoke_failing", "seeds.count=1", "training.epochs=1")
    found = carry_out(home, Request(*request_.files, overrides))
    assert found.runs[0].failures == ("v02 on EURUSD_h1, seed 0, fold 0: no luck",)
    assert set(found.alignment.table["variant"]) == {"v01"}
    assert "- v02 on EURUSD_h1, seed 0, fold 0: no luck\n" in record_files(found)["validation_report.md"]


def test_no_variant_is_no_run(home, request_):
    with pytest.raises(RecordError, match="no legacy variant"):
        carry_out(home, Request(*request_.files, ("name=smoke_record", "forecasters={random_walk: {}}")))
