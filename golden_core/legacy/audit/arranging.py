"""Rows of cells → one row per subject under one heading per column: captions, merged headings, metrics in a column."""

from __future__ import annotations

from collections.abc import Container, Sequence
from itertools import pairwise

from golden_core.legacy.audit.dialects import Row
from golden_core.legacy.audit.headings import is_derived, read_heading, read_role
from golden_core.legacy.audit.printed import is_number, is_word
from golden_core.legacy.audit.records import Grid, Records, TableError, as_records


def arrange(grid: Grid, named: Container[str] = ()) -> Records:
    """Return the rows of a table under one heading per column.

    Captions above the header are left out, as are repetitions of the header below. Headings in several rows are
    joined, merged ones (blank cells) filled in. Where a column names the metrics, each of them gets a column.

    Parameters
    ----------
    grid : Grid
    named : container of str
        Headings that the caller has named.

    Raises
    ------
    TableError
        As :func:`golden_core.legacy.audit.records.as_records`; or if a metric has two cells for one subject.
    """
    first = next((i for i, (_, cells) in enumerate(grid.rows) if _is_header(cells, named)), None)
    if first is None:
        first = next((i for i, (_, cells) in enumerate(grid.rows) if len(_filled(cells)) > 1), 0)
        column = _column_of_metrics(grid.rows[first + 1 :])
        if column is not None:
            return _turned(grid, first, column)
    start, end = _extent(grid.rows, first)
    heads = [cells for _, cells in grid.rows[start:end]]
    header = heads[0] if len(heads) == 1 else _joined(heads)
    body = tuple(row for row in grid.rows[end:] if row[1] not in heads)
    return as_records(Grid(grid.file, (*grid.rows[:end], *body), grid.delimiter), [h.strip() for h in header], end)


def _is_header(cells: Sequence[str], named: Container[str]) -> bool:
    speaks = any(read_heading(cell) is not None or (cell and cell in named) for cell in cells)
    return speaks and len(cells) > 1 and not any(is_number(cell) for cell in cells)


def _filled(cells: Sequence[str]) -> list[str]:
    return [cell for cell in cells if cell.strip()]


def _extent(rows: Sequence[Row], first: int) -> tuple[int, int]:
    """Return from which row to which a header stretches that has its metrics in one row."""
    start, end, cells = first, first + 1, rows[first][1]
    metrics = [cell for cell in cells if read_heading(cell) is not None]
    repeated = len(set(metrics)) < len(metrics)
    merged = any(read_heading(a) is not None and not b.strip() for a, b in pairwise(cells))
    # Above: what the same headings belong to.
    while repeated and start and start > first - 2 and _is_words(rows[start - 1][1], len(cells)):
        start -= 1
    while end < len(rows) and _continues(rows[end][1], cells, needed=repeated or merged):
        end += 1
    return start, end


def _is_words(cells: Sequence[str], width: int) -> bool:
    return 1 < len(cells) <= width and len(_filled(cells)) > 1 and not any("." in c and is_number(c) for c in cells)


def _continues(cells: Sequence[str], header: Sequence[str], *, needed: bool) -> bool:
    """Whether a row below a header goes on with it: what merged headings part into, units, the name of an index."""
    filled = [(cell, head.strip()) for cell, head in zip(cells, header, strict=False) if cell.strip()]
    if not filled or len(cells) != len(header):
        return False
    if not any(head for _, head in filled):
        return not any(is_number(cell) for cell, _ in filled) and (needed or not header[0].strip())
    if len(filled) == 1 or (cells[0].strip() and not needed):
        return False
    whole = needed and not cells[0].strip()  # horizons, folds, years
    return all(is_word(cell) or (whole and cell.strip().isdecimal()) for cell, _ in filled)


def _joined(heads: Sequence[Sequence[str]]) -> list[str]:
    """Return one heading per column; a merged one stands over all columns that have one below it."""
    width = max(len(cells) for cells in heads)
    padded = [[cell.strip() for cell in cells] + [""] * (width - len(cells)) for cells in heads]
    for upper, lower in zip(padded[-2::-1], padded[:0:-1], strict=True):
        for column in range(1, width):
            if not upper[column] and lower[column]:
                upper[column] = upper[column - 1]
    header: list[str] = []
    for column in range(width):
        heading = " ".join(dict.fromkeys(cells[column] for cells in padded if cells[column]))
        # Only metrics must be told apart.
        header.append("" if heading in header and read_heading(heading) is None else heading)
    return header


def _column_of_metrics(rows: Sequence[Row]) -> int | None:
    """Return the column whose cells name metrics, two at least; None where there is none."""
    several = [cells for _, cells in rows if len(_filled(cells)) > 1]
    for column in range(max((len(cells) for cells in several), default=0)):
        cells = [row[column] for row in several if len(row) > column and row[column].strip()]
        found = {heading.metric for cell in cells if (heading := read_heading(cell)) is not None}
        if len(found) > 1 and all(is_word(cell) for cell in cells):
            return column
    return None


def _turned(grid: Grid, first: int, column: int) -> Records:
    """Return one row per subject, with a column for each metric that the cells of one column name."""
    given = as_records(grid, [cell.strip() for cell in grid.rows[first][1]], first + 1)
    numeric = [c for c in range(len(given.header)) if c != column and any(is_number(row[c]) for row in given.rows)]
    numeric = [c for c in numeric if not is_derived(given.header[c])]
    values = [c for c in numeric if c > column] or numeric[-1:]
    keys = [c for c in range(len(given.header)) if c not in (column, *values) and not is_derived(given.header[c])]
    metrics = list(dict.fromkeys(row[column] for row in given.rows if read_heading(row[column]) is not None))
    found: dict[tuple[str, ...], dict[str, tuple[str, tuple[int, int]]]] = {}
    above = [""] * len(keys)
    for number, row in enumerate(given.rows):
        above = [row[key].strip() or over for key, over in zip(keys, above, strict=True)]
        for value in values if row[column] in metrics else ():
            subject = found.setdefault((*above, *([given.header[value]] if len(values) > 1 else [])), {})
            if row[column] in subject:
                raise TableError(f"{given.where(number, value)}: {row[column]} of {' / '.join(above)} stands twice")
            subject[row[column]] = (row[value], given.places[number][value])
    named = [given.header[key] for key in keys]
    over = ["" if not keys or any(read_role(name) == "label" for name in named) else "model"]
    header = (*named, *(over if len(values) > 1 else ()), *metrics)
    rows, places = [], []
    for words, cells in found.items():
        place = next(iter(cells.values()))[1]
        listed = [(word, place) for word in words] + [cells.get(metric, ("", place)) for metric in metrics]
        rows.append(tuple(text for text, _ in listed))
        places.append(tuple(where for _, where in listed))
    return Records(given.file, header, given.header_line, tuple(rows), tuple(places), given.delimiter)
