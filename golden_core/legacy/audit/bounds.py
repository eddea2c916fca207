"""What printed numbers leave possible: the errors of a row, its target variance, and which rows can share one.

For forecasts with errors e of n targets y: MAE = mean |e|, MSE = mean e², RMSE = √MSE, R² = 1 − MSE / var(y) about the
mean of the same n targets. So MAE² ≤ RMSE² = MSE, and MSE / (1 − R²) is the variance of the targets, which belongs to
the test set and to no forecaster. Means over runs keep MAE² ≤ RMSE² ≤ MSE (Jensen), and on one test set they keep
MSE / (1 − R²), since R² is linear in the MSE. All of it is exact rational arithmetic, so a table of some hundred rows
is walked row by row here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from golden_core.legacy.audit.findings import Kind, RowSet
from golden_core.legacy.audit.headings import ERRORS, Metric
from golden_core.legacy.audit.intervals import Interval, common, exceeds, fewest_points, largest_overlap
from golden_core.legacy.audit.printed import Rounding
from golden_core.legacy.audit.table import Row, Table

Bounds = Mapping[Metric, Interval]
Contradiction = tuple[str, Kind]  # name of the row (or test set), and what contradicts itself there

MOST_RUNS = 100  # a mean over more of them is none that a paper prints
_ONE = Fraction(1)
_NOT_NEGATIVE = Interval(Fraction(0), None)


def bounds(row: Row, rounding: Rounding = "nearest") -> Bounds:
    """Return the possible values of each metric of a row; an R² above 1 or an error below 0 has none."""
    if rounding in row.known:
        return row.known[rounding]
    found: dict[Metric, Interval] = {}
    for metric, printed in row.cells.items():
        interval = printed.interval(rounding)
        possible = interval & (Interval(interval.low, _ONE) if metric == "r2" else _NOT_NEGATIVE)
        if possible is not None:
            found[metric] = possible
    if rounding == "recomputed" and {"mse", "rmse"} <= set(found):
        mse, squared = found["mse"], found["rmse"].squared()
        if row.cells["rmse"].value ** 2 in mse:
            found["mse"] = hull([mse, squared])
        if row.cells["mse"].value in squared:
            found["rmse"] = _NOT_NEGATIVE
    row.known[rounding] = found
    return found


def reliable(row: Row, table: Table, rounding: Rounding = "nearest") -> Bounds:
    """Return the possible values of the metrics of a row whose columns are in no doubt."""
    return {metric: known for metric, known in bounds(row, rounding).items() if metric not in table.unreliable}


def contradictions(table: Table, rounding: Rounding) -> frozenset[Contradiction]:
    """Return which rows contradict which identity, each row by itself."""
    found: list[Contradiction] = []
    for row in table.rows:
        if len(bounds(row, rounding)) < len(row.cells):
            found.append((row.name, "impossible_value"))
        mae, mse, rmse = map(reliable(row, table, rounding).get, ERRORS)
        if mse and rmse and rmse.squared().above(mse):
            found.append((row.name, "rmse_squared_above_mse"))
        if (mse and rmse and mse.above(rmse.squared())) and (  # of means over k runs, MSE ≤ k · RMSE²
            not table.is_mean(row) or exceeds(mse.low / MOST_RUNS, rmse.squared().high)
        ):
            found.append((row.name, "rmse_squared_below_mse"))
        if mae and ((rmse and mae.above(rmse)) or (mse and mae.squared().above(mse))):
            found.append((row.name, "mae_above_rmse"))
    return frozenset(found)


def squared_error(row: Bounds, *, averaged: bool) -> Interval | None:
    """Return the possible mean squared errors of a row; None where the row has neither MSE nor RMSE.

    Of a mean over runs RMSE² is only a lower bound. Where MSE and RMSE² contradict each other it is all from the
    smaller to the larger: the row has then been named already, and must not be accused twice on one of two numbers
    that cannot both be right.
    """
    squares = [row["mse"]] if "mse" in row else []
    if "rmse" in row:
        squared = row["rmse"].squared()
        squares.append(Interval(squared.low, None) if averaged else squared)
    if not squares:
        return None
    floor = [Interval(row["mae"].low ** 2, None)] if "mae" in row else []
    return common([*squares, *floor]) or common(squares) or hull(squares)


def target_variance(row: Bounds, *, averaged: bool) -> Interval | None:
    """Return the target variances MSE / (1 − R²) that a row leaves possible; None where it lacks an error or R²."""
    error = squared_error(row, averaged=averaged)
    if error is None or "r2" not in row:
        return None
    best = row["r2"].high
    return error.divided(Interval(Fraction(0) if best is None else _ONE - best, _ONE - row["r2"].low))


def hull(intervals: Sequence[Interval]) -> Interval:
    """Return the smallest interval that holds all of these."""
    highs = [interval.high for interval in intervals if interval.high is not None]
    return Interval(min(interval.low for interval in intervals), max(highs) if len(highs) == len(intervals) else None)


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


def groups(table: Table) -> list[Group]:
    """Return the rows of every declared test set with the target variances they imply; means of several have none."""
    listed = {} if table.averaging == "datasets" else rows_by_test_set(table.rows)
    return [_group(name, found) for name, rows in listed.items() if (found := variances(table, rows))]


def variances(
    table: Table, rows: Sequence[Row], rounding: Rounding = "nearest", *, as_means: bool = False
) -> dict[str, Interval]:
    """Return the target variance of every row that has one, by name; ``as_means`` takes every row for a mean."""
    found = {}
    for row in rows:
        variance = target_variance(reliable(row, table, rounding), averaged=as_means or table.is_mean(row))
        if variance is not None and not row.summary:
            found[row.name] = variance
    return found


def strangers(groups: Iterable[Group], table: Table, rounding: Rounding) -> frozenset[Contradiction]:
    """Return the rows that do not share the variance of the largest set, under some way of rounding.

    Where the largest set itself falls apart under that rounding, the test set is named instead of a row.
    """
    found: list[Contradiction] = []
    for group in groups:
        moved = variances(table, table.named(list(group.variances)), rounding)
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
