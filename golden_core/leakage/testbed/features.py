"""Features of the testbed, by name: functions of what was known when their bar closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from golden_core.leakage.testbed.cleaning import trailing
from golden_core.leakage.testbed.market import DAILY, HOURLY
from golden_core.leakage.testbed.pair_bars import HOUR, FloatArray, IntArray, Market, PairBars, last_known, look_up

Feature = Callable[[Market, str], FloatArray]

WARM_UP = 30  # rows at the start on which some feature is undefined


def log_close(bars: PairBars) -> FloatArray:
    """Return the log close [T]."""
    return np.log(bars.close)


def move(values: FloatArray, span: int) -> FloatArray:
    """Return the change over some rows [T]; NaN at the start."""
    out = np.full(len(values), np.nan)
    out[span:] = values[span:] - values[:-span]
    return out


def hour_of_day(bars: PairBars) -> IntArray:
    """Return the hour of the day (UTC) at which each bar opened [T]."""
    return bars.opened // HOUR % 24


def other(pair: str) -> str:
    """Return the other hourly pair."""
    return HOURLY[1 - HOURLY.index(pair)]


def _above_mean(values: FloatArray) -> FloatArray:
    """Return values minus the mean of the last 12, their own included [T]."""
    return np.asarray(values - trailing(values, 12).mean(axis=1))


def _cross(market: Market, pair: str) -> FloatArray:
    """Return the last move of the other pair, if its bar closed when this one did."""
    bars, source = market.bars[pair], market.bars[other(pair)]
    rows = last_known(source, bars.known)
    moves = look_up(move(log_close(source), 1), rows)
    return np.where(look_up(source.known.astype(np.float64), rows) == bars.known, moves, np.nan)


def _slow(market: Market, pair: str) -> FloatArray:
    bars, source = market.bars[pair], market.slow[pair]
    return log_close(bars) - look_up(log_close(source), last_known(source, bars.known))


def _trend(market: Market, pair: str) -> FloatArray:
    """Return the log close minus its weighted mean over 24 bars, weights falling with age."""
    level = log_close(market.bars[pair])
    weights = 0.85 ** np.arange(23, -1, -1)
    return np.asarray(level - (trailing(level, 24) * (weights / weights.sum())).sum(axis=1))


FEATURES: Mapping[str, Feature] = MappingProxyType(
    {
        "ret1": lambda market, pair: move(log_close(market.bars[pair]), 1),
        "ret3": lambda market, pair: move(log_close(market.bars[pair]), 3),
        "mean12": lambda market, pair: _above_mean(log_close(market.bars[pair])),
        "vol12": lambda market, pair: trailing(move(log_close(market.bars[pair]), 1), 12).std(axis=1),
        "range": lambda market, pair: np.log(market.bars[pair].high / market.bars[pair].low),
        "body": lambda market, pair: np.log(market.bars[pair].close / market.bars[pair].open),
        "volume12": lambda market, pair: _above_mean(np.log1p(market.bars[pair].volume)),
        "cross1": _cross,
        "daily1": lambda market, pair: look_up(
            move(log_close(market.bars[DAILY]), 1), last_known(market.bars[DAILY], market.bars[pair].known)
        ),
        "slow1": _slow,
        "trend24": _trend,
        # Each fold replaces it by the mean target of that hour in training.
        "hour": lambda market, pair: hour_of_day(market.bars[pair]).astype(np.float64),
    }
)
