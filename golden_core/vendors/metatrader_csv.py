"""MetaTrader's text files: version 4's CSV without header, and version 5's tab export. `.hst` does not belong here."""

from __future__ import annotations

import re
from pathlib import Path

from golden_core.vendors.assembly import assemble
from golden_core.vendors.base import Claim, VendorError, VendorTable
from golden_core.vendors.columns import Found, find_columns, has_bars
from golden_core.vendors.text import read_head, read_rows
from golden_core.vendors.times import Dates

_NUMBER = r"\d+(?:\.\d+)?"
_MT4 = re.compile(rf"\d{{4}}\.\d{{2}}\.\d{{2}}([,;\t])\d{{1,2}}:\d{{2}}(?:\1{_NUMBER}){{4}}(?:\1{_NUMBER})?")
_UNSAID = "the file does not say its clock, which is the broker's"


class _MetaTrader4Csv:
    """``2012.02.01,00:00,1.30660,1.30660,1.30656,1.30656,12``: date, time, open, high, low, close, volume."""

    name = "metatrader4_csv"

    def sniff(self, path: Path) -> Claim | None:
        """Claim a file whose first lines look like that."""
        head = read_head(path)
        if head is None or not head.has_form(_MT4):
            return None
        return Claim(self.name, "its lines are date, time, four prices, without a header, as MetaTrader 4 writes them")

    def read(self, path: Path, pair: str) -> VendorTable:  # noqa: ARG002
        """Read all bars.

        Raises
        ------
        VendorError
            At the first malformed row; or if the prices are not in the documented order.
        """
        rows = read_rows(path, header=False)
        if rows.table.width not in (6, 7):
            raise VendorError(
                f"{path}: line {rows.line[0]}: {rows.table.width} fields, expected date,time,open,high,low,close,volume"
                "; leave the format to detection, or name another"
            )
        volume = "6" if rows.table.width == 7 else None
        found = Found(("0", "1"), {"open": "2", "high": "3", "low": "4", "close": "5"}, volume, ())
        assembled = assemble(rows, found, path, Dates(), header=False)
        # HistData offers its bars in this form too, on its own clock; only the name of the file tells.
        clock = "UTC-05:00" if path.name.upper().startswith("DAT_MT_") else None
        said = "HistData's file in MetaTrader's form: New York winter time, UTC-05:00" if clock else _UNSAID
        return VendorTable(assembled.bars, self.name, clock, None, None, [said, *assembled.notes])


class _MetaTrader5:
    """``<DATE> <TIME> <OPEN> <HIGH> <LOW> <CLOSE> <TICKVOL> <VOL> <SPREAD>`` between tabs."""

    name = "metatrader5"

    def sniff(self, path: Path) -> Claim | None:
        """Claim a file whose header names are in angle brackets, a date and four prices among them."""
        head = read_head(path)
        if head is None or not all(re.fullmatch(r"<\w+>", field) for field in head.header):
            return None
        if not has_bars(head.header) or (len(head.lines) > 1 and not re.search(r"\d{4}\.\d\d\.\d\d", head.lines[1])):
            return None
        return Claim(self.name, "its header names are in angle brackets, as MetaTrader 5 writes them")

    def read(self, path: Path, pair: str) -> VendorTable:  # noqa: ARG002
        """Read all bars; the volume is the number of ticks.

        Raises
        ------
        VendorError
            At the first malformed row.
        """
        rows = read_rows(path, header=True)
        found = find_columns(rows.table.columns, path)
        volume = next((name for name in rows.table.columns if name.upper() == "<TICKVOL>"), found.volume)
        used = {*found.time, *found.prices.values(), volume}
        ignored = tuple(name for name in rows.table.columns if name not in used)
        assembled = assemble(rows, Found(found.time, found.prices, volume, ignored), path, Dates())
        return VendorTable(assembled.bars, self.name, None, None, None, [_UNSAID, *assembled.notes])


METATRADER4_CSV = _MetaTrader4Csv()
METATRADER5 = _MetaTrader5()
