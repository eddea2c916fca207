"""Records of what Keras computed, ``.npz`` files read without trust: arrays of the shapes that a comparison needs."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from golden_core.inputs.windows import FloatArray
from golden_core.legacy.untrusted import KerasCheckpointError, explaining, read_file, unpack

MAXIMUM_STEPS = 1_000  # a replay of more would take hours
WINDOW = (3, 4)  # bars and features of the legacy experiments

_FIX = "write the record again with numpy.savez"


class ParityError(ValueError):
    """A folder holds nothing to compare, or a record of nothing that can be; says what was expected."""


class Outputs(NamedTuple):
    """Windows [N, 3, 4] and what Keras made of them, [N], N ≥ 2, not all equal."""

    x: FloatArray
    y: FloatArray


class Steps(NamedTuple):
    """Full-batch training steps: windows [M, 3, 4], targets [M], a loss before each step, outputs after all."""

    x_train: FloatArray
    y_train: FloatArray
    losses: FloatArray
    learning_rate: float
    weight_decay: float
    after: Outputs


def read_outputs(path: Path) -> Outputs:
    """Read ``x`` and ``y`` of a record.

    Raises
    ------
    KerasCheckpointError
        If the file is no archive of arrays, damaged or too large, or an array is absent, of another shape or not of
        finite numbers.
    """
    outputs = Outputs(*_pair(path, read_file(path), "x", "y"))
    if np.ptp(outputs.y) == 0:
        raise KerasCheckpointError(path, "outputs y that differ", f"{len(outputs.y)} that are {outputs.y[0]:g}", _FIX)
    return outputs


def read_steps(path: Path) -> Steps:
    """Read ``x_train``, ``y_train``, ``losses``, ``learning_rate``, ``weight_decay``, ``x`` and ``y`` of a record.

    Raises
    ------
    KerasCheckpointError
        See :func:`read_outputs`.
    """
    content = read_file(path)
    x_train, y_train = _pair(path, content, "x_train", "y_train")
    losses = _array(path, content, "losses", "column").ravel()
    if len(losses) > MAXIMUM_STEPS or not (losses > 0).all():
        found = f"{len(losses):,} with a smallest of {losses.min():g}"
        raise KerasCheckpointError(path, f"1 to {MAXIMUM_STEPS:,} positive losses", found, _FIX)
    rate, decay = (_array(path, content, name, "number").item() for name in ("learning_rate", "weight_decay"))
    return Steps(x_train, y_train, losses, rate, decay, read_outputs(path))


def _pair(path: Path, content: bytes, x_name: str, y_name: str) -> tuple[FloatArray, FloatArray]:
    x, y = _array(path, content, x_name, "windows"), _array(path, content, y_name, "column").ravel()
    if len(x) != len(y):
        raise KerasCheckpointError(path, f"as many {y_name} as windows {x_name}", f"{len(y)} and {len(x)}", _FIX)
    return x, y


def _array(path: Path, content: bytes, name: str, form: Literal["windows", "column", "number"]) -> FloatArray:
    member = unpack(path, content, f"{name}.npy", _FIX)
    with explaining(path, f"a whole array {name} of numbers"):
        stored = np.load(io.BytesIO(member), allow_pickle=False)
        if stored.dtype.kind not in "fiu":
            raise KerasCheckpointError(path, f"an array {name} of numbers", f"the type {stored.dtype}", _FIX)
        values: FloatArray = stored.astype(np.float64)
    if wrong := int(np.count_nonzero(~np.isfinite(values))):
        found = f"{wrong} of {values.size} that are not"
        raise KerasCheckpointError(path, f"finite numbers in {name}", found, "record a run that did not diverge")
    expected, fits = {
        "windows": (f"windows {name} [N, {WINDOW[0]}, {WINDOW[1]}]", values.shape[1:] == WINDOW and values.size > 0),
        "column": (f"{name} [N] or [N, 1]", values.size and values.shape in {(values.size,), (values.size, 1)}),
        "number": (f"one number {name}", values.size == 1),
    }[form]
    if not fits:
        raise KerasCheckpointError(path, expected, f"the shape {list(values.shape)}", _FIX)
    return values
