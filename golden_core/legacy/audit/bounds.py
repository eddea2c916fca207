"""What the printed numbers of one row leave possible: its errors, its mean squared error, its target variance.

For forecasts with errors e of n targets y: MAE = mean |e|, MSE = mean e², RMSE = √MSE, R² = 1 − MSE / var(y) about the
mean of the same n targets. So MAE² ≤ RMSE² = MSE, and MSE / (1 − R²) is the variance of the targets, which belongs to
the test set and to no forecaster. Means over runs keep MAE² ≤ RMSE² ≤ MSE (Jensen), and on one test set they keep
MSE / (1 − R²), since R² is linear in the MSE. All of it is exact rational arithmetic, so a table of some hundred rows
is walked row by row here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from golden_core.legacy.audit.findings import Averaging, Kind
from golden_core.legacy.audit.headings import ERRORS, Metric
from golden_core.legacy.audit.intervals import Interval, common
from golden_core.legacy.audit.printed import Rounding
from golden_core.legacy.audit.table import Row

Bounds = Mapping[Metric, Interval]
Contradiction = tuple[str, Kind]  # name of the row (or test set), and what contradicts itself there

_ONE = Fraction(1)
_NOT_NEGATIVE = Interval(Fraction(0), None)


def is_mean(row: Row, averaging: Averaging) -> bool:
    """Whether a row is a mean over runs: declared to be, or printed with a spread where nothing is declared."""
    return averaging in {"seeds", "datasets"} or row.summary or (averaging == "undeclared" and row.averaged)


def bounds(row: Row, rounding: Rounding = "nearest") -> Bounds:
    """Return the possible values of each metric of a row; an R² above 1 or an error below 0 has none."""
    if rounding not in row.known:
        row.known[rounding] = _possible(row, rounding)
    return row.known[rounding]


def _possible(row: Row, rounding: Rounding) -> Bounds:
    found: dict[Metric, Interval] = {}
    for metric, printed in row.cells.items():
        interval = printed.interval(rounding)
        possible = interval & (Interval(interval.low, _ONE) if metric == "r2" else _NOT_NEGATIVE)
        if possible is not None:
            found[metric] = possible
    return found


def contradictions(
    rows: Iterable[Row], averaging: Averaging, unreliable: frozenset[Metric], rounding: Rounding
) -> frozenset[Contradiction]:
    """Return which rows contradict which identity, each row by itself, columns in doubt left out of comparisons."""
    found: list[Contradiction] = []
    for row in rows:
        known = bounds(row, rounding)
        if len(known) < len(row.cells):
            found.append((row.name, "impossible_value"))
        mae, mse, rmse = (known.get(metric) if metric not in unreliable else None for metric in ERRORS)
        if mse and rmse and rmse.squared().above(mse):
            found.append((row.name, "rmse_squared_above_mse"))
        if mse and rmse and mse.above(rmse.squared()) and not is_mean(row, averaging):
            found.append((row.name, "rmse_squared_below_mse"))
        if mae and ((rmse and mae.above(rmse)) or (mse and mae.squared().above(mse))):
            found.append((row.name, "mae_above_rmse"))
    return frozenset(found)


def squared_error(row: Bounds, *, averaged: bool) -> Interval | None:
    """Return the possible mean squared errors of a row; None where the row has neither MSE nor RMSE.

    Parameters
    ----------
    row : mapping
        From :func:`bounds`.
    averaged : bool
        Whether the row is a mean over runs: then RMSE² is only a lower bound.

    Returns
    -------
    Interval or None
        Where MSE and RMSE² contradict each other, all from the smaller to the larger: the row has then been named
        already, and must not be accused twice on one of two numbers that cannot both be right.
    """
    squares = [row["mse"]] if "mse" in row else []
    if "rmse" in row:
        squared = row["rmse"].squared()
        squares.append(Interval(squared.low, None) if averaged else squared)
    if not squares:
        return None
    floor = [Interval(row["mae"].low ** 2, None)] if "mae" in row else []
    return common([*squares, *floor]) or common(squares) or _hull(squares)


def target_variance(row: Bounds, *, averaged: bool) -> Interval | None:
    """Return the target variances MSE / (1 − R²) that a row leaves possible; None where it lacks an error or R²."""
    error = squared_error(row, averaged=averaged)
    if error is None or "r2" not in row:
        return None
    best = row["r2"].high
    return error.divided(Interval(Fraction(0) if best is None else _ONE - best, _ONE - row["r2"].low))


def _hull(intervals: list[Interval]) -> Interval:
    highs = [interval.high for interval in intervals if interval.high is not None]
    return Interval(min(interval.low for interval in intervals), max(highs) if len(highs) == len(intervals) else None)
