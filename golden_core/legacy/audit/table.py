"""Text cells → rows with printed numbers: which column is what, and in which unit. Nothing is judged here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from golden_core.legacy.audit.findings import Averaging
from golden_core.legacy.audit.grid import MAX_ROWS, Grid, TableError, read_grid
from golden_core.legacy.audit.headings import (
    ERRORS,
    METRICS,
    NAMES,
    Heading,
    Metric,
    Role,
    heading_for,
    is_derived,
    names_models,
    names_sample,
    read_heading,
    read_role,
)
from golden_core.legacy.audit.intervals import Interval, names
from golden_core.legacy.audit.printed import (
    CellError,
    Printed,
    Rounding,
    is_number,
    is_word,
    parse,
    says_decimal_comma,
)
from golden_core.vendors.paired import pairs_in

WITHIN_NAMES = ("the repetition of names", "the ends of names", "the beginnings of names")
_SUMMARY = re.compile(r"(avg|average|mean|overall|total|all)\b", re.IGNORECASE)
_UNIT_AHEAD = re.compile(  # "LSTM, 5-step", "GRU 3 hours ahead"
    r"(?<=\d)([\s_-]*(steps?|bars?|min(ute)?s?|h(ou)?rs?|days?|weeks?|months?|years?|[hdwmy]|ahead))+(?=\W*$)"
)
_ROLES: tuple[Role, ...] = ("label", "test_set", "run")

Columns = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Row:
    """One row of one test set: whose it is, where it stands, and its printed numbers in the column's unit."""

    name: str
    line: int
    test_set: tuple[str, ...]  # what the table itself says about the test set
    other: tuple[str, ...]  # what may tell test sets apart, in the order of the table's ``unread``
    cells: Mapping[Metric, Printed]
    averaged: bool  # a ± part or the heading says that the numbers are means
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
    averaging: Averaging = "undeclared"
    unreliable: frozenset[Metric] = frozenset()  # columns in doubt, left out of comparisons
    models: bool = False  # a heading says that rows are models; else each may be of its own data

    def is_mean(self, row: Row) -> bool:
        """Whether a row is a mean over runs: declared to be, or printed with a spread where nothing is declared."""
        return (
            self.averaging in {"seeds", "datasets"} or row.summary or (self.averaging == "undeclared" and row.averaged)
        )

    def named(self, names: Sequence[str]) -> list[Row]:
        """Return the rows of these names, in the order of the table."""
        return [row for row in self.rows if row.name in names]

    def unit(self, metric: Metric) -> str:
        """Return the unit that the headings of a metric tell, or nothing."""
        return next((found.unit for found in self.headings if found.metric == metric and found.unit), "")


@dataclass(frozen=True)
class _Layout:
    """Which column plays which part, by position."""

    metrics: tuple[tuple[int, Heading], ...]
    roles: Mapping[Role, tuple[int, ...]]
    unread: Mapping[int, str]  # words or whole numbers that nobody recognised, and how they are spoken of


def named_columns(texts: Sequence[str]) -> Columns:
    """Read which column is what from texts such as ``mae=mean |e|``; an empty heading means "there is none".

    Raises ``TableError`` if a text has no equals sign.
    """
    found: dict[str, list[str]] = {}
    for text in texts:
        key, mark, heading = text.partition("=")
        if not mark:
            raise TableError(f"--column: {text!r} is not KEY=HEADING; keys are {', '.join((*METRICS, *_ROLES))}")
        found.setdefault(key.strip(), []).extend([heading.strip()] if heading.strip() else [])
    return found


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
    grid = read_grid(source, lambda cells: _is_header(cells, named))
    layout, ignored = _lay_out(grid, given)
    grid, notes = _without_derived_rows(grid, layout)
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


def _is_header(cells: Sequence[str], named: set[str]) -> bool:
    others = [cell for cell in cells if read_heading(cell) is None and cell.strip() not in named - {""}]
    speaks = len(others) < len(cells) > 1
    return speaks and not any(is_number(cell) or re.match(r"\W*\d+[.,]\d", cell) for cell in others)


# ---------------------------------------------------------------------------------------------- which column is what


def _lay_out(grid: Grid, columns: Columns) -> tuple[_Layout, list[str]]:
    """Return which column holds what, as the caller says or else the headings, and the headings that say nothing."""
    given = _given(grid, columns)
    metrics, roles = [], {role: list(given.get(role, ())) for role in _ROLES}
    claimed = {column: key for key, listed in given.items() for column in listed}
    for column, text in enumerate(grid.header):
        heading, role = read_heading(text), read_role(text)
        if role is None and all(names_sample(row[column]) for row in grid.rows):
            role = "test_set"
        if column in claimed:
            metrics += [(column, heading_for(text, metric)) for metric in METRICS if metric == claimed[column]]
        elif heading is not None:
            metrics += [] if heading.metric in given else [(column, heading)]
        elif role is not None and role not in given and _is_key(grid, column):
            roles[role].append(column)
    used = {*claimed, *(column for column, _ in metrics), *(column for listed in roles.values() for column in listed)}
    texts = [c for c in range(len(grid.header)) if c not in used and any(is_word(row[c]) for row in grid.rows)]
    used.update(texts)
    if "label" not in given and not roles["label"] and texts:
        roles["label"].append(texts.pop(0))
    rest = [c for c, name in enumerate(grid.header) if c not in used and name and not _is_row_number(grid, c)]
    found = {role: tuple(listed) for role, listed in roles.items()}
    unread = {c: f"column {grid.header[c]!r}" for c in texts}
    # Whole numbers may be horizons, under a heading that does not say so.
    unread |= {c: f"the numbers in column {grid.header[c]!r}" for c in rest if _is_key(grid, c)}
    return _Layout(_parted(grid, metrics), found, unread), [grid.header[c] for c in rest]


