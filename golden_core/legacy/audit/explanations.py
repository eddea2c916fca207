"""Innocent explanations of rows that contradict each other: what each can do, and what it would take.

Of rows that imply different target variances, let S be rows whose implied variance is not that of the agreeing rows M,
and let M be what it says it is. Then

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
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise

from golden_core.legacy.audit.bounds import MOST_RUNS, bounds, squared_error, variances
from golden_core.legacy.audit.findings import Reading, RowSet
from golden_core.legacy.audit.intervals import Interval, between, common, exceeds, names, number, percent
from golden_core.legacy.audit.row_explanations import percent_sign
from golden_core.legacy.audit.table import Table

_ACCIDENT = 1e-3  # chance below which rows do not move by one factor by accident
_SEEDS, _DATASETS = "means over seeds", "means over data sets, horizons or outputs"
_CORRELATION, _ADJUSTED, _LOOK_BACK = "R² as squared correlation", "adjusted R²", "look-back"
_WILD = 5  # mean(MSE) / mean(RMSE)², 1 + cv², which not even means over data sets exceed in most rows
# Of sixty-one spreads over seeds that public tables print, the widest is .18 of its mean; folds and data sets differ
# by more, and have a reading of their own.
_SEEDS_DIFFER = Fraction(1, 3)
_OUTLIER = 5  # times the coefficient of variation that most of the agreeing rows leave room for
_NO_TEST_SET_LEFT = Fraction(99, 100)
_ANOTHER_SCALE = 10  # times as large or as small as others: no test set of one market is
_NEAR = 2  # times a variance, within which that of another row lies where models share targets and a number is wrong
_PADDED = Reading(
    "padded zeros",
    "open",
    "Zeros for a share q of the targets turn variance V and mean m into (1 − q)·V + q(1 − q)·m²: not excluded.",
)


def set_readings(other: RowSet, main: RowSet, table: Table, rows: Sequence[str]) -> list[Reading]:
    """Return every innocent reading of one set of rows beside the agreeing rows, ``rows`` being all of their group."""
    above = other.variance.above(main.variance)
    return [
        means_over_seeds((main, other), table, singled_out=True),
        means_over_datasets(table, other.rows, main.rows),
        _squared_correlation(other, main, table, above=above),
        _adjusted(other, above=above),
        _look_back(other, main, above=above),
        _PADDED,
        *_another_scale(other, main),
        *percent_sign(table),
        *(other_columns(table, rows) or other_columns(table, (*main.rows, *other.rows))),
    ]


def scattered_readings(sets: Sequence[RowSet], table: Table, *, clear: bool) -> list[Reading]:
    """Return the innocent readings of rows among which no set is the larger part."""
    rows = [row for found in sets for row in found.rows]
    told = "No one set of rows stands out, so nothing says which way the others were moved: not excluded."
    return [
        means_over_seeds(sets, table, by_accident=not clear),
        means_over_datasets(table, rows),
        *(Reading(name, "open", told) for name in (_CORRELATION, _ADJUSTED, _LOOK_BACK)),
        _PADDED,
        *percent_sign(table),
        *other_columns(table, rows),
        *rows_of_other_data(table),
    ]


def rows_of_other_data(table: Table) -> list[Reading]:
    """Return the reading that every row has data of its own: as no heading of models, or names or variances, tell."""
    if table.averaging != "undeclared":
        return []
    named: dict[str, list[Interval]] = {}
    found = variances(table, table.rows)
    ranked = sorted(found.values(), key=lambda variance: variance.low)
    near = _NEAR if len(found) > 2 else _ANOTHER_SCALE**2
    for row in table.named(list(found)):
        named.setdefault(row.name.removeprefix(" / ".join((*row.test_set, ""))), []).append(found[row.name])
    if not table.models:
        told = "No heading says that the rows are models: each may be about data of its own."
    elif len(named) > 1 and all(len(part) > 1 and common(part) is not None for part in named.values()):
        told = "Rows of one name share one variance in every test set: the names may be of data."
    elif len(named) == len(found) and all(exceeds(b.low / near, a.high) for a, b in pairwise(ranked)):
        told = "No row's variance is near another's, as with models on one test set: each may be about data of its own."
    else:
        return []
    return [Reading("rows about other data", "explains", told)]


def means_over_seeds(
    sets: Sequence[RowSet], table: Table, *, by_accident: bool = False, singled_out: bool = False
) -> Reading:
    """Recompute the rows as means: only MSE then bounds the variance from above.

    Rows that agree were not all moved by one factor, unless ``by_accident``: among scattered rows some always agree.
    A set that is ``singled_out`` beside the other is not excused by seeds that differ as those of no other row do.
    """
    if table.averaging != "undeclared":
        said = {"none": "single runs", "seeds": "means over seeds, and are read as such"}[table.averaging]
        return Reading(_SEEDS, "excluded", f"The rows are declared to be {said}.")
    rows = table.named([row for found in sets for row in found.rows])
    printed = variances(table, rows)
    if common(variances(table, rows, as_means=True).values()) is None:
        told = "RMSE² of means is at most MSE; within the printed MSE a contradiction remains."
        return Reading(_SEEDS, "excluded", told)
    highest = max(sets, key=lambda found: found.variance.low)
    for moved in sets:
        if by_accident or moved is highest or moved.variance.high is None:
            continue
        factor = highest.variance.low / moved.variance.high
        if _accident([printed[name] for name in moved.rows], math.log(factor)) < _ACCIDENT:
            told = f"It would have to lower all of {names(moved.rows)} by one factor, at least {number(factor)}."
            return Reading(_SEEDS, "excluded", told)
    needed = {
        row: highest.variance.low / found.variance.high for found in sets if found.variance.high for row in found.rows
    }
    most = max(needed.values(), default=1)
    if table.models and most > MOST_RUNS:
        return Reading(_SEEDS, "excluded", f"A row would have to be a mean over at least {math.ceil(most)} runs.")
    if table.models and 2 * sum(factor > _WILD for factor in needed.values()) > len(rows):
        return Reading(_SEEDS, "excluded", "Most rows would need an RMSE whose coefficient of variation is 2 or more.")
    spread = number(math.sqrt(max(float(most) - 1, 0)), 2)
    if singled_out and most - 1 > max(_SEEDS_DIFFER**2, _OUTLIER**2 * _room(sets[0], printed)):
        told = f"It would take runs whose RMSE has a coefficient of variation of {spread}, as seeds seldom have."
        return Reading(_SEEDS, "open", told)
    told = f"Mean(RMSE)² ≤ mean(MSE): explained by runs whose RMSE has a coefficient of variation of {spread}."
    return Reading(_SEEDS, "explains", told)


def _room(agreeing: RowSet, printed: Mapping[str, Interval]) -> Fraction:
    """Return what the digits of most agreeing rows leave for the square of their coefficient of variation."""
    highest = agreeing.variance.high
    lows = sorted(printed[row].low for row in agreeing.rows)
    low = lows[(len(lows) - 1) // 2]
    return highest / low - 1 if highest is not None and low > 0 else Fraction(10**9)


def means_over_datasets(table: Table, rows: Sequence[str], agreeing: Sequence[str] = ()) -> Reading:
    """Say whether rows may be means over several test sets, beside rows that agree on one variance."""
    if table.averaging != "undeclared":
        return Reading(_DATASETS, "excluded", "The rows are declared to belong to one test set.")
    if all(row.averaged for row in table.named(rows)):
        told = "The rows are printed as means; over folds or data sets they have no target variance of their own."
        return Reading(_DATASETS, "explains", told)
    listed = [bounds(row) for row in table.named([*rows, *agreeing])]
    if all({"mse", "rmse"} <= set(row) and row["mse"].above(row["rmse"].squared()) for row in listed):
        told = "RMSE² is below MSE in every row, as in means; over data sets they have no target variance of their own."
        return Reading(_DATASETS, "explains", told)
    told = "Means over several test sets have no target variance of their own: not excluded by the numbers"
    told += f", though {len(agreeing)} rows agree on one." if agreeing else "."
    return Reading(_DATASETS, "open", told)


def other_columns(table: Table, rows: Sequence[str]) -> list[Reading]:
    """Return a column that nobody recognised, if its words part the rows into test sets that hold together."""
    listed = table.named(rows)
    found = variances(table, listed)
    readings = []
    for position, heading in enumerate(table.unread):
        parts: dict[str, list[Interval]] = {}
        for row in listed:
            parts.setdefault(row.other[position], []).append(found[row.name])
        if not heading.startswith("column") and any(len(part) == 1 for part in parts.values()):
            continue  # a name or number that nobody shares tells its row from all others, whatever the row says
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


def _squared_correlation(other: RowSet, main: RowSet, table: Table, *, above: bool) -> Reading:
    if not above:
        told = f"It can only raise the implied variance; that of {names(other.rows)} is lower than the others'."
        return Reading(_CORRELATION, "excluded", told)
    listed = table.named(other.rows)
    row = next((row for row in listed if exceeds(Fraction(0), row.cells["r2"].interval().high)), listed[0])
    if exceeds(Fraction(0), row.cells["r2"].interval().high):
        return Reading(_CORRELATION, "excluded", f"R² {row.cells['r2'].text} of {row.name} is below 0: no square is.")
    known = {metric: interval for metric, interval in bounds(row).items() if metric not in table.unreliable}
    error = squared_error(known, averaged=False)
    share = error.divided(main.variance) if error is not None else None
    told = "It can only raise the implied variance: not excluded."
    if share is not None and share.high is not None:
        true = Interval(1 - share.high, 1 - share.low)
        told += f" Then 1 − MSE/variance of {row.name} is in {between(true)}, and R² {row.cells['r2'].text} is r²."
    return Reading(_CORRELATION, "open", told)


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


def _another_scale(other: RowSet, main: RowSet) -> list[Reading]:
    """Name errors of standardised prices or pips beside prices; where they are, the table compares nothing."""
    ratio = other.variance.divided(main.variance)
    if ratio is None or ratio.high is None:
        return []
    low, high = math.sqrt(ratio.low), math.sqrt(ratio.high)
    if high > 1 / _ANOTHER_SCALE and low < _ANOTHER_SCALE:
        return []
    told = (
        f"The errors of {names(other.rows)} may be on another scale, such as standardised prices or pips beside "
        f"prices: {number(low)} to {number(high)} times the others'. Then they cannot be compared with the others' "
        "either."
    )
    return [Reading("another scale", "open", told)]
