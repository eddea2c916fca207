"""Keras' own outputs and training steps, held against the ports: one row per file. No tolerance is chosen elsewhere."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import torch
from numpy.typing import ArrayLike
from torch import nn
from torch.nn import functional

from golden_core.inputs.windows import FloatArray
from golden_core.legacy.keras_checkpoint import load_keras_checkpoint
from golden_core.legacy.keras_files import KerasCheckpointError, ParityError, explaining, unpack
from golden_core.models.architecture import VARIANTS
from golden_core.store.table import Column, Table
from golden_core.training.optimiser import KerasAdamW
from golden_core.training.trainer import TrainingError

OUTPUTS, LOSSES, AFTER_STEPS = "outputs", "losses", "outputs after the steps"
# Shares of the outputs' range, and of each loss.
LIMITS = {OUTPUTS: 2e-5, LOSSES: 1e-4, AFTER_STEPS: 1e-3}

PARITY = Table(
    "parity",
    "One row per variant, file and claim: the largest difference between Keras and the port.",
    (
        Column("variant", pl.String, "v01 … v10"),
        Column("checkpoint", pl.String, "file that the weights came from"),
        Column("record", pl.String, "file with what Keras computed"),
        Column("claim", pl.String, f"{OUTPUTS}, {LOSSES}, or {AFTER_STEPS}"),
        Column("difference", pl.Float64, "largest; of outputs as a share of their range, of losses relative to each"),
        Column("limit", pl.Float64, "largest difference allowed"),
        Column("met", pl.Boolean, "whether it is within the limit"),
    ),
    key=("variant", "record", "checkpoint", "claim"),
)

_NAME = re.compile(r"v_?(\d\d)_.+\.npz")
_CHECKPOINTS = (".keras", ".weights.h5", ".h5")
_MAXIMUM_STEPS = 1_000  # a replay of more would take hours
_WINDOW = (3, 4)  # bars and features of the legacy experiments
_FIX = "write the record again with numpy.savez"


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


def parity(folder: Path) -> pl.DataFrame:
    """Compare every record of a folder with the port of its variant, from every checkpoint of its name.

    ``v_08_trained.npz`` holds windows ``x`` and Keras' outputs ``y`` for the checkpoints of the same name, which end
    in .keras, .weights.h5 or .h5. ``v_08_steps.npz`` holds ``x_train``, ``y_train``, ``learning_rate``,
    ``weight_decay``, the ``losses`` of steps that began with the weights of ``v_08_hash``, and outputs ``y`` for ``x``
    after them. No record, or one without its checkpoint, of no variant or that cannot be replayed is a ``ParityError``;
    a checkpoint of another variant, or a record without arrays of finite numbers, a ``KerasCheckpointError``.
    """
    records = {path: match[1] for path in sorted(folder.glob("*.npz")) if (match := _NAME.fullmatch(path.name))}
    if not records:
        raise ParityError(f"{folder} has no record such as v_08_trained.npz beside v_08_trained.keras")
    rows = [
        (f"v{number}", checkpoint.name, record.name, claim, difference, LIMITS[claim], difference <= LIMITS[claim])
        for record, number in records.items()
        for checkpoint, claim, difference in _differences(record, f"v{number}")
    ]
    table = pl.DataFrame(rows, schema=PARITY.dtypes, orient="row")
    return PARITY.conform(table.sort("variant", "record", maintain_order=True))


def _differences(record: Path, variant: str) -> Iterator[tuple[Path, str, float]]:
    """Yield checkpoint, claim and largest difference."""
    if variant not in VARIANTS:
        raise ParityError(f"{record}: {variant} is none of {VARIANTS[0]} … {VARIANTS[-1]}")
    of_steps = record.stem.endswith("_steps")
    kept = read_steps(record) if of_steps else read_outputs(record)
    stem = record.stem.removesuffix("_steps") + "_hash" if of_steps else record.stem
    paths = [record.with_name(stem + ending) for ending in _CHECKPOINTS]
    found = [path for path in paths if path.is_file()]
    if not found:
        expected = ", ".join(path.name for path in paths)
        raise ParityError(f"{record} has no checkpoint beside it; expected one of {expected}")
    for checkpoint in found:
        model = load_keras_checkpoint(variant, checkpoint)
        if isinstance(kept, Outputs):
            yield checkpoint, OUTPUTS, _distance(model, kept)
            continue
        settings = {"learning_rate": kept.learning_rate, "weight_decay": kept.weight_decay}
        try:
            losses = replay_steps(model, kept.x_train, kept.y_train, steps=len(kept.losses), **settings)
        except TrainingError as error:
            raise ParityError(f"{record} cannot be replayed from {checkpoint.name}: {error}") from error
        yield checkpoint, LOSSES, float(np.abs(losses / kept.losses - 1).max())
        yield checkpoint, AFTER_STEPS, _distance(model, kept.after)


def _distance(model: nn.Module, outputs: Outputs) -> float:
    """Return the largest difference from Keras' outputs as a share of their range."""
    with torch.no_grad():
        ours = model(torch.from_numpy(outputs.x.astype(np.float32))).numpy().astype(np.float64)
    return float(np.abs(ours - outputs.y).max() / np.ptp(outputs.y))


