"""Workers end with the process that started them, however it ended."""

import signal
import subprocess
import sys

import psutil
import pytest

CAMPAIGN = """
import time
from joblib import delayed
from golden_core.preparation.catalogue import load_study
from golden_core.trials.campaign import worker_pool

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
