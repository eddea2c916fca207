"""Trials of a study with quantiles: what they write, that it is verified, and what a study without them keeps."""

import dataclasses
import shutil

import numpy as np
import polars as pl
import pytest
from support.campaigns import OVERRIDES

from golden_core.inputs.windows import Target, cut_windows
from golden_core.preparation.catalogue import load_variant
from golden_core.store.lake import read_json
from golden_core.trials import AlteredError, Trial, read_outputs, read_quantiles, trial_status
from golden_core.trials.identity import dependencies, fingerprint, series_inputs
from golden_core.trials.outputs import altered_files, damaged_trials
from golden_core.trials.quantiles import known_labels
from golden_core.trials.rows import cut_folds
from golden_core.trials.run import fit_fold, run_trial

LEVELS = [0.1, 0.5, 0.9]
QUANTILES = f"quantiles={{levels: {LEVELS}, calibration: {{method: split, share: 0.5}}}}"
ADAPTIVE = "quantiles.calibration={method: adaptive, share: 0.5, step: 0.05}"
PLAIN, STUDY, FOLLOWING = (
    load_variant("smoke", (*OVERRIDES, *more)) for more in ((), (QUANTILES,), (QUANTILES, ADAPTIVE))
)
WALK, NETWORK, LEGACY = (Trial(name, "EURUSD", 1, 0) for name in ("random_walk", "dlinear", "v08"))


@pytest.mark.parametrize(
    ("study", "trial"),
    [(STUDY, WALK), (FOLLOWING, WALK), (STUDY, NETWORK)],
    ids=["split", "adaptive", "by a network's own outputs"],
)
def test_quantiles_stand_beside_every_forecast(broken, study, trial):
    folder = run_trial(broken, study, trial)
    quantiles, forecasts = (pl.read_parquet(folder / f"{name}.parquet") for name in ("quantiles", "forecasts"))
    key = ["study", "forecaster", "pair", "horizon", "seed", "fold", "cutoff"]
    expected = forecasts.select(key).join(pl.DataFrame({"level": LEVELS}), how="cross")
    assert quantiles.select(*key, "level").equals(expected.sort("cutoff", "level"))
    assert (quantiles.sort("cutoff", "level").group_by("cutoff").agg(pl.col("value").is_sorted())["value"]).all()
    assert "quantiles.parquet" in read_json(folder / "provenance.json")["sha256"]
    done = trial_status(broken, study, [trial])
    assert read_quantiles(broken, study, done).equals(quantiles)


def test_an_altered_file_of_quantiles_is_found(broken):
    folder = run_trial(broken, STUDY, WALK)
    (folder / "quantiles.parquet").write_bytes(b"")
    assert altered_files(folder) == ["quantiles.parquet is not what the trial wrote"]
    (folder / "quantiles.parquet").unlink()
    assert altered_files(folder) == ["quantiles.parquet is missing"]


def test_quantiles_that_a_trial_did_not_write_are_not_read(broken):
    given, folder = run_trial(broken, STUDY, WALK), run_trial(broken, PLAIN, WALK)
    shutil.copy(given / "quantiles.parquet", folder)
    assert altered_files(folder) == ["quantiles.parquet was not written by the trial, move it elsewhere"]
    with pytest.raises(AlteredError, match=rf"{folder}: quantiles\.parquet was not written .* elsewhere$"):
        read_outputs(broken, PLAIN, trial_status(broken, PLAIN, [WALK]))
    (folder / "history.parquet").unlink()
    with pytest.raises(AlteredError, match=rf"history\.parquet is missing; .* elsewhere; delete {folder} and run"):
        read_outputs(broken, PLAIN, trial_status(broken, PLAIN, [WALK]))


def test_what_killed_processes_and_systems_leave_behind_is_no_part_of_a_trial(broken):
    folder = run_trial(broken, STUDY, WALK)
    (folder.parent / f".{folder.name}.123-abcdefgh.tmp").mkdir()
    (folder / ".DS_Store").write_text("")
    (folder / ".#index").symlink_to("nothing")
    (folder / ".forecasts.parquet.123-abcdefgh.tmp").write_text("")
    assert altered_files(folder) == []
    assert damaged_trials(broken, STUDY) == {}


