"""kill -9 at random moments: what was finished stays, and the tables come out the same."""

import multiprocessing
import os
import signal

import polars as pl
import pytest
from support.campaigns import run_in_group

from golden_core.store.lake import Home
from golden_core.store.randomness import Stream
from golden_core.store.schema import WAREHOUSE_TABLES
from golden_core.store.warehouse import Warehouse

KILLS = int(os.environ.get("GOLDEN_KILLS", "2"))  # one of each kind; twenty take some minutes
COSTS = {"wall_seconds", "cpu_seconds", "peak_memory_mb"}


@pytest.fixture(scope="module")
def processes():
    """Processes that begin with everything imported: what can be lost comes after that."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["golden_dagster.campaign", "golden_core.forecasters.neural", "golden_core.reporting"]
    )
    return context


def trials(home):
    """Return how many trials have been finished."""
    return len(list(home.rglob("forecasts.parquet")))


def after(seconds):
    """Return what waits for so long."""
    return lambda process: process.join(seconds)


def after_a_trial(home):
    """Return what waits for one more trial: time alone may never get there on a slow machine."""
    before = trials(home)

    def wait(process):
        while process.exitcode is None and trials(home) == before:
            process.join(0.02)

    return wait


def killed(processes, home, wait, backend="sequential"):
    """Run, wait, kill the whole group; return False if the campaign had ended by itself."""
    log = home.with_suffix(".log")
    process = processes.Process(target=run_in_group, args=(home, log, backend))
    process.start()
    wait(process)
    if process.exitcode is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:  # it has not yet made its group
            process.kill()
        process.join()
        return True
    assert process.exitcode == 0, log.read_text()
    return False


def tables(home):
    """Return every table of the warehouse, without what trials cost."""
    warehouse = Warehouse(Home(home, home / "reports").warehouse)
    found = {}
    for table in WAREHOUSE_TABLES:
        frame = warehouse.query(f"SELECT * FROM {table.name} ORDER BY ALL")
        found[table.name] = frame.drop(COSTS & set(frame.columns)).sort(pl.all())
    return found


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_killed_again_and_again_the_tables_are_the_same(processes, finished, tmp_path):
    """And the same as those of the campaign of all tests, which ran in one process and undisturbed."""
    expected, every = tables(finished.root), trials(finished.root)
    moments = Stream(9).child("kill").generator().uniform(0.5, 6.0, size=KILLS * 10)
    kills = rounds = among = 0
    for number, seconds in enumerate(moments):
        home = tmp_path / f"round{rounds}"
        # Workers are the dearer half of a short run: every fourth, and the first, has them and is killed at their work.
        wait, backend = (after_a_trial(home), "loky") if number % 4 == 0 else (after(float(seconds)), "sequential")
        if killed(processes, home, wait, backend):
            kills += 1
            among += 0 < trials(home) < every
            if kills == KILLS:
                break
        else:  # that round is complete: compare it, and start again from nothing
            rounds += 1
            assert_equal(tables(home), expected)
    assert kills == KILLS
    assert among >= max(1, KILLS // 4)
    assert not killed(processes, tmp_path / f"round{rounds}", after(None))
    assert_equal(tables(tmp_path / f"round{rounds}"), expected)
    assert not list((tmp_path / f"round{rounds}" / "studies").rglob(".*.tmp"))


def assert_equal(found, expected):
    assert {name: frame.height for name, frame in found.items()} == {name: f.height for name, f in expected.items()}
    for name, frame in found.items():
        assert frame.equals(expected[name]), name
