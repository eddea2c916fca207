"""A CSV file or a frame as rows of text cells, each with its line. What a cell means is said elsewhere."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import polars as pl

MAX_BYTES = 5_000_000
MAX_ROWS = 2_000
_DELIMITERS = (",", ";", "\t", "|")


class TableError(ValueError):
    """A table cannot be read; the message names file, line and column, what was expected, and the fix."""


@dataclass(frozen=True)
class Records:
    """Text cells as they are printed. ``lines`` are counted from 1, the header included; a frame has row numbers."""

    file: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    delimiter: str

    def where(self, row: int, column: int) -> str:
        """Return the place of a cell, as a message names it."""
        return f"{self.file}:{self.lines[row]}: column {column + 1} ({self.header[column]!r})"


def read_records(source: Path | str | pl.DataFrame) -> Records:
    """Read a table as text: what was printed is evidence, down to the last zero.

    Parameters
    ----------
    source : path or DataFrame
        UTF-8 text with commas, semicolons, tabs or bars between cells and a header in the first line; or a frame,
        whose text columns count as printed, while floats have lost their final zeros and are taken for less precise.

    Raises
    ------
    TableError
        If the file is missing, too large, not such text, or a row is longer or shorter than the header.
    """
    records = _of_frame(source) if isinstance(source, pl.DataFrame) else _of_file(Path(source))
    if not records.rows:
        raise TableError(f"{records.file}: there are no rows below the header")
    if len(records.rows) > MAX_ROWS:
        raise TableError(f"{records.file}: has more than {MAX_ROWS} rows; a published table is expected")
    return records


def _of_frame(frame: pl.DataFrame) -> Records:
    columns = [[_text(value) for value in frame[name].to_list()] for name in frame.columns]
    rows = tuple(zip(*columns, strict=True))
    return Records("the frame", tuple(frame.columns), rows, tuple(range(1, len(rows) + 1)), ",")


def _text(value: object) -> str:
    # A frame turns a printed 1200 into 1200.0: that zero was not printed.
    return "" if value is None else str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _of_file(path: Path) -> Records:
    text = _decoded(path)
    first = next((line for line in text.splitlines() if line.strip()), None)
    if first is None:
        raise TableError(f"{path}: is empty; expected a header and rows of numbers")
    delimiter = max(_DELIMITERS, key=lambda mark: len(_cells(first, mark)))
    listed = _listed(text, delimiter, path)
    (line, header), rows = listed[0], listed[1:]
    header = [name.strip() for name in header]
    for number, name in enumerate(header):
        if name and name in header[:number]:
            raise TableError(f"{path}:{line}: column {number + 1}: {name!r} is the heading of an earlier column too")
    for where, cells in rows:
        if len(cells) != len(header):
            place = f"{path}:{where}: column {min(len(cells), len(header)) + 1}"
            raise TableError(f"{place}: the row has {len(cells)} cells, the header has {len(header)}")
    lines = tuple(where for where, _ in rows)
    return Records(str(path), tuple(header), tuple(tuple(cells) for _, cells in rows), lines, delimiter)


def _decoded(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise TableError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(raw) > MAX_BYTES:
        raise TableError(f"{path}: is larger than {MAX_BYTES // 1_000_000} MB; a published table is expected")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TableError(f"{path}:{_place(raw, error.start)}: is not UTF-8 text; save the table as UTF-8") from None
    if b"\0" in raw:
        raise TableError(f"{path}:{_place(raw, raw.index(0))}: is a NUL byte; expected text")
    return text


def _place(raw: bytes, position: int) -> str:
    before = raw[:position]
    line = before.count(b"\n") + 1
    column = position - before.rfind(b"\n")  # rfind is −1 in the first line
    return f"{line}: byte {column} of the line"


def _listed(text: str, delimiter: str, path: Path) -> list[tuple[int, list[str]]]:
    """Return every row that is not blank with the line it starts in."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found, start = [], 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                found.append((start, cells))
            start = reader.line_num + 1
    except csv.Error as error:
        raise TableError(f"{path}:{start}: is not a row of cells: {error}") from None
    return found


def _cells(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter))
