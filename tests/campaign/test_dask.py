"""The same campaign on a scheduler's workers, one killed in the middle of a trial and the scheduler with them later."""

import shutil
import time

import pytest
from support.campaigns import OVERRIDES
from support.dask_cluster import cluster
from support.packages import install

from golden_core.preparation import prepare_all
from golden_core.preparation.catalogue import load_variant
from golden_core.store.lake import Home
from golden_core.trials import all_trials, read_outputs, run_trials, trials_table
from golden_core.trials.campaign import fingerprinted
from golden_core.trials.ledger import read_ledger
from golden_core.trials.run import TrialError
from golden_dagster.campaign import open_campaign
from golden_dagster.resources import WorkersResource

# Sleeps where the environment says so, after it has said which process is in the middle of a trial.
SLOW = """
import os, pathlib, time
from golden_core.forecasters.naive import Drift

class Slow(Drift):
    '''Takes its time.'''
    deterministic = False

    def fit(self, train, validation, stream):
        if folder := os.environ.get("SLOW"):
            pathlib.Path(folder, str(os.getpid())).touch()
            time.sleep(0.3)
            pathlib.Path(folder, str(os.getpid())).unlink()
        return super().fit(train, validation, stream)
"""
COSTS = ("wall_seconds", "cpu_seconds", "peak_memory_mb")


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A study with a slow forecaster, which an installed package offers."""
    install(monkeypatch, tmp_path / "package", "slow", SLOW, {"slow": "Slow"})
    settings = ["forecasters={random_walk: {}, slow: {}}", "data.pairs=[EURUSD]", "seeds.count=4", "name=smoke_dask"]
    return load_variant("smoke", settings)


def prepared(home, study):
    prepare_all(home, study)
    return fingerprinted(home, study, all_trials(study))


def tables(home, study):
    trials = trials_table(home, study)
    return trials.drop(COSTS), *read_outputs(home, study, trials.filter(status="done"))


def in_the_middle(folder, workers):
    """Wait until a worker is in the middle of a trial, and return it."""
    while True:
        busy = {path.name for path in folder.iterdir()}
        found = [worker for worker in workers if worker.poll() is None and str(worker.pid) in busy]
        if found:
            return found[0]
        time.sleep(0.01)


@pytest.mark.endurance
def test_killed_workers_and_schedulers_leave_the_tables_the_same(study, tmp_path, monkeypatch):
    here, there, busy = Home(tmp_path / "here", tmp_path), Home(tmp_path / "there", tmp_path), tmp_path / "busy"
    jobs = prepared(here, study)
    shutil.copytree(here.root, there.root)
    assert {outcome.status for outcome in run_trials(here, study, jobs)} == {"done", "shared"}
    busy.mkdir()
    with cluster(tmp_path, {"SLOW": str(busy)}, workers=3) as found:
        monkeypatch.setenv("GOLDEN_DASK_SCHEDULER", found.address)
        outcomes = run_trials(there, study, jobs, backend="dask")
        came = [next(outcomes)]
        in_the_middle(busy, found.workers).kill()
        came.append(next(outcomes))
        found.kill()
        found.start(2)
        came += outcomes
    assert {outcome.error for outcome in came} == {None}
    assert sorted(outcome.trial for outcome in came) == sorted(all_trials(study))
    (trials, forecasts, history), elsewhere = tables(here, study), tables(there, study)
    assert trials.equals(elsewhere[0])
    assert forecasts.equals(elsewhere[1])
    assert history.equals(elsewhere[2])
    assert forecasts.n_unique(["forecaster", "seed"]) == 1 + 4


@pytest.mark.endurance
def test_a_worker_with_other_code_is_found_out(study, tmp_path, monkeypatch):
    from golden_core.trials import dask

    home = Home(tmp_path / "home", tmp_path)
    trial, print_ = prepared(home, study)[0]
    found = dask.run_alike(home, study, trial, "0" * 64)
    assert (found.status, found.fingerprint) == ("failed", "0" * 64)
    assert "other code, libraries or data than the campaign" in found.error
    assert dask.run_alike(home, study, trial, print_).status == "done"


def test_without_a_scheduler_one_line_says_so(study, tmp_path, monkeypatch):
    from golden_core.trials import dask

    home = Home(tmp_path / "home", tmp_path)
    jobs = prepared(home, study)[:1]
    monkeypatch.delenv("GOLDEN_DASK_SCHEDULER", raising=False)
    with pytest.raises(TrialError, match="needs GOLDEN_DASK_SCHEDULER"):
        list(run_trials(home, study, jobs, backend="dask"))
    monkeypatch.setenv("GOLDEN_DASK_SCHEDULER", "tcp://127.0.0.1:1")
    monkeypatch.setattr(dask, "PATIENCE", 3)
    monkeypatch.setattr(dask, "_gone", set(), raising=False)
    waited = []
    for _forecaster in range(2):  # each is a step of its own
        begun = time.monotonic()
        with pytest.raises(TrialError, match=r"no Dask scheduler at tcp://127.0.0.1:1 for 3 s: start one"):
            list(run_trials(home, study, jobs, backend="dask"))
        waited.append(time.monotonic() - begun)
    assert waited[1] < waited[0] - 1
    assert list(read_ledger(home)) == []  # nobody has seen a test part
    monkeypatch.setenv("GOLDEN_DASK_SCHEDULER", "nonsense")
    with pytest.raises(TrialError, match=r"^GOLDEN_DASK_SCHEDULER=nonsense: missing port .*; one is tcp://127"):
        list(run_trials(home, study, jobs, backend="dask"))


def test_without_a_worker_one_line_says_so_at_the_start_and_when_the_last_is_lost(study, tmp_path, monkeypatch):
    from golden_core.trials import dask

    home, busy = Home(tmp_path / "home", tmp_path), tmp_path / "busy"
    jobs = prepared(home, study)
    busy.mkdir()
    monkeypatch.setattr(dask, "PATIENCE", 3)
    monkeypatch.setattr(dask, "_gone", set())
    with cluster(tmp_path, {"SLOW": str(busy)}, workers=0) as found:
        monkeypatch.setenv("GOLDEN_DASK_SCHEDULER", found.address)
        with pytest.raises(TrialError, match=r"at tcp://.* has had no worker for 3 s: start some"):
            list(run_trials(home, study, jobs, backend="dask"))
        found.kill()
        found.start(1)
        monkeypatch.setattr(dask, "PATIENCE", 60)
        monkeypatch.setattr(dask, "_gone", set())
        outcomes = run_trials(home, study, jobs, backend="dask")
        first = next(outcomes)
        monkeypatch.setattr(dask, "PATIENCE", 3)
        in_the_middle(busy, found.workers).kill()
        with pytest.raises(TrialError, match="has had no worker for 3 s"):
            list(outcomes)
    assert first.status == "done"


def test_a_campaign_with_something_to_train_asks_for_the_scheduler_first(broken, monkeypatch):
    from golden_core.trials import dask

    monkeypatch.setattr(dask, "PATIENCE", 1)
    monkeypatch.setenv("GOLDEN_DASK_SCHEDULER", "tcp://127.0.0.1:1")
    with open_campaign("smoke", OVERRIDES, workers=WorkersResource(backend="dask")) as campaign:
        assert list(campaign.stages()) == []  # there is nothing to train
        shutil.rmtree(broken.study("smoke").root / "trials" / "ar")
        broken.study("smoke").table("folds", "EURUSD_h1").unlink()
        with pytest.raises(TrialError, match=r"no Dask scheduler at tcp://127.0.0.1:1 for 1 s"):
            next(campaign.stages())
