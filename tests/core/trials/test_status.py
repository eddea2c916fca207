"""What has been done is told without reading again what did not change, and never from memory where it did."""

import dataclasses
import os
import shutil
import subprocess
import sys

import polars as pl
import pytest
from support.campaigns import OVERRIDES

from golden_core.preparation.catalogue import load_study, load_variant
from golden_core.splits.closures import crossings
from golden_core.splits.labels import log_returns_ahead
from golden_core.store.lake import write_json, write_parquet
from golden_core.training.determinism import activate
from golden_core.trials import Trial, all_trials, code, identity, series_inputs, trial_status
from golden_core.trials.identity import fingerprint
from golden_core.trials.quantiles import known_labels, quantile_rows
from golden_core.trials.rows import cut_folds, fold_stream, forecast_rows, new_forecaster

STUDY = load_variant("smoke", OVERRIDES)


@pytest.fixture
def read(monkeypatch):
    """The series whose inputs were read."""
    found, honest = [], identity.series_inputs

    def noted(home, study, pair, horizon):
        found.append(pair)
        return honest(home, study, pair, horizon)

    monkeypatch.setattr(identity, "series_inputs", noted)
    return found


def status(home):
    table = trial_status(home, STUDY, all_trials(STUDY))
    return {pair: set(rows["status"]) for (pair,), rows in table.group_by("pair")}


def test_inputs_are_read_once(broken, read):
    (broken.study("smoke").root / "input_hashes.json").unlink(missing_ok=True)
    assert status(broken) == status(broken) == {"EURUSD": {"done"}, "USDJPY": {"done"}}
    assert sorted(read) == ["EURUSD", "USDJPY"]


def test_a_changed_file_is_read_again(broken, read):
    status(broken)
    read.clear()
    path = broken.study("smoke").table("bars", "EURUSD")
    write_parquet(pl.read_parquet(path).with_columns(pl.col("close") * 1.5), path)
    assert status(broken) == {"EURUSD": {"missing"}, "USDJPY": {"done"}}
    assert read == ["EURUSD"]


def test_a_file_of_another_time_is_read_and_found_the_same(broken, read):
    status(broken)
    read.clear()
    os.utime(broken.study("smoke").table("folds", "USDJPY_h1"), (1, 1))
    assert status(broken)["USDJPY"] == {"done"}
    assert read == ["USDJPY"]


def test_a_lost_file_and_a_damaged_memory(broken, read):
    status(broken)
    broken.study("smoke").table("scalers", "EURUSD_h1").unlink()
    assert status(broken) == {"EURUSD": {"missing"}, "USDJPY": {"done"}}
    for damaged in ("{", '{"EURUSD_h1": null, "USDJPY_h1": null}'):
        (broken.study("smoke").root / "input_hashes.json").write_text(damaged)
        assert status(broken) == {"EURUSD": {"missing"}, "USDJPY": {"done"}}


def test_every_fingerprint_is_that_of_a_trial_by_itself(finished):
    trials = all_trials(STUDY)
    hashes = {pair: series_inputs(finished, STUDY, pair, 1).hash for pair in STUDY.data.pairs}
    alone = [fingerprint(STUDY, trial, hashes[trial.pair]) for trial in trials]
    assert trial_status(finished, STUDY, trials)["fingerprint"].to_list() == alone
    assert len(set(alone)) == len({(t.forecaster, t.pair, t.seed * (t.forecaster == "dlinear")) for t in trials})


def test_every_file_that_a_forecaster_declares_counts_though_two_have_one_name(monkeypatch, tmp_path):
    """As one's own class has them that keeps a network per pair: EURUSD/net.json beside USDJPY/net.json."""
    files = tuple(tmp_path / folder / "net.json" for folder in ("one", "other"))
    for path in files:
        path.parent.mkdir()
        path.write_text("{}")
    honest = identity.forecaster_facts
    monkeypatch.setattr(identity, "forecaster_facts", lambda *of: dataclasses.replace(honest(*of), files=files))
    prints = [fingerprint(STUDY, all_trials(STUDY)[0], "inputs")]
    for path in files:
        path.write_text("[]")
        prints.append(fingerprint(STUDY, all_trials(STUDY)[0], "inputs"))
    assert len(set(prints)) == 3


@pytest.mark.parametrize(
    ("name", "modules"), [("rows_code", identity.ROWS_CODE), ("quantile_rows_code", identity.QUANTILE_ROWS_CODE)]
)
def test_other_labels_rows_or_known_labels_make_other_trials(monkeypatch, name, modules):
    study, trial = load_study("demo"), Trial("ar", "EURUSD", 1, 0)
    before, said = fingerprint(study, trial, "inputs"), identity.dependencies(study, trial, "inputs")
    honest = identity.own_hash
    monkeypatch.setattr(identity, "own_hash", lambda asked: "another" if asked == modules else honest(asked))
    assert fingerprint(study, trial, "inputs") != before
    assert identity.dependencies(study, trial, "inputs") == said | {name: "another"}


def test_what_makes_labels_and_rows_is_hashed_where_it_stands():
    """Whoever moves one of these takes its module's name along in identity.py."""
    makers = (cut_folds, new_forecaster, fold_stream, forecast_rows, log_returns_ahead, crossings, activate)
    assert {one.__module__ for one in makers} == set(identity.ROWS_CODE)
    assert {one.__module__ for one in (known_labels, quantile_rows)} == set(identity.QUANTILE_ROWS_CODE)
    assert code.own_hash(identity.ROWS_CODE) != code.own_hash(identity.ROWS_CODE[:-1])


def test_a_failure_is_told_with_its_message(broken):
    trial = next(trial for trial in all_trials(STUDY) if trial.forecaster == "dlinear")
    print_ = fingerprint(STUDY, trial, series_inputs(broken, STUDY, trial.pair, 1).hash)
    folder = broken.study("smoke")
    shutil.rmtree(folder.trial("dlinear", trial.series, print_))
    write_json({"error": "no luck"}, folder.failure("dlinear", trial.series, print_))
    assert trial_status(broken, STUDY, [trial])["error"].to_list() == ["no luck"]


def test_to_look_at_a_study_imports_nothing_that_trains():
    """Torch alone takes seconds."""
    code = (
        "import sys; from golden_dagster.cli.application import app; app(['status', 'demo'], standalone_mode=False); "
        "heavy = {'torch', 'statsforecast', 'statsmodels', 'scipy.stats', 'matplotlib', 'pandas', 'dagster'}; "
        "sys.exit(' '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
