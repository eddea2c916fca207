"""Trials trained again: the same bytes or a failure that says which; and every line of the list has an answer."""

import importlib.metadata
import shutil

import polars as pl
import pytest
from support.campaigns import OVERRIDES
from support.packages import install

from golden_core.checks import results
from golden_core.preparation import prepare_all
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import Home, hash_file, read_json, write_json, write_parquet
from golden_core.store.provenance import git_state
from golden_core.store.randomness import Stream
from golden_core.trials import all_trials, checklist, reproduction, run_trials
from golden_core.trials.campaign import fingerprinted
from golden_core.trials.checklist import NOTEBOOKS, answers, recorded_text, rerun_text
from golden_core.trials.generators import GENERATORS, present, seed_everything, states
from golden_core.trials.outputs import OUTPUTS, finished_trials
from golden_core.trials.reproduction import (
    Reproduction,
    Retraining,
    Sample,
    reproduce_last,
    reproduce_sample,
    retrain,
)
from golden_core.trials.syntax import MEMORY

PAIR = "data.pairs=[EURUSD]"
LEVELS = "quantiles={levels: [0.1, 0.5, 0.9], calibration: {method: split, share: 0.5}}"
STREAM = Stream(1).child("test of reproduction")
# One package with two forecasters that no stream can make repeat, one that remembers what it was shown, and three whose
# checkpoint is not what was trained.
RESTLESS = """
import os, sys
import numpy as np
from golden_core.forecasters.naive import Drift, RandomWalk

SEEN = []

class Unseeded(RandomWalk):
    deterministic = False

    def predict(self, windows):
        return 1e-6 * np.random.default_rng().normal(size=len(windows))

class Global(Unseeded):
    def predict(self, windows):
        return 1e-6 * np.random.normal(size=len(windows))

class Remembering(Drift):
    def predict(self, windows):
        closes, honest = windows.last_close, super().predict(windows)
        drifts = [drift for first, drift in SEEN if first != closes[0]]  # of the test parts of other trials
        SEEN.append((closes[0], np.log(closes[-1] / closes[0]) / len(closes)))
        return (honest + np.mean(drifts)) / 2 if drifts else honest

class Lost(RandomWalk):
    def fit(self, train, validation, stream):
        self.level = train.y.mean()
        os.write(2, "é".encode("latin-1"))  # as a library of C speaks where it was made
        return []

    def predict(self, windows):
        return np.full(len(windows), self.level)

class Forgetful(Lost):
    level = 0.0

class Ending(Drift):
    def restore(self, state):
        os._exit(3)

class Leaving(RandomWalk):
    def fit(self, train, validation, stream):
        return os._exit(0) if "retraining" in sys.argv[0] else []
"""


@pytest.fixture
def restless(tmp_path, monkeypatch):
    kinds = ("Unseeded", "Global", "Remembering", "Lost", "Forgetful", "Ending", "Leaving")
    offered = {kind.lower(): kind for kind in kinds}
    install(monkeypatch, tmp_path, f"restless_{tmp_path.name}", RESTLESS, offered)


def test_a_forecaster_that_remembers_an_earlier_trial_is_caught_by_training_its_last_one_alone(
    restless, tmp_path, monkeypatch
):
    """Trained in one process in the order of the campaign, it repeats its bytes and passes for honest."""
    home = Home.from_environment()
    study = load_study("smoke", ["forecasters={random_walk: {}, remembering: {}}"])
    prepare_all(home, study)
    outcomes = list(run_trials(home, study, fingerprinted(home, study, all_trials(study))))
    done = finished_trials(home, study, all_trials(study))
    assert len(outcomes) == 8
    assert len(done) == 4
    together = tmp_path / "together"
    assert retrain(home, study, list(done), together, run="again").error is None
    assert all(altered(done[trial], together / str(number)) == [] for number, trial in enumerate(done))
    again = reproduce_last(home, study, len(done))[0]
    assert {one.trial for one in again} == set(done)
    found = {str(one.trial): one.said for one in again if not one.identical}
    assert found == {"remembering on USDJPY_h1, seed 0": "not the same bytes again: forecasts.parquet"}
    monkeypatch.setattr(reproduction, "retrain", lambda *_, **__: Retraining("not trained: who is chosen counts", {}))
    for trial in (trial for trial in done if trial.forecaster == "remembering"):
        record = read_json(done[trial] / "provenance.json")
        write_json({**record, "machine": record["machine"] | {"cpu": "another"}}, done[trial] / "provenance.json")
    reproduced, strangers = reproduce_last(home, study, 1)
    assert {one.trial.forecaster for one in reproduced} == {"random_walk"}
    assert strangers == {"remembering": "another"}
    sample = reproduce_sample(home, study, 4)
    assert {one.trial.forecaster for one in sample.trials} == {"random_walk"}
    assert (sample.stored, set(sample.elsewhere)) == (True, {"another"})
    portable = load_study("smoke", ["forecasters={random_walk: {}, remembering: {}}", "training.kernels=portable"])
    monkeypatch.setattr(reproduction, "finished_trials", lambda *_: done)
    assert reproduction._finished_here(home, portable) == (done, {})  # its bytes are promised anywhere


