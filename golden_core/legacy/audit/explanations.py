"""Innocent explanations of a contradiction: what each can do, and what it would take.

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
import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import get_args

from golden_core.legacy.audit.bounds import MOST_RUNS, Bounds, Contradiction, bounds, squared_error, variances
from golden_core.legacy.audit.findings import Averaging, Reading, RowSet
from golden_core.legacy.audit.headings import NAMES, Heading, Metric
from golden_core.legacy.audit.intervals import Interval, between, common, exceeds, names, number, percent
from golden_core.legacy.audit.printed import Rounding
from golden_core.legacy.audit.table import Row, Table

Contradictions = Callable[[Rounding], frozenset[Contradiction]]
ROUNDINGS: tuple[Rounding, ...] = get_args(Rounding)

_OTHER_ROUNDINGS: dict[Rounding, tuple[str, str]] = {
    "twice": ("rounded twice", "first to one digit more, then again"),
    "cut_off": ("cut off, not rounded", "the digits behind the last printed one dropped, in the whole table"),
    "single_precision": ("32-bit arithmetic", "the last printed digits are noise of single precision"),
    "recomputed": ("MSE from RMSE or RMSE from MSE", "one of the two computed from the other as it is printed"),
    "padded": ("digits padded with zeros", "a number of fewer digits filled up with three zeros or more"),
}
_RARE = frozenset({"single_precision", "padded", "recomputed"})  # not worth a word where they explain nothing
# A share of the price, with no square of its own.
_RELATIVE_UNITS = re.compile(r"\b(pips?|bps?|points?)\b", re.IGNORECASE)
_MOST_PARAMETERS = Fraction(1, 5)  # share of n that "RMSE with n − k degrees of freedom" may take for k
_ACCIDENT = 1e-3  # chance below which rows do not move by one factor by accident
_SEEDS, _DATASETS = "means over seeds", "means over data sets, horizons or outputs"
_CORRELATION, _ADJUSTED, _LOOK_BACK = "R² as squared correlation", "adjusted R²", "look-back"
_HALF = Fraction(1, 2)  # of the MSE of runs, below which no RMSE² in the mean is looked for
_WILD = 5  # mean(MSE) / mean(RMSE)², 1 + cv², which not even means over data sets exceed in most rows
# Of sixty-one spreads over seeds that public tables print, the widest is .18 of its mean; folds and data sets differ
# by more, and have a reading of their own.
_SEEDS_DIFFER = Fraction(1, 3)
_OUTLIER = 5  # times the coefficient of variation that most of the agreeing rows leave room for
_SLIP = Fraction(11, 10)  # ends of MSE / RMSE², which then meets a power of ten by no accident
_NO_TEST_SET_LEFT = Fraction(99, 100)
_ANOTHER_SCALE = 10  # times as large or as small as others: no test set of one market is
_NEAR = 2  # times a variance, within which that of another row lies where models share targets and a number is wrong
_PADDED = Reading(
    "padded zeros",
    "open",
    "Zeros for a share q of the targets turn variance V and mean m into (1 − q)·V + q(1 − q)·m²: not excluded.",
)

# -------------------------------------------------------------------------------------------- of one row by itself


def rounded_otherwise(contradiction: Contradiction, known: Contradictions) -> list[Reading]:
    """Return whether other ways of rounding explain a contradiction without making a new one anywhere."""
    found = []
    for rounding, (name, words) in _OTHER_ROUNDINGS.items():
        told = f"{words[0].upper()}{words[1:]}"
        if contradiction not in known(rounding) and known(rounding) <= known("nearest"):
            found.append(Reading(name, "explains", f"{told}: then nothing contradicts."))
        # It is no excuse for few digits, and none for what cannot exist: then not worth a word.
        elif rounding not in _RARE and contradiction[1] != "impossible_value":
            found.append(Reading(name, "excluded", f"{told}: a contradiction remains."))
    return found


def means_of_row(row: Row, averaging: Averaging) -> Reading:
    """Return what it takes for RMSE² < MSE to come from averaging: k runs have MSE ≤ k · RMSE²."""
    name = "means over seeds or data sets"
    if averaging == "none":
        return Reading(name, "excluded", "The rows are declared to be single runs.")
    if row.cells["rmse"].text == row.cells["mse"].text:
        told = f"RMSE and MSE of {row.name} have the same digits: one is a copy of the other, which no mean makes."
        return Reading(name, "excluded", told)
    known = bounds(row)
    top, low = known["rmse"].squared().high, known["mse"].low
    if not top:
        return Reading(name, "excluded", "An RMSE of 0 in the mean is 0 in every run.")
    times = known["mse"].divided(known["rmse"].squared())
    if times is not None and times.high and times.high < times.low * _SLIP and (10 in times or 100 in times):
        told = f"MSE of {row.name} is {10 if 10 in times else 100} times RMSE²: a decimal point that slipped, no mean."
        return Reading(name, "excluded", told)
    runs = math.ceil(low / top)
    if runs > MOST_RUNS:
        return Reading(name, "excluded", f"{row.name} would have to be a mean over at least {runs} runs.")
    sentence = (
        f"Mean(RMSE)² ≤ mean(MSE): explained if {row.name} is a mean over at least {runs} runs or data sets whose RMSE "
        f"has a coefficient of variation of at least {number(math.sqrt(low / top - 1), 2)}."
    )
    return Reading(name, "explains", sentence)


def _other_power(row: Row, used: Sequence[Heading], left: Metric, right: Metric) -> bool:
    """Whether two metrics agree, means over runs included, once told powers of ten are left out or turned round."""
    factors = {m: {h.scale**-k for h in used if h.metric == m for k in (0, 1, 2)} for m in (left, right)}
    power, known = 1 if right == "mse" else 2, bounds(row)
    ratio = known[left].squared().divided(known[right] if right == "mse" else known[right].squared())
    moved = {a**2 / b**power for a in factors[left] for b in factors[right]} - {1}
    return ratio is None or any(
        ratio.low * by <= 1 and (left == "mae" or not exceeds(_HALF, ratio.high and ratio.high * by)) for by in moved
    )


def declared_units(table: Table, row: Row, left: Metric, right: Metric) -> list[Reading]:
    """Return the reading that the table itself tells of different units, where that explains a row."""
    used = [heading for heading in table.headings if heading.metric in (left, right)]
    signs = {number.sign for row in table.rows for m, number in row.cells.items() if m in (left, right)}
    one_unit = len(signs) == 1 == len({(heading.unit, heading.percent, heading.scale) for heading in used})
    if one_unit and "mse" not in (left, right):
        return []  # read either way, both change by one factor
    if any(signs) or any(heading.percent for heading in used) or _other_power(row, used, left, right):
        told = "A percent sign, a unit or a power of ten is printed: read the other way round, it explains the factor."
        return [Reading("declared units", "explains", told)]
    units = [table.unit(metric) for metric in (left, right)]
    base, other = (re.sub(r"(\^?2|\bsquared)$", "", unit.casefold()).strip() for unit in units)
    if base != other:
        said = " and ".join(f"{NAMES[m]} in {unit or 'none'}" for m, unit in zip((left, right), units, strict=True))
        return [Reading("declared units", "explains", f"The headings do not tell one unit: {said}.")]
    if "mse" in (left, right) and units[0] == units[1] and _RELATIVE_UNITS.search(base):
        told = f"MSE is told in {units[0]}, not in their square: it may have been scaled like an error, once."
        return [Reading("declared units", "explains", told)]
    return []


def one_factor(rows: Sequence[Bounds]) -> list[Reading]:
    """Return the reading that RMSE² is one number times MSE in all rows: degrees of freedom, or another unit."""
    ratios = [ratio for row in rows if (ratio := row["rmse"].squared().divided(row["mse"])) is not None]
    factor = common(ratios) if len(ratios) > 1 else None
    if factor is None or factor.high is None or 1 in factor:
        return []
    taken = 1 - 1 / factor.low if factor.low > 1 else 0
    if 0 < taken <= _MOST_PARAMETERS:
        told = f"RMSE divided by n − k instead of n would take k = {percent(taken, up=True)} of n."
        return [Reading("degrees of freedom", "explains", told)]
    told = f"RMSE² is a factor in {between(factor)} times MSE in every row: the two columns may not be in one unit."
    return [Reading("one factor", "open", told)]


def percent_sign(table: Table) -> list[Reading]:
    """Return the reading that a column of R² is in percent without saying so, or says so and is not."""
    printed = [row.cells["r2"] for row in table.rows if "r2" in row.cells]
    signed = any(heading.percent for heading in table.headings if heading.metric == "r2")
    tops = [cell.interval().low * (100 if signed or cell.sign else 1) for cell in printed]
    if not signed and 2 * sum(1 < top <= 100 for top in tops) > len(tops):
        told = "Most of the column is above 1: with a % in its heading it would be read in percent."
        return [Reading("R² in percent", "explains", told)]
    if signed and tops and max(tops) <= 1:
        told = "No R² is above 1 under its percent sign: without it, they would be read as fractions."
        return [Reading("R² as fractions", "explains", told)]
    return []


# ------------------------------------------------------------------------------------------------- of rows together


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
