"""Probes of the fit: starting weights, number formats, losses, schedules, and what becomes of failures."""

from __future__ import annotations

import contextlib
import hashlib

import numpy as np
import torch

from golden_core.inputs.windows import FloatArray
from golden_core.legacy.flow.protocol import read_facts
from golden_core.legacy.forensics.probes.result import TRAINING_SCALE, V08, Practice, ProbeResult
from golden_core.models.architecture import MultiHeadFacts, read_architecture
from golden_core.models.blocks import Dense, MultiHeadAttention
from golden_core.models.initialisers import KerasVersion, initialise
from golden_core.store.randomness import Stream
from golden_core.study import EarlyStopping
from golden_core.training.schedule import PlateauSchedule, StoppingRule
from golden_core.training.trainer import TrainingError


def number_format_by_machine(practice: Practice, stream: Stream) -> ProbeResult:
    """Forecast with hidden values as a machine with a GPU rounds them, and as one without. Alternative: float32."""
    generator = stream.child("format").generator()
    hidden, weights = generator.standard_normal((1885, 64)), generator.standard_normal(64) / 8
    by_gpu = V08.number_format.policy == "mixed_float16_on_gpu" and practice == "legacy"
    with_gpu = hidden.astype(np.float16 if by_gpu else np.float32).astype(np.float64) @ weights
    without = hidden.astype(np.float32).astype(np.float64) @ weights
    value = float(np.abs(with_gpu - without).max() * TRAINING_SCALE)
    return ProbeResult(
        value, 0.0, f"On two machines the forecasts of the same weights differ by up to {value:.1g} in price."
    )


def starting_weights_unseeded(practice: Practice, stream: Stream) -> ProbeResult:
    """Start three times, the initialiser seeded by each process's own generator. Alternative: by a named stream.

    The entropy that an operating system gives a process is stood in for by a stream, so that the probe is repeatable.
    """
    starts = set()
    for process in range(3):
        entropy = stream.child("operating system", process) if practice == "legacy" else stream.child("init")
        layer = Dense(4, 8)
        initialise(layer, "keras_3.8", torch.Generator().manual_seed(entropy.integer()))
        starts.add(hashlib.sha256(layer.weight.detach().numpy().tobytes()).hexdigest())
    return ProbeResult(len(starts), 1.0, f"Different starting weights in three processes: {len(starts)}.")


def initialisers_drift(practice: Practice, stream: Stream) -> ProbeResult:
    """Start v08's attention under two versions of Keras. Alternative: the version is part of the study."""
    architecture = read_architecture("v08")
    if not isinstance(architecture.attention, MultiHeadFacts):
        raise TypeError("v08 has multi-head attention behind its BiLSTM")
    versions: tuple[KerasVersion, ...] = ("keras_3.8", "keras_3.15" if practice == "legacy" else "keras_3.8")
    spreads = []
    for version in versions:
        layer = MultiHeadAttention(
            2 * architecture.lstm.units, architecture.attention.heads, architecture.attention.key_dimension
        )
        initialise(layer, version, torch.Generator().manual_seed(stream.child("attention").integer()))
        spreads.append(layer.weight_qkv.detach().std().item())
    value = spreads[1] / spreads[0]
    return ProbeResult(value, 1.5, f"The starting weights of the attention are {value:.2f} times as large.")


def failed_training_scored(practice: Practice, stream: Stream) -> ProbeResult:  # noqa: ARG001
    """Let training fail, go on as the legacy pipeline does, and count results. Alternative: the error ends the run."""
    results: list[str] = []

    def pipeline() -> None:
        with contextlib.suppress(*((TrainingError,) if practice == "legacy" else ())):
            raise TrainingError("the loss is not finite")
        results.append("metrics of an untrained network")

    with contextlib.suppress(TrainingError):  # where the run of the alternative ends
        pipeline()
    return ProbeResult(len(results), 0.0, f"Results reported after a failed training: {len(results)}.")


