"""Plain tables with named columns, CSV or Parquet: known names, or declared ones. No vendor's own format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from golden_core.vendors.assembly import assemble
from golden_core.vendors.base import Claim, VendorError, VendorTable
from golden_core.vendors.columns import clock_in, find_columns, has_bars, normal
from golden_core.vendors.names import side_in_name
from golden_core.vendors.text import Rows, read_head, read_rows, refuse_packed
from golden_core.vendors.times import ORDERS, Dates, Order

_MAGIC = b"PAR1"
# Damaged pages make polars panic, which is no Exception.
_BROKEN = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
_INSTRUMENTS = ("pair", "symbol", "ticker", "instrument")


@dataclass(frozen=True)
class Plain:
    """What both kinds share: columns by name. An empty cell is a price that does not exist, and stays so."""

    columns: Mapping[str, str | None] = field(default_factory=dict)
    order: Order | None = None
    choices = ORDERS
    name = "plain"

    def chosen(self, choice: str) -> Plain:
        """Return the reader for one order of day and month."""
        return replace(self, order=next(order for order in ORDERS if order == choice))

    def declared(self, columns: Mapping[str, str | None]) -> Plain:
        """Return the reader for declared columns: ours → the file's, or None where it has none."""
        return replace(self, columns=columns)

    def is_table(self, path: Path) -> bool:
        """Whether the file has named columns of this kind, whatever they are called."""
        return self.names(path) is not None

    def sniff(self, path: Path) -> Claim | None:
        """Claim a table whose columns include a time and four prices by names that are known."""
        names = self.names(path)
        if names is None:
            return None
        return Claim(self.name, "its columns name a time and four prices") if has_bars(names) else None

    def read(self, path: Path, pair: str) -> VendorTable:
        """Read all rows.

        Raises
        ------
        VendorError
            If a column is missing, rows are of another pair, or at the first cell that is not what its column holds.
        """
        rows = self._rows(path)
        _require_instrument(rows.table, pair, path)
        found = find_columns(rows.table.columns, path, self.columns)
        assembled = assemble(rows, found, path, Dates(self.order), gaps=True)
        stated = clock_in(found.time[-1])
        notes = list(assembled.notes)
        if stated and not assembled.clock:
            notes.append(f"the column {found.time[-1]!r} states the clock {stated}")
        return VendorTable(assembled.bars, self.name, assembled.clock or stated, None, side_in_name(path), notes)

    def names(self, path: Path) -> Sequence[str] | None:
        """Return the names of the columns, or None where the file is of another kind."""
        raise NotImplementedError

    def _rows(self, path: Path) -> Rows:
        raise NotImplementedError


class _PlainCsv(Plain):
    """Fields between commas, semicolons or tabs, below a header."""

    name = "plain_csv"

    def names(self, path: Path) -> Sequence[str] | None:
        head = read_head(path)
        return head.header if head else None

    def _rows(self, path: Path) -> Rows:
        return read_rows(path, header=True)


class _PlainParquet(Plain):
    """Typed columns."""

    name = "plain_parquet"

    def names(self, path: Path) -> Sequence[str] | None:
        if not path.is_file():
            return None
        with path.open("rb") as stream:
            if stream.read(len(_MAGIC)) != _MAGIC:
                return None
        return list(_schema(path))

    def _rows(self, path: Path) -> Rows:
        refuse_packed(path)
        _schema(path)
        try:
            table = pl.read_parquet(path)
        except _BROKEN as error:
            raise _unreadable(path, error) from None
        if table.is_empty():
            raise VendorError(f"{path}: the table has no row; export it again, or leave the file out")
        return Rows(table, pl.int_range(1, table.height + 1, dtype=pl.Int64, eager=True).alias("row"), True, ())


PLAIN_CSV = _PlainCsv()
PLAIN_PARQUET = _PlainParquet()


def _require_instrument(table: pl.DataFrame, pair: str, path: Path) -> None:
    """Refuse a table that says which pair each row is of, and says another one."""
    for name in table.columns:
        if normal(name) not in _INSTRUMENTS:
            continue
        said = table[name].cast(pl.String).unique().sort()
        others = [repr(text) for text in said if pair.lower() not in normal(str(text))]
        if others:
            raise VendorError(
                f"{path}: column {name!r} says {', '.join(others[:5])}, but {pair} is asked for; "
                "give a file of this pair alone"
            )


def _schema(path: Path) -> Mapping[str, pl.DataType]:
    try:
        return pl.read_parquet_schema(path)
    except _BROKEN as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: BaseException) -> VendorError:
    said = (str(error).splitlines() or [type(error).__name__])[0]
    return VendorError(f"{path} cannot be read as Parquet: {said}; write it again")
