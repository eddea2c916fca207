"""Which column of a table plays which part, told from headings and the kind of cells. No number is read here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

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
from golden_core.legacy.audit.printed import is_number, is_word
from golden_core.legacy.audit.records import Records, TableError

Columns = Mapping[str, str | Sequence[str] | None]

_ROLES: tuple[Role, ...] = ("label", "test_set", "run")


@dataclass(frozen=True)
class Layout:
    """Which column plays which part, by position."""

    metrics: tuple[tuple[int, Heading], ...]
    roles: Mapping[Role, tuple[int, ...]]
    unread: tuple[int, ...]  # words that nobody recognised
    ignored: tuple[int, ...]  # numbers that are no metric of ours, or made from one


def named_columns(texts: Sequence[str]) -> Columns:
    """Read which column is what from texts such as ``mae=mean |e|``; an empty heading means "there is none".

    Raises
    ------
    TableError
        If a text has no equals sign.
    """
    found: dict[str, list[str]] = {}
    for text in texts:
        key, mark, heading = text.partition("=")
        if not mark:
            raise TableError(f"--column: {text!r} is not KEY=HEADING; keys are {', '.join((*METRICS, *_ROLES))}")
        found.setdefault(key.strip(), []).extend([heading.strip()] if heading.strip() else [])
    return found


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
    known = {*used, *texts, *(column for listed in roles.values() for column in listed)}
    ignored = tuple(
        c for c, name in enumerate(records.header) if c not in known and name and not _is_row_number(records, c)
    )
    found = {role: tuple(listed) for role, listed in roles.items()}
    return Layout(_parted(records, metrics), found, tuple(texts), ignored)


def _given(records: Records, columns: Columns) -> dict[str, tuple[int, ...]]:
    """Return the positions of the columns that the caller names."""
    found: dict[str, tuple[int, ...]] = {}
    known = (*METRICS, *_ROLES)
    for key, named in columns.items():
        if key not in known:
            raise TableError(f"--column: nothing is called {key!r}; known: {', '.join(known)}")
        listed = [] if named is None else [named] if isinstance(named, str) else list(named)
        for name in listed:
            if name not in records.header:
                raise TableError(
                    f"{records.file}: there is no column {name!r} for {key}; it has {', '.join(records.header)}"
                )
        found[key] = tuple(records.header.index(name) for name in listed)
    return found


def _parted(records: Records, metrics: list[tuple[int, Heading]]) -> tuple[tuple[int, Heading], ...]:
    """Return the columns of metrics under the parts that tell them apart.

    Where a metric has several columns, what else their headings say tells them apart, and if need be the unit too.
    Where each has one, only what cannot be one test set does: samples, or two different words.
    """
    if not metrics:
        expected, place = ", ".join(NAMES.values()), f"{records.file}:{records.header_line}"
        if any(is_number(name) for name in records.header):
            raise TableError(f"{place}: holds numbers, not headings; expected a row such as model, {expected}")
        raise TableError(
            f"{place}: no heading names {expected}; it has {', '.join(records.header)}. "
            "Say which is which: --column mae=HEADING"
        )
    count = Counter(heading.metric for _, heading in metrics)
    if max(count.values()) == 1:
        samples = {heading.sample for _, heading in metrics} - {"", "test"}
        words = {heading.part for _, heading in metrics} - {""}
        if not samples and len(words) <= 1:
            return tuple((column, replace(heading, part="")) for column, heading in metrics)
        if len(words) <= 1:
            return tuple((column, replace(heading, part=heading.sample)) for column, heading in metrics)
        return tuple(metrics)
    # Beside errors in the unit of the target, a percentage of the same name is made from them.
    plain = {(heading.metric, heading.part) for _, heading in metrics if not heading.percent}
    metrics = [(c, h) for c, h in metrics if not h.percent or h.metric == "r2" or (h.metric, h.part) not in plain]
    repeated = Counter((heading.metric, heading.part) for _, heading in metrics)
    if max(repeated.values()) > 1:
        metrics = [(c, replace(h, part=" ".join(filter(None, (h.part, h.unit.casefold()))))) for c, h in metrics]
    places: dict[tuple[Metric, str], int] = {}
    for column, heading in metrics:
        first = places.setdefault((heading.metric, heading.part), column)
        if first != column:
            raise TableError(
                f"{records.file}:{records.header_line}: column {column + 1} ({heading.text!r}): reads as "
                f"{NAMES[heading.metric]}, like {records.header[first]!r}; say which is meant, for instance "
                f"--column {heading.metric}={records.header[first]!r}"
            )
    return tuple(metrics)


def _is_text(records: Records, column: int) -> bool:
    """Whether a column holds words: a cell that no reading takes for a number."""
    return any(is_word(row[column]) for row in records.rows)


def _is_row_number(records: Records, column: int) -> bool:
    cells = [row[column].strip() for row in records.rows]
    return cells in ([str(i + start) for i in range(len(cells))] for start in (0, 1))


def _is_key(records: Records, column: int) -> bool:
    """Whether a column can tell rows apart: words, or whole numbers (a horizon, a seed, a year)."""
    cells = [row[column].strip() for row in records.rows]
    return all(not cell or cell.isdecimal() or not is_number(cell) for cell in cells)
