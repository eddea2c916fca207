"""A study as a pipeline for the probes: its own source, cleaning, features, folds and forecasters, on given raw bars.

Every step is the code that a campaign runs, in a home of its own that exists for the length of a run. GOLDEN_HOME names
it meanwhile, so that code which looks prices up in the lake finds the run's, poison included.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl
from threadpoolctl import threadpool_limits

from golden_core.data.clock import ECB_ZONE, fixing, publication
from golden_core.data.features import FEATURES, build_features
from golden_core.data.sources import source
from golden_core.data.windows import Windows
from golden_core.lake import Home, parse_series, series_name, write_parquet
from golden_core.leakage import artefacts
from golden_core.leakage.artefacts import COMPLETE, KEY, STAMP, Fit, Pipeline, Run
from golden_core.randomness import Stream
from golden_core.schema import BARS, RATES, UTC_TIME
from golden_core.splits.labels import log_returns_ahead
from golden_core.study import Study
from golden_core.trials import SeriesInputs, Trial, all_series, prepare_pair, prepare_series, series_inputs
from golden_core.trials.run import FoldData, TrialError, cut_folds, fit_fold

Series = tuple[str, int]
_FROM_SERIES = (
    artefacts.TARGETS, artefacts.FOLDS, artefacts.SCALERS, artefacts.WINDOWS, artefacts.WEIGHTS, artefacts.FORECASTS,
)  # fmt: skip


@dataclass(frozen=True)
class Scope:
    """How much of a study one run makes.

    Parameters
    ----------
    upto : {"bars", "windows"}
        Where it ends, apart from fits.
    series : tuple of (pair, horizon), optional
        Those that get folds, scalers and windows; all by default.
    fits : tuple of (Trial, int)
        Trials to fit, each on one fold: weights and forecasts.
    values : bool
        Keep the windows themselves, not only a hash of each: for the search for duplicates.
    """

    upto: Literal["bars", "windows"] = "windows"
    series: tuple[Series, ...] | None = None
    fits: tuple[tuple[Trial, int], ...] = ()
    values: bool = False


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
        return Run({artefacts.FEATURES: _features(study, {p: b for p, b in parts.items() if b.height})}, ())

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


def fold_key(pair: str, horizon: int, fold: int) -> str:
    """Return the key of one fold: ``EURUSD_h1/0``."""
    return f"{series_name(pair, horizon)}/{fold}"


def column_of(trial: Trial) -> str:
    """Return the column of a trial in ``weights`` and ``forecasts``: the forecaster, and its seed but for the first."""
    return trial.forecaster if trial.seed == 0 else f"{trial.forecaster}, seed {trial.seed}"


@contextmanager
def own_home() -> Iterator[Home]:
    """Yield an empty home that the whole process uses, and delete it afterwards."""
    before = os.environ.get("GOLDEN_HOME")
    with tempfile.TemporaryDirectory(prefix="golden-probe-") as folder:
        os.environ["GOLDEN_HOME"] = str(Path(folder))
        try:
            yield Home.from_environment()
        finally:
            os.environ.pop("GOLDEN_HOME")
            if before is not None:
                os.environ["GOLDEN_HOME"] = before


def _run(study: Study, scope: Scope, raw: pl.DataFrame) -> Run:
    kind, table = source(study.data.source), as_table(study, raw)
    # NaN and 1e9 are what is asked for: arithmetic on them is no accident.
    with own_home() as home, threadpool_limits(1), np.errstate(all="ignore"):
        write_parquet(table, home.study(study.name).raw)
        given = {pair: kind.bars(table, study.data, pair) for pair in study.data.pairs}
        bars = {pair: prepare_pair(home, study, pair).table for pair in study.data.pairs}
        made = {artefacts.RAW: _stamped(given), artefacts.BARS: _stamped(bars)}
        if scope.upto == "bars":
            return Run(made, ())
        made[artefacts.FEATURES] = _features(study, bars)
        parts: dict[str, list[pl.DataFrame]] = {}
        fits: list[Fit] = []
        failures: list[str] = []
        for series in scope.series or all_series(study):
            prepare_series(home, study, *series)
            inputs = series_inputs(home, study, *series)
            for asset, frame in _series(study, scope, series, inputs, raw, fits, failures):
                parts.setdefault(asset, []).append(frame)
        for asset in _FROM_SERIES:
            if asset in parts:
                made[asset] = pl.concat(parts[asset], how="diagonal").sort(KEY, STAMP, maintain_order=True)
        return Run(made, tuple(fits), tuple(failures))


def _stamped(bars: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    frames = [table.rename({"pair": KEY, "available_at": STAMP}) for table in bars.values()]
    return pl.concat(frames, how="diagonal").sort(KEY, STAMP, maintain_order=True)


def _features(study: Study, bars: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    frames = [
        build_features(study.features, table).with_columns(
            table["available_at"].alias(STAMP), pl.lit(pair).alias(KEY)
        )
        for pair, table in bars.items()
    ]  # fmt: skip
    return pl.concat(frames).sort(KEY, STAMP, maintain_order=True)


def _series(
    study: Study,
    scope: Scope,
    series: Series,
    inputs: SeriesInputs,
    raw: pl.DataFrame,
    fits: list[Fit],
    failures: list[str],
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the artefacts of one series, and add what its fits read and which of them failed."""
    pair, horizon = series
    yield artefacts.TARGETS, _targets(series, inputs.bars)
    chosen = [(trial, fold) for trial, fold in scope.fits if (trial.pair, trial.horizon) == series]
    for data in cut_folds(study, horizon, inputs):
        clock = _Clock.of(fold_key(pair, horizon, data.index), inputs.folds.filter(pl.col("fold") == data.index))
        yield artefacts.SCALERS, clock.one_row(_wide(inputs.scalers.filter(pl.col("fold") == data.index)), clock.fitted)
        labels = {"train": data.train.y, "validation": data.validation.y, "test": np.full(len(data.test), np.nan)}
        given = {"train": data.train.windows, "validation": data.validation.windows, "test": data.test}
        for part, windows in given.items():
            rows = _rows(windows, inputs.bars)
            since = clock.ready if part == "test" else clock.labels[part]
            laid = rows.with_columns(pl.lit(part).alias("part"), pl.Series("y", labels[part]))
            yield artefacts.FOLDS, clock.rows(laid, since)
            yield artefacts.WINDOWS, clock.rows(_windows(study, windows, rows, keep=scope.values), clock.fitted)
        read = {part: _read(study, raw, inputs, data.index, part) for part in ("train", "validation")}
        fits.append(Fit(artefacts.SCALERS, clock.key, "scale", read["train"]))
        trials = [trial for trial, fold in chosen if fold == data.index]
        fitted = list(_fitted(study, trials, data, clock, inputs.bars, failures))
        if fitted:
            fits.append(Fit(artefacts.WEIGHTS, clock.key, "train", read["train"]))
            fits.append(Fit(artefacts.WEIGHTS, clock.key, "stop_early", read["validation"]))
        yield from fitted


