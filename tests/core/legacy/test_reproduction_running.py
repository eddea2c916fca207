"""The whole way on a small file: what is asked, merge, both splits, an experiment, table, report; twice."""

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from support.folds import walk_forward
from support.record import flat_bars, hourly_bars

from golden_core.legacy.flow.protocol import extents, read_facts
from golden_core.legacy.reproduction.pages import record_files
from golden_core.legacy.reproduction.published import RecordError, read_record
from golden_core.legacy.reproduction.running import (
    Plan,
    Request,
    carry_out,
    deviations,
    legacy_study,
    split_overrides,
    training_override,
)
from golden_core.models.architecture import VARIANTS
from golden_core.preparation.catalogue import load_study
from golden_core.splits.folds import usable_rows
from golden_core.store.lake import Home
from golden_core.study import StudyError

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


def test_two_experiments_of_one_id_are_refused_before_anything_is_run():
    twice = Request(Path("a"), experiments=(Plan.parse(PLAN), Plan.parse("e1:data:training.epochs=2")))
    with pytest.raises(RecordError, match="ids of their own, got e1, e1"):
        carry_out(Home.from_environment(), twice)


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
    counts = main.forecasts.group_by("forecaster").len().sort("forecaster").rows()
    assert counts == [("random_walk", 1885), ("v01", 3770), ("v02", 3770)]
    assert set(other.forecasts["forecaster"]) == {"random_walk", "v01"}
    (found,) = validation.alignment.experiments
    assert (found.id, found.category, found.change) == ("e1", "initialisation", PLAN.split(":")[2].replace(";", "; "))
    assert set(found.forecasts["study"]) == {"smoke_record_e1", "smoke_record_e1_94_3_3"}


def test_the_table_has_all_of_it(validation):
    table = validation.alignment.table
    rows = table.select("study", "variant").unique(maintain_order=True).rows()
    assert rows == [("smoke_record", "v01"), ("smoke_record", "v02"), ("smoke_record_94_3_3", "v01")]
    # The prices are invented, so nothing published was scored on them, and the experiment explains nothing.
    assert set(table["verdict"]) == {"other_test_set"}
    assert set(table["category"]) == {"unknown"}
    assert not validation.window.recovered


def test_the_report_says_where_everything_comes_from_and_what_was_changed(validation):
    files = record_files(validation)
    report = files["validation_report.md"]
    for account in validation.merged.files:
        assert account["sha256"] in report
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


RECORD = read_record()
ROWS = 94_390  # of the original file


def under(shares, overrides=(), bars=ROWS):
    decided = split_overrides(legacy_study(overrides), RECORD, RECORD.splits[shares], "sources/mine.parquet")
    study = load_study("legacy", [*overrides, *decided])
    return load_study("legacy", [*overrides, *decided, training_override(study, bars)])


def fold_of(study, bars):
    usable = usable_rows(bars, warm_up=study.evaluation.volatility_window, context_length=3, horizon=1)
    found = walk_forward(usable, study.splits, horizon=1)
    assert found.unused_rows == 0
    (fold,) = found.folds
    return fold


@pytest.mark.parametrize(("shares", "variant"), [("96/2/2", "v08"), ("94/3/3", "v01")])
def test_origins_are_those_of_the_legacy_run_row_for_row(shares, variant):
    """But for the training rows whose day of trailing volatility lies before the file begins."""
    fold, legacy = fold_of(under(shares), ROWS), extents(read_facts(variant))
    for part, rows in fold.parts.items():
        targets = legacy[part].targets
        origins = range(targets.start - 1, targets.stop - 1)
        assert rows.stop == origins.stop
        assert rows.start == origins.start + (24 if part == "train" else 0)


@pytest.mark.parametrize("bars", [94_059, 63_166, 7000])
@pytest.mark.parametrize(("shares", "targets", "validation"), [("96/2/2", 1885, 1885), ("94/3/3", 2829, 2829)])
def test_with_another_number_of_bars_the_last_rows_stay_the_test_part(bars, shares, targets, validation):
    fold = fold_of(under(shares, bars=bars), bars)
    assert fold.test == range(bars - 1 - targets, bars - 1)
    assert len(fold.validation) == validation


def test_too_few_bars_are_refused():
    with pytest.raises(RecordError, match="leave none to train on"):
        under("94/3/3", bars=5000)


def test_the_main_split_takes_every_variant_and_the_other_one_its_own():
    main, other = under("96/2/2"), under("94/3/3")
    assert (main.name, other.name) == ("legacy", "legacy_94_3_3")
    assert set(main.forecasters) == {"random_walk", *VARIANTS}
    assert set(other.forecasters) == {"random_walk", "v01"}
    assert main.forecasters["v01"] == other.forecasters["v01"] == load_study("legacy").forecasters["v01"]
    assert main.training == other.training == load_study("legacy").training
    assert main.data.settings["paths"] == {"EURUSD": "sources/mine.parquet"}


