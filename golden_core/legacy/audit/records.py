"""A file or a frame as rows of text cells, each with its place. What a cell means is said elsewhere."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from golden_core.legacy.audit.dialects import Row, split_rows

MAX_BYTES = 5_000_000
MAX_ROWS = 2_000
# What people hand over in place of a table, by how it begins.
_OTHER_FILES = {
    b"PK\x03\x04": "a workbook or another archive",
    b"\xd0\xcf\x11\xe0": "a workbook of an old kind",
    b"%PDF": "a PDF",
    b"PAR1": "a Parquet file",
    b"\x1f\x8b": "compressed",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}
_BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


class TableError(ValueError):
    """A table cannot be read; the message names file, line and column, what was expected, and the fix."""


@dataclass(frozen=True)
class Grid:
    """Rows of cells as they stand in a file, of any length, with their lines counted from 1."""

    file: str
    rows: tuple[Row, ...]
    delimiter: str


@dataclass(frozen=True)
class Records:
    """Text cells as they are printed, one row per subject, under one heading per column.

    ``places`` holds line and column of every cell, counted from 1, the header included; a frame has row numbers.
    """

    file: str
    header: tuple[str, ...]
    header_line: int
    rows: tuple[tuple[str, ...], ...]
    places: tuple[tuple[tuple[int, int], ...], ...]
    delimiter: str

    @property
    def lines(self) -> tuple[int, ...]:
        """The line in which each row starts."""
        return tuple(min(line for line, _ in cells) for cells in self.places)

    def where(self, row: int, column: int) -> str:
        """Return the place of a cell, as a message names it."""
        line, number = self.places[row][column]
        return f"{self.file}:{line}: column {number} ({self.header[column]!r})"


def read_grid(source: Path | str | pl.DataFrame) -> Grid:
    """Read a table as text: what was printed is evidence, down to the last zero.

    Parameters
    ----------
    source : path or DataFrame
        Text in UTF-8 (or UTF-16 with its mark): cells between commas, semicolons, tabs, bars or two spaces, or LaTeX;
        or a frame, whose text columns count as printed, while floats have lost their final zeros and are taken for
        less precise.

    Raises
    ------
    TableError
        If the file is missing, empty, too large or not such text.
    """
    if isinstance(source, pl.DataFrame):
        rows = [[_text(value) for value in row] for row in source.iter_rows()]
        grid = Grid("the frame", tuple(enumerate([list(source.columns), *rows])), ",")
    else:
        path = Path(source)
        try:
            found, delimiter = split_rows(_decoded(path))
        except csv.Error as error:
            raise TableError(f"{path}:{error.args[0]}: {error.args[-1]}") from None
        grid = Grid(str(path), tuple(found), delimiter)
    if not grid.rows:
        raise TableError(f"{grid.file}: is empty; expected a header and rows of numbers")
    if len(grid.rows) > MAX_ROWS + 1:
        raise TableError(f"{grid.file}: has more than {MAX_ROWS} rows; a published table is expected")
    return grid


def as_records(grid: Grid, header: Sequence[str], start: int) -> Records:
    """Return the rows of a grid from one on under a header.

    A row of one cell is the heading of a section or a footnote; any other must be as long as the header.

    Raises
    ------
    TableError
        If there are no rows, a row is longer or shorter, or two columns have one heading.
    """
    line = grid.rows[max(start - 1, 0)][0]
    for number, name in enumerate(header):
        if name and name in header[:number]:
            raise TableError(
                f"{grid.file}:{line}: column {number + 1}: {name!r} is the heading of an earlier column too"
            )
    rows, places = [], []
    for where, cells in grid.rows[start:]:
        while len(cells) > len(header) and not cells[-1].strip():
            cells = cells[:-1]
        if len(cells) == 1:
            cells = cells + [""] * (len(header) - 1)
        if len(cells) != len(header):
            place = f"{grid.file}:{where}: column {min(len(cells), len(header)) + 1}"
            raise TableError(f"{place}: the row has {len(cells)} cells, the header has {len(header)}")
        rows.append(tuple(cells))
        places.append(tuple((where, column + 1) for column in range(len(cells))))
    if not rows:
        raise TableError(f"{grid.file}: there are no rows below the header")
    return Records(grid.file, tuple(header), line, tuple(rows), tuple(places), grid.delimiter)


def _text(value: object) -> str:
    # A frame turns a printed 1200 into 1200.0: that zero was not printed.
    return "" if value is None else str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _decoded(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise TableError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(raw) > MAX_BYTES:
        raise TableError(f"{path}: is larger than {MAX_BYTES // 1_000_000} MB; a published table is expected")
    for start, kind in _OTHER_FILES.items():
        if raw.startswith(start):
            raise TableError(f"{path}: is {kind}, not text; save the table as CSV")
    mark = next((mark for mark in _BOMS if raw.startswith(mark)), b"")
    try:
        text = raw[len(mark) :].decode(_BOMS.get(mark, "utf-8"))
    except UnicodeDecodeError as error:
        raise TableError(f"{path}:{_place(raw, error.start)}: is not UTF-8 text; save the table as UTF-8") from None
    if "\0" in text:
        raise TableError(f"{path}:{_place(raw, raw.index(0))}: is a NUL byte; save the table as UTF-8 text")
    if text.lstrip()[:9].casefold().startswith(("<!doctype", "<html", "<table", "<?xml")):
        raise TableError(f"{path}: is a web page or XML; save the table as CSV")
    if text.lstrip()[:1] in ("{", "[") and text.rstrip()[-1:] in ("}", "]"):
        raise TableError(f"{path}: is JSON; save the table as CSV")
    return text


def _place(raw: bytes, position: int) -> str:
    before = raw[:position]
    line = before.count(b"\n") + 1
    column = position - before.rfind(b"\n")  # rfind is −1 in the first line
    return f"{line}: byte {column} of the line"