@dataclass(frozen=True)
class _Clock:
    """When the parts of one fold are known, and the columns that say so."""

    key: str
    labels: Mapping[str, dt.datetime]  # the last label of each part
    ready: dt.datetime  # the first cutoff of the test part, and every label fitted on

    @classmethod
    def of(cls, key: str, folds: pl.DataFrame) -> _Clock:
        parts = folds.group_by("part").agg(pl.col("label_end").max(), pl.col("first_cutoff").min()).rows_by_key("part")
        labels = {part: rows[0][0] for part, rows in parts.items()}
        return cls(key, labels, max(parts["test"][0][1], labels["train"], labels["validation"]))

    @property
    def fitted(self) -> dt.datetime:
        """When the scalers can be fitted."""
        return self.labels["train"]

    def rows(self, frame: pl.DataFrame, since: dt.datetime) -> pl.DataFrame:
        """Add key, stamp and completion to rows with a cutoff: usable from then on, but not before ``since``."""
        return self.one_row(frame, since).with_columns(pl.max_horizontal(STAMP, "cutoff").alias(STAMP)).drop("cutoff")

    def one_row(self, frame: pl.DataFrame, stamp: dt.datetime) -> pl.DataFrame:
        """Add key, stamp and completion."""
        return frame.with_columns(
            pl.lit(self.key).alias(KEY),
            pl.lit(stamp, UTC_TIME).alias(STAMP),
            pl.lit(max(self.labels.values()), UTC_TIME).alias(COMPLETE),
        )


def _rows(windows: Windows, bars: pl.DataFrame) -> pl.DataFrame:
    """Return timestamp and cutoff of the rows of some windows."""
    known = bars["available_at"].dt.replace_time_zone(None).to_numpy()
    return bars[np.searchsorted(known, windows.cutoffs)].select("timestamp", cutoff="available_at")


