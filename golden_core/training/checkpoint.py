"""Checkpoints: named arrays and what they mean, in one safetensors file. Which network they belong to is metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import safetensors
from safetensors.numpy import save_file

from golden_core.store.lake import replacing
from golden_core.study.sections import canonical_json

# One key: the format writes several in the arbitrary order of a hash map, and equal checkpoints have equal bytes.
METADATA_KEY = "golden"


class CheckpointError(ValueError):
    """A file is not a checkpoint, or not a whole one."""


class Checkpoint(NamedTuple):
    """Weights, and the settings, seed and provenance that go with them."""

    state: dict[str, npt.NDArray[Any]]
    metadata: dict[str, Any]


def save_checkpoint(path: Path, state: Mapping[str, npt.NDArray[Any]], metadata: Mapping[str, Any]) -> None:
    """Write a checkpoint, whole or not at all; equal arguments give equal bytes, in any process.

    Raises
    ------
    TypeError
        If an array holds something other than numbers or booleans.
    """
    for name, values in state.items():
        if np.asarray(values).dtype.kind not in "biuf":
            raise TypeError(f"{path}: array {name!r} holds {values.dtype}, a checkpoint holds numbers or booleans")
    with replacing(path) as temporary:
        # Row-major copies, not np.ascontiguousarray, which would turn a scalar into a vector.
        arrays = {name: np.asarray(values, order="C") for name, values in state.items()}
        save_file(arrays, temporary, metadata={METADATA_KEY: canonical_json(dict(metadata))})


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    CheckpointError
        If the file is cut short, is not safetensors, or was not written by :func:`save_checkpoint`.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no checkpoint {path}")
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            notes = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.offset_keys()}
    except safetensors.SafetensorError as error:
        raise CheckpointError(f"{path} is not a whole safetensors file ({error}): write it again") from error
    if METADATA_KEY not in notes:
        raise CheckpointError(f"{path} has no metadata under {METADATA_KEY!r}: save_checkpoint did not write it")
    return Checkpoint(state, json.loads(notes[METADATA_KEY]))
