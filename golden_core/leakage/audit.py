"""The probes on a study: what one run samples, and the whole of it. Each step can be run by itself, in any process."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

import numpy as np
import polars as pl
from joblib import delayed

from golden_core.data.features import FEATURES
from golden_core.data.sources import source
from golden_core.forecasters import forecaster_class
from golden_core.lake import Home
from golden_core.leakage import artefacts
from golden_core.leakage.artefacts import BARS, COMPLETE, FOLDS, KEY, STAMP, WEIGHTS, Run
from golden_core.leakage.faults import FAULTS, faulty
from golden_core.leakage.poison import FUTURE, Cell, Report, compared, future_report, merged, record_report
from golden_core.leakage.poisons import POISONS, RECORD_POISONS
from golden_core.leakage.structural import structural
from golden_core.leakage.study_pipeline import (
    Scope,
    as_bars,
    feature_pipeline,
    raw_bars,
    study_pipeline,
)
from golden_core.leakage.study_tables import Series
from golden_core.randomness import Stream
from golden_core.study import Study
from golden_core.trials import Trial, all_series
from golden_core.trials.campaign import worker_pool

# What a sample tries: one poison that cleaning removes, one that it may, and one that it keeps.
SAMPLED = ("nan", "huge", "reversed")
# The next bar is missing, or undoes nothing: what a rule that waits for it would notice.
OF_CLEANING = ("removed", "huge")
# Forecasters get prices they could meet: a network fed 10⁹ may overflow, which is no leak.
OF_FITS = ("reversed", "reshuffled")
SOURCE = "source"


@dataclass(frozen=True)
class Step:
    """One part of an audit."""

    label: str
    run: Callable[[], Report]


@dataclass(frozen=True, eq=False)
class Subject:
    """A study with its raw bars and the folds that they give."""

    study: Study
    home: Home
    raw: pl.DataFrame
    honest: Run

    @classmethod
    def of(cls, study: Study, home: Home, series: tuple[Series, ...] | None = None) -> Subject:
        """Read the source and lay the folds, of all series or of some."""
        raw = raw_bars(study, home)
        return cls(study, home, raw, study_pipeline(study, Scope(series=series)).run(raw))

    @property
    def stream(self) -> Stream:
        """The study's own stream for the probes."""
        return Stream(self.study.seeds.root).child("leakage")

    @property
    def turns(self) -> range:
        """Turns of :func:`~golden_core.leakage.faults.faulty` after which some pair has had each kind of bad bar."""
        return range(0, len(FAULTS), self.raw["pair"].n_unique())

    def folds(self, series: Series) -> list[int]:
        """Return the folds of one series."""
        prefix = f"{series[0]}_h{series[1]}/"
        keys = self.honest.artefacts[FOLDS].filter(pl.col(KEY).str.starts_with(prefix))[KEY].unique()
        return sorted(int(key.removeprefix(prefix)) for key in keys)

    def times(self, count: int) -> list[dt.datetime]:
        """Draw times between the end of every series' first fold and the last bar, so that no poison undoes them all.

        Where the first folds end with the bars, the times lie within those folds' test parts.
        """
        folds = self.honest.artefacts[FOLDS].with_columns(series=pl.col(KEY).str.split("/").list.first())
        stamps = self.honest.artefacts[BARS][STAMP].unique().sort()
        last = stamps.max()
        over = folds.group_by("series").agg(pl.col(COMPLETE).min())[COMPLETE].max()
        begun = folds.filter(part="test").group_by("series").agg(pl.col(STAMP).min())[STAMP].max()
        eligible = stamps.filter((stamps >= over) & (stamps < last))
        if eligible.is_empty():
            eligible = stamps.filter((stamps >= begun) & (stamps < last))
        drawn = self.stream.child("times").generator().choice(len(eligible), min(count, len(eligible)), replace=False)
        return cast("list[dt.datetime]", eligible.gather(np.sort(drawn)).to_list())


def sampled_future(study: Study, home: Home, *, backend: str, workers: int) -> Report:
    """Probe a study as every run does: sampled times, all series up to windows, every forecaster on one fold."""
    subject = Subject.of(study, home)
    reports = []
    for time in subject.times(study.checks.poisoned_times):
        reports.append(poisoned_inputs(subject, time, SAMPLED))
        reports.append(poisoned_features(subject, time))
        reports += [poisoned_cleaning(subject, time, turn, OF_CLEANING) for turn in subject.turns]
    reports.append(shortened_source(subject, subject.times(1)[0]))
    series, fold = drawn_fold(subject, "future")
    share = partial(poisoned_fits, study, subject.raw, series, fold, poisons=OF_FITS[:1])
    return merged([*reports, *_shared(study, share, backend, workers)])


