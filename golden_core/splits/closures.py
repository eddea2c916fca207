"""Where the market was closed between two bars, and which windows and labels reach across. Nothing is dropped here.

Shape letters: T bars of a pair.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np
import polars as pl

from golden_core.inputs.windows import BoolArray

BAR_LENGTHS = {
    "1mo": datetime.timedelta(days=31),
    "1d": datetime.timedelta(days=1),
    "4h": datetime.timedelta(hours=4),
    "1h": datetime.timedelta(hours=1),
}
# A day with a clock change is an hour longer, which is no closure. Shorter bars: clocks change while the market sleeps.
# Months end on weekdays: from Friday, 26 February to 31 March are 33 days, and without a month they are 58 at least.
ALLOWANCES = {"1d": datetime.timedelta(hours=1), "1mo": datetime.timedelta(days=4)}


@dataclass(frozen=True, eq=False)
class Crossings:
    """Which rows reach across a closure."""

    windows: BoolArray  # [T] between first and last bar of the window; what a feature reads before does not count
    labels: BoolArray  # [T] up to the end of the label; for the last rows, which have none, up to the last bar

    @property
    def either(self) -> BoolArray:
        """Rows whose window or label crosses a closure [T]."""
        return self.windows | self.labels


def opens_after_closure(timestamp: pl.Series, bar: str) -> BoolArray:
    """Return which bars [T] open more than one bar length after the bar before: behind a weekend, a holiday, a gap.

    The opens are those of one pair, oldest first. For daily fixings every weekend is a closure by this definition;
    for bars of a month, which end whatever the weekday, only a month without a bar is one.
    """
    longest = BAR_LENGTHS[bar] + ALLOWANCES.get(bar, datetime.timedelta())
    return (timestamp.diff() > longest).fill_null(False).to_numpy()


def crossings(timestamp: pl.Series, bar: str, *, context_length: int, horizon: int) -> Crossings:
    """Return which windows, of ``context_length`` bars, and labels, ``horizon`` bars ahead, reach across a closure."""
    closures = np.cumsum(opens_after_closure(timestamp, bar))  # behind how many closures each bar lies
    row = np.arange(len(closures))
    first, last = np.maximum(row - context_length + 1, 0), np.minimum(row + horizon, len(closures) - 1)
    return Crossings(windows=closures[row] > closures[first], labels=closures[last] > closures[row])
