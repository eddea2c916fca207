"""A study as the probes meet it, and the probes on it, one by one: each returns a report and runs in any process."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl

from golden_core.inputs.features import FEATURES
from golden_core.leakage import artefacts
from golden_core.leakage.artefacts import BARS, COMPLETE, FOLDS, KEY, STAMP, WEIGHTS, Finding, Pipeline, Run
from golden_core.leakage.batch_probe import lake_files, lake_read
from golden_core.leakage.poison import FUTURE, attempt, future_report, record_report
from golden_core.leakage.poisons import FAULTS, RECORD_POISONS, TWIN, faulty
from golden_core.leakage.report import Cell, Report, compared, merged
from golden_core.leakage.single_bar_probe import single_bar_report
from golden_core.leakage.structural import structural
from golden_core.leakage.study_pipeline import Scope, as_bars, feature_pipeline, raw_bars, study_pipeline
from golden_core.leakage.study_tables import Series, stamped
from golden_core.preparation import dated_study
from golden_core.sources import source
from golden_core.store.lake import Home
from golden_core.store.randomness import Stream
from golden_core.study import Study
from golden_core.trials import Trial, all_series


@dataclass(frozen=True, eq=False)
class Subject:
    """A study with its raw bars and the folds that they give."""

    study: Study
    home: Home
    raw: pl.DataFrame
    honest: Run

    @classmethod
    def of(cls, study: Study, home: Home) -> Subject:
        """Read the source and lay the folds of all series."""
        study = dated_study(home, study)
        raw = raw_bars(study, home)
        return cls(study, home, raw, study_pipeline(study).run(raw))

    @property
    def stream(self) -> Stream:
        """The study's own stream for the probes."""
        return Stream(self.study.seeds.root).child("leakage")

    @property
    def lake(self) -> tuple[Path, ...]:
        """The campaign's own files, which nothing under a probe has to read."""
        return lake_files(self.home, self.study)

    @property
    def clean_bars(self) -> pl.DataFrame:
        """The clean bars of all pairs, as ``schema.BARS``."""
        return self.honest.artefacts[BARS].rename({KEY: "pair", STAMP: "available_at"})

    @property
    def triangulated(self) -> bool:
        """Whether pairs are computed from the source's rates of currencies."""
        return self.study.data.source == "ecb"

    @property
    def faults(self) -> tuple[str, ...]:
        """Kinds of bad bars that the source's table can hold: reference rates are one to a day."""
        return tuple(kind for kind in FAULTS if kind != TWIN or not self.triangulated)

    @property
    def turns(self) -> range:
        """Turns of :func:`~golden_core.leakage.poisons.faulty` after which some pair has had each kind of bad bar."""
        return range(0, len(self.faults), 1 if self.triangulated else self.raw["pair"].n_unique())

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


def drawn_fold(subject: Subject, purpose: str, series: Series | None = None) -> tuple[Series, int]:
    """Draw one series, unless it is given, and one of its folds."""
    known = [one for one in all_series(subject.study) if subject.folds(one)]
    draw = subject.stream.child("fold", purpose, *(series or ())).generator()
    chosen = series or known[int(draw.integers(len(known)))]
    folds = subject.folds(chosen)
    return chosen, folds[int(draw.integers(len(folds)))]


# Forecasters get prices they could meet: a network fed 10⁹ may overflow, which is no leak.
OF_FITS = ("reversed", "reshuffled")
GENTLE = ("mirrored",)  # of a forecaster that refuses those: prices move as much as they did
SOURCE = "source"


def poisoned_inputs(subject: Subject, time: dt.datetime, poisons: Sequence[str]) -> Report:
    """Poison the future of everything up to windows, on all pairs and series."""
    pipeline, stream = study_pipeline(subject.study), subject.stream.child("inputs", time.isoformat())
    return future_report(pipeline, subject.raw, [time], stream, poisons, honest=subject.honest)


def poisoned_features(subject: Subject, time: dt.datetime) -> Report:
    """Poison the future of clean bars, where a NaN reaches the features."""
    return clean_bars_report(subject.study, subject.clean_bars, [time])


def clean_bars_report(study: Study, bars: pl.DataFrame, times: Sequence[dt.datetime]) -> Report:
    """Poison the future of clean bars (``schema.BARS``, any pairs of the study) and compare the features."""
    stream = Stream(study.seeds.root).child("leakage", "features")
    return future_report(feature_pipeline(study), bars, times, stream)


