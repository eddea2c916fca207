"""Text cells → rows with printed numbers in the unit of their column. Nothing is judged here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from golden_core.legacy.audit.findings import Averaging
from golden_core.legacy.audit.grid import MAX_ROWS, Grid, TableError, read_grid
from golden_core.legacy.audit.headings import ERRORS, Heading, Metric, names_models, read_role
from golden_core.legacy.audit.intervals import Interval, names
from golden_core.legacy.audit.layout import Columns, Layout, is_header, lay_out, without_derived_rows
from golden_core.legacy.audit.printed import CellError, Printed, Rounding, parse, says_decimal_comma
from golden_core.vendors.paired import pairs_in

WITHIN_NAMES = ("the repetition of names", "the ends of names", "the beginnings of names")
_SUMMARY = re.compile(r"(avg|average|mean|overall|total|all)\b", re.IGNORECASE)
_FACTORS = {"": 1, "k": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
_UNIT_AHEAD = re.compile(  # "LSTM, 5-step", "GRU 3 hours ahead"
    r"(?<=\d)([\s_-]*(steps?|bars?|min(ute)?s?|h(ou)?rs?|days?|weeks?|months?|years?|[hdwmy]|ahead))+(?=\W*$)"
)


@dataclass(frozen=True)
class Row:
    """One row of one test set: whose it is, where it stands, and its printed numbers in the column's unit."""

    name: str
    line: int
    test_set: tuple[str, ...]  # what the table itself says about the test set
    other: tuple[str, ...]  # what may tell test sets apart, in the order of the table's ``unread``
    cells: Mapping[Metric, Printed]
    averaged: bool  # a ± part or the heading says that the numbers are means
    summary: bool  # its name says that it is a mean over other rows or folds, which have several test sets
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
    averaging: Averaging = "undeclared"
    unreliable: frozenset[Metric] = frozenset()  # columns in doubt, left out of comparisons
    models: bool = False  # a heading says that rows are models; else each may be of its own data

    def is_mean(self, row: Row) -> bool:
        """Whether a row is a mean over runs: declared to be, or printed with a spread where nothing is declared."""
        return row.summary or {"none": False, "undeclared": row.averaged}.get(self.averaging, True)

    def named(self, names: Sequence[str]) -> list[Row]:
        """Return the rows of these names, in the order of the table."""
        return [row for row in self.rows if row.name in names]


def read_table(source: Path, columns: Columns | None = None) -> Table:
    """Read a table of errors.

    Columns are recognised by their headings: MAE, MSE, RMSE, R² and MAPE in their usual spellings, with unit, percent
    sign and power of ten; then the name of the row (model, variant, …) and what tells test sets apart (dataset,
    horizon, …). Where a metric has several columns, the rest of their headings (train, test, a dataset) tells test
    sets apart. A row without any number is the heading of the rows below it.

    ``columns`` says what the headings do not: ``mae``, ``mse``, ``rmse``, ``r2``, ``mape``, ``label``, ``test_set`` or
    ``run`` → headings, none of them for "there is none". A ``TableError`` names file, line and column.
    """
    given = columns or {}
    named = {name for listed in given.values() for name in listed}
    grid = read_grid(source, lambda cells: is_header(cells, named))
    layout, ignored = lay_out(grid, given)
    grid, notes = without_derived_rows(grid, layout)
    comma = _decimal_comma(grid, layout)
    numbers: dict[int, list[Printed | None]] = {}
    for column, heading in layout.metrics:
        printed = _column(grid, column, decimal_comma=comma, physical=heading.metric in ERRORS)
        numbers[column] = _in_unit(printed, heading, grid, column, notes)
    rows = _rows(grid, layout, numbers)
    if not rows:
        raise TableError(f"{grid.file}: no row has a number")
    if len(rows) > MAX_ROWS:  # one line may hold the rows of many test sets
        raise TableError(f"{grid.file}: has {len(rows)} rows of numbers; a published table has at most {MAX_ROWS}")
    return Table(
        file=Path(grid.file).name,
        rows=_distinct(rows),
        headings=tuple(heading for _, heading in layout.metrics),
        unread=(*layout.unread.values(), *WITHIN_NAMES),
        notes=(*notes, *([f"Columns that were not read: {names(ignored)}."] if ignored else [])),
        models=any(names_models(grid.header[column]) for column in layout.roles["label"]),
    )


# ------------------------------------------------------------------------------------------------------- the numbers


def _decimal_comma(grid: Grid, layout: Layout) -> bool:
    said: dict[bool | None, tuple[int, int]] = {}
    for column, _ in layout.metrics:
        for row, cells in enumerate(grid.rows):
            if "," in cells[column] or says_decimal_comma(cells[column]) is not None:
                said.setdefault(says_decimal_comma(cells[column]), (row, column))
    if {True, False} <= set(said):
        (row, column), (other, _) = said[True], said[False]
        raise TableError(
            f"{grid.where(row, column)}: {grid.rows[row][column]!r} has a decimal comma, but line "
            f"{grid.lines[other]} has a decimal point"
        )
    if set(said) == {None} and grid.delimiter != ",":
        row, column = said[None]
        raise TableError(
            f"{grid.where(row, column)}: the comma in {grid.rows[row][column]!r} may separate decimals or thousands; "
            "write the numbers with a decimal point"
        )
    return True in said


