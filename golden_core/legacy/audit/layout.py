"""Which column of a table of errors plays which part, and which rows are made from others. No numbers are read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from golden_core.legacy.audit.grid import Grid, TableError
from golden_core.legacy.audit.headings import (
    ERRORS,
    METRICS,
    NAMES,
    Heading,
    Metric,
    Role,
    heading_for,
    is_derived,
    names_sample,
    read_heading,
    read_role,
)
from golden_core.legacy.audit.intervals import names
from golden_core.legacy.audit.printed import is_number, is_word

_ROLES: tuple[Role, ...] = ("label", "test_set", "run")

Columns = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Layout:
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


def is_header(cells: Sequence[str], named: set[str]) -> bool:
    """Whether a row of cells is one of headings: it speaks, and has no number."""
    others = [cell for cell in cells if read_heading(cell) is None and cell.strip() not in named - {""}]
    speaks = len(others) < len(cells) > 1
    return speaks and not any(is_number(cell) or re.match(r"\W*\d+[.,]\d", cell) for cell in others)


def lay_out(grid: Grid, columns: Columns) -> tuple[Layout, list[str]]:
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
    folds = {column: heading.metric for column, heading in metrics if "cv" in heading.text.casefold()}
    if len(set(folds.values())) == 1:  # of one metric, "CV" may be its coefficient of variation
        metrics = [(column, heading) for column, heading in metrics if column not in folds]
    used = {*claimed, *(column for column, _ in metrics), *(column for listed in roles.values() for column in listed)}
    texts = [c for c in range(len(grid.header)) if c not in used and any(is_word(row[c]) for row in grid.rows)]
    used.update(texts)
    first = min((column for column, _ in metrics), default=0)
    # A model behind the numbers, or one for all rows, is told of what the rows are about.
    told = all(c > first or len({row[c] for row in grid.rows}) == 1 for c in roles["label"])
    if "label" not in given and texts and (not roles["label"] or (texts[0] < first and told)):
        texts += roles["label"]
        roles["label"] = [texts.pop(0)]
    numbers = [[str(row + start) for row in range(len(grid.rows))] for start in (0, 1)]  # of the rows: nobody's key
    keyed = (c for c, name in enumerate(grid.header) if c not in used and name)
    rest = [c for c in keyed if [row[c].strip() for row in grid.rows] not in numbers]
    found = {role: tuple(listed) for role, listed in roles.items()}
    unread = {c: f"column {grid.header[c]!r}" for c in texts}
    # Whole numbers may be horizons, under a heading that does not say so.
    unread |= {c: f"the numbers in column {grid.header[c]!r}" for c in rest if _is_key(grid, c)}
    return Layout(_parted(grid, metrics), found, unread), [grid.header[c] for c in rest]


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
    Where each has one, samples do, and words that not all of them have: nobody knows what a "peak MAE" is about.
    """
    expected, place = ", ".join(NAMES.values()), f"{grid.file}:{grid.header_line}"
    if not metrics and any(is_number(name) for name in grid.header):
        raise TableError(f"{place}: holds numbers, not headings; expected a row such as model, {expected}")
    if not metrics and any(sum(map(bool, map(read_heading, cells))) > 1 for cells in zip(*grid.rows, strict=True)):
        raise TableError(f"{place}: the metrics stand in rows; exchange rows and columns, to have one for each metric")
    if not metrics:
        raise TableError(
            f"{place}: no heading names {expected}; it has {', '.join(grid.header)}. Expected is one column for each "
            "metric. Say which is which: --column mae=HEADING"
        )
    if max(Counter(heading.metric for _, heading in metrics).values()) == 1:
        told = {heading.part for _, heading in metrics if not heading.described and heading.metric != "mape"}
        if len({part for part in told if not names_sample(part)}) > 1:
            return tuple(metrics)
        samples = {heading.sample for _, heading in metrics} - {"", "test"}
        return tuple((column, replace(heading, part=heading.sample if samples else "")) for column, heading in metrics)
    # Beside errors in the unit of the target, a percentage of the same name is made from them, a mean from others.
    made = {column for column, h in metrics if h.average or (h.percent and h.metric != "r2")}
    plain = {(heading.metric, heading.part) for column, heading in metrics if column not in made}
    metrics = [(c, h) for c, h in metrics if c not in made or (h.metric, h.part) not in plain]
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


def _is_key(grid: Grid, column: int) -> bool:
    """Whether a column can tell rows apart: words, or whole numbers (a horizon, a seed, a year)."""
    cells = [row[column].strip() for row in grid.rows]
    return all(not cell or cell.isdecimal() or not is_number(cell) for cell in cells)


def without_derived_rows(grid: Grid, layout: Layout) -> tuple[Grid, list[str]]:
    """Leave out rows of spreads, ranks and changes: they are made from other rows, and no identity holds in them."""
    keys = {0, *(column for listed in layout.roles.values() for column in listed)}
    keys -= {column for column, _ in layout.metrics}
    errors = [column for column, heading in layout.metrics if heading.metric in ERRORS]
    signs = [{m[1] for c in errors if (m := re.match(r"\W*?([-+−])[\d.]", row[c]))} for row in grid.rows]
    changes = "+" in set().union(*signs)  # nobody prints an error as +0.1
    left = [i for i, row in enumerate(grid.rows) if (changes and signs[i]) or any(is_derived(row[k]) for k in keys)]
    if not left:
        return grid, []
    told = names(list(dict.fromkeys(next(grid.rows[i][key] for key in keys if grid.rows[i][key]) for i in left)))
    kept = [i for i in range(len(grid.rows)) if i not in left]
    rows, lines = tuple(grid.rows[i] for i in kept), tuple(grid.lines[i] for i in kept)
    return replace(grid, rows=rows, lines=lines), [f"Rows that are made from other rows were left out: {told}."]
