"""Keras' own outputs and training steps, held against the ports: one row per file. No tolerance is chosen elsewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import nn

from golden_core.data.windows import FloatArray
from golden_core.legacy.alignment import replay_steps
from golden_core.legacy.keras_checkpoint import load_keras_checkpoint
from golden_core.models.legacy import VARIANTS
from golden_core.schema import Column, Table

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
    key=("variant", "record", "claim"),
)

_NAME = re.compile(r"v_?(\d\d)_\w+\.npz")
_STEPS = "_steps.npz"
_CHECKPOINTS = (".keras", ".weights.h5", ".h5")


class ParityError(ValueError):
    """A folder holds nothing to compare, or a record that is not one; says what was expected."""


def parity(folder: Path) -> pl.DataFrame:
    """Compare every record of a folder with the port of its variant.

    ``v_08_trained.npz`` holds windows ``x`` and Keras' outputs ``y`` for the checkpoint of the same name, which ends
    in .keras, .weights.h5 or .h5. ``v_08_steps.npz`` holds ``x_train``, ``y_train``, ``learning_rate``,
    ``weight_decay``, the ``losses`` of steps that began with the weights of ``v_08_hash``, and outputs ``y`` for ``x``
    after them.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    DataFrame
        ``PARITY``, in the order of the names.

    Raises
    ------
    ParityError
        If there is no record, one lacks an array or its checkpoint, or is of no variant.
    KerasCheckpointError
        If a checkpoint is not one of its variant.
    """
    records = sorted(path for path in folder.glob("*.npz") if _NAME.fullmatch(path.name))
    if not records:
        raise ParityError(f"{folder} has no record such as v_08_trained.npz beside v_08_trained.keras")
    rows = [row for record in records for row in (_steps if record.name.endswith(_STEPS) else _outputs)(record)]
    return PARITY.conform(pl.DataFrame(rows, schema=PARITY.dtypes).sort("variant", "record", maintain_order=True))


def _outputs(record: Path) -> list[dict[str, Any]]:
    variant, checkpoint = _variant(record), _checkpoint(record, record.stem)
    arrays = _arrays(record, "x", "y")
    model = load_keras_checkpoint(variant, checkpoint)
    return [_row(variant, checkpoint, record, OUTPUTS, _distance(model, arrays))]


def _steps(record: Path) -> list[dict[str, Any]]:
    variant, checkpoint = _variant(record), _checkpoint(record, record.name.replace(_STEPS, "_hash"))
    arrays = _arrays(record, "x", "y", "x_train", "y_train", "losses", "learning_rate", "weight_decay")
    model, recorded = load_keras_checkpoint(variant, checkpoint), arrays["losses"]
    losses = replay_steps(
        model,
        arrays["x_train"],
        arrays["y_train"],
        steps=len(recorded),
        learning_rate=float(arrays["learning_rate"]),
        weight_decay=float(arrays["weight_decay"]),
    )
    worst = float(np.abs(losses / recorded - 1).max())
    return [
        _row(variant, checkpoint, record, LOSSES, worst),
        _row(variant, checkpoint, record, AFTER_STEPS, _distance(model, arrays)),
    ]


def _row(variant: str, checkpoint: Path, record: Path, claim: str, difference: float) -> dict[str, Any]:
    limit = LIMITS[claim]
    found = {"difference": difference, "limit": limit, "met": difference <= limit}
    return {"variant": variant, "checkpoint": checkpoint.name, "record": record.name, "claim": claim, **found}


def _variant(record: Path) -> str:
    match = _NAME.fullmatch(record.name)
    variant = f"v{match[1]}" if match else record.name
    if variant not in VARIANTS:
        raise ParityError(f"{record}: {variant} is none of {VARIANTS[0]} … {VARIANTS[-1]}")
    return variant


def _checkpoint(record: Path, stem: str) -> Path:
    for ending in _CHECKPOINTS:
        if (path := record.with_name(stem + ending)).is_file():
            return path
    names = ", ".join(stem + ending for ending in _CHECKPOINTS)
    raise ParityError(f"{record} has no checkpoint beside it; expected one of {names}")


def _arrays(record: Path, *names: str) -> dict[str, FloatArray]:
    try:
        with np.load(record, allow_pickle=False) as file:
            lacking = [name for name in names if name not in file.files]
            if lacking:
                raise ParityError(f"{record} has no array {lacking[0]!r}; it has {', '.join(file.files)}")
            return {name: np.asarray(file[name], dtype=np.float64) for name in names}
    except (OSError, ValueError) as error:
        if isinstance(error, ParityError):
            raise
        raise ParityError(f"{record} is no archive of arrays: {error}") from error


def _distance(model: nn.Module, arrays: dict[str, FloatArray]) -> float:
    """Return the largest difference from Keras' outputs as a share of their range."""
    with torch.no_grad():
        ours = model(torch.from_numpy(arrays["x"].astype(np.float32))).numpy().astype(np.float64)
    theirs = arrays["y"].reshape(-1)
    return float(np.abs(ours - theirs).max() / np.ptp(theirs))