def test_a_checkpoint_without_what_was_learned_is_caught(restless):
    home = Home.from_environment()
    study = load_study(
        "smoke",
        ["forecasters={random_walk: {}, lost: {}, forgetful: {}, ending: {}, leaving: {}}", "data.pairs=[EURUSD]"],
    )
    prepare_all(home, study, [("EURUSD", 1)])
    list(run_trials(home, study, fingerprinted(home, study, all_trials(study))))
    found = {one.trial.forecaster: one for one in reproduce_last(home, study, 1)[0]}
    assert found["random_walk"].identical
    assert found["leaving"].differing == OUTPUTS  # its process ended as if all were well, and wrote nothing
    told = "fold 0: the checkpoint does not give the forecasts again{}: state() must return all that fit learned"
    assert found["forgetful"].said.startswith(told.format(""))
    assert found["lost"].said.startswith(told.format(" (AttributeError: 'Lost' object has no attribute 'level')"))
    assert found["ending"].said == "the process that restored its checkpoint died"
    assert not any(found[name].identical or found[name].differing for name in ("forgetful", "lost", "ending"))


def test_trials_come_out_again_in_a_temporary_folder_whose_name_looks_like_a_pattern(finished, tmp_path, monkeypatch):
    study = load_study("smoke", OVERRIDES)
    (tmp_path / "for [me]").mkdir()
    monkeypatch.setattr(reproduction.tempfile, "tempdir", str(tmp_path / "for [me]"))
    assert [one.said for one in reproduce_last(finished, study, 1)[0] if not one.identical] == []


@pytest.mark.usefixtures("restless")
def test_where_nothing_can_be_confined_the_gate_says_what_is_unmeasured(monkeypatch):
    study = load_study("smoke", ["forecasters={random_walk: {}, lost: {}}"])
    monkeypatch.setattr(results, "reproduce_last", lambda *_: ([], {}))
    (check,) = (check for check in results.result_checks(study) if check.name == "forecasts_reproduce_bitwise")
    monkeypatch.setattr(results, "can_confine", lambda: True)
    assert check.decide(Home.from_environment(), study).findings == []
    monkeypatch.setattr(results, "can_confine", lambda: False)
    found = check.decide(Home.from_environment(), study)
    assert (found.findings, found.severity) == (
        ["unmeasured: what lost reads besides its inputs; `golden doctor` says why"], "warn",
    )  # fmt: skip


def altered(folder, again):
    return [name for name in OUTPUTS if hash_file(folder / name) != hash_file(again / name)]


def files(home):
    """Return every file under a home with its time of writing; what was looked at is remembered, and no result."""
    found = (path for path in home.root.rglob("*") if path.is_file() and path.name not in {"input_hashes.json", MEMORY})
    return {path: path.stat().st_mtime_ns for path in found}


@pytest.fixture
def _without_notebook(tmp_path, monkeypatch):
    """They have a test of their own; here they would be run once for every answer."""
    monkeypatch.setattr(checklist, "NOTEBOOKS", tmp_path / "absent")


def verdicts(study, sample):
    return {one.name: (one.verdict, one.seen) for one in answers(study, sample)}


@pytest.mark.parametrize(("forecaster", "moved"), [("unseeded", ""), ("global", "NumPy")])
@pytest.mark.usefixtures("_without_notebook")
def test_a_forecaster_that_draws_past_its_stream_does_not_reproduce(restless, forecaster, moved):
    study = load_study("smoke", [f"forecasters={{random_walk: {{}}, {forecaster}: {{}}}}"])
    sample = reproduce_sample(Home.from_environment(), study, 1)
    assert not sample.identical
    assert sample.trials[0].said == "not the same bytes again: forecasts.parquet"
    found = verdicts(study, sample)
    assert found["bytes_repeat"] == ("failed", f"{sample.trials[0].trial}: {sample.trials[0].said}")
    assert found["globals_untouched"][0] == ("failed" if moved else "passed")
    assert moved in found["globals_untouched"][1]


@pytest.mark.usefixtures("_without_notebook")
def test_what_the_lake_holds_comes_out_again_and_nothing_is_written(finished):
    before, study = files(finished), load_study("smoke", OVERRIDES)
    sample = reproduce_sample(finished, study, 2)
    assert sample.stored
    assert sample.identical
    assert files(finished) == before
    found = verdicts(study, sample)
    assert {verdict for verdict, _ in found.values()} <= {"passed", "unmeasured"}
    assert found["torch_deterministic"] == (
        "passed",
        "deterministic algorithms on, 1 threads whenever a network computed",
    )
    assert found["workers_repeat"][0] == "unmeasured"
    assert found["elsewhere_repeats"][0] == found["inputs_identified"][0] == "passed"


@pytest.fixture
def _trained_as_before(_finished, monkeypatch):
    """Train as the finished campaign did, by its files: what counts is what the broken copy of it is blamed for."""

    def copied(_home, study, trials, into, **_):
        folders = finished_trials(Home(_finished, _finished / "reports"), study, all_trials(study))
        for number, trial in enumerate(trials):
            shutil.copytree(folders[trial], into / str(number))
        return Retraining(None, GOOD)

    monkeypatch.setattr(reproduction, "retrain", copied)


