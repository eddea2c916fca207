"""A forecaster that ends its worker: named, recorded, and no harm to the others."""

import threading
import time

import pytest
from joblib import delayed
from support.campaigns import OVERRIDES
from support.packages import install

from golden_core.preparation.catalogue import load_variant
from golden_core.trials import all_trials, run_trials, trial_status
from golden_core.trials.campaign import fingerprinted
from golden_core.trials.workers import stop_workers, worker_pool

DEADLY = """
import os, signal
from golden_core.forecasters.base import Forecaster
from golden_core.forecasters.settings import NoSettings
class Deadly(Forecaster):
    "Ends its process where a price is above 50, and forecasts no change elsewhere."
    Settings = NoSettings
    deterministic = True
    def __init__(self, settings, context): ...
    def fit(self, train, validation, stream):
        if train.windows.last_close.max() > 50:
            os.kill(os.getpid(), signal.SIGKILL)
        return []
    def predict(self, windows): return windows.last_close * 0
    def state(self): return {}
    def restore(self, state): ...
"""


@pytest.fixture
def deadly(tmp_path, monkeypatch):
    """Install the forecaster, and start the workers of this test afresh."""
    install(monkeypatch, tmp_path / "site", "deadly_forecaster", DEADLY, {"deadly": "Deadly"})
    yield
    stop_workers()


# Two make the same with more processes to start; one alone can also give the next trial to the process that dies.
@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.endurance)])
def test_the_others_go_on_and_the_next_run_too(broken, deadly, workers):
    study = load_variant("smoke", (*OVERRIDES[:1], "forecasters={random_walk: {}, drift: {}, deadly: {}}"))
    trials = all_trials(study)

    def run(jobs):
        found = list(run_trials(broken, study, jobs, backend="loky", workers=workers))
        return {str(o.trial): o.error for o in found if o.error}, len(found)

    jobs = fingerprinted(broken, study, trials)
    dead, count = run(jobs)
    assert count == len(trials)
    assert set(dead) == {f"deadly on USDJPY_h1, seed {seed}" for seed in range(2)}
    said = "deadly on USDJPY_h1, seed 0: its worker process died (SIGKILL(-9); memory may have run out) while it ran"
    assert all(message.startswith(said) for message in dead.values())
    status = trial_status(broken, study, trials)
    assert set(status.filter(status["pair"] == "EURUSD")["status"]) == {"done"}
    assert sorted(set(status["status"])) == ["done", "failed"]
    # All that is left is the one that kills: it must not get the process that asks for it.
    assert set(run([job for job in jobs if str(job[0]) in dead])[0]) == set(dead)


def test_a_thread_that_never_ends_holds_nobody_up():
    def begin():
        threading.Thread(target=time.sleep, args=(20,)).start()

    list(worker_pool(load_variant("smoke", OVERRIDES), "loky", 2)([delayed(begin)()]))
    started = time.monotonic()
    stop_workers()
    assert time.monotonic() - started < 10
