"""The studies that come with the project: valid, named after their files, and what their comments say."""

import json

import pytest
from support.folds import walk_forward

from golden_core.forecasters import FORECASTERS, forecaster_facts
from golden_core.inputs.features import FEATURES
from golden_core.placebo.verdict import allowed
from golden_core.preparation.catalogue import load_study, study_names
from golden_core.splits.folds import usable_rows
from golden_core.store.lake import shipped
from golden_core.study import StudyError
from golden_core.trials import all_trials

BASELINES = {"random_walk", "drift", "ar", "ets", "dlinear"}
WALKS = {"random_walk_garch", "random_walk_gjr_t"}
LEGACY = {f"v{number:02d}" for number in range(1, 11)}

NEWER = {"theta", "lightgbm", "patchtst", "moe"}


def test_there_are_nine_and_the_retrials():
    nine = "demo golden golden_two_cores hourly legacy placebo placebo_golden placebo_hours smoke"
    retrials = "retrial_exformer retrial_puzzle_ends retrial_puzzle_means"
    assert study_names() == sorted(f"{nine} {retrials}".split())


@pytest.mark.parametrize("path", sorted(shipped("studies").glob("*.yaml")), ids=lambda path: path.stem)
def test_study_is_named_after_its_file_and_fits_on_lines(path):
    study = load_study(path.stem)
    assert study.name == path.stem
    assert study == load_study(str(path))
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n")
    assert all(len(line) <= 120 and line == line.rstrip() and "\t" not in line for line in text.splitlines())


def test_hashes_differ_and_all_but_smoke_have_enough_seeds_and_the_benchmark():
    studies = {name: load_study(name) for name in study_names()}
    assert len({study.hash() for study in studies.values()}) == len(studies)
    for name, study in studies.items():
        assert "random_walk" in study.forecasters
        assert study.is_smoke == (name == "smoke")
        assert study.is_smoke or study.seeds.count >= 5


def test_demo_asks_for_three_pairs_two_horizons_five_seeds_and_quantiles():
    study = load_study("demo")
    assert (len(study.data.pairs), study.horizons, study.seeds.count) == (3, (1, 5), 5)
    assert set(load_study("smoke").forecasters) == BASELINES | {"v08"}
    assert set(study.forecasters) == BASELINES | WALKS | {"v08"}
    assert study.quantiles


def test_golden_is_the_full_campaign():
    study = load_study("golden")
    assert (len(study.data.pairs), study.horizons, study.seeds.count) == (7, (1, 5, 20), 10)
    assert set(study.forecasters) == set(FORECASTERS) == BASELINES | WALKS | LEGACY | NEWER
    assert study.quantiles
    networks = sum(not forecaster_facts(trial.forecaster).deterministic for trial in all_trials(study))
    assert networks == len(LEGACY | {"dlinear", "patchtst", "moe"}) * 7 * 3 * 10
    assert f"{networks:,} trials" in shipped("studies", "golden.yaml").read_text(encoding="utf-8")


def leaves(values, path=""):
    if not isinstance(values, dict):
        return {path: values}
    return {end: leaf for key in values for end, leaf in leaves(values[key], f"{path}.{key}".lstrip(".")).items()}


def test_golden_on_two_cores_is_cut_where_it_says_and_nowhere_else():
    full, cut = load_study("golden"), load_study("golden_two_cores")
    full_leaves, cut_leaves = (leaves(json.loads(study.canonical())) for study in (full, cut))
    assert cut_leaves.pop("training.kernels") == "portable"  # `golden` is for a card
    assert full_leaves.keys() == cut_leaves.keys()
    assert {path for path in full_leaves if full_leaves[path] != cut_leaves[path]} == {
        "name", "description", "splits.test", "splits.step", "seeds.count", "training.epochs",
        "training.batch_size", "training.early_stopping.patience", "training.plateau.patience",
        "forecasters.dlinear.epochs",
    }  # fmt: skip
    for words in ("five seeds instead of ten", "two folds instead of seven", "two epochs instead of thirty"):
        assert words in cut.description
    assert (cut.seeds.count, full.seeds.count, cut.training.epochs, full.training.epochs) == (5, 10, 2, 30)
    for horizon in full.horizons:  # the same test rows
        of_full, of_cut = (splits(study, 6913, horizon).folds for study in (full, cut))
        assert (len(of_full), len(of_cut)) == (7, 2)
        assert [row for fold in of_full for row in fold.test] == [row for fold in of_cut for row in fold.test]