def replay_steps(
    model: nn.Module, x: ArrayLike, y: ArrayLike, *, steps: int, learning_rate: float, weight_decay: float
) -> FloatArray:
    """Take full-batch steps of Keras' AdamW on the mean squared error, in place, and return the losses before each.

    ``model`` maps windows ``x`` [N, L, F] to standardised targets ``y`` [N] or [N, 1], has every tensor decayed and is
    left in inference mode. A loss that is not finite is a ``TrainingError``.

    The arithmetic is float64, whatever the model's precision, which it gets back. A bias that only shifts the input of
    a batch normalisation has a gradient of exactly zero. In float32 rounding leaves some 1e-7 of it, which Adam divides
    by itself and Keras' epsilon of 1e-7, so that such biases wander by a visible part of a step, differently for every
    order of summation: for another number of threads, compiled or not, and in another version. No replay can follow
    that noise of Keras; a replay in float32 would add its own. float64 gives the steps that the noise is about, those
    of Keras in float64.

    References
    ----------
    Kingma and Ba (2015), section 2; Ioffe and Szegedy (2015), algorithm 1, whose output does not depend on a
    constant added to its input.
    """
    windows, targets = (torch.from_numpy(np.array(values, dtype=np.float64)) for values in (x, y))
    precision = next(model.parameters()).dtype
    model.double().train()
    try:
        optimiser = KerasAdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
        losses = []
        for step in range(1, steps + 1):
            optimiser.zero_grad()
            loss = functional.mse_loss(model(windows), targets.flatten())
            losses.append(loss.item())
            if not math.isfinite(losses[-1]):
                told = f"the loss is {losses[-1]} before step {step}: verify the windows, or lower learning_rate"
                raise TrainingError(told)
            torch.autograd.backward(loss)
            optimiser.step()
    finally:
        model.to(precision).eval()
    return np.array(losses)


def read_outputs(path: Path) -> Outputs:
    """Read ``x`` and ``y`` of a record; see :func:`parity` for what is refused."""
    outputs = Outputs(*_pair(path, "x", "y"))
    if np.ptp(outputs.y) == 0:
        raise KerasCheckpointError(path, "outputs y that differ", f"{len(outputs.y)} that are {outputs.y[0]:g}", _FIX)
    return outputs


def read_steps(path: Path) -> Steps:
    """Read ``x_train``, ``y_train``, ``losses``, ``learning_rate``, ``weight_decay``, ``x`` and ``y`` of a record."""
    losses = _array(path, "losses").ravel()
    if not (0 < len(losses) <= _MAXIMUM_STEPS and (losses > 0).all()):
        raise KerasCheckpointError(path, f"1 to {_MAXIMUM_STEPS:,} positive losses", f"{len(losses):,} numbers", _FIX)
    rate, decay = (_array(path, name) for name in ("learning_rate", "weight_decay"))
    if not rate.size == decay.size == 1:
        raise KerasCheckpointError(path, "one learning_rate and one weight_decay", f"{rate.size}, {decay.size}", _FIX)
    return Steps(*_pair(path, "x_train", "y_train"), losses, rate.item(), decay.item(), read_outputs(path))


def _pair(path: Path, x_name: str, y_name: str) -> tuple[FloatArray, FloatArray]:
    x, y = _array(path, x_name), _array(path, y_name)
    if x.shape[1:] != _WINDOW or len(x) == 0 or y.shape not in {(len(x),), (len(x), 1)}:
        expected = f"windows {x_name} [N, {_WINDOW[0]}, {_WINDOW[1]}] and as many {y_name} [N] or [N, 1]"
        raise KerasCheckpointError(path, expected, f"the shapes {list(x.shape)} and {list(y.shape)}", _FIX)
    return x, y.ravel()


def _array(path: Path, name: str) -> FloatArray:
    with explaining(path, f"a whole array {name} of numbers"):
        stored = np.load(io.BytesIO(unpack(path, f"{name}.npy", _FIX)), allow_pickle=False)
        if stored.dtype.kind not in "fiu":
            raise KerasCheckpointError(path, f"an array {name} of numbers", f"the type {stored.dtype}", _FIX)
        values: FloatArray = stored.astype(np.float64)
    if wrong := int(np.count_nonzero(~np.isfinite(values))):
        found = f"{wrong} of {values.size} that are not"
        raise KerasCheckpointError(path, f"finite numbers in {name}", found, "record a run that did not diverge")
    return values
