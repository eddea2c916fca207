"""kill -9 at random moments: what was finished stays, and the tables come out the same."""

import os
import signal
import subprocess
import sys

import polars as pl
import pytest
from support.campaigns import OVERRIDES

from golden_core.lake import Home
from golden_core.randomness import Stream
from golden_core.schema import WAREHOUSE_TABLES
from golden_core.warehouse import Warehouse

KILLS = 20
COSTS = {"wall_seconds", "cpu_seconds", "peak_memory_mb"}


def start(home):
    """Start the smoke campaign in a process group of its own."""
    settings = [part for override in OVERRIDES for part in ("--set", override)]
    command = [sys.executable, "-c", "from golden_dagster.cli import main; main()", "run", "smoke", *settings]
    environment = {**os.environ, "GOLDEN_HOME": str(home)}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )


def killed(home, seconds):
    """Run for a while, then kill the whole group; return False if the campaign had ended by itself."""
    process = start(home)
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return True
    assert process.returncode == 0, output.decode()
    return False


def finished(home):
    """Run to the end."""
    process = start(home)
    output, _ = process.communicate()
    assert process.returncode == 0, output.decode()


def tables(home):
    """Return every table of the warehouse, without what trials cost."""
    warehouse = Warehouse(Home(home, home / "reports").warehouse)
    found = {}
    for table in WAREHOUSE_TABLES:
        frame = warehouse.query(f"SELECT * FROM {table.name} ORDER BY ALL")
        found[table.name] = frame.drop(COSTS & set(frame.columns)).sort(pl.all())
    return found


@pytest.mark.slow
def test_killed_twenty_times_the_tables_are_the_same(tmp_path):
    finished(tmp_path / "undisturbed")
    expected = tables(tmp_path / "undisturbed")
    moments = Stream(9).child("kill").generator().uniform(1.0, 14.0, size=KILLS * 10)
    kills = rounds = 0
    for seconds in moments:
        home = tmp_path / f"round{rounds}"
        if killed(home, float(seconds)):
            kills += 1
            if kills == KILLS:
                break
        else:  # that round is complete: compare it, and start again from nothing
            rounds += 1
            assert_equal(tables(home), expected)
    assert kills == KILLS
    finished(tmp_path / f"round{rounds}")
    assert_equal(tables(tmp_path / f"round{rounds}"), expected)
    assert not list((tmp_path / f"round{rounds}" / "studies").rglob(".*.tmp"))


def assert_equal(found, expected):
    assert {name: frame.height for name, frame in found.items()} == {name: f.height for name, f in expected.items()}
    for name, frame in found.items():
        assert frame.equals(expected[name]), name
