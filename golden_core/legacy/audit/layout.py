"""Which column of a table plays which part, told from headings and the kind of cells. No number is read here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from golden_core.legacy.audit.headings import (
    METRICS,
    NAMES,
    Heading,
    Metric,
    Role,
    heading_for,
    read_heading,
    read_role,
)
from golden_core.legacy.audit.printed import CellError, parse, says_decimal_comma
from golden_core.legacy.audit.records import Records, TableError

Columns = Mapping[str, str | Sequence[str] | None]

_ROLES: tuple[Role, ...] = ("label", "test_set", "run")


@dataclass(frozen=True)
class Layout:
    """Which column plays which part, by position."""

    metrics: tuple[tuple[int, Heading], ...]
    roles: Mapping[Role, tuple[int, ...]]
    unread: tuple[int, ...]


def lay_out(records: Records, columns: Columns) -> Layout:
    """Return which column holds what: what the caller says, then what the headings say.

    Parameters
    ----------
    records : Records
    columns : mapping
        As in :func:`golden_core.legacy.audit.table.read_table`.

    Raises
    ------
    TableError
        If the caller names what is not there, no heading names a metric, or two name the same.
    """
    given = _given(records, columns)
    metrics, roles = [], {role: list(given.get(role, ())) for role in _ROLES}
    claimed = {column for listed in given.values() for column in listed}
    for column, text in enumerate(records.header):
        if column in claimed:
            said = next(key for key, listed in given.items() if column in listed)
            metrics += [(column, heading_for(text, metric)) for metric in METRICS if metric == said]
            continue
        heading = read_heading(text)
        if heading is not None and heading.metric not in given:
            metrics.append((column, heading))
        elif (
            heading is None and (role := read_role(text)) is not None and role not in given and _is_key(records, column)
        ):
            roles[role].append(column)
            claimed.add(column)
    used = claimed | {column for column, _ in metrics}
    texts = [column for column in range(len(records.header)) if column not in used and _is_text(records, column)]
    if "label" not in given and not roles["label"] and texts:
        roles["label"].append(texts.pop(0))
    _require_metrics(records, metrics)
    return Layout(tuple(metrics), {role: tuple(listed) for role, listed in roles.items()}, tuple(texts))


def _given(records: Records, columns: Columns) -> dict[str, tuple[int, ...]]:
    """Return the positions of the columns that the caller names."""
    found: dict[str, tuple[int, ...]] = {}
    known = (*METRICS, *_ROLES)
    for key, named in columns.items():
        if key not in known:
            raise TableError(f"columns: nothing is called {key!r}; known: {', '.join(known)}")
        listed = [] if named is None else [named] if isinstance(named, str) else list(named)
        for name in listed:
            if name not in records.header:
                raise TableError(
                    f"{records.file}: there is no column {name!r} for {key}; it has {', '.join(records.header)}"
                )
        found[key] = tuple(records.header.index(name) for name in listed)
    return found


def _require_metrics(records: Records, metrics: list[tuple[int, Heading]]) -> None:
    if not metrics:
        names = ", ".join(NAMES.values())
        raise TableError(
            f"{records.file}:1: no heading names {names}; it has {', '.join(records.header)}. "
            "Say which is which, for instance columns={'mae': 'mean |e|'}"
        )
    places: dict[tuple[Metric, str], list[int]] = {}
    for column, heading in metrics:
        places.setdefault((heading.metric, heading.part), []).append(column)
    for (metric, _), same in places.items():
        if len(same) > 1:
            first, second = (records.header[column] for column in same[:2])
            raise TableError(
                f"{records.file}:1: column {same[1] + 1} ({second!r}): reads as {NAMES[metric]}, like {first!r}; say "
                f"which is meant, for instance columns={{{metric!r}: {first!r}}}"
            )


def _is_text(records: Records, column: int) -> bool:
    """Whether a column holds words: a cell that no reading takes for a number."""
    return any(_is_word(row[column]) for row in records.rows)


def _is_word(cell: str) -> bool:
    try:
        parse(cell, decimal_comma=says_decimal_comma(cell) is True)
    except CellError:
        return True
    return False


def _is_key(records: Records, column: int) -> bool:
    """Whether a column can tell rows apart: words, or whole numbers (a horizon, a seed, a year)."""
    cells = [row[column].strip() for row in records.rows]
    return all(not cell or cell.isdecimal() or _is_word(cell) for cell in cells)