def features_at_every_bar(subject: Subject, rounds: Mapping[str, int]) -> Report:
    """Change single clean bars, far apart, and look at the rows before; watch whether a feature reads the lake."""
    study, bars = subject.study, subject.clean_bars
    needs = {name: bool(FEATURES[name].needs) for name in study.features}
    back = max(FEATURES[name].warm_up for name in study.features)
    stream = Stream(study.seeds.root).child("leakage", "single bars")
    report = single_bar_report(feature_pipeline(study), bars, stream, back=back, rounds=rounds, needs=needs)
    read, lake, first = list[Finding](), subject.lake, cast(dt.datetime, bars["available_at"].min())
    for name in study.features:
        alone = feature_pipeline(study.model_copy(update={"features": (name,)}))
        read += lake_read(lake, partial(alone.run, bars), artefacts.FEATURES, name, first)[1]
    return merged([report, Report(tuple(read), (), ())])


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
    bad = faulty(subject.raw, time, turn, subject.faults, alone=subject.triangulated)
    honest = attempt(pipeline, bad)
    if isinstance(honest, str):
        return Report((), (), (f"{pipeline.name} with bad bars before {time:%Y-%m-%d %H:%M} UTC: {honest}",))
    return future_report(pipeline, bad, [time], stream, poisons, honest=honest)


def shortened_source(subject: Subject, time: dt.datetime) -> Report:
    """Read the source up to an earlier day: it must give the beginning of what it gives for all days."""
    study, kind = subject.study, source(subject.study.data.source)
    data = study.data.model_copy(update={"end": time.date()})
    shorter = as_bars(kind.read(data, study.seeds.root, subject.home.root))

    until = cast(dt.datetime, shorter["available_at"].max())
    what = f"with nothing after {time:%Y-%m-%d} asked of the source {study.data.source!r}"
    whole, part = (
        {SOURCE: stamped({"": bars.sort("timestamp", maintain_order=True)})} for bars in (subject.raw, shorter)
    )
    return compared(FUTURE, "removed", what, whole, part, until)


@dataclass(frozen=True, eq=False)
class Fits:
    """Forecasters fitted on one fold as a campaign fits them: what the probes of weights and forecasts start from."""

    study: Study
    raw: pl.DataFrame
    series: Series
    fold: int
    pipeline: Pipeline
    honest: Run

    @classmethod
    def of(
        cls,
        study: Study,
        raw: pl.DataFrame,
        series: Series,
        fold: int,
        forecasters: Sequence[str],
        seeds: Sequence[int] = (0,),
        lake: tuple[Path, ...] = (),
    ) -> Fits:
        """Fit some forecasters of a study, with some of its seeds, and watch whether they read the campaign's lake."""
        trials = tuple((Trial(name, *series, seed), fold) for name in forecasters for seed in seeds)
        scope = Scope(series=(series,), fits=trials)
        honest = study_pipeline(study, dataclasses.replace(scope, examined=lake)).run(raw)
        return cls(study, raw, series, fold, study_pipeline(study, scope), honest)

    def poisoned(self, poisons: Sequence[str] = OF_FITS) -> Report:
        """Poison the second half of a test part: neither weights nor the forecasts of the first half may change.

        A forecast that looks at other windows of its batch changes here, and so does a fit that looks at test rows.
        """
        if WEIGHTS not in self.honest.artefacts:
            return self._with_failures(Report((), (), ()))
        honest, stamps = self.honest, self.honest.artefacts[artefacts.FORECASTS][STAMP]
        stream = Stream(self.study.seeds.root).child("leakage", "fits", *self.series, self.fold)
        middle = [stamps[len(stamps) // 2]]
        poisoned = future_report(self.pipeline, self.raw, middle, stream, poisons, honest=honest, spare=GENTLE)
        asked = {*honest.artefacts[WEIGHTS].columns} - {KEY, STAMP, COMPLETE, *honest.unasked}
        first = honest.findings[0] if honest.findings else None
        cell = Cell(artefacts.FORECASTS, "neighbours", len(stamps) if asked else 0, first)
        unasked = (f"{column} with other windows in its batch: {why}" for column, why in honest.unasked.items())
        return self._with_failures(merged([poisoned, Report(honest.findings, (cell,), tuple(unasked))]))

    def replayed(self, poisons: Sequence[str] = RECORD_POISONS) -> Report:
        """Poison every bar that the weights do not declare; they must not change."""
        declared = [fit for fit in self.honest.fits if fit.asset == WEIGHTS]
        stream = Stream(self.study.seeds.root).child("leakage", "record")
        return self._with_failures(
            record_report(self.pipeline, self.raw, stream, fits=declared, poisons=poisons, honest=self.honest)
        )

    def _with_failures(self, report: Report) -> Report:
        return Report(report.findings, report.cells, (*report.refused, *self.honest.failures.values()))


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
    """Examine what a run of one series shows of itself: clocks, purge, embargo, copies, declared fits."""
    run = study_pipeline(study, Scope(series=(series,), values=True)).run(raw)
    findings = structural(run, raw, embargo=study.splits.embargo)
    first = {finding.asset: finding for finding in reversed(findings)}
    cells = [Cell(asset, "structure", frame.height, first.get(asset)) for asset, frame in run.artefacts.items()]
    return Report(tuple(findings), tuple(cells), ())
