"""The bars of one pair as arrays, and what is known of other pairs at a time. No rule of cleaning belongs here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

HOUR = 3_600_000_000  # microseconds


@dataclass(frozen=True, eq=False)
class PairBars:
    """Bars of one pair in the order of time, T rows; times in microseconds since 1970, UTC."""

    pair: str
    opened: IntArray  # when the bar opened [T]
    known: IntArray  # when the pipeline holds it to be known [T]
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray

    def __len__(self) -> int:
        return len(self.opened)

    def take(self, rows: IntArray | BoolArray | slice) -> PairBars:
        """Return some of the rows."""
        columns = ("opened", "known", "open", "high", "low", "close", "volume")
        return replace(self, **{name: getattr(self, name)[rows] for name in columns})


@dataclass(frozen=True, eq=False)
class Market:
    """The bars of all pairs of a run after cleaning, and the slow bars made of them."""

    bars: Mapping[str, PairBars]
    slow: Mapping[str, PairBars]


def pair_bars_of(frame: pl.DataFrame) -> PairBars:
    """Return the bars of one pair as arrays, in the order in which they stand."""
    values = {name: frame[name].to_numpy() for name in ("open", "high", "low", "close", "volume")}
    opened, known = (microseconds(frame[name]) for name in ("timestamp", "available_at"))
    return PairBars(frame["pair"][0], opened, known, **values)


def microseconds(times: pl.Series) -> IntArray:
    """Return UTC times as microseconds since 1970."""
    return times.to_numpy().astype("datetime64[us]").astype(np.int64)


def last_known(of: PairBars, at: IntArray) -> IntArray:
    """Return the position in bars of the last bar known at each time [N]; −1 where there is none."""
    return np.searchsorted(of.known, at, side="right") - 1


def look_up(values: FloatArray, rows: IntArray) -> FloatArray:
    """Return values [N] by position; NaN where the position is −1."""
    if not len(values):
        return np.full(len(rows), np.nan)
    return np.where(rows >= 0, values[np.maximum(rows, 0)], np.nan)
