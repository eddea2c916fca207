"""Features of the workshop, by name: functions of what was known when their bar closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from golden_core.leakage.workshop.cleaning import trailing
from golden_core.leakage.workshop.market import DAILY, HOURLY
from golden_core.leakage.workshop.tape import HOUR, FloatArray, IntArray, Market, Tape, last_known, look_up

Feature = Callable[[Market, str], FloatArray]

WARM_UP = 30  # rows at the start on which some feature is undefined


def log_close(tape: Tape) -> FloatArray:
    """Return the log close [T]."""
    return np.log(tape.close)


def move(values: FloatArray, span: int) -> FloatArray:
    """Return the change over some rows [T]; NaN at the start."""
    out = np.full(len(values), np.nan)
    out[span:] = values[span:] - values[:-span]
    return out


def hour_of_day(tape: Tape) -> IntArray:
    """Return the hour of the day (UTC) at which each bar opened [T]."""
    return tape.opened // HOUR % 24


def other(pair: str) -> str:
    """Return the other hourly pair."""
    return HOURLY[1 - HOURLY.index(pair)]


def _return(span: int) -> Feature:
    return lambda market, pair: move(log_close(market.tapes[pair]), span)


def _mean(market: Market, pair: str) -> FloatArray:
    level = log_close(market.tapes[pair])
    found: FloatArray = level - trailing(level, 12).mean(axis=1)
    return found


def _volatility(market: Market, pair: str) -> FloatArray:
    found: FloatArray = trailing(move(log_close(market.tapes[pair]), 1), 12).std(axis=1)
    return found


def _range(market: Market, pair: str) -> FloatArray:
    return np.log(market.tapes[pair].high / market.tapes[pair].low)


def _body(market: Market, pair: str) -> FloatArray:
    tape = market.tapes[pair]
    return np.log(tape.close / tape.open)


def _volume(market: Market, pair: str) -> FloatArray:
    level = np.log1p(market.tapes[pair].volume)
    found: FloatArray = level - trailing(level, 12).mean(axis=1)
    return found


def _cross(market: Market, pair: str) -> FloatArray:
    """Return the last move of the other pair, if its bar closed when this one did."""
    tape, source = market.tapes[pair], market.tapes[other(pair)]
    rows = last_known(source, tape.known)
    moves = look_up(move(log_close(source), 1), rows)
    return np.where(look_up(source.known.astype(np.float64), rows) == tape.known, moves, np.nan)


def _daily(market: Market, pair: str) -> FloatArray:
    source = market.tapes[DAILY]
    return look_up(move(log_close(source), 1), last_known(source, market.tapes[pair].known))


def _slow(market: Market, pair: str) -> FloatArray:
    tape, source = market.tapes[pair], market.slow[pair]
    return log_close(tape) - look_up(log_close(source), last_known(source, tape.known))


def _trend(market: Market, pair: str) -> FloatArray:
    """Return the log close minus its weighted mean over 24 bars, weights falling with age."""
    level = log_close(market.tapes[pair])
    weights = 0.85 ** np.arange(23, -1, -1)
    found: FloatArray = level - (trailing(level, 24) * (weights / weights.sum())).sum(axis=1)
    return found


def _hour(market: Market, pair: str) -> FloatArray:
    """Return the hour of the day; each fold replaces it by the mean target of that hour in training."""
    return hour_of_day(market.tapes[pair]).astype(np.float64)


FEATURES: Mapping[str, Feature] = MappingProxyType(
    {
        "ret1": _return(1),
        "ret3": _return(3),
        "mean12": _mean,
        "vol12": _volatility,
        "range": _range,
        "body": _body,
        "volume12": _volume,
        "cross1": _cross,
        "daily1": _daily,
        "slow1": _slow,
        "trend24": _trend,
        "hour": _hour,
    }
)
