"""Dukascopy's CSV of candles, from its website or from JForex. Binary files of the feed do not belong here."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from golden_core.vendors.assembly import assemble
from golden_core.vendors.base import Claim, VendorError, VendorTable
from golden_core.vendors.columns import find_columns, has_bars
from golden_core.vendors.names import side_in_name
from golden_core.vendors.text import read_head, read_rows
from golden_core.vendors.times import ORDERS, Dates, Order

_TIME = re.compile(r"(?P<before>[a-z]+) time|time \((?P<within>[a-z]+)\)", re.IGNORECASE)
_CLOCKS = {"GMT": "UTC", "UTC": "UTC", "EET": "EET", "LOCAL": None}


@dataclass(frozen=True)
class _DukascopyCsv:
    """``Gmt time``, ``Local time`` and ``Etc/UTC`` with each row's offset, or ``Time (EET)``; columns in any order."""

    order: Order | None = None
    name = "dukascopy_csv"
    choices = ORDERS

    def chosen(self, choice: str) -> _DukascopyCsv:
        """Return the reader for one order of day and month."""
        return _DukascopyCsv(next(order for order in ORDERS if order == choice))

    def sniff(self, path: Path) -> Claim | None:
        """Claim a file whose header names a time as Dukascopy does, and four prices."""
        head = read_head(path)
        column = time_column(head.header) if head else None
        if head is None or column is None or not has_bars((*head.header, "time")):
            return None
        return Claim(self.name, f"its header calls the time {column!r}, as Dukascopy does, and names four prices")

    def read(self, path: Path, pair: str) -> VendorTable:  # noqa: ARG002
        """Read all candles.

        Raises
        ------
        VendorError
            At the first malformed row; or if the header states a zone that the rows' offsets contradict.
        """
        rows = read_rows(path, header=True)
        column = time_column(rows.table.columns)
        if column is None:
            listed = ", ".join(map(repr, rows.table.columns))
            raise VendorError(
                f"{path}: line 1: expected a column like 'Gmt time', 'Local time' or 'Time (EET)', there are {listed}; "
                "leave the format to detection, or name another"
            )
        code = _zone_code(column)
        renamed = rows.table.rename({column: "time"})
        found = find_columns(renamed.columns, path)
        assembled = assemble(rows.with_table(renamed), found, path, Dates(self.order, "day_first"))
        stated = column if _is_zone(column) else _CLOCKS.get(code)
        if assembled.clock and stated == "EET":
            raise VendorError(f"{path}: the header says {column!r}, but the rows carry their own offset; correct one")
        clock = assembled.clock or stated
        said = f"the header {column!r} states the clock {clock}" if stated and not assembled.clock else None
        unknown = f"the header {column!r} states no clock that is known" if clock is None else None
        notes = [*assembled.notes, *(note for note in (said, unknown) if note)]
        return VendorTable(assembled.bars, self.name, clock, None, side_in_name(path), notes)


DUKASCOPY_CSV = _DukascopyCsv()


def time_column(names: Sequence[str]) -> str | None:
    """Return the column that names a time as Dukascopy does, or None unless there is exactly one."""
    found = [name for name in names if (_TIME.fullmatch(name) and _zone_code(name) in _CLOCKS) or _is_zone(name)]
    # 'Time (CST)' is Dukascopy's as well, and says nothing that could be relied on.
    found = found or [name for name in names if re.fullmatch(r"time \([a-z]+\)", name, re.IGNORECASE)]
    return found[0] if len(found) == 1 else None


def _is_zone(name: str) -> bool:
    """Say whether a name is a time zone's: exports since 2025 call the times ``Etc/UTC`` or ``Europe/London``."""
    return "/" in name and name in zoneinfo.available_timezones()


def _zone_code(column: str) -> str:
    match = _TIME.fullmatch(column)
    return (match["before"] or match["within"]).upper() if match else ""