def _windows(study: Study, windows: Windows, rows: pl.DataFrame, *, keep: bool) -> pl.DataFrame:
    X = windows.X
    content = [np.ascontiguousarray(X[:, :, f]) for f in range(X.shape[2])] if keep else list(_hashes(X).T)
    return rows.with_columns(pl.Series(name, values) for name, values in zip(study.features, content, strict=True))


def _targets(series: Series, bars: pl.DataFrame) -> pl.DataFrame:
    """Return every label of a series, usable when its last bar is known."""
    pair, horizon = series
    y = log_returns_ahead(bars["close"].to_numpy(), horizon)
    labels = bars.select("timestamp", pl.col("available_at").shift(-horizon).alias(STAMP), cutoff="available_at")
    return labels.with_columns(pl.lit(series_name(pair, horizon)).alias(KEY), pl.Series("y", y)).head(-horizon)


def _wide(scalers: pl.DataFrame) -> pl.DataFrame:
    """Return one row with the columns ``mean:<name>``, ``scale:<name>`` and ``rows``."""
    values = {f"mean:{row['column']}": row["mean"] for row in scalers.iter_rows(named=True)}
    values |= {f"scale:{row['column']}": row["scale"] for row in scalers.iter_rows(named=True)}
    return pl.DataFrame({name: [value] for name, value in values.items()}).with_columns(rows=scalers["rows"].head(1))


def _fitted(
    study: Study, trials: list[Trial], data: FoldData, clock: _Clock, bars: pl.DataFrame, failures: list[str]
) -> Iterator[tuple[str, pl.DataFrame]]:
    states: dict[str, list[str]] = {}
    forecasts = _rows(data.test, bars)
    for trial in trials:
        try:
            fitted = fit_fold(study, trial, data)
        except TrialError as error:
            failures.append(str(error))  # as in a campaign: a failed trial leaves the others standing
            continue
        states[column_of(trial)] = [_digest(fitted.state)]
        forecasts = forecasts.with_columns(pl.Series(column_of(trial), fitted.y_pred))
    if states:
        yield artefacts.WEIGHTS, clock.one_row(pl.DataFrame(states), clock.ready)
        yield artefacts.FORECASTS, clock.rows(forecasts, clock.ready)


def _digest(state: Mapping[str, npt.NDArray[np.generic]]) -> str:
    """Return a hash of the names, shapes and bytes of a fitted state."""
    digest = hashlib.sha256()
    for name in sorted(state):
        value = np.ascontiguousarray(state[name])
        digest.update(f"{name} {value.dtype} {value.shape} ".encode() + value.tobytes())
    return digest.hexdigest()


def _hashes(X: npt.NDArray[np.float32]) -> npt.NDArray[np.uint64]:
    """Return one hash per window and feature [N, F]: Σ aₗ·bits(xₗ) mod 2⁶⁴ with odd random aₗ (multilinear hashing)."""
    drawn = Stream(0).child("window hash").generator().integers(0, 2**63, X.shape[1], dtype=np.uint64)
    factors: npt.NDArray[np.uint64] = np.asarray(drawn) * np.uint64(2) + np.uint64(1)
    bits = X.view(np.uint32)
    total = np.zeros((X.shape[0], X.shape[2]), dtype=np.uint64)
    for lag in range(X.shape[1]):
        total += bits[:, lag, :].astype(np.uint64) * factors[lag]
    return total


def _read(study: Study, raw: pl.DataFrame, inputs: SeriesInputs, fold: int, part: str) -> pl.DataFrame:
    """Return the raw bars that a fit on one part may have read, on any pair: cleaning looks at bars of the same time.

    Everything known by its last label, since a window offers its whole past; but of the test part only what windows of
    the fitted part reach back to. In walk-forward folds that is nothing.
    """
    own = inputs.folds.filter(pl.col("fold") == fold)
    known, at = inputs.bars["available_at"], pl.col("available_at")
    back = study.context_length - 1 + max(FEATURES[name].warm_up for name in study.features)
    mine, tested = own.filter(pl.col("part") == part), own.filter(pl.col("part") == "test")
    allowed = at <= mine["label_end"].max()
    for first, last in tested.select("first_cutoff", "label_end").iter_rows():
        allowed &= ~at.is_between(first, last)
    for start, end in mine.select("row_start", "label_end").iter_rows():
        allowed |= at.is_between(known[max(0, start - back)], end)
    return raw.filter(allowed).select("pair", "timestamp")
