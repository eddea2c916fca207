"""The study `legacy` under a published split, on the user's bars, and what it does otherwise than the legacy code."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from golden_core.evaluation.inputs import BENCHMARK
from golden_core.inputs.features import FEATURES
from golden_core.legacy.flow.protocol import Facts, NumberFormat, extents, read_facts
from golden_core.legacy.reproduction.published import PublishedSplit, Record, RecordError
from golden_core.preparation.catalogue import load_study
from golden_core.splits.folds import usable_rows
from golden_core.study import Study

_VENDOR_COLUMNS = {name: name for name in ("timestamp", "open", "high", "low", "close")} | {"volume": None}
# What the published splits and the user's files decide; everything else of the study may be overridden.
_DECIDED = ("splits", "data.settings.paths", "data.pairs", "horizons")
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


def legacy_study(overrides: Sequence[str]) -> Study:
    """Return the study ``legacy`` with the user's settings; a ``RecordError`` if these set what the splits decide."""
    for override in overrides:
        key = override.partition("=")[0].strip()
        if any(key == decided or key.startswith((f"{decided}.", f"{decided}[")) for decided in _DECIDED):
            raise RecordError(f"{key} cannot be set here: the published splits and the files of bars decide it")
    return load_study("legacy", overrides)


def split_overrides(study: Study, record: Record, split: PublishedSplit, bars: str) -> list[str]:
    """Return what puts the study under a split: the lengths of its parts but the first, its variants, its name.

    The split that most variants were published under takes every variant of the study, for a comparison on equal rows.
    Another one takes those that were published under it, and its study a name of its own. There is nothing to set if
    the study has no variant for this split. ``bars`` is a path relative to the home, columns as in ``schema.BARS``.
    """
    given = study.model_dump(mode="json")
    # A vendor's own format has no declared columns; what is written of its bars has those of the schema.
    forecasters, columns = given["forecasters"], given["data"]["settings"]["columns"] or _VENDOR_COLUMNS
    name = study.name
    if split.shares != max(record.splits.values(), key=lambda other: len(other.variants)).shares:
        name = f"{name}_{split.shares.replace('/', '_')}"
        forecasters = {key: own for key, own in forecasters.items() if key in (BENCHMARK, *split.variants)}
    if set(forecasters) <= {BENCHMARK}:
        return []
    decided = {
        "name": name,
        "forecasters": forecasters,
        "data.settings.format": "columns",
        "data.settings.paths": {study.data.pairs[0]: bars},
        "data.settings.columns": {ours: ours if theirs else None for ours, theirs in columns.items()},
        "splits.validation": split.validation_rows,
        "splits.test": split.targets,
        "splits.step": split.targets,
    }
    return [f"{key}={json.dumps(value)}" for key, value in decided.items()]


def training_override(study: Study, bars: int) -> str:
    """Return the length of the training part that lets the test part end with the last bar but one, its label."""
    splits = study.splits
    warm_up = max([study.evaluation.volatility_window, *(FEATURES[name].warm_up for name in study.features)])
    usable = usable_rows(bars, warm_up=warm_up, context_length=study.context_length, horizon=study.horizons[0])
    train = len(usable) - splits.validation - splits.test
    if train <= study.horizons[0] + splits.embargo:
        raise RecordError(f"there are {bars} bars; the published validation and test parts leave none to train on")
    return f"splits.train={train}"


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