def test_a_legacy_network_is_point_only(broken):
    gates = "{gate: linear, initialisers: keras_3.8}"
    study = load_variant("smoke", (*OVERRIDES, QUANTILES, f"forecasters={{random_walk: {{}}, v08: {gates}}}"))
    folder = run_trial(broken, study, LEGACY)
    assert not (folder / "quantiles.parquet").exists()
    assert altered_files(folder) == []
    done = trial_status(broken, study, [LEGACY])
    assert read_quantiles(broken, study, done).is_empty()
    assert not read_outputs(broken, study, done)[0].is_empty()


def test_without_the_section_nothing_of_it_enters_a_trial(finished):
    for trial in (WALK, NETWORK):
        inputs = series_inputs(finished, PLAIN, trial.pair, trial.horizon).hash
        assert [name for name in dependencies(PLAIN, trial, inputs) if "quantile" in name or name == "embargo"] == []
        assert len({fingerprint(study, trial, inputs) for study in (PLAIN, STUDY, FOLLOWING)}) == 3
    inputs = series_inputs(finished, PLAIN, "EURUSD", 1)
    assert {data.calibration for data in cut_folds(PLAIN, 1, inputs)} == {None}
    assert fit_fold(PLAIN, WALK, next(cut_folds(PLAIN, 1, inputs))).quantiles is None


def test_calibration_rows_are_taken_from_the_validation_part_alone(finished):
    inputs = series_inputs(finished, PLAIN, "EURUSD", 1)
    for plain, data in zip(cut_folds(PLAIN, 1, inputs), cut_folds(STUDY, 1, inputs), strict=True):
        every, kept, apart = (part.windows.positions for part in (plain.validation, data.validation, data.calibration))
        assert np.array_equal(data.train.windows.positions, plain.train.windows.positions)
        assert np.array_equal(data.test_rows, plain.test_rows)
        assert len(apart) == np.ceil(len(every) / 2)
        assert np.isin(np.concatenate([kept, apart]), every).all()
        assert kept[-1] + 1 + PLAIN.splits.embargo < apart[0]  # horizon 1
        assert apart[-1] + 1 < data.test_rows[0]


def windows_of(closes, rows, horizon):
    days = np.datetime64("2024-01-01", "us") + np.arange(len(closes)) * np.timedelta64(1, "D")
    matrix, target = np.zeros((len(closes), 1), dtype=np.float32), Target("log_return", 0.0, 1.0)
    return cut_windows(matrix, closes, days, rows, context_length=1, horizon=horizon, target=target)


@pytest.mark.parametrize("horizon", [1, 3])
def test_known_labels_are_those_whose_target_has_been_seen(horizon):
    closes = np.exp(np.arange(30.0) ** 1.5 / 100)
    rows = np.array([5, 6, 7, 10, 11, 20, 21])
    labels, known = known_labels(windows_of(closes, rows, horizon))
    for place, row in enumerate(rows):
        assert known[place] == sum(other + horizon <= row for other in rows)
    count = known[-1]
    assert labels[:count] == pytest.approx(np.log(closes[rows[:count] + horizon] / closes[rows[:count]]), rel=1e-12)
    assert np.isnan(labels[count:]).all()


@pytest.mark.parametrize("study", [STUDY, FOLLOWING], ids=["split", "adaptive"])
def test_bars_after_a_cutoff_change_no_quantile_up_to_it(finished, study):
    inputs = series_inputs(finished, study, "EURUSD", 1)
    last = next(cut_folds(study, 1, inputs)).test_rows[50]
    row = pl.int_range(pl.len())
    poisoned = inputs.bars.with_columns(pl.when(row > last).then(7.0 + row % 5).otherwise("close").alias("close"))
    before, after = (
        fit_fold(study, WALK, next(cut_folds(study, 1, dataclasses.replace(inputs, bars=bars)))).quantiles.values
        for bars in (inputs.bars, poisoned)
    )
    assert before[:51].tobytes() == after[:51].tobytes()
    if study is FOLLOWING:
        assert before[51:].tobytes() != after[51:].tobytes()
