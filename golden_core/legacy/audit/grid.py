"""A file as text cells under one heading per column: CSV, TSV, Markdown. Its meaning is elsewhere."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from golden_core.store.health import openable

MAX_BYTES = 5_000_000
MAX_ROWS = 2_000
_LONGEST = 400  # characters of a cell in which emphasis is looked for
_DELIMITERS = (",", ";", "\t", "|")
# What people hand over in place of a table.
_OTHER_TEXTS = re.compile(
    r"\s*(<(!doctype|html|table|\?xml)|[{\[].*[}\]]\s*$|.*?\\begin\{(tabular|longtable))", re.IGNORECASE | re.DOTALL
)

_Lines = list[tuple[int, list[str]]]


class TableError(ValueError):
    """A table cannot be read; the message names file, line and column, what was expected, and the fix."""


@dataclass(frozen=True)
class Grid:
    """Text cells as they are printed, one row per subject under one heading per column; lines count from 1."""

    file: str
    header: tuple[str, ...]
    header_line: int
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    delimiter: str

    def where(self, row: int, column: int) -> str:
        """Return the place of a cell, as a message names it."""
        return f"{self.file}:{self.lines[row]}: column {column + 1} ({self.header[column]!r})"


def read_grid(source: Path, is_header: Callable[[Sequence[str]], bool] = bool) -> Grid:
    """Read a table as text: what was printed is evidence, down to the last zero.

    The first row that is a header is taken for one, the first row of all if none is; captions above it are left out,
    as are its repetitions below. A row of one cell is the heading of a section or a footnote; any other must be as long
    as the header.

    Raises ``TableError`` if the file is missing, empty, too large or not such text, a row is longer or shorter than the
    header, or two columns have one heading.
    """
    file, (found, delimiter) = str(source), _cells_of(source)
    if not found:
        raise TableError(f"{file}: is empty; expected a header and rows of numbers")
    if len(found) > MAX_ROWS + 1:
        raise TableError(f"{file}: has more than {MAX_ROWS} rows; a published table is expected")
    start = next((place for place, (_, cells) in enumerate(found) if is_header(cells)), 0)
    line, header = found[start][0], [cell.strip() for cell in found[start][1]]
    for number, name in enumerate(header):
        if name and name in header[:number]:
            raise TableError(f"{file}:{line}: column {number + 1}: {name!r} is the heading of an earlier column too")
    below = [(place, cells) for place, cells in found[start + 1 :] if cells != found[start][1]]
    if not below:
        raise TableError(f"{file}: there are no rows below the header")
    rows = tuple(_as_long(cells, len(header), f"{file}:{place}") for place, cells in below)
    return Grid(file, tuple(header), line, rows, tuple(place for place, _ in below), delimiter)


def _as_long(cells: list[str], width: int, place: str) -> tuple[str, ...]:
    while len(cells) > width and not cells[-1].strip():
        cells = cells[:-1]
    if len(cells) == 1:
        cells = cells + [""] * (width - 1)
    if len(cells) != width:
        column = min(len(cells), width) + 1
        raise TableError(f"{place}: column {column}: the row has {len(cells)} cells, the header has {width}")
    return tuple(cells)


def _cells_of(path: Path) -> tuple[_Lines, str]:
    """Return the lines of a file that hold cells, and what delimits these."""
    text = _decoded(path)
    try:
        barred = _of_bars(text)
        rows, delimiter = (barred, "|") if len(barred) > 1 else _of_values(text)
    except csv.Error as error:
        raise TableError(f"{path}:{error.args[0]}: {error.args[-1]}") from None
    bare = [(line, [_bare(cell) for cell in cells]) for line, cells in rows]
    return [(line, cells) for line, cells in bare if any(cells) and not _is_rule(cells)], delimiter


def _decoded(path: Path) -> str:
    try:
        with openable(path).open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise TableError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(raw) > MAX_BYTES:
        raise TableError(f"{path}: is larger than {MAX_BYTES // 1_000_000} MB; a published table is expected")
    try:
        text = raw.decode("utf-16" if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise TableError(f"{path}:{line}: is not UTF-8 text; save the table as CSV in UTF-8") from None
    if "\0" in text:
        raise TableError(f"{path}: is no text; save the table as CSV in UTF-8")
    if _OTHER_TEXTS.match(text):
        raise TableError(f"{path}: is a web page, JSON or LaTeX; save the table as CSV")
    return text


def _of_bars(text: str) -> _Lines:
    """Return the lines behind bars, whether one closes them or not; what stands around such a table is prose."""
    lines = ((number, line.strip()) for number, line in enumerate(text.splitlines(), start=1))
    return [
        (number, [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line[1:].removesuffix("|"))])
        for number, line in lines
        if line[:1] == "|" in line[1:]
    ]


def _of_values(text: str) -> tuple[_Lines, str]:
    """Return separated values, by the delimiter under which the most rows have as many cells."""
    declared = re.match(r"sep=(.)\r?\n", text)  # a line of Excel's
    if declared:
        return _separated("\n" + text[declared.end() :], declared[1]), declared[1]
    parsed, errors = {}, []
    for delimiter in _DELIMITERS:
        try:
            parsed[delimiter] = _separated(text, delimiter)
        except csv.Error as error:
            errors.append(error)
    if not parsed:
        raise errors[0]
    best = max(parsed, key=lambda delimiter: _agreement(parsed[delimiter]))
    return parsed[best], best


def _agreement(rows: _Lines) -> tuple[bool, int, int]:
    """Return whether rows have several cells, how many have as many as most, and how many cells that is."""
    widths = [len(cells) for _, cells in rows if any(cell.strip() for cell in cells)]
    return max(((width > 1, widths.count(width), width) for width in set(widths)), default=(False, 0, 0))


def _separated(text: str, delimiter: str) -> _Lines:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found, start = [], 1
    try:
        for cells in reader:
            found.append((start, cells))
            start = reader.line_num + 1
    except csv.Error as error:
        told = "a quotation mark is not closed" if "end of data" in str(error) else f"is not a row of cells: {error}"
        raise csv.Error(start, told) from None
    return found


def _bare(cell: str) -> str:
    """Return a cell without the emphasis of Markdown, HTML and LaTeX; one too long to be a cell stays as it is."""
    if len(cell) > _LONGEST:
        return cell
    cell = re.sub(r"<(b|i|u|em|strong|sub)>(.*?)</\1>", r"\2", re.sub(r"<sup>(.*?)</sup>", r"^\1", cell))
    cell = re.sub(r"\\(?:math|text|under)(?:bf|rm|it|line)\{([^{}]*)\}", r"\1", cell)
    cell = cell.replace(r"\pm", "±").replace(r"\times", "×")
    cell = re.sub(r"(\*\*|__|~~|`)(?=\S)(.+?)(?<=\S)\1", r"\2", cell)
    cell = re.sub(r"^([*_])(?=\S)([^*_]+)(?<=\S)\1$", r"\2", cell.strip())
    return re.sub(r"\\([-+%*_.()<>~#$])", r"\1", cell)


def _is_rule(cells: Sequence[str]) -> bool:
    """Whether a row only draws a line, as below the heading of a Markdown table."""
    bare = [cell.strip() for cell in cells if cell.strip()]
    return all(re.fullmatch(r":?(-{2,}|={2,}|-):?", cell) for cell in bare) and any(len(cell) > 1 for cell in bare)
