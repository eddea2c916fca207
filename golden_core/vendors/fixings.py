"""Closes alone: a day and one price (FRED, central banks), or a column for each of several currencies (ECB, pandas)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from golden_core.vendors.assembly import of_table
from golden_core.vendors.base import VendorError
from golden_core.vendors.columns import Found, has_time, normal
from golden_core.vendors.delimited import Delimited
from golden_core.vendors.paired import pair_of, require_named
from golden_core.vendors.prices import GAPS
from golden_core.vendors.text import Head, Rows

_AGAIN = "timeperiod"  # beside the day, the ECB's data portal writes it out


def _is_series(head: Head) -> bool:
    names = [name for name in head.header if normal(name) != _AGAIN]
    return len(names) == 2 and has_time(names[:1]) and len(head.lines) > 1


def _published(rows: Rows, pair: str, path: Path) -> Rows:
    """Leave the days out on which nothing was published: a fixing that was not made is no bar without a price."""
    rows = replace(rows, table=rows.table.select(name for name in rows.table.columns if normal(name) != _AGAIN))
    if rows.table.width != 2:
        raise VendorError(f"{path}: line 1: {rows.table.width} columns, expected a day and one price")
    day, name = rows.table.columns
    rows = of_table(rows, Found((day,), {"close": name}))
    require_named(name, pair, path)
    there = ~rows.table[name].str.to_lowercase().is_in(GAPS)
    silent = (~there).sum()
    note = f"{silent} days have no price and are left out" if silent else "every row has a price"
    table = rows.table.filter(there).rename({name: "close"})
    if table.is_empty():
        raise VendorError(f"{path}: no day of {name!r} has a price; fetch the series again")
    return replace(rows, table=table, line=rows.line.filter(there), notes=(*rows.notes, f"{name!r} is the close", note))


SERIES = Delimited(
    name="series_csv",
    example="observation_date,DEXUSEU\n2024-03-13,1.0945\n2024-03-14,.\n2024-03-15,1.0890",
    because="its two columns are a day and a price",
    fits=_is_series,
    ours=("close",),
    bar="1d",
    prepare=_published,
)

# Several currencies in one table.
_BUNDESBANK = re.compile(r"BBEX3\.D\.([A-Z]{3})\.EUR\.BB\.AC\.\d+")
_ECB = {"USD", "JPY", "GBP", "CHF"}  # and many more, and no column of its own currency


def _pairs(names: Sequence[str]) -> Mapping[str, str]:
    """Return pair → column; where currencies are named alone, it is the ECB's table: what one euro costs."""
    others = [name for name in names[1:] if name]
    series = {f"EUR{key[1]}": name for name in others if (key := _BUNDESBANK.fullmatch(name))}
    if series:
        return series
    if set(others) >= _ECB and all(re.fullmatch("[A-Z]{3}", name) and name != "EUR" for name in others):
        return {f"EUR{name}": name for name in others}
    paired = {found[0]: name for name in others if (found := pair_of(name)) and not found[1]}
    return paired if len(paired) > 1 else {}


def _fits(head: Head) -> bool:
    return bool(_pairs(head.header)) and has_time(head.header[:1]) and len(head.lines) > 1


def _of_pair(rows: Rows, pair: str, path: Path) -> Rows:
    pairs, day = _pairs(rows.table.columns), rows.table.columns[0]
    if pair not in pairs:
        made = "; a study with data.source=ecb makes the others" if all(one.startswith("EUR") for one in pairs) else ""
        raise VendorError(f"{path}: its columns are {', '.join(pairs)}, but {pair} is asked for{made}")
    if ones := [name for name in pairs.values() if set(rows.table[name].cast(float, strict=False).drop_nulls()) == {1}]:
        raise VendorError(
            f"{path}: {ones[0]!r} is 1 on every day: these are rates of it and not of the euro; name the column of the "
            f"pair, --format plain_csv --column close={pairs[pair]} (in a study: format columns)"
        )
    table = rows.table.select(day, pairs[pair])
    note = f"columns of rates: {len(pairs)}"
    return _published(replace(rows, table=table, notes=(*rows.notes, note)), pair, path)


CSV = Delimited(
    name="fixings_csv",
    example="Date,USD,JPY,GBP,CHF,CYP,\n2024-03-15,1.0892,162.03,0.85420,0.9617,N/A,\n"
    "2024-03-14,1.0925,161.70,0.85480,0.9616,N/A,",
    because="its columns are a day and the rates of several currencies or pairs",
    fits=_fits,
    ours=("close",),
    bar="1d",
    prepare=_of_pair,
)