def test_the_users_settings_hold_under_both():
    overrides = ["name=smoke_mine", "training.epochs=3", "data.settings.columns.close=Last", "seeds.count=2"]
    for shares, name in (("96/2/2", "smoke_mine"), ("94/3/3", "smoke_mine_94_3_3")):
        study = under(shares, overrides)
        assert (study.name, study.training.epochs, study.seeds.count) == (name, 3, 2)
        # What is written under the home has the names of the schema, whatever the user's file calls them.
        assert study.data.settings["columns"]["close"] == "close"
        assert study.data.settings["columns"]["volume"] is None


def test_a_vendors_own_format_becomes_columns_of_the_schema():
    study = under("96/2/2", ["data.settings.format=auto", "data.settings.columns=null", "data.time_zone=EET_US"])
    columns = study.data.settings["columns"]
    assert (study.data.settings["format"], columns["close"], columns["volume"]) == ("columns", "close", None)


def test_a_study_without_its_variants_has_no_second_split():
    without = ["forecasters={random_walk: {}, v08: {gate: linear, initialisers: keras_3.8}}"]
    assert split_overrides(legacy_study(without), RECORD, RECORD.splits["94/3/3"], "x.parquet") == []
    assert split_overrides(legacy_study(without), RECORD, RECORD.splits["96/2/2"], "x.parquet")


@pytest.mark.parametrize(
    "override", ["splits.train=9", "splits={}", "data.settings.paths.EURUSD=x", "data.pairs=[GBPUSD]", "horizons[0]=2"]
)
def test_what_the_splits_and_files_decide_cannot_be_set(override):
    with pytest.raises(RecordError, match="cannot be set here"):
        legacy_study([override])


def test_a_wrong_setting_is_the_studys_own_error():
    with pytest.raises(StudyError, match="epochs"):
        legacy_study(["training.epoch=3"])


def found(study, bars=ROWS, windows=90_611):
    return {
        what: (legacy, here, variants) for (what, legacy, here), variants in deviations(study, bars, windows).items()
    }


def test_on_the_original_rows_the_study_deviates_only_in_what_it_declares():
    items = found(under("96/2/2"))
    assert set(items) == {"training windows", "test targets", "patience of early stopping", "number format", "runs"}
    assert items["training windows"][2] == ["v01"]  # published under the other split
    rows = deviations(under("96/2/2"), ROWS, 90_611)
    patience = {
        tuple(numbers): variants for (what, *numbers), variants in rows.items() if what == "patience of early stopping"
    }
    assert patience == {("60", "20"): ["v01", "v02", "v03", "v04", "v05", "v07"], ("30", "20"): ["v06"]}


@pytest.mark.parametrize(
    ("override", "what", "legacy", "here"),
    [
        ("training.epochs=10", "epochs", "60", "10"),
        ("training.batch_size=1000", "batch size", "5000", "1000"),
        ("training.learning_rate=0.001", "learning rate", "0.01", "0.001"),
        ("training.weight_decay=0", "weight decay", "0.004", "0"),
        ("training.optimiser=adamw", "optimiser", "keras_adamw", "adamw"),
        ("training.shuffle=false", "shuffle", "yes", "no"),
        ("training.gradient_clip=1", "gradient clip", "none", "1"),
        ("training.plateau.patience=3", "plateau: patience", "1", "3"),
        ("training.plateau=null", "plateau: factor", "0.1", "none"),
        ("training.early_stopping=null", "restores the best epoch", "yes", "no"),
        ("forecasters.v08.gate=softmax", "gate of the experts", "linear", "softmax"),
        ("forecasters.v08.initialisers=keras_3.15", "starting values", "keras_3.8", "keras_3.15"),
        ("target=log_return", "target", "close", "log_return"),
        ("features=[close]", "features", "open, high, low, close", "close"),
    ],
)
def test_every_departure_from_the_protocol_is_reported(override, what, legacy, here):
    *numbers, variants = found(under("96/2/2", [override]))[what]
    assert numbers == [legacy, here]
    assert "v08" in variants


def test_precision_is_reported_per_variant():
    rows = deviations(under("96/2/2", ["training.precision=bfloat16"]), ROWS, 90_611)
    formats = {(here, name) for (what, _, here), names in rows.items() if what == "number format" for name in names}
    assert formats == {("bfloat16", name) for name in VARIANTS}


def test_another_file_is_reported():
    items = found(under("96/2/2", bars=94_059), 94_059, 90_256)
    assert items["rows of the file"][:2] == ("94390", "94059")
