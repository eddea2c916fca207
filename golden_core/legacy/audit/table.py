"""Text cells → rows with printed numbers: which column is what, and in which unit. Nothing is judged here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import polars as pl

from golden_core.legacy.audit.arranging import arrange
from golden_core.legacy.audit.headings import ERRORS, Heading, Metric, is_derived, read_role
from golden_core.legacy.audit.intervals import Interval
from golden_core.legacy.audit.layout import Columns, Layout, lay_out
from golden_core.legacy.audit.printed import CellError, Printed, Rounding, parse, says_decimal_comma
from golden_core.legacy.audit.records import MAX_ROWS, Records, TableError, read_grid
from golden_core.legacy.audit.wording import names

WITHIN_NAMES = ("the repetition of names", "the ends of names", "the beginnings of names")
_SUMMARY = re.compile(r"(avg|average|mean|overall|total|all)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Row:
    """One row of one test set: whose it is, where it stands, and its printed numbers in the column's unit."""

    name: str
    line: int
    test_set: tuple[str, ...]  # what the table itself says about the test set
    other: tuple[str, ...]  # what may tell test sets apart, in the order of the table's ``unread``
    cells: Mapping[Metric, Printed]
    averaged: bool  # a ± part or the heading says that the numbers are means
    changes: Mapping[str, str]  # what else is printed in numbers, by heading
    summary: bool  # its name says that it is a mean over other rows, which have several test sets
    # What :func:`~golden_core.legacy.audit.bounds.bounds` found; every ruling asks it of every row.
    known: dict[Rounding, Mapping[Metric, Interval]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )


@dataclass(frozen=True)
class Table:
    """A published table of errors, as printed."""

    file: str
    rows: tuple[Row, ...]
    headings: tuple[Heading, ...]
    unread: tuple[str, ...]  # columns of words that nobody recognised, and how often a name came before
    notes: tuple[str, ...]

    def unit(self, metric: Metric) -> str:
        """Return the unit that the headings of a metric tell, or nothing."""
        return next((found.unit for found in self.headings if found.metric == metric and found.unit), "")


def read_table(source: Path | str | pl.DataFrame, columns: Columns | None) -> Table:
    """Read a table of errors.

    Columns are recognised by their headings: MAE, MSE, RMSE, R² and MAPE in their usual spellings, with unit, percent
    sign and power of ten; then the name of the row (model, variant, …) and what tells test sets apart (dataset,
    horizon, …). Where a metric has several columns, the rest of their headings (train, test, a dataset) tells test
    sets apart. A row without any number is the heading of the rows below it.

    Parameters
    ----------
    source : path or DataFrame
    columns : mapping or None
        What the headings do not say: ``mae``, ``mse``, ``rmse``, ``r2``, ``mape``, ``label``, ``test_set`` or ``run``
        → heading, list of headings, or None for "there is none".

    Raises
    ------
    TableError
        Naming file, line and column.
    """
    given = columns or {}
    named = {name for listed in given.values() for name in ([listed] if isinstance(listed, str) else listed or ())}
    records = arrange(read_grid(source), named)
    layout = lay_out(records, given)
    records, notes = _without_derived_rows(records, layout)
    comma = _decimal_comma(records, layout)
    numbers: dict[int, list[Printed | None]] = {}
    for column, heading in layout.metrics:
        numbers[column] = _in_unit(_column(records, column, decimal_comma=comma), heading, records, column, notes)
    rows = _rows(records, layout, numbers)
    if not rows:
        raise TableError(f"{records.file}: no row has a number")
    if len(rows) > MAX_ROWS:  # one line may hold the rows of many test sets
        raise TableError(f"{records.file}: has {len(rows)} rows of numbers; a published table has at most {MAX_ROWS}")
    return Table(
        file=Path(records.file).name,
        rows=_distinct(rows),
        headings=tuple(heading for _, heading in layout.metrics),
        unread=(*(f"column {records.header[column]!r}" for column in layout.unread), *WITHIN_NAMES),
        notes=tuple(notes),
    )


def _without_derived_rows(records: Records, layout: Layout) -> tuple[Records, list[str]]:
    """Leave out rows of spreads, ranks and changes: they are made from other rows, and no identity holds in them."""
    keys = {0, *layout.roles["label"], *layout.roles["test_set"], *layout.roles["run"]}
    keys -= {column for column, _ in layout.metrics}
    left = [i for i, cells in enumerate(records.rows) if any(is_derived(cells[key]) for key in keys)]
    if not left:
        return records, []
    told = names(list(dict.fromkeys(next(records.rows[i][key] for key in keys if records.rows[i][key]) for i in left)))
    kept = [i for i in range(len(records.rows)) if i not in left]
    rows, places = tuple(records.rows[i] for i in kept), tuple(records.places[i] for i in kept)
    return replace(records, rows=rows, places=places), [f"Rows that are made from other rows were left out: {told}."]


def _decimal_comma(records: Records, layout: Layout) -> bool:
    said: dict[bool, tuple[int, int]] = {}
    for column, _ in layout.metrics:
        for row, cells in enumerate(records.rows):
            style = says_decimal_comma(cells[column])
            if style is not None:
                said.setdefault(style, (row, column))
    if len(said) == 2:
        (row, column), (other, _) = said[True], said[False]
        raise TableError(
            f"{records.where(row, column)}: {records.rows[row][column]!r} has a decimal comma, but line "
            f"{records.lines[other]} has a decimal point"
        )
    if not said and records.delimiter != ",":
        for column, _ in layout.metrics:
            for row, cells in enumerate(records.rows):
                if "," in cells[column]:
                    raise TableError(
                        f"{records.where(row, column)}: the comma in {cells[column]!r} may separate decimals or "
                        "thousands; write the numbers with a decimal point"
                    )
    return True in said


