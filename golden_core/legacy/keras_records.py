"""Records of what Keras computed, ``.npz`` files read without trust: arrays of the shapes that a comparison needs."""

from __future__ import annotations

import io
from pathlib import Path
from typing import NamedTuple

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
    content = read_file(path)
    outputs = Outputs(_windows(path, content, "x"), _column(path, content, "y"))
    _verify_pair(path, "x", outputs.x, "y", outputs.y)
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
    x_train, y_train = _windows(path, content, "x_train"), _column(path, content, "y_train")
    _verify_pair(path, "x_train", x_train, "y_train", y_train)
    losses = _column(path, content, "losses")
    if len(losses) > MAXIMUM_STEPS or not (losses > 0).all():
        found = f"{len(losses):,} with a smallest of {losses.min():g}"
        raise KerasCheckpointError(path, f"1 to {MAXIMUM_STEPS:,} positive losses", found, _FIX)
    rate, decay = (_number(path, content, name) for name in ("learning_rate", "weight_decay"))
    return Steps(x_train, y_train, losses, rate, decay, read_outputs(path))


def _windows(path: Path, content: bytes, name: str) -> FloatArray:
    values = _array(path, content, name)
    if values.shape[1:] != WINDOW or not len(values):
        raise _other_shape(path, f"windows {name} [N, {WINDOW[0]}, {WINDOW[1]}]", values)
    return values


def _column(path: Path, content: bytes, name: str) -> FloatArray:
    values = _array(path, content, name)
    if not values.size or values.shape not in {(values.size,), (values.size, 1)}:
        raise _other_shape(path, f"{name} [N] or [N, 1]", values)
    return values.ravel()


def _number(path: Path, content: bytes, name: str) -> float:
    values = _array(path, content, name)
    if values.size != 1:
        raise _other_shape(path, f"one number {name}", values)
    return float(values.item())


def _array(path: Path, content: bytes, name: str) -> FloatArray:
    member = unpack(path, content, f"{name}.npy", _FIX)
    with explaining(path, f"a whole array {name} of numbers"):
        stored = np.load(io.BytesIO(member), allow_pickle=False)
        if stored.dtype.kind not in "fiu":
            raise KerasCheckpointError(path, f"an array {name} of numbers", f"the type {stored.dtype}", _FIX)
        values: FloatArray = stored.astype(np.float64)
    if wrong := int(np.count_nonzero(~np.isfinite(values))):
        found = f"{wrong} of {values.size} that are not"
        raise KerasCheckpointError(path, f"finite numbers in {name}", found, "record a run that did not diverge")
    return values


def _verify_pair(path: Path, x_name: str, x: FloatArray, y_name: str, y: FloatArray) -> None:
    if len(x) != len(y):
        expected = f"as many {y_name} as windows {x_name}"
        raise KerasCheckpointError(path, expected, f"{len(y)} and {len(x)}", _FIX)


def _other_shape(path: Path, expected: str, values: FloatArray) -> KerasCheckpointError:
    return KerasCheckpointError(path, expected, f"the shape {list(values.shape)}", _FIX)
