"""The study under the published splits, and what is reported as unlike the legacy protocol."""

import pytest
from support.folds import walk_forward

from golden_core.legacy.flow.protocol import extents, read_facts
from golden_core.legacy.reproduction.published import RecordError, read_record
from golden_core.legacy.reproduction.running import deviations, legacy_study, split_overrides, training_override
from golden_core.models.architecture import VARIANTS
from golden_core.preparation.catalogue import load_study
from golden_core.splits.folds import usable_rows
from golden_core.study import StudyError

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
    settings = study.data.settings
    assert (settings["format"], settings["columns"]["close"], settings["columns"]["volume"]) == (
        "columns",
        "close",
        None,
    )


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
    return {item.what: item for item in deviations(study, bars, windows)}


def test_on_the_original_rows_the_study_deviates_only_in_what_it_declares():
    items = found(under("96/2/2"))
    assert set(items) == {"training windows", "test targets", "patience of early stopping", "number format", "runs"}
    assert items["training windows"].variants == ("v01",)  # published under the other split
    patience = {
        item.variants: (item.legacy, item.here)
        for item in deviations(under("96/2/2"), ROWS, 90_611)
        if item.what == items["patience of early stopping"].what
    }
    assert patience == {("v01", "v02", "v03", "v04", "v05", "v07"): ("60", "20"), ("v06",): ("30", "20")}


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
    item = found(under("96/2/2", [override]))[what]
    assert (item.legacy, item.here) == (legacy, here)
    assert "v08" in item.variants


def test_precision_is_reported_per_variant():
    rows = deviations(under("96/2/2", ["training.precision=bfloat16"]), ROWS, 90_611)
    formats = {item.variants: item for item in rows if item.what == "number format"}
    assert {item.here for item in formats.values()} == {"bfloat16"}
    assert sorted(name for variants in formats for name in variants) == list(VARIANTS)


def test_another_file_is_reported():
    items = found(under("96/2/2", bars=94_059), 94_059, 90_256)
    assert (items["rows of the file"].legacy, items["rows of the file"].here) == ("94390", "94059")
