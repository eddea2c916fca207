"""HistData's generic ASCII files: bars of one minute, and ticks. They have no header; places of columns are fixed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from golden_core.vendors.assembly import assemble
from golden_core.vendors.base import Claim, VendorError, VendorTable
from golden_core.vendors.columns import Found
from golden_core.vendors.prices import read_numbers
from golden_core.vendors.text import Rows, read_head, read_rows
from golden_core.vendors.ticks import bars_from_ticks, require_spread
from golden_core.vendors.times import Dates, read_times

# HistData documents "Eastern Standard Time (EST) time-zone without Day Light Savings adjustments" for all its files.
CLOCK = "UTC-05:00"
_CLOCK_NOTE = "HistData stamps in New York winter time all year round, which is UTC-05:00"
_NUMBER = r"\d+(?:\.\d+)?"
_M1 = re.compile(rf"\d{{8}} \d{{6}}(?:;{_NUMBER}){{4}}(?:;{_NUMBER})?")
_TICK = re.compile(rf"\d{{8}} \d{{9}}(?:,{_NUMBER}){{2}}(?:,{_NUMBER})?")
_SIDES = ("bid", "ask", "mid")
TICK_BAR = "1m"  # short enough to be resampled into any bar of a study


class _HistDataM1:
    """``20120201 000000;1.306600;1.306600;1.306560;1.306560;0``: open, high, low, close of the bid, and volume."""

    name = "histdata_m1"

    def sniff(self, path: Path) -> Claim | None:
        """Claim a file whose first lines look like that."""
        return _claim(path, self.name, _M1, "a compact time and prices between semicolons, without a header")

    def read(self, path: Path, pair: str) -> VendorTable:  # noqa: ARG002
        """Read all bars.

        Raises
        ------
        VendorError
            At the first malformed row; or if the prices are not in the documented order.
        """
        rows = read_rows(path, header=False)
        _require_width(rows, path, (5, 6), "20120201 000000;open;high;low;close;volume")
        volume = "5" if rows.table.width == 6 else None
        found = Found(("0",), {"open": "1", "high": "2", "low": "3", "close": "4"}, volume, ())
        assembled = assemble(rows, found, path, Dates(), header=False)
        return VendorTable(assembled.bars, self.name, CLOCK, "1m", "bid", [_CLOCK_NOTE, *assembled.notes])


@dataclass(frozen=True)
class _HistDataTicks:
    """``20120201 000003660,1.306600,1.306770,0``: bid, ask and volume, made into bars of one minute."""

    side: str = "bid"  # as HistData's own bars
    name = "histdata_ticks"
    choices = _SIDES

    def chosen(self, choice: str) -> _HistDataTicks:
        """Return the reader for one side of the price."""
        return _HistDataTicks(choice)

    def sniff(self, path: Path) -> Claim | None:
        """Claim a file whose first lines look like that."""
        return _claim(path, self.name, _TICK, "a compact time with milliseconds, bid and ask, without a header")

    def read(self, path: Path, pair: str) -> VendorTable:  # noqa: ARG002
        """Read all ticks and make bars of one minute.

        Raises
        ------
        VendorError
            At the first malformed row; or if bids lie above asks.
        """
        rows = read_rows(path, header=False)
        _require_width(rows, path, (3, 4), "20120201 000003660,bid,ask,volume")
        names = {"bid": "1", "ask": "2", **({"volume": "3"} if rows.table.width == 4 else {})}
        numbers, _ = read_numbers(rows.table, names, rows.line, path, gaps=False)
        always = pl.repeat(value=True, n=numbers.height, eager=True, dtype=pl.Boolean)
        times = read_times(rows.table["0"], rows.line, path, Dates(), always)
        ticks = numbers.with_columns(times.values.alias("timestamp"))
        require_spread(ticks, path, "the second column", "the third")
        bars = bars_from_ticks(ticks, TICK_BAR, self.side)
        bars = bars.with_columns(line=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
        made = f"{ticks.height} ticks give {bars.height} {self.side} bars of {TICK_BAR}; a minute without has no bar"
        return VendorTable(bars, self.name, CLOCK, TICK_BAR, self.side, [_CLOCK_NOTE, *rows.notes, made])


HISTDATA_M1 = _HistDataM1()
HISTDATA_TICKS = _HistDataTicks()


def _claim(path: Path, name: str, pattern: re.Pattern[str], looks: str) -> Claim | None:
    head = read_head(path)
    if head is None or not head.has_form(pattern):
        return None
    return Claim(name, f"its lines are {looks}, as HistData writes them")


def _require_width(rows: Rows, path: Path, widths: tuple[int, int], expected: str) -> None:
    if rows.table.width not in widths:
        raise VendorError(
            f"{path}: line {rows.line[0]}: {rows.table.width} fields, expected {expected}; "
            "leave the format to detection, or name another"
        )
