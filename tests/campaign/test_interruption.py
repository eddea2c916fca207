"""A campaign that is told to end: quickly, with a line that says what is done, and without publishing a fragment."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from support.campaigns import OVERRIDES
from typer.testing import CliRunner

from golden_core.store.lake import hash_file
from golden_core.store.locking import LockedError, only_one
from golden_core.trials import campaign as trials
from golden_dagster.campaign import Campaign, open_campaign
from golden_dagster.cli.application import app

SETTINGS = [part for text in OVERRIDES for part in ("--set", text)]


def run(*arguments):
    return CliRunner().invoke(app, ["run", "smoke", "--backend", "sequential", *SETTINGS, *arguments])


def without_a_trial(home):
    """Take one trial away, so that there is something to do."""
    shutil.rmtree(next((home.study("smoke").root / "trials" / "dlinear").rglob("forecasts.parquet")).parent)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_nothing_is_published_and_it_goes_on_later(number, status, broken, monkeypatch):
    without_a_trial(broken)
    before = hash_file(broken.warehouse)
    stages, run_trial = Campaign.stages, trials.run_trial
    # The checks of inputs that nobody changed are another test's.
    monkeypatch.setattr(Campaign, "stages", lambda self: (s for s in stages(self) if not s.checks_only))

    ended = []

    def interrupted(*_, **__):
        os.kill(os.getpid(), number)
        time.sleep(60)
        ended.append("nobody stopped the trial")

    monkeypatch.setattr(trials, "run_trial", interrupted)
    result = run()
    assert result.exit_code == status, result.output
    assert ended == []
    assert f"interrupted by {signal.Signals(number).name}: 11 of 12 trials are done and kept" in result.output
    assert "go on with: golden run smoke --set" in result.output
    assert hash_file(broken.warehouse) == before
    monkeypatch.setattr(trials, "run_trial", run_trial)
    assert run().exit_code == 0


HOLD = """
import sys, time
from pathlib import Path
from golden_core.store.locking import only_one
with only_one(Path(sys.argv[1]), "study smoke"):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


@contextmanager
def holder(path, seconds):
    """A process that holds a lock."""
    command = [sys.executable, "-c", HOLD, str(path), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def test_a_second_campaign_is_refused_or_waits(tmp_path, monkeypatch):
    monkeypatch.setenv("GOLDEN_HOME", str(tmp_path))
    path = tmp_path / "studies" / "smoke" / "lock.json"
    with holder(path, 60) as first:
        result = run("--no-wait")
    assert result.exit_code == 2
    assert f"study smoke is in the hands of process {first.pid} on " in result.output
    with open_campaign("smoke", OVERRIDES, wait=False):
        pass  # a killed process holds nothing


def test_who_waits_says_so_and_goes_on(tmp_path):
    said = []
    lock = only_one(tmp_path / "lock.json", "study smoke", on_wait=said.append)
    with holder(tmp_path / "lock.json", 1) as first, lock:
        assert first.wait(5) == 0
    assert len(said) == 1
    assert said[0].endswith("; waiting for it")


def test_the_lock_of_one_study_is_no_other_studys(tmp_path):
    again = only_one(tmp_path / "a.json", "a", wait=False)
    refused = pytest.raises(LockedError, match=rf"^a is in the hands of process {os.getpid()} on ")
    with only_one(tmp_path / "a.json", "a", wait=False), only_one(tmp_path / "b.json", "b", wait=False), refused, again:
        pass
