"""Checkpoints: exact, byte-stable, whole or not at all, and clear about a file that is none."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors.numpy import save_file

from golden_core.training import checkpoint
from golden_core.training.checkpoint import CheckpointError, load_checkpoint, save_checkpoint

STATE = {
    "weights": np.arange(12, dtype=np.float32).reshape(3, 4),
    "order": np.array([3, 1, 2]),
    "mask": np.array([True, False]),
    "scalar": np.array(0.1),
    "empty": np.zeros((0, 3)),
}
METADATA = {"variant": "v08", "seed": 3, "settings": {"b": 0.1, "a": [1, None]}, "note": "größer"}


def test_what_was_saved_is_what_is_loaded(tmp_path):
    save_checkpoint(tmp_path / "weights.safetensors", STATE, METADATA)
    state, metadata = load_checkpoint(tmp_path / "weights.safetensors")
    assert metadata == METADATA
    assert set(state) == set(STATE)
    for name, values in STATE.items():
        assert state[name].dtype == values.dtype
        assert state[name].shape == values.shape
        assert state[name].tobytes() == values.tobytes()


@given(arrays.arrays(np.float32, arrays.array_shapes(min_dims=0, min_side=0, max_side=5), elements=st.floats(width=32)))
def test_any_bits_survive_and_any_layout(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("any") / "c.safetensors"
    save_checkpoint(path, {"plain": values, "transposed": values.T, "reversed": values.ravel()[::-1]}, {})
    state, _ = load_checkpoint(path)
    assert state["plain"].tobytes() == values.tobytes()
    assert state["transposed"].tobytes() == values.T.tobytes()
    assert state["reversed"].tobytes() == values.ravel()[::-1].tobytes()


SCRIPT = """
import sys, numpy as np
from pathlib import Path
from golden_core.training.checkpoint import save_checkpoint
names = ["a", "bb", "ccc", "dd", "e"]
if sys.argv[2] == "reversed":
    names.reverse()
state = {name: np.full(len(name), len(name), dtype=np.float32) for name in names} | {"n": np.array([1, 2])}
save_checkpoint(Path(sys.argv[1]), state, {name: {other: 0.1 for other in names} for name in names})
"""


def test_equal_checkpoints_have_equal_bytes_in_any_process(tmp_path):
    written = []
    for hash_seed, order in (("0", "given"), ("1", "reversed"), ("12345", "given")):
        path = tmp_path / f"{hash_seed}.safetensors"
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        subprocess.run([sys.executable, "-c", SCRIPT, str(path), order], env=environment, check=True)
        written.append(path.read_bytes())
    assert written[0] == written[1] == written[2]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "weights.safetensors"
    save_checkpoint(path, STATE, METADATA)
    before = path.read_bytes()

    def die(state, temporary, metadata):
        Path(temporary).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "save_file", die)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(path, {}, {})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_checkpoint(path, STATE, METADATA)
    whole = path.read_bytes()
    cut = [whole[: int(len(whole) * kept)] for kept in (0.0, 0.05, 0.5, 0.99)]
    for content in (*cut, b"weights: 12, and much more than eight bytes of it"):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match=r"weights\.safetensors is not a whole safetensors file"):
            load_checkpoint(path)
    save_file(STATE, path)
    with pytest.raises(CheckpointError, match="no metadata under 'golden': save_checkpoint did not write it"):
        load_checkpoint(path)
    with pytest.raises(FileNotFoundError, match=r"there is no checkpoint .*absent"):
        load_checkpoint(tmp_path / "absent")


@pytest.mark.parametrize("values", [np.array(["a"]), np.array([object()]), np.array(["2001-01-01"], dtype="M8[D]")])
def test_only_numbers_are_saved(tmp_path, values):
    with pytest.raises(TypeError, match="array 'x' holds"):
        save_checkpoint(tmp_path / "c.safetensors", {"x": values}, {})
    assert list(tmp_path.iterdir()) == []


def test_metadata_that_json_cannot_hold_is_refused(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        save_checkpoint(tmp_path / "c.safetensors", STATE, {"loss": float("nan")})
    assert list(tmp_path.iterdir()) == []
