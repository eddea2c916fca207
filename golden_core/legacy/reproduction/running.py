"""What a person asks of an alignment, and how it is carried out: variants and experiments under every split."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import polars as pl

from golden_core.evaluation.inputs import BENCHMARK
from golden_core.legacy.reproduction.alignment import Alignment, align
from golden_core.legacy.reproduction.bars import Merged, merge_files
from golden_core.legacy.reproduction.experiments import Category, Experiment
from golden_core.legacy.reproduction.published import Record, RecordError, read_record
from golden_core.legacy.reproduction.studies import (
    Deviation,
    deviations,
    legacy_study,
    split_overrides,
    training_override,
)
from golden_core.legacy.reproduction.window import Window, published_window
from golden_core.preparation import prepare_pair, prepare_raw, prepare_series
from golden_core.preparation.catalogue import load_study
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
    deviations: tuple[Deviation, ...]
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
