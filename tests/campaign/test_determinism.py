"""Same study, same machine: the same bytes, whatever the process, the order of trials and the backend."""

import os
import subprocess
import sys

import pytest

from golden_core.store.lake import hash_file

CAMPAIGN = """
import sys
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import Home
from golden_core.preparation import prepare_pair, prepare_raw, prepare_series
from golden_core.trials import all_trials, run_trials
from golden_core.trials.campaign import fingerprinted, stop_workers

backend, order = sys.argv[1:]
home, study = Home.from_environment(), load_study("smoke")
prepare_raw(home, study)
for pair in study.data.pairs:
    prepare_pair(home, study, pair)
    for horizon in study.horizons:
        prepare_series(home, study, pair, horizon)
trials = all_trials(study)
jobs = fingerprinted(home, study, trials[::-1] if order == "backwards" else trials)
outcomes = list(run_trials(home, study, jobs, backend=backend, workers=2))
assert not [o.error for o in outcomes if o.error]
stop_workers()
"""


def run(folder, backend, order, hash_seed, time_zone, threads):
    """Run the smoke campaign in a process of its own; return file → SHA-256 of what its trials wrote."""
    folder.mkdir()
    environment = {
        **os.environ,
        "GOLDEN_HOME": str(folder / "home"),
        "PYTHONHASHSEED": hash_seed,
        "TZ": time_zone,
        "OMP_NUM_THREADS": threads,
    }
    command = [sys.executable, "-c", CAMPAIGN, backend, order]
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    root = folder / "home" / "studies" / "smoke"
    files = [path for path in root.rglob("*") if path.suffix in {".parquet", ".safetensors"}]
    return {str(path.relative_to(root)): hash_file(path) for path in files}


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return run(tmp_path_factory.mktemp("a") / "first", "sequential", "forwards", "0", "UTC", "1")


def test_every_trial_wrote_its_files(reference):
    # Four deterministic forecasters and two that train with two seeds, on two series.
    assert sum(name.endswith("weights.safetensors") for name in reference) == (4 + 2 * 2) * 2


def test_another_process_environment_order_and_backend(reference, tmp_path):
    assert run(tmp_path / "second", "loky", "backwards", "4242", "Asia/Kathmandu", "2") == reference