def _column(records: Records, column: int, *, decimal_comma: bool) -> list[Printed | None]:
    found: list[Printed | None] = []
    for row, cells in enumerate(records.rows):
        try:
            found.append(parse(cells[column], decimal_comma=decimal_comma))
        except CellError as error:
            raise TableError(f"{records.where(row, column)}: {error}") from None
    # A whole number may have been rounded to tens. Its final zeros count only as far as the column prints digits.
    printed = [number for number in found if number is not None]
    # 9.96 to two digits is 10, and often printed as 10.0: the last zero of a power of ten may be a carry.
    sure = [n.digits - n.is_power_of_ten for n in printed if not n.final_zeros]
    digits = max(sure or [number.digits - number.final_zeros for number in printed], default=0)
    return [number and number.at_most(digits) for number in found]


def _in_unit(
    numbers: list[Printed | None], heading: Heading, records: Records, column: int, notes: list[str]
) -> list[Printed | None]:
    """Return a column's numbers as values: the power of ten applied, R² as a fraction, signs of losses as errors."""
    if heading.metric == "r2":
        hundredth = Fraction(1, 100)
        return [n and n.scaled(heading.scale * (hundredth if n.sign or heading.percent else 1)) for n in numbers]
    signs = [number.sign for number in numbers if number is not None]
    if heading.metric in ERRORS and len(set(signs)) > 1:
        row = next(i for i, number in enumerate(numbers) if number is not None and number.sign != signs[0])
        told = max(signs, key=len)
        raise TableError(f"{records.where(row, column)}: some cells of the column have a {told!r} and others not")
    values = [number.value for number in numbers if number is not None]
    if values and max(values) <= 0 and min(values) < 0:
        notes.append(f"{heading.text}: every number is negative; they are read as scores, the negatives of errors.")
        return [number and number.scaled(-heading.scale) for number in numbers]
    return [number and number.scaled(heading.scale) for number in numbers]


def _rows(records: Records, layout: Layout, numbers: Mapping[int, list[Printed | None]]) -> list[Row]:
    """Return one row per line and part, those without numbers left out."""
    parts = _parts(layout)
    averaged = any(heading.average for _, heading in layout.metrics)
    section, sets = "", [""] * len(layout.roles["test_set"])
    seen: Counter[tuple[str, ...]] = Counter()
    found = []
    for number, cells in enumerate(records.rows):
        words = [cell.strip() for cell in cells]
        if not any(words[column] for column, _ in layout.metrics):
            section = " ".join(word for word in words if word)
            continue
        # An empty cell goes on with the one above, as merged cells of a spreadsheet do.
        sets = [words[column] or above for column, above in zip(layout.roles["test_set"], sets, strict=True)]
        label = " ".join(words[c] for c in (*layout.roles["label"], *layout.roles["run"]) if words[c])
        own = (label,) if _is_test_set(label) else ()
        seen[section, *sets, label] += 1
        repetition = str(seen[section, *sets, label])
        for part, columns in parts.items():
            values = {metric: value for column, metric in columns if (value := numbers[column][number]) is not None}
            if values:
                row = Row(
                    name=label or f"line {records.lines[number]}",
                    line=records.lines[number],
                    test_set=tuple(word for word in (section, *sets, *own, part) if word),
                    other=(*(words[column] for column in layout.unread), repetition, *_ends_of(label)),
                    cells=values,
                    changes={records.header[column]: words[column] for column in layout.ignored},
                    averaged=averaged or any(value.spread for value in values.values()),
                    summary=any(_SUMMARY.match(word) for word in (section, *sets, label)),
                )
                found.append(replace(row, averaged=row.averaged or row.summary))
    return found


def _is_test_set(label: str) -> bool:
    """Whether a name is that of a part of the data: "Fold 3", "h = 24"."""
    found = re.fullmatch(r"([A-Za-z]+)[\s_=-]*\d+", label)
    return found is not None and read_role(found[1]) == "test_set"


def _ends_of(label: str) -> tuple[str, str]:
    """Return the last part of a name and the first, where it has several."""
    parts = [part for part in re.split(r"[\s_/@(),:-]+", label.casefold()) if part]
    return (parts[-1], parts[0]) if len(parts) > 1 else ("", "")


def _parts(layout: Layout) -> dict[str, list[tuple[int, Metric]]]:
    """Return the columns of each part."""
    found: dict[str, list[tuple[int, Metric]]] = {}
    for column, heading in layout.metrics:
        found.setdefault(heading.part, []).append((column, heading.metric))
    return found


def _distinct(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Return the rows under names that occur once: with the test set, then with the line, where they must."""
    listed = list(rows)
    for longer in (_with_test_set, _with_line):
        count = Counter(row.name for row in listed)
        listed = [replace(row, name=longer(row)) if count[row.name] > 1 else row for row in listed]
    return tuple(listed)


def _with_test_set(row: Row) -> str:
    return " / ".join((*row.test_set, row.name))


def _with_line(row: Row) -> str:
    return f"{row.name} (line {row.line})"