def _given(grid: Grid, columns: Columns) -> dict[str, tuple[int, ...]]:
    """Return the positions of the columns that the caller names."""
    found: dict[str, tuple[int, ...]] = {}
    known = (*METRICS, *_ROLES)
    for key, named in columns.items():
        if key not in known:
            raise TableError(f"--column: nothing is called {key!r}; known: {', '.join(known)}")
        absent = [name for name in named if name not in grid.header]
        if absent:
            has = ", ".join(grid.header)
            raise TableError(f"{grid.file}: there is no column {absent[0]!r} for {key}; it has {has}")
        found[key] = tuple(grid.header.index(name) for name in named)
    return found


def _parted(grid: Grid, metrics: list[tuple[int, Heading]]) -> tuple[tuple[int, Heading], ...]:
    """Return the columns of metrics under the parts that tell them apart.

    Where a metric has several columns, what else their headings say tells them apart, and if need be the unit too.
    Where each has one, only what cannot be one test set does: samples, or two different words that do not describe it.
    """
    expected, place = ", ".join(NAMES.values()), f"{grid.file}:{grid.header_line}"
    if not metrics and any(is_number(name) for name in grid.header):
        raise TableError(f"{place}: holds numbers, not headings; expected a row such as model, {expected}")
    if not metrics and sum(read_heading(row[0]) is not None for row in grid.rows) > 1:
        raise TableError(f"{place}: the metrics stand in rows; exchange rows and columns, to have one for each metric")
    if not metrics:
        raise TableError(
            f"{place}: no heading names {expected}; it has {', '.join(grid.header)}. Expected is one column for each "
            "metric. Say which is which: --column mae=HEADING"
        )
    if max(Counter(heading.metric for _, heading in metrics).values()) == 1:
        if len({heading.part for _, heading in metrics if not heading.described} - {""}) > 1:
            return tuple(metrics)
        samples = {heading.sample for _, heading in metrics} - {"", "test"}
        return tuple((column, replace(heading, part=heading.sample if samples else "")) for column, heading in metrics)
    # Beside errors in the unit of the target, a percentage of the same name is made from them.
    plain = {(heading.metric, heading.part) for _, heading in metrics if not heading.percent}
    metrics = [(c, h) for c, h in metrics if not h.percent or h.metric == "r2" or (h.metric, h.part) not in plain]
    if max(Counter((heading.metric, heading.part) for _, heading in metrics).values()) > 1:
        metrics = [(c, replace(h, part=" ".join(filter(None, (h.part, h.unit.casefold()))))) for c, h in metrics]
    places: dict[tuple[Metric, str], int] = {}
    for column, heading in metrics:
        first = places.setdefault((heading.metric, heading.part), column)
        if first != column:
            raise TableError(
                f"{place}: column {column + 1} ({heading.text!r}): reads as {NAMES[heading.metric]}, like "
                f"{grid.header[first]!r}; say which is meant, for instance --column "
                f"{heading.metric}={grid.header[first]!r}"
            )
    return tuple(metrics)


def _is_row_number(grid: Grid, column: int) -> bool:
    cells = [row[column].strip() for row in grid.rows]
    return cells in ([str(i + start) for i in range(len(cells))] for start in (0, 1))


def _is_key(grid: Grid, column: int) -> bool:
    """Whether a column can tell rows apart: words, or whole numbers (a horizon, a seed, a year)."""
    cells = [row[column].strip() for row in grid.rows]
    return all(not cell or cell.isdecimal() or not is_number(cell) for cell in cells)


def _without_derived_rows(grid: Grid, layout: _Layout) -> tuple[Grid, list[str]]:
    """Leave out rows of spreads, ranks and changes: they are made from other rows, and no identity holds in them."""
    keys = {0, *(column for listed in layout.roles.values() for column in listed)}
    keys -= {column for column, _ in layout.metrics}
    left = [i for i, cells in enumerate(grid.rows) if any(is_derived(cells[key]) for key in keys)]
    if not left:
        return grid, []
    told = names(list(dict.fromkeys(next(grid.rows[i][key] for key in keys if grid.rows[i][key]) for i in left)))
    kept = [i for i in range(len(grid.rows)) if i not in left]
    rows, lines = tuple(grid.rows[i] for i in kept), tuple(grid.lines[i] for i in kept)
    return replace(grid, rows=rows, lines=lines), [f"Rows that are made from other rows were left out: {told}."]


# ------------------------------------------------------------------------------------------------------- the numbers


def _decimal_comma(grid: Grid, layout: _Layout) -> bool:
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
        row = next(i for i, number in enumerate(numbers) if number is not None and number.sign != signs[0])
        told = max(signs, key=len)
        raise TableError(f"{grid.where(row, column)}: some cells of the column have a {told!r} and others not")
    values = [number.value for number in numbers if number is not None]
    if values and max(values) <= 0 and min(values) < 0:
        notes.append(f"{heading.text}: every number is negative; they are read as scores, the negatives of errors.")
        return [number and number.scaled(-heading.scale) for number in numbers]
    return [number and number.scaled(heading.scale) for number in numbers]


# ---------------------------------------------------------------------------------------------------------- the rows


def _rows(grid: Grid, layout: _Layout, numbers: Mapping[int, list[Printed | None]]) -> list[Row]:
    """Return one row per line and part, those without numbers left out."""
    parts: dict[str, list[tuple[int, Metric]]] = {}
    for column, heading in layout.metrics:
        parts.setdefault(heading.part, []).append((column, heading.metric))
    means = any(heading.average for _, heading in layout.metrics)
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
                    averaged=means or summary or any(value.spread for value in values.values()),
                    summary=summary,
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
