"""From rows of text and the names of columns to bars: what all delimited formats share. No format's own rule."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from golden_core.vendors.base import VendorError
from golden_core.vendors.columns import Found
from golden_core.vendors.prices import active, read_numbers, require_last_row, require_roles
from golden_core.vendors.text import Rows
from golden_core.vendors.times import Dates, Times, from_temporal, joined, read_epochs, read_times


@dataclass(frozen=True, eq=False)
class Assembled:
    """Bars as in :class:`~golden_core.vendors.base.VendorTable`, the clock the rows state, and notes.

    A column ``complete`` (Boolean) says which bars were over when they were written, where the file has one.
    """

    bars: pl.DataFrame
    clock: str | None
    notes: tuple[str, ...]


def assemble(
    rows: Rows, found: Found, path: Path, dates: Dates, *, gaps: bool = False, header: bool = True
) -> Assembled:
    """Return the bars of a table.

    Parameters
    ----------
    rows : Rows
        Text, or typed columns.
    found : Found
        Which column is which.
    path : Path
    dates : Dates
        What is known about the order of day and month.
    gaps : bool
        Whether a cell may be empty, which becomes null.
    header : bool
        Whether the file names its columns.

    Raises
    ------
    VendorError
        At the first malformed row; or if the columns are not what they are called.
    """
    names = dict(found.prices) | ({"volume": found.volume} if found.volume else {})
    numbers, number_notes = read_numbers(rows.table, names, rows.line, path, gaps=gaps)
    times = _times(rows, found, path, dates, active(numbers))
    bars = pl.DataFrame([times.values.alias("timestamp"), *numbers.get_columns(), rows.line.alias("line")])
    if found.complete:
        bars = bars.with_columns(_complete(rows.table[found.complete], rows.line, path))
    require_last_row(bars, path, ended=rows.ended)
    require_roles(bars, path, header=header)
    ignored = (f"not used: {', '.join(found.ignored)}",) if found.ignored else ()
    return Assembled(bars, times.clock, (*rows.notes, *times.notes, *number_notes, *ignored))


def _times(rows: Rows, found: Found, path: Path, dates: Dates, moved: pl.Series) -> Times:
    columns = [rows.table[name] for name in found.time]
    first = columns[0] if len(columns) == 1 else joined(columns[0], columns[1], path)
    if first.dtype == pl.String:
        faults = first.is_null().arg_true()
        if len(faults):
            raise VendorError(
                f"{path}: {rows.line.name} {rows.line[int(faults[0])]}: there is no time; export the file again"
            )
        return read_times(first, rows.line, path, dates, moved)
    if first.dtype.is_integer():
        return _numbered(first, rows, path, dates, moved)
    if first.dtype in (pl.Date, pl.Datetime):
        return from_temporal(first, path, rows.line)
    raise VendorError(
        f"{path}: column {found.time[0]!r} holds {first.dtype}, expected times, text, or whole numbers since 1970; "
        "declare another column"
    )


def _complete(cells: pl.Series, lines: pl.Series, path: Path) -> pl.Series:
    words = cells.cast(pl.String).str.to_lowercase()
    faults = (~words.is_in(["true", "false", "1", "0"]).fill_null(value=False)).arg_true()
    if len(faults):
        row = int(faults[0])
        raise VendorError(
            f"{path}: {lines.name} {lines[row]}: {cells.name} is {cells[row]!r}, expected true or false; mend the "
            "cell, or leave the column out"
        )
    return words.is_in(["true", "1"]).alias("complete")


def _numbered(counts: pl.Series, rows: Rows, path: Path, dates: Dates, moved: pl.Series) -> Times:
    """Read whole numbers: 20240131 is a day, anything longer counts from 1970."""
    if counts.null_count():
        return from_temporal(counts.cast(pl.Datetime("us")), path, rows.line)
    if counts.is_between(19_000_101, 21_001_231).all():
        return read_times(counts.cast(pl.String), rows.line, path, dates, moved)
    return read_epochs(counts.cast(pl.Int64), rows.line, path)