def test_the_placebo_of_golden_differs_in_its_bars_alone():
    cut, placebo = (json.loads(load_study(name).canonical()) for name in ("golden_two_cores", "placebo_golden"))
    del cut["training"]["kernels"]  # the last digit of a forecast, which no count of claims depends on
    assert {name for name in cut.keys() | placebo.keys() if cut.get(name) != placebo.get(name)} == {
        "name", "description", "data", "explanations", "placebo", "seeds",
    }  # fmt: skip
    assert {name for name in cut["data"] if cut["data"][name] != placebo["data"][name]} == {"source", "settings"}
    assert "explanations" not in placebo
    assert cut["seeds"]["count"] == placebo["seeds"]["count"]
    assert allowed(placebo["placebo"]["cheap"]["universes"]) == 16  # as the file says


def splits(study, bars, horizon):
    warm_up = max(study.evaluation.volatility_window, *(FEATURES[name].warm_up for name in study.features))
    usable = usable_rows(bars, warm_up=warm_up, context_length=study.context_length, horizon=horizon)
    return walk_forward(usable, study.splits, horizon)


# Fixings of the ECB in the range of each study, counted in the shipped file.
@pytest.mark.parametrize(("name", "bars"), [("smoke", 511), ("demo", 2902), ("golden", 6913)])
def test_several_folds_fit(name, bars):
    study = load_study(name)
    counts = {len(splits(study, bars, horizon).folds) for horizon in study.horizons}
    assert len(counts) == 1
    assert min(counts) >= 2
    if name == "golden":
        assert "seven folds each" in shipped("studies", "golden.yaml").read_text(encoding="utf-8")
        assert counts == {7}


def test_legacy_meets_the_legacy_split_row_for_row():
    """94,390 bars, 96/2/2, windows of three made inside each part: 90,611, 1,885 and 1,885 samples."""
    study, bars = load_study("legacy"), 94_390
    assert study.context_length == 3
    first_row = {"train": 0, "validation": 90_614, "test": 92_502}
    stop_row = {"train": 90_614, "validation": 92_502, "test": 94_390}
    # A window starts at the part's first row at the earliest, and its target is the part's last row at the latest.
    legacy = {part: range(first_row[part] + 2, stop_row[part] - 1) for part in first_row}
    assert [len(rows) for rows in legacy.values()] == [90_611, 1_885, 1_885]

    found = splits(study, bars, horizon=1)
    (fold,) = found.folds
    assert found.unused_rows == 0
    assert (fold.validation, fold.test) == (legacy["validation"], legacy["test"])
    assert fold.train == legacy["train"][study.evaluation.volatility_window :]


def test_legacy_splits_another_length_as_its_comment_says():
    bars = 63_446
    found = splits(load_study("legacy", [f"splits.train={bars - 3800}"]), bars, horizon=1)
    (fold,) = found.folds
    assert found.unused_rows == 0
    assert fold.test == range(bars - 1886, bars - 1)


def test_legacy_takes_the_path_of_its_file_from_the_command_line():
    study = load_study("legacy", ["data.settings.paths.EURUSD=/data/mine.parquet"])
    assert study.data.settings["paths"] == {"EURUSD": "/data/mine.parquet"}


def test_legacy_training_is_the_legacy_protocol():
    training = load_study("legacy").training
    plateau, stopping = training.plateau, training.early_stopping
    assert plateau is not None
    assert stopping is not None
    assert (training.epochs, training.batch_size, training.optimiser) == (60, 5000, "keras_adamw")
    assert (training.learning_rate, training.weight_decay, training.gradient_clip) == (0.01, 0.004, None)
    assert (plateau.factor, plateau.patience, plateau.min_delta, plateau.threshold) == (0.1, 1, 1e-4, "absolute")
    assert (plateau.min_learning_rate, stopping.restore_best) == (5e-7, True)
    assert 20 <= stopping.patience <= 60


def test_legacy_architectures_all_get_the_same_settings(read):
    for name in ("golden", "legacy"):
        study = load_study(name)
        assert {str(study.forecasters[variant]) for variant in LEGACY} == {str(study.forecasters["v01"])}


@pytest.mark.parametrize(
    ("zone", "message"),
    [
        ("EET_US", None),  # the clock of brokers whose day ends at 17:00 New York
        ("UTC+02:00", None),
        ("America/New_York+07:00", None),
        ("EET", None),
        ("EET_EU", "must be an IANA time zone"),
        ("UTC+2", "must be an IANA time zone"),
        ("Mars+02:00", "must be an IANA time zone"),
    ],
)
def test_a_brokers_clock_is_a_time_zone(zone, message):
    if message is None:
        assert load_study("legacy", [f"data.time_zone={zone}"]).data.time_zone == zone
        return
    with pytest.raises(StudyError, match=f"data.time_zone: {message}"):
        load_study("legacy", [f"data.time_zone={zone}"])
