"""Workers end with the process that started them, however it ended, and when their task stands still."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from joblib import delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError

from golden_core.preparation.catalogue import load_study
from golden_core.trials import workers
from golden_core.trials.workers import DeadWorkerError, died, stop_workers, worker_pool

CAMPAIGN = """
import time
from joblib import delayed
from golden_core.preparation.catalogue import load_study
from golden_core.trials.workers import worker_pool

study = load_study("smoke", ["forecasters={random_walk: {}}"])  # which needs no torch
pool = worker_pool(study, "loky", 2)
for _ in pool(delayed(time.sleep)(seconds) for seconds in (0.01, 0.01, 600, 600)):
    print("a trial is done", flush=True)
"""


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlives_a_killed_campaign(signum):
    with subprocess.Popen([sys.executable, "-c", CAMPAIGN], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == process.stdout.readline() == "a trial is done\n"
            workers = [one for one in psutil.Process(process.pid).children() if "loky" in " ".join(one.cmdline())]
        finally:
            process.send_signal(signum)
    assert len(workers) >= 2
    _, alive = psutil.wait_procs(workers, timeout=30)
    for worker in alive:
        worker.kill()
    assert alive == []


@pytest.fixture
def pool(monkeypatch):
    """Return a pool whose workers may stand still for a second and a half."""
    monkeypatch.setattr(workers, "STILL_S", 1.5)
    yield worker_pool(load_study("smoke", ["forecasters={random_walk: {}}"]), "loky", 2)
    stop_workers()


def test_a_worker_that_waits_for_nothing_is_ended_and_named(pool, capfd):
    started = time.monotonic()
    with pytest.raises(TerminatedWorkerError) as ended:
        list(pool([delayed(time.sleep)(30)]))
    assert time.monotonic() - started < 15
    assert died(ended.value) == "stood still for 2 s, using no processor time, and was ended"
    said = capfd.readouterr().err
    assert "used no processor time for" in said
    assert "workers.py" in said  # where it stood


def test_a_worker_that_works_waits_for_its_own_program_or_has_no_task_is_left_alone(pool):
    def work() -> int:
        until = time.monotonic() + 3.5
        while time.monotonic() < until:
            pass
        return os.getpid()

    def wait() -> int:
        subprocess.run([sys.executable, "-c", "import time; time.sleep(3.5)"], check=True)
        return os.getpid()

    both = set(pool([delayed(work)(), delayed(wait)()]))
    assert len(both) == 2
    time.sleep(3.5)
    assert set(pool([delayed(os.getpid)()])) <= both


def test_a_dead_worker_is_told_in_one_sentence_and_how_it_ended_can_still_be_asked(pool):
    with pytest.raises(DeadWorkerError) as ended:
        list(pool([delayed(os._exit)(9)]))
    how = died(ended.value)
    assert how == "died (EXIT(9); memory may have run out)"
    assert str(ended.value) == f"a worker process {how}; what others finished stays, and the same command goes on"


class Ended(BaseException):
    """In the place of the end of a process."""


@pytest.mark.parametrize(
    ("seconds", "still"), [([1.0] * 599, []), ([1.0] * 602, [601.0]), ([1.0, 3600.0] + [1.0] * 598, [])]
)
def test_who_was_stopped_with_its_machine_or_by_hand_has_not_stood_still(monkeypatch, seconds, still):
    now, ended, left = [0.0], [], list(seconds)

    def end(status):
        raise Ended

    monkeypatch.setattr(workers.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(workers.time, "sleep", lambda _: now.__setitem__(0, now[0] + left.pop(0)))
    monkeypatch.setattr(workers.time, "process_time", lambda: 0.5)  # before its task began
    monkeypatch.setattr(workers.time, "thread_time", lambda: 0.0)
    monkeypatch.setattr(workers.os, "getppid", lambda: 1 if left else 2)
    monkeypatch.setattr(workers.os, "_exit", end)
    monkeypatch.setattr(workers, "_end_still", ended.append)
    monkeypatch.setattr(workers.psutil.Process, "children", lambda _self: [])
    workers._under_way.set()
    with pytest.raises(Ended):
        workers._watch(1, workers.STILL_S)
    workers._under_way.clear()
    assert ended == still
