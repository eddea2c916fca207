"""Series of closes alone: a day and one price, as FRED and central banks publish their fixings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from golden_core.vendors.base import VendorError
from golden_core.vendors.columns import has_time, normal
from golden_core.vendors.delimited import Delimited
from golden_core.vendors.paired import require_named
from golden_core.vendors.prices import GAPS
from golden_core.vendors.text import Head, Rows

_AGAIN = "timeperiod"  # beside the day, the ECB's data portal writes it out


def _fits(head: Head) -> bool:
    names = [name for name in head.header if normal(name) != _AGAIN]
    return len(names) == 2 and has_time(names[:1]) and len(head.lines) > 1


def published(rows: Rows, pair: str, path: Path) -> Rows:
    """Leave the days out on which nothing was published: a fixing that was not made is no bar without a price."""
    rows = replace(rows, table=rows.table.select(name for name in rows.table.columns if normal(name) != _AGAIN))
    if rows.table.width != 2:
        raise VendorError(f"{path}: line 1: {rows.table.width} columns, expected a day and one price")
    name = rows.table.columns[1]
    require_named(name, pair, path)
    there = ~rows.table[name].str.to_lowercase().is_in(GAPS)
    silent = (~there).sum()
    note = f"{silent} days have no price and are left out" if silent else "every day has a price"
    table = rows.table.filter(there).rename({name: "close"})
    if table.is_empty():
        raise VendorError(f"{path}: no day of {name!r} has a price; fetch the series again")
    return replace(rows, table=table, line=rows.line.filter(there), notes=(*rows.notes, f"{name!r} is the close", note))


CSV = Delimited(
    name="series_csv",
    example="observation_date,DEXUSEU\n2024-03-13,1.0945\n2024-03-14,.\n2024-03-15,1.0890",
    because="its two columns are a day and a price",
    fits=_fits,
    ours=("close",),
    bar="1d",
    prepare=published,
)