@pytest.mark.usefixtures("_trained_as_before")
def test_a_stored_trial_whose_bytes_were_altered_does_not_reproduce(broken):
    root = broken.study("smoke").root
    for path in root.glob("trials/dlinear/EURUSD_h1/*/forecasts.parquet"):
        table = pl.read_parquet(path)
        write_parquet(table.with_columns(y_pred=pl.col("y_pred") + 1e-15), path)
    for path in root.glob("trials/dlinear/USDJPY_h1/*/weights.safetensors"):
        path.unlink()
    sample = reproduce_sample(broken, load_study("smoke", OVERRIDES), 4)
    assert {(one.trial.series, one.differing, one.said) for one in sample.trials} == {
        ("EURUSD_h1", ("forecasts.parquet",), "forecasts.parquet is not what the trial wrote"),
        ("USDJPY_h1", ("weights.safetensors",), "weights.safetensors is missing"),
    }


def test_generators_are_set_one_by_one():
    for name in present():
        seed_everything(STREAM)
        before, drawn = states(), GENERATORS[name].draw(3)
        assert {other for other, state in states().items() if state != before[other]} == {name}
        seed_everything(STREAM)
        assert GENERATORS[name].draw(3) == drawn
        seed_everything(STREAM.child("other"))
        assert GENERATORS[name].draw(3) != drawn


def test_every_notebook_prints_its_numbers_again(tmp_path, monkeypatch):
    printed = {path.name: rerun_text(path) for path in NOTEBOOKS.glob("*.ipynb")}
    assert printed == {path.name: recorded_text(path) for path in NOTEBOOKS.glob("*.ipynb")}
    assert {"statistics_claims.ipynb", "statistics_power.ipynb"} < printed.keys()
    monkeypatch.setattr(checklist, "rerun_text", lambda path: printed[path.name])
    name = "reproducibility.ipynb"
    altered = (NOTEBOOKS / name).read_text().replace("0.678928684144", "0.678928684145")
    (tmp_path / name).write_text(altered)
    assert checklist._notebooks(NOTEBOOKS)[0] == "passed"
    verdict, said = checklist._notebooks(tmp_path)
    assert verdict == "failed"
    assert "0.6789286841447503" in said
    assert checklist._notebooks(tmp_path / "absent")[0] == "unmeasured"


def test_other_versions_than_the_pinned_ones_are_named(tmp_path):
    pins, version = tmp_path / "constraints.txt", importlib.metadata.version("numpy")
    pins.write_text(f"# exact\nnumpy=={version}+built.here\nnot_installed==1\n")
    assert checklist._pinned(pins) == ("passed", "1 installed of 2 pinned, each as pinned")
    pins.write_text(f"numpy=={version}.1\n")
    assert checklist._pinned(pins) == ("failed", f"numpy {version} instead of {version}.1")


GOOD = {"moved": [], "torch": [[True, 1]]}
FAULTS = {
    "a generator was moved": ({"moved": ["torch"], "torch": []}, None, "globals_untouched", "moved by training: torch"),
    "two threads": ({**GOOD, "torch": [[True, 2]]}, None, "torch_deterministic", "on, 2 threads"),
    "any operation": ({**GOOD, "torch": [[False, 1]]}, None, "torch_deterministic", "off, 1 threads"),
    "no driver": (GOOD, {"machine": {"cpu": ""}}, "trials_recorded", "machine.gpu, machine.memory_gb"),
    "other inputs": (GOOD, {"depends_on": {"inputs": "other"}}, "inputs_identified", "0 of 1 trials"),
    "another tree": (GOOD, {"git": {"commit": "0" * 40, "dirty": False}}, "tree_recorded", "000000000000, clean"),
}


@pytest.mark.parametrize(("found", "record", "line", "seen"), FAULTS.values(), ids=FAULTS)
@pytest.mark.usefixtures("_without_notebook")
def test_each_line_of_the_list_can_fail(found, record, line, seen):
    record = {"git": git_state(), "depends_on": {"inputs": "a"}, "fingerprint": "b", **(record or {})}
    sample = Sample((Reproduction(None, (), None),), False, (Retraining(None, found),), ((record, "a", "b"),))
    verdict, said = verdicts(load_study("smoke"), sample)[line]
    assert verdict == "failed"
    assert seen in said


@pytest.mark.usefixtures("_trained_as_before")
def test_a_trial_with_a_damaged_record_is_one_that_does_not_reproduce(broken):
    study = load_study("smoke", OVERRIDES)
    for path in broken.study("smoke").root.glob("trials/ar/EURUSD_h1/*/provenance.json"):
        path.write_text("{}")
    sample = reproduce_sample(broken, study, 20)
    assert sample.elsewhere == ()
    assert {one.trial.series for one in sample.trials if not one.identical and one.trial.forecaster == "ar"} == {
        "EURUSD_h1"
    }
