"""A study as a pipeline for the probes: its own source, cleaning, features, folds and forecasters, on given raw bars.

Every step is the code that a campaign runs, in a home of its own that exists for the length of a run. GOLDEN_HOME names
it meanwhile, so that code which looks prices up in the lake finds the run's, poison included; HOME and TMPDIR are in
it too, so that what an honest run cached there cannot answer for a poisoned one.
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from golden_core.leakage import artefacts
from golden_core.leakage.artefacts import KEY, STAMP, Finding, Fit, Pipeline, Run
from golden_core.leakage.batch_probe import batch_findings, lake_read
from golden_core.leakage.study_tables import (
    FoldClock,
    Series,
    bars_read,
    digest_of,
    feature_rows,
    fold_key,
    rows_of,
    scaler_row,
    stamped,
    target_rows,
    window_rows,
)
from golden_core.market.clock import ECB_ZONE, fixing, publication
from golden_core.preparation import bars_of_pairs, prepare_pair, prepare_series
from golden_core.sources import source
from golden_core.store.lake import Home, parse_series, temporary_home, write_parquet
from golden_core.store.randomness import Stream
from golden_core.store.schema import BARS, RATES
from golden_core.store.threads import one_thread
from golden_core.study import Study
from golden_core.trials import SeriesInputs, Trial, all_series, series_inputs
from golden_core.trials.rows import FoldData, cut_folds, new_forecaster
from golden_core.trials.run import TrialError, fit_fold

_FROM_SERIES = (
    artefacts.TARGETS, artefacts.FOLDS, artefacts.SCALERS, artefacts.WINDOWS, artefacts.WEIGHTS, artefacts.CALIBRATION,
    artefacts.FORECASTS,
)  # fmt: skip
_USERS = ("HOME", "TMPDIR", "XDG_CACHE_HOME")


@dataclass(frozen=True)
class Scope:
    """How much of a study one run makes."""

    upto: Literal["bars", "windows"] = "windows"  # where it ends, apart from fits
    series: tuple[Series, ...] | None = None  # those that get folds, scalers and windows; all by default
    fits: tuple[tuple[Trial, int], ...] = ()  # trials to fit, each on one fold: weights and forecasts
    values: bool = False  # keep the windows themselves, not only a hash of each: for the search for duplicates
    # Examine every forecaster that is fitted: ask it again, with other windows of its batch changed, and watch
    # whether it reads one of these files, the campaign's lake
    examined: tuple[Path, ...] | None = None


def study_pipeline(study: Study, scope: Scope | None = None) -> Pipeline:
    """Return a study as a pipeline from raw bars (see :func:`raw_bars`) to forecasts.

    Its artefacts, in order: ``raw`` (the source's bars of each pair), ``bars``, ``features``, ``targets``, ``folds``
    (a row per row), ``scalers``, ``windows``, ``weights``, ``forecasts``. The last two have a column per forecaster and
    seed.
    """
    chosen = scope or Scope()

    def narrow(fit: Fit) -> Pipeline:
        series = parse_series(fit.key.split("/")[0])
        fits = tuple(
            (trial, fold) for trial, fold in chosen.fits if fold_key(trial.pair, trial.horizon, fold) == fit.key
        )
        own = dataclasses.replace(chosen, series=(series,), fits=fits if fit.asset == artefacts.WEIGHTS else ())
        return study_pipeline(study, own)

    return Pipeline(f"study {study.name}", partial(_run, study, chosen), narrow)


def feature_pipeline(study: Study) -> Pipeline:
    """Return the features of a study as a pipeline from clean bars, which no cleaning protects from a NaN."""

    def run(bars: pl.DataFrame) -> Run:
        parts = {pair: bars.filter(pl.col("pair") == pair).sort("timestamp") for pair in study.data.pairs}
        with temporary_home() as home, _moved_to(home.root):
            return Run({artefacts.FEATURES: feature_rows(study, {p: b for p, b in parts.items() if b.height})}, ())

    return Pipeline(f"features of study {study.name}", run)


def raw_bars(study: Study, home: Home) -> pl.DataFrame:
    """Return what a study's source reads, as a table of bars: rates become bars of a pair named by their currency."""
    return as_bars(source(study.data.source).read(study.data, study.seeds.root, home.root))


def as_bars(table: pl.DataFrame) -> pl.DataFrame:
    """Return a source's table in the form of bars; :func:`as_table` is the way back."""
    if "rate" not in table.columns:
        return BARS.conform(table)
    clock = {"timestamp": fixing(pl.col("date")), "available_at": publication(pl.col("date"))}
    return table.select(pair=pl.col("currency"), **clock, close=pl.col("rate"))


def as_table(study: Study, bars: pl.DataFrame) -> pl.DataFrame:
    """Return bars in the form in which the study's source gives them."""
    if study.data.source != "ecb":
        return bars
    date = pl.col("timestamp").dt.convert_time_zone(ECB_ZONE).dt.date()
    return RATES.conform(bars.select(date=date, currency=pl.col("pair"), rate=pl.col("close")))


def column_of(trial: Trial) -> str:
    """Return the column of a trial in ``weights`` and ``forecasts``: the forecaster, and its seed but for the first."""
    return trial.forecaster if trial.seed == 0 else f"{trial.forecaster}, seed {trial.seed}"


def _run(study: Study, scope: Scope, raw: pl.DataFrame) -> Run:
    table = as_table(study, raw)
    # NaN and 1e9 are what is asked for: arithmetic on them is no accident.
    with temporary_home() as home, _moved_to(home.root), one_thread(), np.errstate(all="ignore"):
        write_parquet(table, home.study(study.name).raw)
        given = bars_of_pairs(study, table)
        bars = {pair: prepare_pair(home, study, pair, given=given).table for pair in study.data.pairs}
        made = {artefacts.RAW: stamped(given), artefacts.BARS: stamped(bars)}
        if scope.upto == "bars":
            return Run(made, ())
        made[artefacts.FEATURES] = feature_rows(study, bars)
        parts: dict[str, list[pl.DataFrame]] = {}
        folds = _Folds(study, scope, raw)
        for series in scope.series or all_series(study):
            prepare_series(home, study, *series)
            for asset, frame in folds.of(series, series_inputs(home, study, *series)):
                parts.setdefault(asset, []).append(frame)
        for asset in _FROM_SERIES:
            if asset in parts:
                made[asset] = pl.concat(parts[asset], how="diagonal").sort(KEY, STAMP, maintain_order=True)
        return Run(made, tuple(folds.fits), folds.failures, tuple(folds.findings), folds.unasked)


@contextmanager
def _moved_to(folder: Path) -> Iterator[None]:
    """Give the process an empty user's home and temporary folder."""
    before = {name: os.environ.get(name) for name in _USERS}
    temporary = tempfile.tempdir
    own = folder / "user"
    own.mkdir()
    os.environ |= dict.fromkeys(_USERS, str(own))
    tempfile.tempdir = str(own)
    try:
        yield
    finally:
        tempfile.tempdir = temporary
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


@dataclass(frozen=True, eq=False)
class _Folds:
    """Makes what folds are made of, and keeps what their fits read, which of them failed, and what they showed."""

    study: Study
    scope: Scope
    raw: pl.DataFrame
    fits: list[Fit] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    unasked: dict[str, str] = field(default_factory=dict)

    def of(self, series: Series, inputs: SeriesInputs) -> Iterator[tuple[str, pl.DataFrame]]:
        """Yield the artefacts of one series."""
        (pair, horizon), study = series, self.study
        yield artefacts.TARGETS, target_rows(series, inputs.bars)
        chosen = [(trial, fold) for trial, fold in self.scope.fits if (trial.pair, trial.horizon) == series]
        for data in cut_folds(study, horizon, inputs):
            clock = FoldClock.of(fold_key(pair, horizon, data.index), inputs.folds.filter(fold=data.index))
            scalers = scaler_row(inputs.scalers.filter(fold=data.index))
            yield artefacts.SCALERS, clock.one_row(scalers, clock.fitted)
            labels = {"train": data.train.y, "validation": data.validation.y, "test": np.full(len(data.test), np.nan)}
            given = {"train": data.train.windows, "validation": data.validation.windows, "test": data.test}
            for part, windows in given.items():
                rows = rows_of(windows, inputs.bars)
                since = clock.ready if part == "test" else clock.labels[part]
                laid = rows.with_columns(pl.lit(part).alias("part"), pl.Series("y", labels[part]))
                yield artefacts.FOLDS, clock.rows(laid, since)
                content = window_rows(study, windows, rows, keep=self.scope.values)
                yield artefacts.WINDOWS, clock.rows(content, clock.fitted)
            read = {part: bars_read(study, self.raw, inputs, data.index, part) for part in ("train", "validation")}
            self.fits.append(Fit(artefacts.SCALERS, clock.key, "scale", read["train"]))
            fitted = list(self._fitted([trial for trial, fold in chosen if fold == data.index], data, clock, inputs))
            if fitted:
                self.fits.append(Fit(artefacts.WEIGHTS, clock.key, "train", read["train"]))
                self.fits.append(Fit(artefacts.WEIGHTS, clock.key, "stop_early", read["validation"]))
            yield from fitted

    def _fitted(
        self, trials: list[Trial], data: FoldData, clock: FoldClock, inputs: SeriesInputs
    ) -> Iterator[tuple[str, pl.DataFrame]]:
        study, examined = self.study, self.scope.examined
        states: dict[str, list[str]] = {}
        forecasts = calibrated = rows_of(data.test, inputs.bars)
        for trial in trials:
            column, fit = column_of(trial), partial(fit_fold, study, trial, data)
            try:
                fitted, read = lake_read(examined or (), fit, artefacts.WEIGHTS, column, clock.ready)
            except TrialError as error:
                self.failures[column] = str(error)  # as in a campaign: a failed trial leaves the others standing
                continue
            states[column] = [digest_of(fitted.state)]
            forecasts = forecasts.with_columns(pl.Series(column, fitted.y_pred))
            if study.quantiles and fitted.quantiles:
                beside = zip(study.quantiles.levels, fitted.quantiles.values.T, strict=True)
                calibrated = calibrated.with_columns(pl.Series(f"{column} at {p}", q) for p, q in beside)
            self.findings.extend(read)
            if examined is not None:
                stream = Stream(study.seeds.root).child("leakage", "neighbours", trial.forecaster, data.index)
                another = partial(new_forecaster, study, trial)
                found, refused = batch_findings(fitted.forecaster, another, data.test, column, stream)
                self.findings.extend(found)
                self.unasked.update({column: refused} if refused else {})
        if states:
            yield artefacts.WEIGHTS, clock.one_row(pl.DataFrame(states), clock.ready)
            if study.quantiles:
                yield artefacts.CALIBRATION, clock.rows(calibrated, clock.ready)
            yield artefacts.FORECASTS, clock.rows(forecasts, clock.ready)