def sampled_record(study: Study, home: Home, *, backend: str, workers: int) -> Report:
    """Replay the fits of one fold, as every run does: its scalers, and every forecaster's weights."""
    stream = Stream(study.seeds.root).child("leakage", "record", "series")
    choices = all_series(study)
    subject = Subject.of(study, home, (choices[int(stream.generator().integers(len(choices)))],))
    series, fold = drawn_fold(subject, "record")
    scalers = replayed_scalers(subject, series, [fold], RECORD_POISONS[:1])
    share = partial(replayed_fits, study, subject.raw, series, fold, poisons=RECORD_POISONS[:1])
    return merged([scalers, *_shared(study, share, backend, workers)])


def structures(study: Study, home: Home) -> Report:
    """Examine the structure of every series."""
    raw = raw_bars(study, home)
    return merged(structure(study, raw, series) for series in all_series(study))


def audit_steps(study: Study, home: Home, times: int, *, all_fits: bool) -> Iterator[Step]:
    """Yield the steps of a full audit; the first is taken when the first is asked for.

    Parameters
    ----------
    study, home
        What and where.
    times : int
        Times after which everything is replaced, by every poison.
    all_fits : bool
        Every fold and seed of every forecaster, instead of one fold per series and the first seed.
    """
    subject = Subject.of(study, home)
    for time in subject.times(times):
        when = f"{time:%Y-%m-%d %H:%M}"
        for poison in POISONS:
            yield Step(f"{poison} after {when}", partial(poisoned_inputs, subject, time, (poison,)))
        yield Step(f"features, {when}", partial(poisoned_features, subject, time))
        for turn in range(len(FAULTS)):
            yield Step(f"bad bars, {when}", partial(poisoned_cleaning, subject, time, turn, POISONS))
        yield Step(f"source, {when}", partial(shortened_source, subject, time))
    for series in all_series(study):
        name = f"{series[0]}_h{series[1]}"
        yield Step(f"structure of {name}", partial(structure, study, subject.raw, series))
        yield Step(f"scalers of {name}", partial(replayed_scalers, subject, series, subject.folds(series)))
        for fold in subject.folds(series) if all_fits else [drawn_fold(subject, "audit", series)[1]]:
            for forecaster in sorted(study.forecasters):
                seeds = range(study.seeds.count if all_fits and not forecaster_class(forecaster).deterministic else 1)
                arguments = (study, subject.raw, series, fold, (forecaster,), tuple(seeds))
                yield Step(f"{forecaster} on {name}/{fold}", partial(poisoned_fits, *arguments))
                yield Step(f"{forecaster} on {name}/{fold}, replayed", partial(replayed_fits, *arguments))


def poisoned_inputs(subject: Subject, time: dt.datetime, poisons: Sequence[str]) -> Report:
    """Poison the future of everything up to windows, on all pairs and series."""
    pipeline, stream = study_pipeline(subject.study), subject.stream.child("inputs", time.isoformat())
    return future_report(pipeline, subject.raw, [time], stream, poisons, honest=subject.honest)


def poisoned_features(subject: Subject, time: dt.datetime) -> Report:
    """Poison the future of clean bars, where a NaN reaches the features."""
    clean = subject.honest.artefacts[BARS].rename({KEY: "pair", STAMP: "available_at"})
    return clean_bars_report(subject.study, clean, [time])


def clean_bars_report(study: Study, bars: pl.DataFrame, times: Sequence[dt.datetime]) -> Report:
    """Poison the future of clean bars (``schema.BARS``, any pairs of the study) and compare the features."""
    stream = Stream(study.seeds.root).child("leakage", "features")
    return future_report(feature_pipeline(study), bars, times, stream)


def clean_bars_times(study: Study, bars: pl.DataFrame) -> list[dt.datetime]:
    """Draw times among the bars of one pair, past the warm-up of the study's features."""
    known = bars["available_at"].sort()
    first = min(max(FEATURES[name].warm_up for name in study.features), len(known) - 2)
    draw = Stream(study.seeds.root).child("leakage", "features", "times", bars["pair"][0]).generator()
    rows = np.unique(draw.integers(first, len(known) - 1, size=study.checks.poisoned_times))
    return cast("list[dt.datetime]", known.gather(rows).to_list())


def poisoned_cleaning(subject: Subject, time: dt.datetime, turn: int, poisons: Sequence[str]) -> Report:
    """Plant bad bars just before the time and poison what follows: a rule must not need the next bar."""
    stream = subject.stream.child("cleaning", time.isoformat(), turn)
    pipeline = study_pipeline(subject.study, Scope(upto="bars"))
    return future_report(pipeline, faulty(subject.raw, time, turn), [time], stream, poisons)


