"""Dukascopy's CSV of ticks, made into bars of one minute. Candles, and the feed's binary ticks, are read elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from golden_core.vendors.base import Claim, VendorError, VendorTable
from golden_core.vendors.bi5_tree import tick_bars
from golden_core.vendors.columns import clock_in, normal
from golden_core.vendors.dukascopy_csv import time_column
from golden_core.vendors.prices import read_numbers
from golden_core.vendors.text import read_head, read_rows
from golden_core.vendors.ticks import require_spread
from golden_core.vendors.times import ORDERS, Dates, Order, read_times

TICK_BAR = "1m"  # short enough to be resampled into any bar of a study
_SIDES = ("bid", "ask", "mid")
_QUOTES = {"ask": "ask", "bid": "bid", "askvolume": "ask_volume", "bidvolume": "bid_volume"}


@dataclass(frozen=True)
class _DukascopyTicks:
    """``Gmt time,Ask,Bid,AskVolume,BidVolume``, in any order; the volume of a side is what was offered on it."""

    side: str = "bid"
    order: Order | None = None
    name = "dukascopy_ticks"
    choices = (*_SIDES, *ORDERS)

    def chosen(self, choice: str) -> _DukascopyTicks:
        """Return the reader for one side of the price, or one order of day and month."""
        order = next((order for order in ORDERS if order == choice), None)
        return replace(self, order=order) if order else replace(self, side=choice)

    def sniff(self, path: Path) -> Claim | None:
        """Claim a file whose header names a time as Dukascopy does, ask, bid and their volumes."""
        head = read_head(path)
        if head is None or time_column(head.header) is None or _quotes(head.header) is None:
            return None
        return Claim(self.name, "its header names a time as Dukascopy does, ask, bid and their volumes")

    def read(self, path: Path, pair: str) -> VendorTable:  # noqa: ARG002
        """Read all ticks and make bars of one minute.

        Raises
        ------
        VendorError
            At the first malformed row; or if bids lie above asks.
        """
        rows = read_rows(path, header=True)
        column, quotes = time_column(rows.table.columns), _quotes(rows.table.columns)
        if column is None or quotes is None:
            raise VendorError(
                f"{path}: line 1: expected columns like Gmt time, Ask, Bid, AskVolume, BidVolume, there are "
                f"{', '.join(map(repr, rows.table.columns))}; leave the format to detection, or name another"
            )
        numbers, number_notes = read_numbers(rows.table, quotes, rows.line, path, gaps=False)
        always = pl.repeat(value=True, n=numbers.height, eager=True, dtype=pl.Boolean)
        times = read_times(rows.table[column], rows.line, path, Dates(self.order, "day_first"), always)
        ticks = numbers.with_columns(times.values.alias("timestamp"))
        require_spread(ticks, path, quotes["bid"], quotes["ask"])
        bars = tick_bars(ticks, TICK_BAR, self.side).with_columns(line=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
        made = f"{ticks.height} ticks give {bars.height} {self.side} bars of {TICK_BAR}; a minute without has no bar"
        clock = times.clock or clock_in(column)
        notes = [*rows.notes, *times.notes, *number_notes, made]
        if clock and not times.clock:
            notes.append(f"the header {column!r} states the clock {clock}")
        return VendorTable(bars, self.name, clock, TICK_BAR, self.side, notes)


DUKASCOPY_TICKS = _DukascopyTicks()


def _quotes(names: Sequence[str]) -> dict[str, str] | None:
    """Return our name → the file's of both sides and their volumes; None unless each is there once."""
    found = {_QUOTES[normal(name)]: name for name in names if normal(name) in _QUOTES}
    return found if len(found) == len(_QUOTES) == sum(normal(name) in _QUOTES for name in names) else None
