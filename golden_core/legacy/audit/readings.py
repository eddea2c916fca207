"""Innocent readings of rows that imply different target variances: what each can do, and what it would take.

Let S be rows whose implied variance is not that of the agreeing rows M, and let M be what it says it is. Then

- means over seeds with only RMSE printed can only lower the implied variance, since mean(RMSE)² ≤ mean(MSE);
- R² printed as squared correlation can only raise it: the best line through the forecasts is at least as good as the
  forecasts, so r² ≥ 1 − MSE / variance;
- adjusted R² can only lower it, by (n − p − 1) / (n − 1);
- a look-back that drops m of n targets raises it to at most n / (n − m) times: no sum of squares grows by dropping
  terms; it may lower it without bound;
- targets padded with zeros (share q) turn a variance V about a mean m into (1 − q) V + q (1 − q) m²;
- means over data sets, horizons or outputs have no target variance of their own, and may do anything.

What moves M instead has to move all its rows by one factor, as if by accident.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from golden_core.legacy.audit.bounds import bounds, squared_error
from golden_core.legacy.audit.findings import Averaging, Reading, RowSet
from golden_core.legacy.audit.headings import Metric
from golden_core.legacy.audit.intervals import Interval, common, exceeds
from golden_core.legacy.audit.table import WITHIN_NAMES, Table
from golden_core.legacy.audit.variance import variances
from golden_core.legacy.audit.wording import between, names, number, percent

_ACCIDENT = 1e-3  # chance below which rows do not move by one factor by accident
_SEEDS, _DATASETS = "means over seeds", "means over data sets, horizons or outputs"
_CORRELATION, _ADJUSTED = "R² as squared correlation", "adjusted R²"
_LOOK_BACK, _PADDED, _UNIT = "look-back", "padded zeros", "another unit"
_NO_TEST_SET_LEFT = Fraction(99, 100)
_ANOTHER_SCALE = 10  # times as large or as small as others: no test set of one market is


def set_readings(
    other: RowSet, main: RowSet, table: Table, averaging: Averaging, unreliable: frozenset[Metric]
) -> list[Reading]:
    """Return every innocent reading of one set of rows beside the agreeing rows."""
    above = other.variance.above(main.variance)
    return [
        means_over_seeds((main, other), table, averaging, unreliable),
        means_over_datasets(averaging, agreeing=len(main.rows), printed_as_means=_are_means(table, other.rows)),
        _squared_correlation(other, main, table, unreliable) if above else _only_raises(other),
        _adjusted(other, above=above),
        _look_back(other, main, above=above),
        _padded(),
        *_another_unit(other, main),
        *other_columns(table, (*main.rows, *other.rows), averaging, unreliable),
    ]


def scattered_readings(
    sets: Sequence[RowSet], table: Table, averaging: Averaging, unreliable: frozenset[Metric], *, clear: bool
) -> list[Reading]:
    """Return the innocent readings of rows among which no set is the larger part."""
    rows = [row for found in sets for row in found.rows]
    told = "No one set of rows stands out, so nothing says which way the others were moved: not excluded."
    return [
        means_over_seeds(sets, table, averaging, unreliable, by_accident=not clear),
        means_over_datasets(averaging, agreeing=0, printed_as_means=_are_means(table, rows)),
        *(Reading(name, "open", told) for name in (_CORRELATION, _ADJUSTED, _LOOK_BACK)),
        _padded(),
        *other_columns(table, rows, averaging, unreliable),
    ]


def means_over_seeds(
    sets: Sequence[RowSet],
    table: Table,
    averaging: Averaging,
    unreliable: frozenset[Metric],
    *,
    by_accident: bool = False,
) -> Reading:
    """Recompute the rows as means: only MSE then bounds the variance from above.

    Rows that agree were not all moved by one factor, unless ``by_accident``: among scattered rows some always agree.
    """
    if averaging != "undeclared":
        said = {"none": "single runs", "seeds": "means over seeds, and are read as such"}[averaging]
        return Reading(_SEEDS, "excluded", f"The rows are declared to be {said}.")
    named = [row for found in sets for row in found.rows]
    rows = [row for row in table.rows if row.name in named]
    printed = variances(rows, averaging, unreliable, "nearest")
    if common(variances(rows, averaging, unreliable, "nearest", as_means=True).values()) is None:
        return Reading(
            _SEEDS, "excluded", "RMSE² of means is at most MSE; within the printed MSE a contradiction remains."
        )
    highest = max(sets, key=lambda found: found.variance.low)
    for moved in sets:
        if by_accident or moved is highest or moved.variance.high is None:
            continue
        factor = highest.variance.low / moved.variance.high
        if _accident([printed[name] for name in moved.rows], math.log(factor)) < _ACCIDENT:
            told = f"It would have to lower all of {names(moved.rows)} by one factor, at least {number(factor)}."
            return Reading(_SEEDS, "excluded", told)
    needed = max(
        (highest.variance.low / found.variance.high for found in sets if found.variance.high is not None), default=1
    )
    spread = math.sqrt(max(float(needed) - 1, 0))
    told = (
        f"Mean(RMSE)² ≤ mean(MSE): explained by runs whose RMSE has a coefficient of variation of {number(spread, 2)}."
    )
    return Reading(_SEEDS, "explains", told)


def means_over_datasets(averaging: Averaging, *, agreeing: int, printed_as_means: bool) -> Reading:
    """Say whether the rows may be means over several test sets, beside so many rows that agree on one variance."""
    if averaging == "undeclared" and printed_as_means:
        told = "The rows are printed as means; over folds or data sets they have no target variance of their own."
        return Reading(_DATASETS, "explains", told)
    if averaging == "undeclared":
        told = "Means over several test sets have no target variance of their own: not excluded by the numbers"
        told += f", though {agreeing} rows agree on one." if agreeing else "."
        return Reading(_DATASETS, "open", told)
    return Reading(_DATASETS, "excluded", "The rows are declared to belong to one test set.")


def _are_means(table: Table, names: Sequence[str]) -> bool:
    return all(row.averaged for row in table.rows if row.name in names)


def other_columns(
    table: Table, rows: Sequence[str], averaging: Averaging, unreliable: frozenset[Metric]
) -> list[Reading]:
    """Return a column that nobody recognised, if its words part the rows into test sets that hold together."""
    listed = [row for row in table.rows if row.name in rows]
    found = variances(listed, averaging, unreliable, "nearest")
    readings = []
    for position, heading in enumerate(table.unread):
        parts: dict[str, list[Interval]] = {}
        for row in listed:
            parts.setdefault(row.other[position], []).append(found[row.name])
        if heading in WITHIN_NAMES and any(len(part) == 1 for part in parts.values()):
            continue  # a name that nobody shares tells its row from all others, whatever the row says
        together = sum(len(part) for part in parts.values() if len(part) > 1)
        if 2 * together > len(listed) and all(common(part) is not None for part in parts.values()):
            told = (
                f"{heading[0].upper()}{heading[1:]} may tell test sets apart: within each the rows share one variance."
            )
            readings.append(Reading("another column", "explains", told))
    return readings


def _accident(moved: Sequence[Interval], shift: float) -> float:
    """Return the chance that rows moved each by its own factor, of about e^shift, still agree in their digits."""
    widths = [
        float((interval.high - interval.low) / interval.low) if interval.high is not None and interval.low > 0 else 1.0
        for interval in moved
    ]
    return math.prod(min(1.0, width / shift) for width in sorted(widths)[1:])


def _squared_correlation(other: RowSet, main: RowSet, table: Table, unreliable: frozenset[Metric]) -> Reading:
    listed = [row for row in table.rows if row.name in other.rows]
    row = next((row for row in listed if exceeds(Fraction(0), row.cells["r2"].interval().high)), listed[0])
    if exceeds(Fraction(0), row.cells["r2"].interval().high):
        return Reading(_CORRELATION, "excluded", f"R² {row.cells['r2'].text} of {row.name} is below 0: no square is.")
    known = {metric: interval for metric, interval in bounds(row).items() if metric not in unreliable}
    error = squared_error(known, averaged=False)
    share = error.divided(main.variance) if error is not None else None
    told = "It can only raise the implied variance: not excluded."
    if share is not None and share.high is not None:
        true = Interval(1 - share.high, 1 - share.low)
        told += f" Then 1 − MSE/variance of {row.name} is in {between(true)}, and R² {row.cells['r2'].text} is r²."
    return Reading(_CORRELATION, "open", told)


def _only_raises(other: RowSet) -> Reading:
    told = f"It can only raise the implied variance; that of {names(other.rows)} is lower than the others'."
    return Reading(_CORRELATION, "excluded", told)


def _adjusted(other: RowSet, *, above: bool) -> Reading:
    told = "It can only lower the implied variance"
    if above:
        return Reading(_ADJUSTED, "excluded", f"{told}; that of {names(other.rows)} is higher than the others'.")
    return Reading(_ADJUSTED, "open", f"{told}, by (n − p − 1)/(n − 1) for p inputs: not excluded.")


def _look_back(other: RowSet, main: RowSet, *, above: bool) -> Reading:
    low, high = (main, other) if above else (other, main)
    if low.variance.high is None or high.variance.low == 0:
        return Reading(_LOOK_BACK, "open", "A longer look-back drops the first test rows: not excluded.")
    lost = 1 - low.variance.high / high.variance.low
    if lost > _NO_TEST_SET_LEFT:
        told = f"A longer look-back drops the first test rows; it would have to drop {percent(lost, up=True)} of them."
        return Reading(_LOOK_BACK, "excluded", told)
    told = (
        f"A longer look-back drops the first test rows. If {names(high.rows)} lost rows, then at least "
        f"{percent(lost, up=True)} of them; if {names(low.rows)} did, all of these the same ones: not excluded."
    )
    return Reading(_LOOK_BACK, "open", told)


def _padded() -> Reading:
    told = "Zeros for a share q of the targets turn variance V and mean m into (1 − q)·V + q(1 − q)·m²: not excluded."
    return Reading(_PADDED, "open", told)


def _another_unit(other: RowSet, main: RowSet) -> list[Reading]:
    ratio = other.variance.divided(main.variance)
    if ratio is None or ratio.high is None:
        return []
    powers = [p for p in range(-6, 7) if p and Fraction(100) ** p in ratio]
    if len(powers) != 1:
        return _another_scale(other, math.sqrt(ratio.low), math.sqrt(ratio.high))
    told = f"The errors of {names(other.rows)} may be printed in a unit 10^{powers[0]} times as small as the others'."
    return [Reading(_UNIT, "open", told)]


def _another_scale(other: RowSet, low: float, high: float) -> list[Reading]:
    """Name errors of standardised prices beside errors of prices; where they are, the table compares nothing."""
    if high > 1 / _ANOTHER_SCALE and low < _ANOTHER_SCALE:
        return []
    told = (
        f"The errors of {names(other.rows)} may be on another scale, such as standardised prices beside prices: "
        f"{number(low)} to {number(high)} times the others'. Then they cannot be compared with the others' either."
    )
    return [Reading("another scale", "open", told)]
