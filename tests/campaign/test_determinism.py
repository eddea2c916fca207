"""Same study, same machine: the same bytes, whatever the process, the order of trials and the backend."""

import os
import subprocess
import sys

import pytest
from support import every_trial
from support.campaigns import home_at

from golden_core.store.lake import hash_file


def written(home):
    """Return file → SHA-256 of what the trials wrote."""
    root = home / "studies" / "smoke"
    files = [path for path in root.rglob("*") if path.suffix in {".parquet", ".safetensors"}]
    return {str(path.relative_to(root)): hash_file(path) for path in files}


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """Of this process, one trial after another."""
    home = tmp_path_factory.mktemp("reference") / "home"
    with home_at(home):
        every_trial.run("sequential", "forwards")
    return written(home)


def test_every_trial_wrote_its_files(reference):
    # Four deterministic forecasters and two that train with two seeds, on two series.
    assert sum(name.endswith("weights.safetensors") for name in reference) == (4 + 2 * 2) * 2


def test_another_process_environment_order_and_backend(reference, tmp_path):
    home = tmp_path / "home"
    another = {"GOLDEN_HOME": str(home), "PYTHONHASHSEED": "4242", "TZ": "Asia/Kathmandu", "OMP_NUM_THREADS": "2"}
    command = [sys.executable, "-P", every_trial.__file__, "loky", "backwards"]
    result = subprocess.run(command, cwd=tmp_path, env=os.environ | another, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert written(home) == reference
