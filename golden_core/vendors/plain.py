"""Plain tables, CSV or Parquet: columns by known names, or declared by name or place. No vendor's own format."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from golden_core.vendors.assembly import Known, assemble, require_instrument, side_of
from golden_core.vendors.base import Claim, Reader, VendorError, VendorTable
from golden_core.vendors.columns import PRICES, find_columns, has_prices, has_time
from golden_core.vendors.delimited import Delimited
from golden_core.vendors.paired import of_pair, pair_of, pairs_with_prices
from golden_core.vendors.plain_json import JSON, holds_objects
from golden_core.vendors.suggestions import closes_alone
from golden_core.vendors.text import Head, Rows, read_head, refuse_packed

_BECAUSE = "its columns name a time and four prices"
_MAGIC = b"PAR1"
# Damaged pages make polars panic, which is no Exception.
_BROKEN = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)


def _fits(head: Head) -> bool:
    return has_time(_plain(head.header)) and (has_prices(head.header) or bool(pairs_with_prices(head.header)))


def _plain(names: Sequence[str]) -> Sequence[str]:
    """Return names without the pair that stands in them."""
    return [found[1] if (found := pair_of(name)) else name for name in names]


def _of_pair(rows: Rows, pair: str, path: Path) -> Rows:
    table, notes = of_pair(rows.table, pair, path)
    return replace(rows, table=table, notes=(*rows.notes, *notes))


_TABLE = Delimited(
    name="plain_csv",
    example="time,open,high,low,close,volume\n2024-03-15 10:00,1.08812,1.08901,1.08790,1.08874,4148\n"
    "2024-03-15 11:00,1.08874,1.08930,1.08850,1.08911,5375",
    because=_BECAUSE,
    fits=_fits,
    gaps=True,
)
CSV = replace(_TABLE, prepare=_of_pair)


@dataclass(frozen=True)
class Parquet(Reader):
    """Typed columns. An empty cell is a price that does not exist, and stays so."""

    columns: Mapping[str, str | None] = field(default_factory=dict)
    name = "plain_parquet"
    example = "any Parquet file with a column of times and columns open, high, low, close, or a close alone"

    def sniff(self, path: Path) -> Claim | None:
        """Claim a table whose columns include a time and four prices, or a close alone, by names that are known."""
        names = parquet_names(path) or ()
        if pairs_with_prices(names):
            names = _plain(names)
        if not has_time(names) or not has_prices(names, _prices(names)):
            return None
        return Claim(self.name, _BECAUSE if has_prices(names) else "its columns name a time and a close")

    def read(self, path: Path, pair: str) -> VendorTable:
        """Read all rows."""
        refuse_packed(path)
        try:
            table = pl.read_parquet(path, glob=False)
        except _BROKEN as error:
            raise _unreadable(path, error) from None
        if table.is_empty():
            raise VendorError(f"{path}: the table has no row; export it again, or leave the file out")
        require_instrument(table, pair, path)
        table, notes = (table, ()) if self.columns else of_pair(table, pair, path)
        line = pl.int_range(1, table.height + 1, dtype=pl.Int64, eager=True).alias("row")
        found = find_columns(table.columns, path, self.columns, PRICES if self.columns else _prices(table.columns))
        known = Known(format=self.name, side=side_of(found, path), gaps=True)
        return assemble(Rows(table, line, True, notes), found, path, known)


PARQUET = Parquet()


def _prices(names: Sequence[str]) -> Sequence[str]:
    """Return the prices of a table: four, or a close alone where no other is named, as where fixings were imported."""
    return PRICES if any(has_prices(names, (name,)) for name in PRICES[:3]) else PRICES[3:]


def parquet_names(path: Path) -> Sequence[str] | None:
    """Return the columns of a Parquet file, or None where it is none."""
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        if stream.read(len(_MAGIC)) != _MAGIC:
            return None
    try:
        return list(pl.scan_parquet(path, glob=False).collect_schema())
    except _BROKEN as error:
        raise _unreadable(path, error) from None


def declared(path: Path, columns: Mapping[str, str | None]) -> Reader | None:
    """Return the reader of a plain table with declared columns: ours → the file's name, or its place from 1."""
    if (names := parquet_names(path)) is not None:
        return replace(PARQUET, columns=closes_alone(columns, names))
    if holds_objects(path):
        return replace(JSON, columns=columns)
    head = read_head(path)
    if head is None:
        return None
    places = {ours: theirs for ours, theirs in columns.items() if theirs is not None}
    by_place = all(part.isdecimal() for theirs in places.values() for part in theirs.split("+"))
    if set(places.values()) & set(head.header) or not by_place:
        return replace(_TABLE, columns=closes_alone(columns, head.header))
    close = places.get("close", "")
    numbered = close.isdecimal() and 0 < int(close) <= len(head.header)
    headed = numbered and re.fullmatch(r"-?[\d.,]+", head.header[int(close) - 1]) is None
    names = tuple(str(place) for place in range(1, len(head.fields(headed and len(head.lines) > 1)) + 1))
    return replace(_TABLE, columns={**dict.fromkeys((*PRICES, "volume")), **places}, places=names, headed=headed)


def _unreadable(path: Path, error: BaseException) -> VendorError:
    said = (str(error).splitlines() or [type(error).__name__])[0]
    return VendorError(f"{path} cannot be read as Parquet: {said}; write it again")
