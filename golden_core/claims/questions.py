"""What a protocol asks of a study: for every claim, the moments that its test averages. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from golden_core.economics.strategies import Strategy
from golden_core.statistics.long_run import FloatArray
from golden_core.statistics.moments import accuracy, covers, predicts
from golden_core.study import ProtocolSection

BENCHMARK = "random_walk"
UNEVEN = "the forecaster and the random walk do not have the same cutoffs"
POINT_ONLY = "point only: the forecaster gives no quantiles"
GAPS = "some forecasts have no quantiles"
_FORECAST = ("forecaster", "pair", "horizon", "seed", "cutoff")  # what tells one from another
_SAME_LEVEL = 1e-9  # 1 − 0.95 is 0.05 but for rounding

Series = tuple[str, int]


@dataclass(frozen=True, eq=False)
class Question:
    """One claim asked about: the moments of each seed [S, T], positive where it is right, and a margin [T] or none."""

    forecaster: str
    kind: str
    scope: str
    pair: str
    horizon: int
    by_seed: FloatArray
    times: pl.Series  # [T]
    margin: FloatArray | None = None
    reason: str = ""  # why nothing can be tested, or ""


def questions(
    forecasts: pl.DataFrame, quantiles: pl.DataFrame, traded: Sequence[Strategy], protocol: ProtocolSection
) -> Iterator[Question]:
    """Yield every question about a single series.

    Losses are in units of the random walk's mean loss there, coverage is in shares of forecasts, net returns in
    shares of the capital a year. The random walk is asked for its coverage alone: it is what the others are held
    against, and it never trades.
    """
    if "covers" in protocol.kinds:  # one join for all: each would read every quantile of the study
        forecasts = forecasts.join(_interval(quantiles, protocol), on=_FORECAST, how="left")
    accounts = {(one.forecaster, one.pair, one.horizon): one for one in traded}
    for (pair, horizon), part in groups(forecasts, "pair", "horizon"):
        walk = next((rows for _, rows in groups(part.filter(forecaster=BENCHMARK), "seed")), None)
        for (forecaster,), own in groups(part, "forecaster"):
            runs = [rows for _, rows in groups(own, "seed")]
            for kind in protocol.kinds:
                at = (forecaster, kind, "series", pair, horizon)
                if kind == "covers":
                    yield Question(*at, *_covers(runs, protocol))
                elif forecaster == BENCHMARK:
                    continue
                elif kind == "profitable":
                    yield Question(*at, *_profitable(accounts[forecaster, pair, horizon]))
                else:
                    yield Question(*at, *_against(kind, runs, walk, protocol))


Asked = tuple[FloatArray, pl.Series, FloatArray | None, str]


def _against(kind: str, runs: list[pl.DataFrame], walk: pl.DataFrame | None, protocol: ProtocolSection) -> Asked:
    """Return what is asked about a forecaster and the random walk; nothing where they have not the same cutoffs."""
    if walk is None or not all(run["cutoff"].equals(walk["cutoff"]) for run in runs):
        return np.empty((len(runs), 0)), runs[0]["cutoff"].clear(), None, UNEVEN
    by_seed, margin = _MOMENTS[kind](runs, walk, protocol)
    return by_seed, walk["cutoff"], margin, ""


def _more_accurate(
    runs: list[pl.DataFrame], walk: pl.DataFrame, protocol: ProtocolSection
) -> tuple[FloatArray, FloatArray | None]:
    theirs = _loss(walk, protocol)
    return np.stack([accuracy(_loss(run, protocol), theirs) for run in runs]) / theirs.mean(), None


def _predicts(
    runs: list[pl.DataFrame], walk: pl.DataFrame, _protocol: ProtocolSection
) -> tuple[FloatArray, FloatArray | None]:
    y, benchmark = walk["y_true"].to_numpy(), walk["y_pred"].to_numpy()
    unit = np.square(y - benchmark).mean()
    return np.stack([predicts(y, run["y_pred"].to_numpy(), benchmark) for run in runs]) / unit, None


def _equivalent(
    runs: list[pl.DataFrame], walk: pl.DataFrame, protocol: ProtocolSection
) -> tuple[FloatArray, FloatArray | None]:
    theirs = _loss(walk, protocol)
    return _more_accurate(runs, walk, protocol)[0], protocol.margin * theirs / theirs.mean()


_MOMENTS: dict[str, Callable[[list[pl.DataFrame], pl.DataFrame, ProtocolSection], tuple[FloatArray, FloatArray | None]]]
_MOMENTS = {"more_accurate": _more_accurate, "predicts": _predicts, "equivalent": _equivalent}


def _covers(runs: list[pl.DataFrame], protocol: ProtocolSection) -> Asked:
    """Return coverage minus its level, and the margin, of forecasts beside the ends of their interval.

    That an interval covers is a positive finding, so it is the alternative: the null hypothesis is that coverage is
    off by the margin or more, on either side (Schuirmann 1987, of the share of Christoffersen 1998, section 2). A test
    that fails to reject "it covers" would have found nothing. Coverage is that of the bars tested, the mean of the
    chances that each had before it: an interval that does not follow volatility may have another in the long run.
    """
    assert protocol.coverage is not None  # the study's rules have seen to it
    times, missing = runs[0]["cutoff"], [run["low"].null_count() for run in runs]
    if any(missing) or not all(run["cutoff"].equals(times) for run in runs):
        none = all(count == len(run) for count, run in zip(missing, runs, strict=True))
        return np.empty((len(runs), 0)), times.clear(), None, POINT_ONLY if none else GAPS
    arrays = [[run[name].to_numpy() for name in ("y_true", "low", "high")] for run in runs]
    by_seed = np.stack([covers(y, low, high, protocol.coverage.level) for y, low, high in arrays])
    return by_seed, times, np.full(by_seed.shape[-1], protocol.coverage.margin), ""


def _interval(quantiles: pl.DataFrame, protocol: ProtocolSection) -> pl.DataFrame:
    """Return the ends of the central interval that the protocol names, a row per forecast that has them."""
    tail = (1 - protocol.coverage.level) / 2 if protocol.coverage else 0.0
    low, high = (
        quantiles.filter((pl.col("level") - end).abs() < _SAME_LEVEL).select(*_FORECAST, pl.col("value").alias(name))
        for name, end in (("low", tail), ("high", 1 - tail))
    )
    return low.join(high, on=_FORECAST)


def _profitable(one: Strategy) -> Asked:
    """Return net returns a year, so that an effect can be read; a constant factor changes no test."""
    if one.reason:
        return np.empty((len(one.account.net), 0)), one.account.times.clear(), None, one.reason
    return one.quotes.per_year * one.account.net, one.account.times, None, ""


def groups(frame: pl.DataFrame, *by: str) -> Iterator[tuple[tuple[Any, ...], pl.DataFrame]]:
    """Yield the rows of each group in the order of time, the groups sorted."""
    ordered = frame.sort(*by, "cutoff")
    yield from ordered.partition_by(*by, as_dict=True, maintain_order=True).items()


def _loss(rows: pl.DataFrame, protocol: ProtocolSection) -> FloatArray:
    error: FloatArray = (rows["y_pred"] - rows["y_true"]).to_numpy()
    return np.square(error) if protocol.loss == "squared" else np.abs(error)
