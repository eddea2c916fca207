"""A campaign that is told to end: quickly, with a line that says what is done, and without publishing a fragment."""

import logging
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from support.campaigns import OVERRIDES, SETTINGS, opened
from support.commands import golden

from golden_core.preparation.catalogue import load_variant
from golden_core.store.lake import hash_file
from golden_core.store.locking import LockedError, only_one
from golden_core.trials import campaign as trials
from golden_dagster.campaign import Campaign, Stage, open_campaign


def run(*arguments):
    return golden("run", "smoke", "--backend", "sequential", *SETTINGS, *arguments)


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
        try:  # where a signal arrives as SQLAlchemy closes a file
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            logging.getLogger("sqlalchemy.pool").exception("Exception closing connection")
        os.kill(os.getpid(), number)
        time.sleep(60)
        ended.append("nobody stopped the trial")

    monkeypatch.setattr(trials, "run_trial", interrupted)
    result = run("--workers", "1")
    assert result.exit_code == status, result.output
    assert ended == []
    assert "Traceback" not in result.output
    assert f"interrupted by {signal.Signals(number).name}: 11 of 12 trials are done and kept" in result.output
    assert "go on with: golden run smoke --set" in result.output
    assert result.output.split("go on with: ")[1].splitlines()[0].endswith(" --backend=sequential --workers=1")
    assert hash_file(broken.warehouse) == before
    monkeypatch.setattr(trials, "run_trial", run_trial)
    assert run().exit_code == 0


@pytest.mark.parametrize(
    ("asset", "stage"), [("data_quality", "data quality"), ("models/ar", "models"), ("report", "metrics and report")]
)
def test_what_was_made_and_not_checked_when_a_run_was_killed_is_checked_by_the_next(asset, stage, broken, monkeypatch):
    with opened() as campaign:
        assert [one.name for one in campaign.stages()] == []
        with monkeypatch.context() as patched:
            patched.setattr("golden_dagster.lib.checks.verdict", lambda *_: sys.exit())
            campaign.execute(Stage("killed", [dg.AssetKey(asset.split("/"))], checks_only=True))
        assert stage in [one.name for one in campaign.stages()]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_it_starts_is_told_too(number, status, tmp_path):
    """Dagster is not imported yet: it is stood in for by a module that takes its time."""
    (tmp_path / "golden_dagster_is_slow.py").write_text(
        "import sys, time\n"
        "class Slow:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'golden_dagster.campaign':\n"
        "            print('starting', flush=True)\n"
        "            time.sleep(60)\n"
        "sys.meta_path.insert(0, Slow())\n"
        "from golden_dagster.cli import main\n"
        "main()\n"
    )
    command = [sys.executable, "-u", str(tmp_path / "golden_dagster_is_slow.py"), "run", "smoke"]
    environment = {**os.environ, "GOLDEN_HOME": str(tmp_path / "home"), "PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as run:
        assert run.stdout.readline() == "starting\n"
        run.send_signal(number)
        _, said = run.communicate(timeout=30)
    assert run.returncode == status
    name = signal.Signals(number).name
    assert said == f"interrupted by {name}; give the same command again: what is finished is kept\n"


def test_what_a_campaign_leaves_unread_is_no_news():
    """Joblib warns of it after Ctrl-C; it is kept all the same."""
    trials.worker_pool(load_variant("smoke", OVERRIDES), "loky", 1)
    warnings.warn("1 tasks have been successfully executed  but not used.", UserWarning, stacklevel=1)


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
