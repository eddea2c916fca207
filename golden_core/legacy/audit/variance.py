"""One target variance per test set: which rows can share one, and which cannot. Why not is said in readings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from golden_core.legacy.audit.bounds import Contradiction, bounds, is_mean, target_variance
from golden_core.legacy.audit.findings import Averaging, RowSet
from golden_core.legacy.audit.headings import Metric
from golden_core.legacy.audit.intervals import Interval, common, fewest_points, largest_overlap
from golden_core.legacy.audit.printed import Rounding
from golden_core.legacy.audit.table import Row, Table


@dataclass(frozen=True)
class Group:
    """Rows that the table puts into one test set, as far as they have a target variance.

    ``sets`` are the fewest test sets these rows need, the largest possible one first; ``unique`` says whether only
    one largest set exists.
    """

    name: str
    variances: Mapping[str, Interval]
    sets: tuple[RowSet, ...]
    unique: bool

    @property
    def clear(self) -> bool:
        """Whether rows that agree with each other are more than half: only then it is test sets that differ.

        They are one set, or few ones: among many scattered rows some pairs always agree by accident.
        """
        agreeing = sum(len(found.rows) for found in self.sets if len(found.rows) > 1)
        few = 3 * (len(self.sets) - 1) <= len(self.variances)
        return 2 * (agreeing if few else len(self.sets[0].rows)) > len(self.variances)


def rows_by_test_set(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Return the rows of each test set that the table tells of, in the order of the table."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(" / ".join(row.test_set), []).append(row)
    return found


def groups(table: Table, averaging: Averaging, unreliable: frozenset[Metric]) -> list[Group]:
    """Return the rows of every declared test set with the target variances they imply.

    Means over data sets have no target variance of their own, and are left out; so are rows without R² or without
    MSE and RMSE.
    """
    if averaging == "datasets":
        return []
    listed = [
        (name, variances(rows, averaging, unreliable, "nearest")) for name, rows in rows_by_test_set(table.rows).items()
    ]
    return [_group(name, found) for name, found in listed if found]


def variances(
    rows: Sequence[Row],
    averaging: Averaging,
    unreliable: frozenset[Metric],
    rounding: Rounding,
    *,
    as_means: bool = False,
) -> dict[str, Interval]:
    """Return the target variance of every row that has one, by name; ``as_means`` takes every row for a mean."""
    found = {}
    for row in rows:
        known = {metric: interval for metric, interval in bounds(row, rounding).items() if metric not in unreliable}
        variance = target_variance(known, averaged=as_means or is_mean(row, averaging))
        if variance is not None and not row.summary:
            found[row.name] = variance
    return found


def strangers(
    groups: Iterable[Group], table: Table, averaging: Averaging, unreliable: frozenset[Metric], rounding: Rounding
) -> frozenset[Contradiction]:
    """Return the rows that do not share the variance of the largest set, under some way of rounding.

    Where the largest set itself falls apart under that rounding, the test set is named instead of a row.
    """
    found: list[Contradiction] = []
    for group in groups:
        rows = [row for row in table.rows if row.name in group.variances]
        moved = variances(rows, averaging, unreliable, rounding)
        agreeing = [moved[name] for name in group.sets[0].rows if name in moved]
        shared = common(agreeing) if agreeing else None
        if shared is None:
            found.append((group.name, "target_variance"))
            continue
        others = [name for name in moved if name not in group.sets[0].rows]
        found += [(name, "target_variance") for name in others if moved[name].apart(shared)]
    return frozenset(found)


def _group(name: str, found: dict[str, Interval]) -> Group:
    largest, unique = largest_overlap(found)
    rest = fewest_points({row: interval for row, interval in found.items() if row not in largest})
    sets = [largest, *sorted(rest, key=len, reverse=True)]
    listed = [
        RowSet(name, number, rows, variance)
        for number, rows in enumerate(sets, start=1)
        if (variance := common(found[row] for row in rows)) is not None
    ]
    return Group(name, found, tuple(listed), unique)
