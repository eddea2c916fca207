"""What a run does otherwise than the legacy protocol: every setting beside what the legacy code used. No results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from golden_core.evaluation import BENCHMARK
from golden_core.legacy.flow.protocol import Facts, NumberFormat, extents, read_facts
from golden_core.study import Study

# Settings of one name in the study and in the facts of the protocol.
_BUDGET = ("epochs", "batch_size", "shuffle", "learning_rate", "weight_decay")
_PLATEAU = ("factor", "patience", "min_delta", "threshold", "min_learning_rate")
_OPTIMISERS = {"AdamW": "keras_adamw"}  # the legacy framework's own, with its epsilon and decay
_FORMATS: Mapping[NumberFormat, str] = {
    "float32": "float32",
    "mixed_float16": "float16 with float32 weights",
    "mixed_float16_on_gpu": "float32, or float16 with float32 weights where a GPU was",
}
_KERAS = "keras_3.8"  # what the publication used


@dataclass(frozen=True)
class Deviation:
    """One thing that is not as in the legacy runs."""

    what: str
    legacy: str
    here: str
    variants: tuple[str, ...]


def deviations(study: Study, bars: int, training_windows: int) -> tuple[Deviation, ...]:
    """Return everything in which a study, run on so many bars and training windows, differs from its variants' own."""
    merged: dict[tuple[str, str, str], list[str]] = {}
    for variant in sorted(set(study.forecasters) - {BENCHMARK}):
        for what, legacy, here in _pairs(study, read_facts(variant), bars, training_windows):
            if legacy != here:
                merged.setdefault((what, _text(legacy), _text(here)), []).append(variant)
    return tuple(Deviation(*key, tuple(variants)) for key, variants in merged.items())


def _pairs(study: Study, facts: Facts, bars: int, windows: int) -> Iterator[tuple[str, Any, Any]]:
    training, settings = study.training, study.forecasters[facts.variant]
    yield "rows of the file", facts.candles.rows, bars
    yield "training windows", len(extents(facts)["train"].targets), windows
    yield "test targets", len(extents(facts)["test"].targets), study.splits.test
    yield "features", facts.columns.features, study.features
    yield "target", facts.columns.target, study.target
    yield "context length", facts.windows.context_length, study.context_length
    for name in _BUDGET:
        yield name.replace("_", " "), getattr(facts.training, name), getattr(training, name)
    yield "optimiser", _OPTIMISERS[facts.training.optimiser], training.optimiser
    yield "gradient clip", None, training.gradient_clip
    for name in _PLATEAU:
        here = getattr(training.plateau, name) if training.plateau else None
        yield f"plateau: {name.replace('_', ' ')}", getattr(facts.plateau, name), here
    stopping = training.early_stopping
    yield "patience of early stopping", facts.patience.epochs, stopping.patience if stopping else None
    yield "restores the best epoch", facts.stopping.restores_best, bool(stopping and stopping.restore_best)
    yield "number format", _FORMATS[facts.number_format.policy], training.precision
    if facts.gate is not None:
        yield "gate of the experts", facts.gate.kind, settings["gate"]
    yield "starting values", _KERAS, settings["initialisers"]
    yield "runs", "1, from starting values that no seed fixed", f"{study.seeds.count}, each from a seed of its own"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else f"{value}"
