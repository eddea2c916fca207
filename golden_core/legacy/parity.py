"""Keras' own outputs and training steps, held against the ports: one row per file. No tolerance is chosen elsewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import nn

from golden_core.legacy.alignment import replay_steps
from golden_core.legacy.keras_checkpoint import load_keras_checkpoint
from golden_core.legacy.keras_records import Outputs, ParityError, Steps, read_outputs, read_steps
from golden_core.models.architecture import VARIANTS
from golden_core.store.schema import Column, Table
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
_STEPS = "_steps.npz"
_CHECKPOINTS = (".keras", ".weights.h5", ".h5")


def parity(folder: Path) -> pl.DataFrame:
    """Compare every record of a folder with the port of its variant, from every checkpoint of its name.

    ``v_08_trained.npz`` holds windows ``x`` and Keras' outputs ``y`` for the checkpoints of the same name, which end
    in .keras, .weights.h5 or .h5. ``v_08_steps.npz`` holds ``x_train``, ``y_train``, ``learning_rate``,
    ``weight_decay``, the ``losses`` of steps that began with the weights of ``v_08_hash``, and outputs ``y`` for ``x``
    after them.

    Raises
    ------
    ParityError
        If there is no record, one lacks its checkpoint, is of no variant, or cannot be replayed.
    KerasCheckpointError
        If a checkpoint is not one of its variant, or a record lacks an array of finite numbers and fitting shape.
    """
    records = sorted(path for path in folder.glob("*.npz") if _NAME.fullmatch(path.name))
    if not records:
        raise ParityError(f"{folder} has no record such as v_08_trained.npz beside v_08_trained.keras")
    rows = [row for record in records for row in (_steps if record.name.endswith(_STEPS) else _outputs)(record)]
    return PARITY.conform(pl.DataFrame(rows, schema=PARITY.dtypes).sort("variant", "record", maintain_order=True))


def _outputs(record: Path) -> list[dict[str, Any]]:
    variant, outputs = _variant(record), read_outputs(record)
    return [
        _row(variant, checkpoint, record, OUTPUTS, _distance(load_keras_checkpoint(variant, checkpoint), outputs))
        for checkpoint in _checkpoints(record, record.stem)
    ]


def _steps(record: Path) -> list[dict[str, Any]]:
    variant, checkpoints = _variant(record), _checkpoints(record, record.name.replace(_STEPS, "_hash"))
    kept = read_steps(record)
    return [row for checkpoint in checkpoints for row in _replayed(variant, checkpoint, record, kept)]


def _replayed(variant: str, checkpoint: Path, record: Path, kept: Steps) -> list[dict[str, Any]]:
    model = load_keras_checkpoint(variant, checkpoint)
    settings = {"learning_rate": kept.learning_rate, "weight_decay": kept.weight_decay}
    try:
        losses = replay_steps(model, kept.x_train, kept.y_train, steps=len(kept.losses), **settings)
    except TrainingError as error:
        raise ParityError(f"{record} cannot be replayed from {checkpoint.name}: {error}") from error
    worst = float(np.abs(losses / kept.losses - 1).max())
    return [
        _row(variant, checkpoint, record, LOSSES, worst),
        _row(variant, checkpoint, record, AFTER_STEPS, _distance(model, kept.after)),
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


def _checkpoints(record: Path, stem: str) -> list[Path]:
    paths = [record.with_name(stem + ending) for ending in _CHECKPOINTS]
    if found := [path for path in paths if path.is_file()]:
        return found
    raise ParityError(f"{record} has no checkpoint beside it; expected one of {', '.join(path.name for path in paths)}")


def _distance(model: nn.Module, outputs: Outputs) -> float:
    """Return the largest difference from Keras' outputs as a share of their range."""
    with torch.no_grad():
        ours = model(torch.from_numpy(outputs.x.astype(np.float32))).numpy().astype(np.float64)
    return float(np.abs(ours - outputs.y).max() / np.ptp(outputs.y))