def _column(grid: Grid, column: int, *, decimal_comma: bool, physical: bool) -> list[Printed | None]:
    found: list[Printed | None] = []
    for row, cells in enumerate(grid.rows):
        try:
            found.append(parse(cells[column], decimal_comma=decimal_comma, physical=physical))
        except CellError as error:
            raise TableError(f"{grid.where(row, column)}: {error}") from None
    # A whole number may have been rounded to tens. Its final zeros count only as far as the column prints digits.
    printed = [number for number in found if number is not None]
    # 9.96 to two digits is 10, and often printed as 10.0: the last zero of a power of ten may be a carry.
    sure = [n.digits - n.is_power_of_ten for n in printed if not n.final_zeros]
    digits = max(sure or [number.digits - number.final_zeros for number in printed], default=0)
    return [number and number.at_most(digits) for number in found]


def _in_unit(
    numbers: list[Printed | None], heading: Heading, grid: Grid, column: int, notes: list[str]
) -> list[Printed | None]:
    """Return a column's numbers as values: the power of ten applied, R² as a fraction, signs of losses as errors."""
    if heading.metric == "r2":
        hundredth = Fraction(1, 100)
        return [n and n.scaled(heading.scale * (hundredth if n.sign or heading.percent else 1)) for n in numbers]
    signs = [number.sign for number in numbers if number is not None]
    if heading.metric in ERRORS and len(set(signs)) > 1:
        if set(signs) <= _FACTORS.keys():
            return [number and number.scaled(heading.scale * _FACTORS[number.sign]) for number in numbers]
        row = next(i for i, number in enumerate(numbers) if number is not None and number.sign != signs[0])
        told = max(signs, key=len)
        raise TableError(f"{grid.where(row, column)}: some cells of the column have a {told!r} and others not")
    values = [number.value for number in numbers if number is not None]
    if values and max(values) <= 0 and min(values) < 0:
        notes.append(f"{heading.text}: every number is negative; they are read as scores, the negatives of errors.")
        return [number and number.scaled(-heading.scale) for number in numbers]
    return [number and number.scaled(heading.scale) for number in numbers]


# ---------------------------------------------------------------------------------------------------------- the rows


def _rows(grid: Grid, layout: Layout, numbers: Mapping[int, list[Printed | None]]) -> list[Row]:
    """Return one row per line and part, those without numbers left out."""
    parts: dict[str, list[tuple[int, Metric]]] = {}
    for column, heading in layout.metrics:
        parts.setdefault(heading.part, []).append((column, heading.metric))
    means = {heading.part for _, heading in layout.metrics if heading.average}
    section, sets = "", [""] * len(layout.roles["test_set"])
    seen: Counter[tuple[str, ...]] = Counter()
    found = []
    for number, cells in enumerate(grid.rows):
        words = [cell.strip() for cell in cells]
        if not any(words[column] for column, _ in layout.metrics):
            section = " ".join(word for word in words if word)
            continue
        # An empty cell goes on with the one above, as merged cells of a spreadsheet do.
        sets = [words[column] or above for column, above in zip(layout.roles["test_set"], sets, strict=True)]
        label = " ".join(words[c] for c in (*layout.roles["label"], *layout.roles["run"]) if words[c])
        seen[section, *sets, label] += 1
        summary = any(_SUMMARY.match(word) for word in (section, *sets, label))
        for part, columns in parts.items():
            values = {metric: value for column, metric in columns if (value := numbers[column][number]) is not None}
            if values:
                told = (section, *sets, _test_set_in(label), part)
                repetition = str(seen[section, *sets, label])
                row = Row(
                    name=label or f"line {grid.lines[number]}",
                    line=grid.lines[number],
                    test_set=tuple(word for word in told if word),
                    other=(*(words[column] for column in layout.unread), repetition, *_ends_of(label)),
                    cells=values,
                    averaged=part in means or summary or any(value.spread for value in values.values()),
                    summary=summary or "cv" in part,
                )
                found.append(row)
    return found


def _test_set_in(label: str) -> str:
    """Return what part of the data a name tells: "Fold 3", "h = 24", the pair of "LSTM (EUR/USD)"; else nothing."""
    found = re.fullmatch(r"([A-Za-z]+)[\s_=-]*\d+", label)
    if found is not None and read_role(found[1]) == "test_set":
        return label
    return " ".join(pairs_in(label))


def _ends_of(label: str) -> tuple[str, str]:
    """Return the last part of a name and the first, where it has several; the unit of a horizon is no part."""
    bare = _UNIT_AHEAD.sub("", label.casefold())
    parts = [part for part in re.split(r"[\s_/@(),:-]+|(?<=[a-z])(?=\d+$)", bare) if part]
    return (parts[-1], parts[0]) if len(parts) > 1 else ("", "")


def _distinct(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Return the rows under names that occur once: with the test set, then with the line, where they must."""
    listed = list(rows)
    for form in ("set", "line"):
        count = Counter(row.name for row in listed)
        longer = ((" / ".join((*r.test_set, r.name)) if form == "set" else f"{r.name} (line {r.line})") for r in listed)
        listed = [replace(r, name=name) if count[r.name] > 1 else r for r, name in zip(listed, longer, strict=True)]
    return tuple(listed)
