"""Run the legacy variants on the user's bars under the published splits, and hold the result against the record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from golden_core.evaluation import BENCHMARK
from golden_core.legacy.reproduction.alignment import Alignment, align
from golden_core.legacy.reproduction.bars import Merged, merge_files
from golden_core.legacy.reproduction.deviations import Deviation, deviations
from golden_core.legacy.reproduction.experiments import Category, Experiment
from golden_core.legacy.reproduction.published import RecordError, read_record
from golden_core.legacy.reproduction.studies import chosen_splits, legacy_study, split_overrides, training_override
from golden_core.legacy.reproduction.window import Window, published_window
from golden_core.preparation import prepare_pair, prepare_raw, prepare_series
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import Home, hash_frame, write_parquet
from golden_core.study import Study
from golden_core.trials import Outcome, all_trials, read_outputs, run_trials, trials_table
from golden_core.trials.campaign import fingerprinted


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


@dataclass(frozen=True, eq=False)
class Workers:
    """How trials run side by side, and who is told of each as it ends."""

    backend: str
    count: int
    on_outcome: Callable[[Outcome], None]


def run_legacy(
    home: Home,
    bars_path: Path,
    extra_bars: Path | None = None,
    overrides: Sequence[str] = (),
    *,
    protocols: Sequence[str] = (),
    backend: str = "sequential",
    workers: int = 1,
    on_outcome: Callable[[Outcome], None] = lambda _: None,
    experiments: Sequence[Experiment] = (),
) -> Validation:
    """Run the study ``legacy`` on the user's bars, once per published split, and align it with the record.

    The split that most variants were published under takes every variant of the study; another split, in a study of
    its own (``legacy_94_3_3``), takes the variants published under it. Trials that have been done are not repeated.

    Parameters
    ----------
    home : Home
    bars_path : Path
        Hourly EURUSD candles that end with the published test window.
    extra_bars : Path, optional
        A file with older candles, which gives what lies before the first one's beginning.
    overrides : sequence of str
        Settings of the study, ``training.epochs=10``: every one that departs from the legacy protocol is reported.
    protocols : sequence of str
        Splits to run, such as ``96/2/2``; by default all that were published.
    backend : str
        A joblib backend: ``sequential``, ``loky`` or ``dask``.
    workers : int
        Processes.
    on_outcome : callable
        Told of every trial as it ends.
    experiments : sequence of Experiment
        Runs with one thing changed, for the reasons of deviations.

    Returns
    -------
    Validation
        Variants whose trials failed are missing from the table; the runs name them.

    Raises
    ------
    SourceError, StudyError
        If a file or a setting is wrong.
    RecordError
        If a split was not published, an override sets what the splits decide, no variant is left, the bars are too
        few, or the random walk failed.
    """
    record, study = read_record(), legacy_study(overrides)
    splits = chosen_splits(record, protocols)
    merged = merge_files(home, study.data, study.data.pairs[0], bars_path, extra_bars)
    stored = _store(home, merged.bars, study.data.pairs[0])
    crew, runs = Workers(backend, workers, on_outcome), list[Run]()
    for split in splits:
        decided = split_overrides(study, record, split, stored)
        if decided:
            runs.append(_run(home, [*overrides, *decided], split.shares, crew))
    if not runs:
        raise RecordError("the study has no legacy variant that was published under a chosen split")
    alignment = align(
        pl.concat([run.forecasts for run in runs]),
        record,
        confidence=study.evaluation.confidence,
        significance=study.evaluation.significance,
        experiments=experiments,
    )
    return Validation(merged, published_window(runs[0].bars, record), tuple(runs), alignment)


def run_experiment(
    home: Home,
    bars_path: Path,
    extra_bars: Path | None,
    overrides: Sequence[str],
    *,
    identity: str,
    category: Category,
    change: Sequence[str],
    backend: str = "sequential",
    workers: int = 1,
    on_outcome: Callable[[Outcome], None] = lambda _: None,
) -> Experiment:
    """Run everything once more with one thing changed, in studies of its own: ``legacy_<identity>``.

    Parameters
    ----------
    home, bars_path, extra_bars, overrides, backend, workers, on_outcome
        As in :func:`run_legacy`: those of the runs whose deviations are to be explained.
    identity : str
        What the table calls the experiment; becomes part of the study's name.
    category : str
        What kind of thing is changed.
    change : sequence of str
        Further settings, ``forecasters.v04.initialisers=keras_3.15``.

    Raises
    ------
    SourceError, StudyError, RecordError
        As :func:`run_legacy`.
    """
    changed = [*overrides, *change]
    renamed = [*changed, f"name={legacy_study(changed).name}_{identity}"]
    found = run_legacy(home, bars_path, extra_bars, renamed, backend=backend, workers=workers, on_outcome=on_outcome)
    return Experiment(identity, category, "; ".join(change), pl.concat([run.forecasts for run in found.runs]))


def _store(home: Home, bars: pl.DataFrame, pair: str) -> str:
    """Write the merged bars under the home and return their path relative to it; the name tells the content."""
    path = Path("sources") / "legacy" / f"{pair}_{hash_frame(bars)[:16]}.parquet"
    if not (home.root / path).exists():
        write_parquet(bars, home.root / path)
    return path.as_posix()


def _run(home: Home, overrides: Sequence[str], shares: str, workers: Workers) -> Run:
    """Prepare a study, its training part being all the bars that the split leaves, and run its trials."""
    study = load_study("legacy", overrides)
    pair, horizon = study.data.pairs[0], study.horizons[0]
    prepare_raw(home, study)
    bars = prepare_pair(home, study, pair).table
    study = load_study("legacy", [*overrides, training_override(study, bars.height)])
    folds = prepare_series(home, study, pair, horizon).table
    windows = int(folds.filter(pl.col("part") == "train")["rows"].sum())
    jobs, failures = fingerprinted(home, study, all_trials(study)), []
    for outcome in run_trials(home, study, jobs, backend=workers.backend, workers=workers.count):
        workers.on_outcome(outcome)
        if outcome.error:
            failures.append(outcome.error)
    done = trials_table(home, study).filter(pl.col("status") == "done")
    if BENCHMARK not in set(done["forecaster"]):
        raise RecordError(f"study {study.name} has no forecasts of the {BENCHMARK}: {'; '.join(failures)}")
    forecasts, history = read_outputs(home, study, done)
    return Run(
        shares=shares,
        study=study,
        bars=bars,
        training_windows=windows,
        failures=tuple(sorted(failures)),
        deviations=deviations(study, bars.height, windows),
        forecasts=forecasts,
        history=history,
    )
