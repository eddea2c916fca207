"""From raw bars to bars: reading, cleaning, slow bars. Every rule looks back only."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.lib.stride_tricks import sliding_window_view

from golden_core.leakage.testbed.market import Plan
from golden_core.leakage.testbed.pair_bars import HOUR, BoolArray, FloatArray, IntArray, PairBars, pair_bars_of

SPIKE = 20.0  # typical moves away from the recent median
FLAT_RUN = 3  # bars in a row without a trade before the feed is held to be stale


def read(raw: pl.DataFrame) -> dict[str, PairBars]:
    """Return one bars per pair with every print that the vendor delivered."""
    return {frame["pair"][0]: pair_bars_of(frame) for frame in raw.partition_by("pair")}


def clean(bars: PairBars) -> PairBars:
    """Keep the first print of each bar, if it is sound."""
    return sound(bars.take(first_prints(bars)))


def sound(bars: PairBars) -> PairBars:
    """Drop bars without a price, spikes, and the tail of flat runs."""
    bars = bars.take(priced(bars))
    bars = bars.take(~spikes(bars.close))
    return bars.take(~stale(bars))


def first_prints(bars: PairBars) -> IntArray:
    """Return the positions of the first print of each bar, in the order of time; a print that comes late never counts.

    A bar whose first print is known only after a later bar would be in no feature of that later bar, and a hole in
    them cannot be filled afterwards.
    """
    order = np.lexsort((bars.known, bars.opened))
    opened = bars.opened[order]
    first = order[np.r_[True, opened[1:] != opened[:-1]][: len(order)]]
    soonest = np.minimum.accumulate(bars.known[first][::-1])[::-1]  # of this bar and all later ones
    return np.asarray(first[bars.known[first] == soonest])


def priced(bars: PairBars) -> BoolArray:
    """Return which bars have a positive, finite close [T]."""
    return np.isfinite(bars.close) & (bars.close > 0)


def spikes(close: FloatArray) -> BoolArray:
    """Return which closes lie many typical moves from the median of the five before them [T]."""
    level = np.log(close)
    moves = np.abs(np.diff(level, prepend=level[:1]))
    centre, typical = np.median(before(level, 5), axis=1), np.median(before(moves, 24), axis=1)
    return np.abs(level - centre) > SPIKE * typical  # false where the past is too short: NaN compares false


def stale(bars: PairBars) -> BoolArray:
    """Return which bars are at least the third in a row without a trade [T]."""
    flat = (bars.volume == 0) & (bars.high == bars.low)
    run = flat.copy()
    for lag in range(1, FLAT_RUN):
        run[lag:] &= flat[:-lag]
        run[:lag] = False
    return np.asarray(run)


def before(values: FloatArray, count: int) -> FloatArray:
    """Return the values before each row [T, count], without its own; NaN where there are none."""
    padded = np.concatenate([np.full(count, np.nan), values])
    return sliding_window_view(padded, count)[: len(values)]


def trailing(values: FloatArray, count: int) -> FloatArray:
    """Return the last values up to each row [T, count], its own included; NaN where there are none."""
    padded = np.concatenate([np.full(count, np.nan), values])
    return sliding_window_view(padded, count)[1:]


def slow_bars(bars: PairBars, plan: Plan) -> PairBars:
    """Return bars of ``plan.slow`` hours; each is known when its last hour has passed, not before."""
    width = plan.slow * HOUR
    bucket = bars.opened // width
    starts = np.flatnonzero(np.r_[True, bucket[1:] != bucket[:-1]])[: len(bars)]
    if not len(bars):
        return bars
    stops = np.r_[starts[1:], len(bars)] - 1
    return PairBars(
        bars.pair,
        opened=bucket[starts] * width,
        known=(bucket[starts] + 1) * width,
        open=bars.open[starts],
        high=np.maximum.reduceat(bars.high, starts),
        low=np.minimum.reduceat(bars.low, starts),
        close=bars.close[stops],
        volume=np.add.reduceat(bars.volume, starts),
    )
