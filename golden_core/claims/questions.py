"""What a protocol asks of a study: for every claim, the moments that its test averages. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from golden_core.economics.strategies import Strategy
from golden_core.statistics.long_run import FloatArray
from golden_core.statistics.moments import NEGLIGIBLE, accuracy, covers, departure, predicts
from golden_core.statistics.skill import Direction, in_direction
from golden_core.study import ProtocolSection

BENCHMARK = "random_walk"
UNEVEN = "the forecaster and the random walk do not have the same cutoffs"
POINT_ONLY = "point only: the forecaster gives no quantiles"
GAPS = "some forecasts have no quantiles"
STILL = "the random walk makes no error: nothing can be measured in units of its loss"
ENDLESS = "{:.0%} of the intervals have no end on a side: they hold whatever comes"
_FORECAST = ("forecaster", "pair", "horizon", "seed", "cutoff")  # what tells one from another
CENTRAL = 0.2  # share of outcomes that tells how dense they are about zero
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
    direction: Direction | None = None  # of claims of skill: that of the mean over seeds, [T]


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


# The moments of each seed, their times, the margin, why nothing can be tested, and the direction.
Asked = tuple[FloatArray, pl.Series, FloatArray | None, str, Direction | None]
Moments = tuple[FloatArray, FloatArray | None, Direction | None]


def _against(kind: str, runs: list[pl.DataFrame], walk: pl.DataFrame | None, protocol: ProtocolSection) -> Asked:
    """Return what is asked about a forecaster and the random walk; why not, where nothing can be."""
    if walk is None or not all(run["cutoff"].equals(walk["cutoff"]) for run in runs):
        return np.empty((len(runs), 0)), runs[0]["cutoff"].clear(), None, UNEVEN, None
    if kind != "predicts" and not _loss(walk, protocol).any():
        return np.empty((len(runs), 0)), runs[0]["cutoff"].clear(), None, STILL, None
    by_seed, margin, direction = _MOMENTS[kind](runs, walk, protocol)
    return by_seed, walk["cutoff"], margin, "", direction


def _more_accurate(runs: list[pl.DataFrame], walk: pl.DataFrame, protocol: ProtocolSection) -> Moments:
    outcome, departures = _departures(runs, walk)
    # Of y = βf + e the squared loss is less by (2β − 1) f². The absolute loss of a small f is by as much times the
    # density of y at zero, which a fifth of all y tells; where these are zero themselves, nothing does.
    unit = np.quantile(np.abs(outcome), CENTRAL) * np.abs(outcome).mean()
    weight = 2.0 if protocol.loss == "squared" else CENTRAL / unit if unit else np.nan
    cost = weight / 2 * np.square(departures).mean()
    direction = in_direction(outcome, _of_seeds(departures), weight=weight, cost=cost)
    return _differences(runs, walk, protocol), None, direction


def _predicts(runs: list[pl.DataFrame], walk: pl.DataFrame, _protocol: ProtocolSection) -> Moments:
    outcome, departures = _departures(runs, walk)
    return predicts(outcome, departures), None, in_direction(outcome, _of_seeds(departures), weight=2.0)


def _departures(runs: list[pl.DataFrame], walk: pl.DataFrame) -> tuple[FloatArray, FloatArray]:
    """Return outcomes (T,) and forecasts [S, T] less the random walk's, in roots of its mean squared error."""
    y, benchmark = walk["y_true"].to_numpy(), walk["y_pred"].to_numpy()
    unit = np.sqrt(np.square(y - benchmark).mean()) or 1.0
    return (y - benchmark) / unit, np.stack([departure(run["y_pred"].to_numpy(), benchmark) for run in runs]) / unit


def _of_seeds(exposures: FloatArray) -> FloatArray:
    """Return the mean of exposures [S, T] over seeds; zero where it is what rounding leaves of those that cancel."""
    mean: FloatArray = exposures.mean(axis=0)
    return np.where(np.abs(mean) <= NEGLIGIBLE * np.abs(exposures).max(initial=0.0), 0.0, mean)


def _equivalent(runs: list[pl.DataFrame], walk: pl.DataFrame, protocol: ProtocolSection) -> Moments:
    theirs = _loss(walk, protocol)
    return _differences(runs, walk, protocol), protocol.margin * theirs / theirs.mean(), None


def _differences(runs: list[pl.DataFrame], walk: pl.DataFrame, protocol: ProtocolSection) -> FloatArray:
    """Return by how much the losses of runs are below the random walk's [S, T], in units of its mean loss."""
    theirs = _loss(walk, protocol)
    differences: FloatArray = np.stack([accuracy(_loss(run, protocol), theirs) for run in runs]) / theirs.mean()
    return differences


_MOMENTS: dict[str, Callable[[list[pl.DataFrame], pl.DataFrame, ProtocolSection], Moments]]
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
        return np.empty((len(runs), 0)), times.clear(), None, POINT_ONLY if none else GAPS, None
    arrays = [[run[name].to_numpy() for name in ("y_true", "low", "high")] for run in runs]
    # What has no end holds whatever comes: where that can make up for a share off by the margin, it says nothing.
    endless = float(np.mean([np.isinf(low) | np.isinf(high) for _, low, high in arrays]))
    if endless > protocol.coverage.margin:
        return np.empty((len(runs), 0)), times.clear(), None, ENDLESS.format(endless), None
    by_seed = np.stack([covers(y, low, high, protocol.coverage.level) for y, low, high in arrays])
    return by_seed, times, np.full(by_seed.shape[-1], protocol.coverage.margin), "", None


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
    kept, year = one.account, one.quotes.per_year
    if one.reason:
        return np.empty((len(kept.net), 0)), kept.times.clear(), None, one.reason, None
    cost = year * (kept.gross - kept.net).mean()
    return year * kept.net, kept.times, None, "", in_direction(kept.moves, year * _of_seeds(kept.position), cost=cost)


def groups(frame: pl.DataFrame, *by: str) -> Iterator[tuple[tuple[Any, ...], pl.DataFrame]]:
    """Yield the rows of each group in the order of time, the groups sorted."""
    ordered = frame.sort(*by, "cutoff")
    yield from ordered.partition_by(*by, as_dict=True, maintain_order=True).items()


def _loss(rows: pl.DataFrame, protocol: ProtocolSection) -> FloatArray:
    error: FloatArray = (rows["y_pred"] - rows["y_true"]).to_numpy()
    return np.square(error) if protocol.loss == "squared" else np.abs(error)
