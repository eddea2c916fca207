"""MetaTrader's text files: version 4's CSV without header, and version 5's ticks. `.hst` does not belong here."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import polars as pl

from golden_core.vendors.base import VendorError
from golden_core.vendors.delimited import Delimited
from golden_core.vendors.text import Rows

_NUMBER = r"\d+(?:\.\d+)?"
_MT4 = re.compile(rf"\d{{4}}\.\d{{2}}\.\d{{2}}([,;\t])\d{{1,2}}:\d{{2}}(?:\1{_NUMBER}){{4}}(?:\1{_NUMBER})?")
_TICKS = {"<DATE>", "<TIME>", "<BID>", "<ASK>"}


def _quoted(rows: Rows, _pair: str, path: Path) -> Rows:
    """Carry a side on while only the other changes; last price and volume are those of an exchange."""
    if not set(rows.table.columns) >= _TICKS:
        return rows
    quotes = rows.table.select(sorted(_TICKS)).with_columns(pl.col("<BID>", "<ASK>").replace("", None).forward_fill())
    there = quotes["<BID>"].is_not_null() & quotes["<ASK>"].is_not_null()
    if not there.any() or not quotes.select(pl.concat_str("<DATE>", "<TIME>")).to_series().is_sorted():
        raise VendorError(
            f"{path}: the ticks are not in the order of time, or one side is never quoted: nobody knows what an empty "
            "side is; export them again"
        )
    left = (~there).sum()
    notes = [*rows.notes, *([f"{left} ticks before both sides were quoted are left out"] if left else [])]
    return replace(rows, table=quotes.filter(there), line=rows.line.filter(there), notes=tuple(notes))


MT4 = Delimited(
    name="metatrader4_csv",
    example="2024.03.15,12:00,1.08812,1.08901,1.08790,1.08874,4148\n"
    "2024.03.15,13:00,1.08874,1.08930,1.08850,1.08911,5375",
    because="its lines are date, time, four prices, without a header, as MetaTrader 4 writes them",
    fits=lambda head: head.has_form(_MT4),
    places=("date", "time", "open", "high", "low", "close", "volume"),
    clock=lambda _column, path: "UTC-05:00" if path.name.upper().startswith("DAT_MT_") else None,  # HistData's
    said="the file does not say its clock, which is the broker's; of HistData's DAT_MT_ files it is UTC-05:00",
)
MT5_TICKS = Delimited(
    name="metatrader5_ticks",
    example="<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>\n"
    "2024.03.15\t12:00:00.371\t1.08812\t1.08815\t\t\t6\n2024.03.15\t12:00:01.042\t\t1.08816\t\t\t4",
    because="its header names bid and ask in angle brackets, as MetaTrader 5 writes them",
    fits=lambda head: set(head.header) >= _TICKS,
    ours=("bid", "ask"),
    prepare=_quoted,
)
