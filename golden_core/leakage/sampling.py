"""What every run probes of its study: a sample that costs little beside the trials, drawn from the study's own seed."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import polars as pl
from joblib import delayed

from golden_core.leakage.poisons import RECORD_POISONS
from golden_core.leakage.probes import (
    OF_FITS,
    Fits,
    features_at_every_bar,
    poisoned_cleaning,
    poisoned_features,
    poisoned_inputs,
    replayed_scalers,
    shortened_source,
    structure,
)
from golden_core.leakage.report import Report, merged
from golden_core.leakage.study_pipeline import raw_bars
from golden_core.leakage.study_tables import Series
from golden_core.leakage.subject import Subject, drawn_fold
from golden_core.store.lake import Home
from golden_core.study import Study
from golden_core.trials import all_series
from golden_core.trials.campaign import worker_pool

# After every time the bars that follow are reversed, which leaves as many as there were: no fold is refused for that.
ALWAYS = "reversed"
# A poison that cleaning removes, one that it may, and no bars at all: dealt out to the times.
DEALT = ("nan", "huge", "removed")
# The next bar says the same once more, or takes it back: what a rule that waits for it would notice.
OF_CLEANING = ("frozen", "undone")
# Rounds of single bars: with a warm-up of 20 bars or less, every bar is replaced in one of them.
ROUNDS = {"mirrored": 32, "removed": 8}


def sampled(study: Study, home: Home, *, backend: str, workers: int) -> tuple[Report, Report]:
    """Probe a study as every run does: every poison, every kind of bad bar, and every forecaster on one fold.

    Most poisons and all bad bars are dealt out to the study's sampled times, so that each costs one run, not several.

    Returns
    -------
    tuple of Report
        What depends on the future; what fits read beyond what they declare. Both start from the same honest fits.
    """
    subject = Subject.of(study, home)
    times = subject.times(study.checks.poisoned_times)
    turns = list(subject.turns)
    future = []
    for number, time in enumerate(times):
        future.append(poisoned_inputs(subject, time, (*DEALT[number :: len(times)], ALWAYS)))
        future.append(poisoned_features(subject, time))
        future += [poisoned_cleaning(subject, time, turn, OF_CLEANING) for turn in turns[number :: len(times)]]
    future.append(features_at_every_bar(subject, ROUNDS))
    future.append(shortened_source(subject, subject.times(1)[0]))
    series, fold = drawn_fold(subject, "sample")
    fits = _fits(subject, series, fold, backend, workers)
    scalers = replayed_scalers(subject, series, [fold], RECORD_POISONS[:1])
    return merged([*future, *(one for one, _ in fits)]), merged([scalers, *(one for _, one in fits)])


def sampled_scalers(study: Study, home: Home) -> Report:
    """Examine what the scalers of the sampled fold read: of :func:`sampled`, what needs no forecaster."""
    subject = Subject.of(study, home)
    series, fold = drawn_fold(subject, "sample")
    return replayed_scalers(subject, series, [fold], RECORD_POISONS[:1])


def structures(study: Study, home: Home) -> Report:
    """Examine the structure of every series."""
    raw = raw_bars(study, home)
    return merged(structure(study, raw, series) for series in all_series(study))


def _fits(subject: Subject, series: Series, fold: int, backend: str, workers: int) -> Iterable[tuple[Report, Report]]:
    """Probe the fits of all forecasters, spread over the workers that will train them."""
    study, names = subject.study, sorted(subject.study.forecasters)
    task = partial(_probed, study, subject.raw, series, fold, subject.lake)
    if backend == "sequential" or workers < 2:
        return [task(names)]
    shares = [names[start::workers] for start in range(min(workers, len(names)))]
    found: Iterable[tuple[Report, Report]] = worker_pool(study, backend, workers)(delayed(task)(one) for one in shares)
    return list(found)


def _probed(
    study: Study, raw: pl.DataFrame, series: Series, fold: int, lake: tuple[Path, ...], forecasters: list[str]
) -> tuple[Report, Report]:
    fits = Fits.of(study, raw, series, fold, forecasters, lake=lake)
    return fits.poisoned(OF_FITS[:1]), fits.replayed(RECORD_POISONS[:1])