def shortened_source(subject: Subject, time: dt.datetime) -> Report:
    """Read the source up to an earlier day: it must give the beginning of what it gives for all days."""
    study, kind = subject.study, source(subject.study.data.source)
    data = study.data.model_copy(update={"end": time.date()})
    shorter = as_bars(kind.read(data, study.seeds.root, subject.home.root))

    until = cast(dt.datetime, shorter["available_at"].max())
    what = f"with nothing after {time:%Y-%m-%d} asked of the source {study.data.source!r}"
    whole, part = ({SOURCE: _stamped(bars)} for bars in (subject.raw, shorter))
    return compared(FUTURE, "removed", what, whole, part, until)


def _stamped(raw: pl.DataFrame) -> pl.DataFrame:
    return raw.rename({"pair": KEY, "available_at": STAMP}).sort(KEY, STAMP, "timestamp", maintain_order=True)


def poisoned_fits(
    study: Study,
    raw: pl.DataFrame,
    series: Series,
    fold: int,
    forecasters: Sequence[str],
    seeds: Sequence[int] = (0,),
    poisons: Sequence[str] = OF_FITS,
) -> Report:
    """Poison the second half of a test part: neither weights nor the forecasts of the first half may change.

    A forecast that looks at other windows of its batch changes here, and so does a fit that looks at test rows.
    """
    pipeline = _fits_pipeline(study, series, fold, forecasters, seeds)
    honest = pipeline.run(raw)
    if WEIGHTS not in honest.artefacts:
        return Report((), (), honest.failures)
    stamps = honest.artefacts[artefacts.FORECASTS][STAMP]
    stream = Stream(study.seeds.root).child("leakage", "fits", *series, fold)
    report = future_report(pipeline, raw, [stamps[len(stamps) // 2]], stream, poisons, honest=honest)
    return Report(report.findings, report.cells, (*report.refused, *honest.failures))


def replayed_fits(
    study: Study,
    raw: pl.DataFrame,
    series: Series,
    fold: int,
    forecasters: Sequence[str],
    seeds: Sequence[int] = (0,),
    poisons: Sequence[str] = RECORD_POISONS,
) -> Report:
    """Poison every bar that the weights of a fold do not declare; they must not change."""
    pipeline = _fits_pipeline(study, series, fold, forecasters, seeds)
    honest = pipeline.run(raw)
    fits = [fit for fit in honest.fits if fit.asset == WEIGHTS]
    stream = Stream(study.seeds.root).child("leakage", "record")
    report = record_report(pipeline, raw, stream, fits=fits, poisons=poisons, honest=honest)
    return Report(report.findings, report.cells, (*report.refused, *honest.failures))


def replayed_scalers(
    subject: Subject, series: Series, folds: Sequence[int], poisons: Sequence[str] = RECORD_POISONS
) -> Report:
    """Poison every bar that the scalers of some folds do not declare; they must not change."""
    pipeline = study_pipeline(subject.study, Scope(series=(series,)))
    keys = {f"{series[0]}_h{series[1]}/{fold}" for fold in folds}
    fits = [fit for fit in subject.honest.fits if fit.key in keys]
    return record_report(
        pipeline, subject.raw, subject.stream.child("record"), fits=fits, poisons=poisons, honest=subject.honest
    )


def structure(study: Study, raw: pl.DataFrame, series: Series) -> Report:
    """Examine what a run of one series shows of itself: clocks, purge, embargo, copies, scalers, declared fits."""
    run = study_pipeline(study, Scope(series=(series,), values=True)).run(raw)
    findings = structural(run, raw, embargo=study.splits.embargo, moments=True)
    first = {finding.asset: finding for finding in reversed(findings)}
    cells = [Cell(asset, "structure", frame.height, first.get(asset)) for asset, frame in run.artefacts.items()]
    return Report(tuple(findings), tuple(cells), ())


def drawn_fold(subject: Subject, purpose: str, series: Series | None = None) -> tuple[Series, int]:
    """Draw one series, unless it is given, and one of its folds."""
    known = [one for one in all_series(subject.study) if subject.folds(one)]
    draw = subject.stream.child("fold", purpose, *(series or ())).generator()
    chosen = series or known[int(draw.integers(len(known)))]
    folds = subject.folds(chosen)
    return chosen, folds[int(draw.integers(len(folds)))]


def _fits_pipeline(
    study: Study, series: Series, fold: int, forecasters: Sequence[str], seeds: Sequence[int]
) -> artefacts.Pipeline:
    fits = tuple((Trial(name, *series, seed), fold) for name in forecasters for seed in seeds)
    return study_pipeline(study, Scope(series=(series,), fits=fits))


def _shared(study: Study, task: Callable[[tuple[str, ...]], Report], backend: str, workers: int) -> Iterable[Report]:
    """Run a task on the study's forecasters, spread over the workers that will train them."""
    names = sorted(study.forecasters)
    if backend == "sequential" or workers < 2:
        return [task(tuple(names))]
    shares = [tuple(names[start::workers]) for start in range(min(workers, len(names)))]
    found: Iterable[Report] = worker_pool(study, backend, workers)(delayed(task)(share) for share in shares)
    return found
