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
- means over folds, data sets, horizons or outputs have no target variance of their own, and may do anything.

What moves M instead has to move all its rows by one factor, as if by accident.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from golden_core.legacy.audit.bounds import hull, reliable, squared_error, variances
from golden_core.legacy.audit.findings import Reading, RowSet
from golden_core.legacy.audit.intervals import Interval, between, common, exceeds, names, number, percent
from golden_core.legacy.audit.row_explanations import means_over_datasets, means_over_seeds, percent_sign
from golden_core.legacy.audit.table import Table

_CORRELATION, _ADJUSTED, _LOOK_BACK = "R² as squared correlation", "adjusted R²", "look-back"
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
    above, higher = other.variance.above(main.variance), f"; that of {names(other.rows)} is higher than the others'."
    adjusted = higher if above else ", by (n − p − 1)/(n − 1) for p inputs: not excluded."
    return [
        means_over_seeds((main, other), table, singled_out=True),
        means_over_datasets(table, (other, main), singled_out=True),
        _squared_correlation(other, main, table, above=above),
        Reading(_ADJUSTED, "excluded" if above else "open", f"It can only lower the implied variance{adjusted}"),
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
        means_over_datasets(table, sets),
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
    near = _NEAR if len(found) > 2 else _ANOTHER_SCALE**2
    for row in table.named(list(found)):
        named.setdefault(row.name.removeprefix(" / ".join((*row.test_set, ""))), []).append(found[row.name])
    ranked = sorted(map(hull, named.values()), key=lambda variance: variance.low)
    steady = all(common(Interval(one.low / near, one.high) for one in part) for part in named.values())
    if not table.models:
        told = "No heading says that the rows are models: each may be about data of its own."
    elif len(named) > 1 and all(len(part) > 1 and common(part) is not None for part in named.values()):
        told = "Rows of one name share one variance in every test set: the names may be of data."
    elif len(named) > 1 and steady and all(exceeds(b.low / near, a.high) for a, b in pairwise(ranked)):
        told = "No row's variance is near another's, as with models on one test set: each may be about data of its own."
    else:
        return []
    return [Reading("rows about other data", "explains", told)]


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
            column = heading[0].upper() + heading[1:]
            told = f"{column} may tell test sets apart: within each the rows share one variance."
            readings.append(Reading("another column", "explains", told))
    return readings


def _squared_correlation(other: RowSet, main: RowSet, table: Table, *, above: bool) -> Reading:
    if not above:
        told = f"It can only raise the implied variance; that of {names(other.rows)} is lower than the others'."
        return Reading(_CORRELATION, "excluded", told)
    listed = table.named(other.rows)
    row = next((row for row in listed if exceeds(Fraction(0), row.cells["r2"].interval().high)), listed[0])
    if exceeds(Fraction(0), row.cells["r2"].interval().high):
        return Reading(_CORRELATION, "excluded", f"R² {row.cells['r2'].text} of {row.name} is below 0: no square is.")
    error = squared_error(reliable(row, table), averaged=False)
    share = error.divided(main.variance) if error is not None else None
    told = "It can only raise the implied variance: not excluded."
    if share is not None and share.high is not None:
        true = Interval(1 - share.high, 1 - share.low)
        told += f" Then 1 − MSE/variance of {row.name} is in {between(true)}, and R² {row.cells['r2'].text} is r²."
    return Reading(_CORRELATION, "open", told)


def _look_back(other: RowSet, main: RowSet, *, above: bool) -> Reading:
    low, high = (main, other) if above else (other, main)
    if low.variance.high is None or high.variance.low == 0:
        return Reading(_LOOK_BACK, "open", "A longer look-back drops the first test rows: not excluded.")
    lost = 1 - low.variance.high / high.variance.low
    if lost > _NO_TEST_SET_LEFT:
        told = f"A longer look-back drops the first test rows; it would have to drop {percent(lost)} of them."
        return Reading(_LOOK_BACK, "excluded", told)
    told = (
        f"A longer look-back drops the first test rows. If {names(high.rows)} lost rows, then at least "
        f"{percent(lost)} of them; if {names(low.rows)} did, all of these the same ones: not excluded."
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
