"""What a person asks of an alignment, and how it is carried out: the study `legacy` under every published split.

Beside it stands what it does otherwise than the legacy code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import polars as pl

from golden_core.evaluation.inputs import BENCHMARK
from golden_core.inputs.features import FEATURES
from golden_core.legacy.flow.protocol import Facts, NumberFormat, extents, read_facts
from golden_core.legacy.reproduction.alignment import Alignment, align
from golden_core.legacy.reproduction.errors import Category, Experiment
from golden_core.legacy.reproduction.published import PublishedSplit, Record, RecordError, read_record
from golden_core.legacy.reproduction.window import Merged, Window, merge_files, published_window
from golden_core.preparation import prepare_pair, prepare_raw, prepare_series
from golden_core.preparation.catalogue import load_study
from golden_core.splits.folds import usable_rows
from golden_core.store.lake import Home, hash_frame, write_parquet
from golden_core.study import Study
from golden_core.trials import Outcome, all_trials, read_outputs, run_trials, trials_table
from golden_core.trials.campaign import fingerprinted

_PLAN = re.compile(r"(?P<identity>[a-z][a-z0-9_]*):(?P<category>[a-z]+):(?P<change>.+)", re.DOTALL)
_CATEGORIES = tuple(name for name in get_args(Category) if name != "unknown")


@dataclass(frozen=True)
class Plan:
    """One experiment to run: everything once more with one thing changed, in studies called after its identity."""

    identity: str
    category: Category
    change: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Plan:
        """Read ``ID:CATEGORY:KEY=VALUE;KEY=VALUE``; a ``RecordError`` for another form or category."""
        match = _PLAN.fullmatch(text.strip())
        if match is None or match["category"] not in _CATEGORIES:
            raise RecordError(
                f"an experiment is ID:CATEGORY:KEY=VALUE;KEY=VALUE with a category of {', '.join(_CATEGORIES)}, such "
                f"as wide:initialisation:forecasters.v04.initialisers=keras_3.15, got {text!r}"
            )
        change = tuple(part.strip() for part in match["change"].split(";"))
        return cls(match["identity"], match["category"], change)  # type: ignore[arg-type]

    def __str__(self) -> str:
        return f"{self.identity}:{self.category}:{';'.join(self.change)}"


@dataclass(frozen=True)
class Request:
    """Hourly EURUSD candles that end with the published test window, older ones for training, and settings."""

    bars: Path
    earlier: Path | None = None
    overrides: tuple[str, ...] = ()
    experiments: tuple[Plan, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of bars."""
        return (self.bars,) if self.earlier is None else (self.bars, self.earlier)


@dataclass(frozen=True, eq=False)
class Run:
    """The variants under one of the published splits."""

    shares: str
    study: Study
    bars: pl.DataFrame
    training_windows: int
    failures: tuple[str, ...]
    deviations: Mapping[tuple[str, str, str], Sequence[str]]  # as :func:`deviations` returns them
    forecasts: pl.DataFrame  # schema.FORECASTS
    history: pl.DataFrame  # schema.HISTORY


@dataclass(frozen=True, eq=False)
class Validation:
    """Everything that the validation report says: the inputs, the window found in them, the runs, the table."""

    merged: Merged
    window: Window
    runs: tuple[Run, ...]
    alignment: Alignment


Trials = Callable[[Home, Study], Iterator[Outcome]]  # how the trials of a study are run, side by side or not