def zero_is_unset(practice: Practice, stream: Stream) -> ProbeResult:  # noqa: ARG001
    """Ask for zeros and see what is used. Alternative: only null means not given."""
    asked, defaults = (0.0, 0, 0), (V08.training.weight_decay, V08.training.batch_size, V08.training.epochs)
    if practice == "legacy":
        used = tuple(given or default for given, default in zip(asked, defaults, strict=True))
    else:
        used = tuple(default if given is None else given for given, default in zip(asked, defaults, strict=True))
    value = sum(one != other for one, other in zip(asked, used, strict=True))
    return ProbeResult(value, 0.0, f"Of three settings of 0 the run replaced {value}.")


def running_training_loss(practice: Practice, stream: Stream) -> ProbeResult:
    """Take one epoch of descent on data without a validation part and measure the training loss in two ways.

    Legacy: the mean over the epoch's batches, each before its step. Alternative: all rows after the epoch.
    """
    generator = stream.child("running loss").generator()
    x = generator.standard_normal((20, 100))  # [batches, rows]
    y = x + 0.5 * generator.standard_normal((20, 100))
    weight, losses = 0.0, []
    for batch, target in zip(x, y, strict=True):
        losses.append(float(np.square(target - weight * batch).mean()))
        weight += 0.1 * float((batch * (target - weight * batch)).mean()) * 2
    after = float(np.square(y - weight * x).mean())
    value = (float(np.mean(losses)) if practice == "legacy" else after) / after
    return ProbeResult(value, 1.05, f"The loss reported for the training rows is {value:.2f} times what they have.")


def plateau_ends_learning(practice: Practice, stream: Stream) -> ProbeResult:  # noqa: ARG001
    """Descend a bowl with a steep and a shallow axis under the legacy schedule. Alternative: a relative threshold.

    On the shallow axis an epoch gains two per cent of a loss of the size the legacy runs ended with.
    """
    settings = V08.plateau
    if practice == "alternative":
        settings = settings.model_copy(update={"threshold": "relative", "patience": 3})
    steady = _descend(None, V08.training.epochs, V08.training.learning_rate)
    schedule = PlateauSchedule(settings, V08.training.learning_rate)
    losses = _descend(schedule, V08.training.epochs, V08.training.learning_rate)
    value = losses[-1] / steady[-1]
    sentence = f"The last loss is {value:.1f} times what the first learning rate, never cut, would have reached."
    return ProbeResult(value, 1.5, sentence)


def patience_disagrees(practice: Practice, stream: Stream) -> ProbeResult:  # noqa: ARG001
    """Train v06 by the paper's patience, the file's and the code's. Alternative: one resolved configuration."""
    facts = read_facts("v06")
    said = (facts.stopping.published_patience, facts.patience.configured or 0, facts.patience.epochs)
    if practice == "alternative":
        said = (facts.patience.epochs,) * 3
    gains = {1: 1.0, 25: 0.9, 57: 0.8}  # epoch → best loss so far; lulls of 24 and 32 epochs lie between
    kept = {_kept_epoch(patience, gains, facts.training.epochs) for patience in said}
    named = ", ".join(str(epoch) for epoch in sorted(kept))
    return ProbeResult(len(kept), 1.0, f"One learning curve, one variant: the kept epoch is {named}.")


def _descend(schedule: PlateauSchedule | None, epochs: int, rate: float) -> list[float]:
    """Return the losses of gradient descent on ½ Σ λ w²."""
    curvature: FloatArray = np.array([100.0, 1.0])
    weights = np.array([0.1, 0.025])
    losses = []
    for _ in range(epochs):
        weights = weights - rate * curvature * weights
        losses.append(float((curvature * weights**2).sum() / 2))
        rate = schedule.update(losses[-1]) if schedule else rate
    return losses


def _kept_epoch(patience: int, gains: dict[int, float], epochs: int) -> int:
    rule = StoppingRule(EarlyStopping(patience=patience, min_delta=0.0, restore_best=True))
    kept = 0
    for epoch in range(1, epochs + 1):
        if rule.improves(gains.get(epoch, 2.0)):
            kept = epoch
        if rule.exhausted:
            break
    return kept
