"""Features: what a bar knows about its past, by name. A new one is a function and a line; none looks ahead.

Windows are summed afresh at every bar instead of updating a running sum: a value then depends, to the last bit, on
the bars of its own window, whatever came before them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np
import numpy.typing as npt
import polars as pl

from golden_core.study import closest

FloatArray = npt.NDArray[np.float64]
TARGETS = ("log_return", "close")


@dataclass(frozen=True)
class Feature:
    """A causal function of bars, and the columns that it needs of them."""

    description: str
    unit: str
    warm_up: int  # bars without a value at the start: the first row that has one
    needs: tuple[str, ...]
    compute: Callable[[pl.DataFrame], pl.Series]  # bars [T], in the order of time → [T], from rows up to its own


class FeatureError(ValueError):
    """A feature does not exist, or these bars cannot give it."""


def build_features(names: Iterable[str], bars: pl.DataFrame) -> pl.DataFrame:
    """Compute features of the bars of one pair.

    Takes clean ``schema.BARS``; gives ``timestamp`` and one Float64 column per feature, null in its warm-up.

    Raises
    ------
    FeatureError
        If a feature is unknown or needs a column that the bars lack, or the bars are not one pair in the order of
        time (a feature would then mix pairs, or look ahead).
    """
    pairs = bars["pair"].unique().to_list()
    if len(pairs) > 1:
        raise FeatureError(f"features are built from the bars of one pair, got {', '.join(sorted(pairs))}")
    if not (bars["timestamp"].is_sorted() and bars["timestamp"].is_unique().all()):
        raise FeatureError(f"the bars of {pairs[0]} are not in the order of time: clean them first")
    columns = []
    for name in names:
        if name not in FEATURES:
            hint = closest(name, FEATURES) or f"; known: {', '.join(sorted(FEATURES))}"
            raise FeatureError(f"no feature is called {name!r}{hint}")
        lacking = [column for column in FEATURES[name].needs if column not in bars.columns]
        if lacking:
            raise FeatureError(
                f"feature {name!r} needs the column {lacking[0]!r}, which the bars of {', '.join(pairs)} do not have; "
                f"they have {', '.join(bars.columns)}"
            )
        columns.append(FEATURES[name].compute(bars).cast(pl.Float64).alias(name))
    return pl.DataFrame([bars["timestamp"], *columns])


def _level(column: str) -> Callable[[pl.DataFrame], pl.Series]:
    return lambda bars: bars[column]


def _log_close(bars: pl.DataFrame) -> pl.Series:
    return bars["close"].log()


def _log_return(span: int) -> Callable[[pl.DataFrame], pl.Series]:
    return lambda bars: _log_close(bars) - _log_close(bars).shift(span)


def _volatility(window: int) -> Callable[[pl.DataFrame], pl.Series]:
    def spread(returns: FloatArray) -> FloatArray:
        mean = _mean(returns, window)
        squares = [(lag - mean) ** 2 for lag in _lags(returns, window)]
        return np.sqrt(_sum(squares) * (1 / (window - 1)))

    return lambda bars: _trailing(_log_return(1)(bars), window, spread)


def _distance_from_mean(window: int) -> Callable[[pl.DataFrame], pl.Series]:
    return lambda bars: _trailing(_log_close(bars), window, lambda level: level - _mean(level, window))


def _week(wave: Callable[[pl.Series], pl.Series]) -> Callable[[pl.DataFrame], pl.Series]:
    return lambda bars: wave(bars["timestamp"].dt.weekday().cast(pl.Float64) * (2 * math.pi / 7))


def _trailing(values: pl.Series, window: int, compute: Callable[[FloatArray], FloatArray]) -> pl.Series:
    """Return what is computed of the last ``window`` values at each row [T]; null where one of them is missing."""
    known = values.is_not_null().cast(pl.Int64).rolling_sum(window, min_samples=window)
    with np.errstate(all="ignore"):  # a price may be poisoned; what comes of it is NaN or infinite, not an accident
        return pl.Series(compute(values.to_numpy())).set((known != window).fill_null(True), None)


def _mean(values: FloatArray, window: int) -> FloatArray:
    return _sum(_lags(values, window)) * (1 / window)


def _lags(values: FloatArray, window: int) -> list[FloatArray]:
    """Return the values 0, 1, … rows before each row [T] each; NaN before the first."""
    padded = np.concatenate([np.full(window, np.nan), values])
    return [padded[window - lag : len(padded) - lag] for lag in range(window)]


def _sum(terms: list[FloatArray]) -> FloatArray:
    return reduce(add, terms)


_RETURN = "log return"
_CLOSE = ("close",)
FEATURES: dict[str, Feature] = {
    "open": Feature("first price of the bar", "quote per base", 0, ("open",), _level("open")),
    "high": Feature("highest price of the bar", "quote per base", 0, ("high",), _level("high")),
    "low": Feature("lowest price of the bar", "quote per base", 0, ("low",), _level("low")),
    "close": Feature("last price of the bar", "quote per base", 0, _CLOSE, _level("close")),
    "log_close": Feature("natural logarithm of the close", "log price", 0, _CLOSE, _log_close),
    "log_return": Feature("log return over 1 bar", _RETURN, 1, _CLOSE, _log_return(1)),
    "log_return_5": Feature("log return over 5 bars", _RETURN, 5, _CLOSE, _log_return(5)),
    "momentum_20": Feature("log return over 20 bars", _RETURN, 20, _CLOSE, _log_return(20)),
    "volatility_20": Feature("sample sd of the last 20 1-bar log returns", _RETURN, 20, _CLOSE, _volatility(20)),
    "ma_ratio_20": Feature("log close minus its mean over 20 bars", _RETURN, 19, _CLOSE, _distance_from_mean(20)),
    "day_of_week_sin": Feature("sine of the weekday of the bar (UTC), period 7 days", "", 0, (), _week(pl.Series.sin)),
    "day_of_week_cos": Feature("cosine of the weekday of the bar, likewise", "", 0, (), _week(pl.Series.cos)),
}