def carry_out(
    home: Home,
    request: Request,
    *,
    backend: str = "sequential",
    workers: int = 1,
    on_outcome: Callable[[Outcome], None] = lambda _: None,
) -> Validation:
    """Run the variants, then the experiments, and align all of it with the record. What is done is not repeated.

    The study ``legacy`` is run once per published split. The split that most variants were published under takes every
    variant of the study; another split, in a study of its own (``legacy_94_3_3``), takes the variants published under
    it. Every setting that departs from the legacy protocol is reported. Variants whose trials failed are missing from
    the table; the runs name them. A wrong file or setting is a ``SourceError`` or ``StudyError``; an override of what
    the splits decide, no variant, too few bars or a failed random walk a ``RecordError``.
    """
    ids = sorted(plan.identity for plan in request.experiments)
    if len(set(ids)) < len(ids):
        raise RecordError(f"experiments need ids of their own, got {', '.join(ids)}")
    record = read_record()

    def trials(home: Home, study: Study) -> Iterator[Outcome]:
        jobs = fingerprinted(home, study, all_trials(study))
        for outcome in run_trials(home, study, jobs, backend=backend, workers=workers):
            on_outcome(outcome)
            yield outcome

    merged, runs = _under_every_split(home, request, request.overrides, record, trials)
    experiments = []
    for plan in request.experiments:
        changed = [*request.overrides, *plan.change]
        changed.append(f"name={legacy_study(changed).name}_{plan.identity}")
        _, again = _under_every_split(home, request, changed, record, trials)
        forecasts = pl.concat([run.forecasts for run in again])
        experiments.append(Experiment(plan.identity, plan.category, "; ".join(plan.change), forecasts))
    alignment = align(
        pl.concat([run.forecasts for run in runs]),
        record,
        confidence=runs[0].study.evaluation.confidence,
        significance=runs[0].study.evaluation.significance,
        experiments=experiments,
    )
    return Validation(merged, published_window(runs[0].bars, record), tuple(runs), alignment)


def _under_every_split(
    home: Home, request: Request, overrides: Sequence[str], record: Record, trials: Trials
) -> tuple[Merged, list[Run]]:
    """Write the merged bars under the home, by a name that tells their content, and run the study on them."""
    study = legacy_study(overrides)
    pair = study.data.pairs[0]
    merged = merge_files(home, study.data, pair, request.bars, request.earlier)
    stored = Path("sources") / "legacy" / f"{pair}_{hash_frame(merged.bars)[:16]}.parquet"
    if not (home.root / stored).exists():
        write_parquet(merged.bars, home.root / stored)
    runs = []
    for split in sorted(record.splits.values(), key=lambda split: -len(split.variants)):
        if decided := split_overrides(study, record, split, stored.as_posix()):
            runs.append(_run(home, [*overrides, *decided], split.shares, trials))
    if not runs:
        raise RecordError("the study has no legacy variant that was published under a split of the record")
    return merged, runs


def _run(home: Home, overrides: Sequence[str], shares: str, trials: Trials) -> Run:
    """Prepare a study, its training part being all the bars that the split leaves, and run its trials."""
    study = load_study("legacy", overrides)
    pair, horizon = study.data.pairs[0], study.horizons[0]
    prepare_raw(home, study)
    bars = prepare_pair(home, study, pair).table
    study = load_study("legacy", [*overrides, training_override(study, bars.height)])
    folds = prepare_series(home, study, pair, horizon).table
    windows = int(folds.filter(pl.col("part") == "train")["rows"].sum())
    failures = sorted(outcome.error for outcome in trials(home, study) if outcome.error)
    done = trials_table(home, study).filter(pl.col("status") == "done")
    if BENCHMARK not in set(done["forecaster"]):
        raise RecordError(f"study {study.name} has no forecasts of the {BENCHMARK}: {'; '.join(failures)}")
    forecasts, history = read_outputs(home, study, done)
    found = deviations(study, bars.height, windows)
    return Run(shares, study, bars, windows, tuple(failures), found, forecasts, history)


# ---------------------------------------------------------------------------------------------- the study under a split

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
        raise RecordError(f"of {bars} bars the published held-out parts leave none to train on: add --earlier")
    return f"splits.train={train}"


def deviations(study: Study, bars: int, training_windows: int) -> dict[tuple[str, str, str], list[str]]:
    """Return all in which a study, run on so many bars and training windows, differs from its variants' own.

    That is, what differs, how it was in the legacy runs and how it is here → variants.
    """
    merged: dict[tuple[str, str, str], list[str]] = {}
    for variant in sorted(set(study.forecasters) - {BENCHMARK}):
        for what, legacy, here in _pairs(study, read_facts(variant), bars, training_windows):
            if legacy != here:
                merged.setdefault((what, _text(legacy), _text(here)), []).append(variant)
    return merged


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
