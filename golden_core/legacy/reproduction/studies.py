"""The study `legacy` under a published split, on the user's bars: settings only. Nothing is read or run here."""

from __future__ import annotations

import json
from collections.abc import Sequence

from golden_core.evaluation import BENCHMARK
from golden_core.inputs.features import FEATURES
from golden_core.legacy.reproduction.published import PublishedSplit, Record, RecordError
from golden_core.preparation.catalogue import load_study
from golden_core.splits.folds import usable_rows
from golden_core.study import Study

_VENDOR_COLUMNS = {name: name for name in ("timestamp", "open", "high", "low", "close")} | {"volume": None}
# What the published splits and the user's files decide; everything else of the study may be overridden.
_DECIDED = ("splits", "data.settings.paths", "data.pairs", "horizons")


def legacy_study(overrides: Sequence[str]) -> Study:
    """Return the study ``legacy`` with the user's settings.

    Raises
    ------
    RecordError
        If an override sets what the splits and the files decide.
    StudyError
        If the study is not valid with them.
    """
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
    """Return the length of the training part that lets the test part end with the last bar but one, its label.

    Raises
    ------
    RecordError
        If so many bars, after cleaning, leave nothing to train on.
    """
    splits = study.splits
    warm_up = max([study.evaluation.volatility_window, *(FEATURES[name].warm_up for name in study.features)])
    usable = usable_rows(bars, warm_up=warm_up, context_length=study.context_length, horizon=study.horizons[0])
    train = len(usable) - splits.validation - splits.test
    if train <= study.horizons[0] + splits.embargo:
        raise RecordError(f"there are {bars} bars; the published validation and test parts leave none to train on")
    return f"splits.train={train}"
