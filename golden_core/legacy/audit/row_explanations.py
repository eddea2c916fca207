"""Innocent explanations that take no test set for another: rounding, means over seeds or folds, units, percent."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from fractions import Fraction

from golden_core.legacy.audit.bounds import (
    MOST_RUNS,
    Bounds,
    Contradiction,
    bounds,
    reliable,
    squared_error,
    target_variance,
    variances,
)
from golden_core.legacy.audit.findings import Reading, RowSet
from golden_core.legacy.audit.headings import NAMES, Heading, Metric
from golden_core.legacy.audit.intervals import CLEARLY, between, common, exceeds, names, number, percent, relative_width
from golden_core.legacy.audit.printed import Rounding
from golden_core.legacy.audit.table import Row, Table

Contradictions = Callable[[Rounding], frozenset[Contradiction]]

_OTHER_ROUNDINGS: dict[Rounding, tuple[str, str]] = {
    "twice": ("rounded twice", "first to one digit more, then again"),
    "cut_off": ("cut off, not rounded", "the digits behind the last printed one dropped, in the whole table"),
    "single_precision": ("32-bit arithmetic", "the last printed digits are noise of single precision"),
    "recomputed": ("MSE from RMSE or RMSE from MSE", "one of the two computed from the other as it is printed"),
    "padded": ("digits padded with zeros", "a number of fewer digits filled up with three zeros or more"),
}
_ACCIDENT = 1e-2  # chance below which rows do not move by one factor by accident
_SEEDS, _DATASETS = "means over seeds", "means over data sets, horizons or outputs"
_WILD = 5  # mean(MSE) / mean(RMSE)², 1 + cv², which not even means over data sets exceed in most rows
# Coefficient of variation: that of two runs is 1 at most; of 83 that public tables print over seeds, the widest is .47.
_SEEDS_DIFFER = Fraction(1)
_OUTLIER = 5  # times the coefficient of variation that most of the agreeing rows leave room for
# Of eleven tables of means over folds or outputs that say so, one has rows whose variances differ by a factor of 1.33,
# and none of the others by more than 1.17.
_FOLDS_DIFFER, _FOLD_DIFFERS = Fraction(4, 3), Fraction(6, 5)  # of rows among which no set stands out; of one set
_RARE = frozenset({"single_precision", "padded", "recomputed"})  # not worth a word where they explain nothing
# A share of the price, or a power of ten, with no square of its own.
_RELATIVE_UNITS = re.compile(r"[%‰]|^[km]$|\b(pips?|bps?|points?)\b", re.IGNORECASE)
_MOST_PARAMETERS = Fraction(1, 5)  # share of n that "RMSE with n − k degrees of freedom" may take for k
_PAIR: tuple[Metric, Metric] = ("rmse", "mse")
_HALF = Fraction(1, 2)  # of the MSE of runs, below which no RMSE² in the mean is looked for
_SLIP = Fraction(11, 10)  # ends of MSE / RMSE², which then meets a power of ten by no accident


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


def means_of_row(row: Row, table: Table, exact: Sequence[Row]) -> Reading:
    """Return what it takes for RMSE² < MSE to come from averaging k runs, MSE ≤ k · RMSE²; in ``exact`` both agree."""
    name = "means over seeds or data sets"
    if table.averaging == "none":
        return Reading(name, "excluded", "The rows are declared to be single runs.")
    if row.cells["rmse"].text == row.cells["mse"].text:
        told = f"RMSE and MSE of {row.name} have the same digits: one is a copy of the other, which no mean makes."
        return Reading(name, "excluded", told)
    known = bounds(row)
    if table.averaging != "datasets" and _mse_alone_differs(row, table, exact):
        told = f"R² and RMSE of {row.name} give the variance of the other rows, and its MSE does not, as a mean would."
        return Reading(name, "excluded", told)
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


def _mse_alone_differs(row: Row, table: Table, exact: Sequence[Row]) -> bool:
    """Whether rows whose RMSE² is their MSE share a variance that R² gives this row with its RMSE and not its MSE."""
    known, others = bounds(row), variances(table, [o for o in exact if o.test_set == row.test_set], as_means=True)
    shared = common(others.values()) if len(others) > 1 else None
    by_rmse, by_mse = (target_variance({m: known[m] for m in {a, "r2"} & set(known)}, averaged=False) for a in _PAIR)
    return bool(shared and by_rmse and by_mse and by_mse.apart(shared) and not by_rmse.apart(shared))


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
    rows = table.named(_rows(sets))
    if common(variances(table, rows, as_means=True).values()) is None:
        told = "RMSE² of means is at most MSE; within the printed MSE a contradiction remains."
        return Reading(_SEEDS, "excluded", told)
    highest = max(sets, key=lambda found: found.variance.low)
    for moved in sets:
        if by_accident or moved is highest or moved.variance.high is None:
            continue
        factor = highest.variance.low / moved.variance.high
        if _accident(table, moved.rows, float(factor)) < _ACCIDENT:
            told = f"It would have to lower all of {names(moved.rows)} by one factor, at least {number(factor)}."
            return Reading(_SEEDS, "excluded", told)
    needed = [highest.variance.low / found.variance.high for found in sets if found.variance.high for _ in found.rows]
    most = max(needed, default=1)
    if table.models and most > MOST_RUNS:
        return Reading(_SEEDS, "excluded", f"A row would have to be a mean over at least {math.ceil(most)} runs.")
    if table.models and 2 * sum(factor > _WILD for factor in needed) > len(rows):
        return Reading(_SEEDS, "excluded", "Most rows would need an RMSE whose coefficient of variation is 2 or more.")
    spread = number(math.sqrt(max(float(most) - 1, 0)), 2)
    if singled_out and most - 1 > max(_SEEDS_DIFFER**2, _OUTLIER**2 * _room(sets[0], table)):
        told = f"It would take runs whose RMSE has a coefficient of variation of {spread}, as seeds seldom have."
        return Reading(_SEEDS, "open", told)
    told = f"Mean(RMSE)² ≤ mean(MSE): explained by runs whose RMSE has a coefficient of variation of {spread}."
    return Reading(_SEEDS, "explains", told)


def _room(agreeing: RowSet, table: Table) -> Fraction:
    """Return what the digits of most agreeing rows leave for the square of their coefficient of variation."""
    lows = sorted(found.low for found in variances(table, table.named(agreeing.rows)).values())
    highest, low = agreeing.variance.high, lows[(len(lows) - 1) // 2]
    return highest / low - 1 if highest is not None and low > 0 else Fraction(10**9)


def means_over_datasets(table: Table, sets: Sequence[RowSet], *, singled_out: bool = False) -> Reading:
    """Say whether rows may be means over several test sets; of some that are ``singled_out`` the last set agrees."""
    if table.averaging != "undeclared":
        return Reading(_DATASETS, "excluded", "The rows are declared to belong to one test set.")
    listed = [bounds(row) for row in table.named(_rows(sets))]
    if all(row.averaged for row in table.named(sets[0].rows if singled_out else _rows(sets))) or all(
        {"mse", "rmse"} <= set(row) and row["mse"].above(row["rmse"].squared()) for row in listed
    ):
        told = "The rows are means, by word or RMSE² below MSE; of folds or data sets they have no target variance."
        return Reading(_DATASETS, "explains", told)
    lows, highs = [found.variance.low for found in sets], [found.variance.high for found in sets]
    factor = max(low / high for low in lows for high in highs if high)
    by_accident = not singled_out or _accident(table, sets[-1].rows, float(factor)) >= _ACCIDENT
    if by_accident and factor < (_FOLD_DIFFERS if singled_out else _FOLDS_DIFFER):
        told = f"Means over folds have no target variance of their own, and may differ by a factor of {number(factor)}."
        return Reading(_DATASETS, "explains", told)
    told = "Means over several test sets have no target variance of their own: not excluded by the numbers"
    told += f", though {len(sets[-1].rows)} rows agree on one." if singled_out else "."
    return Reading(_DATASETS, "open", told)


def _rows(sets: Sequence[RowSet]) -> list[str]:
    return [row for found in sets for row in found.rows]


def _accident(table: Table, rows: Sequence[str], factor: float) -> float:
    """Return the chance that rows moved each by its own factor, of about this one, still agree in their digits.

    Models whose errors are nearly the same agree in any case, as OLS and ridge do: they are one witness.
    """
    printed = variances(table, table.named(rows))
    errors = {row.name: squared_error(reliable(row, table), averaged=False) for row in table.named(rows)}
    widths, last = list[float](), -1.0
    for low, row in sorted((float(error.low), row) for row, error in errors.items() if error is not None):
        width = relative_width(printed[row])
        if low > last * (1 + CLEARLY * width):
            last = low
            widths.append(width)
    return math.prod(min(1.0, width / math.log(factor)) for width in sorted(widths)[1:])


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
    units = [next((one.unit for one in used if one.metric == metric and one.unit), "") for metric in (left, right)]
    base, other = (re.sub(r"(\^?2|\bsquared)$", "", unit.casefold()).strip() for unit in units)
    factor = len(signs) > 1 or any(map(_RELATIVE_UNITS.search, signs))  # the name of one unit is no factor
    if factor or any(heading.percent for heading in used) or _other_power(row, used, left, right):
        told = "A percent sign, a unit or a power of ten is printed: read the other way round, it explains the factor."
    elif base != other:
        said = " and ".join(f"{NAMES[m]} in {unit or 'none'}" for m, unit in zip((left, right), units, strict=True))
        told = f"The headings do not tell one unit: {said}."
    elif "mse" in (left, right) and units[0] == units[1] and _RELATIVE_UNITS.search(base):
        told = f"MSE is told in {units[0]}, not in their square: it may have been scaled like an error, once."
    else:
        return []
    return [Reading("declared units", "explains", told)]


def one_factor(rows: Sequence[Bounds]) -> list[Reading]:
    """Return the reading that RMSE² is one number times MSE in all rows: degrees of freedom, or another unit."""
    ratios = [ratio for row in rows if (ratio := row["rmse"].squared().divided(row["mse"])) is not None]
    factor = common(ratios) if len(ratios) > 1 else None
    if factor is None or factor.high is None or 1 in factor:
        return []
    taken = 1 - 1 / factor.low if factor.low > 1 else 0
    if 0 < taken <= _MOST_PARAMETERS:
        told = f"RMSE divided by n − k instead of n would take k = {percent(taken)} of n."
        return [Reading("degrees of freedom", "explains", told)]
    told = f"RMSE² is a factor in {between(factor)} times MSE in every row: the two columns may not be in one unit."
    return [Reading("one factor", "open", told)]


def percent_sign(table: Table) -> list[Reading]:
    """Return the reading that a column of R² is in percent without saying so, or says so and is not."""
    printed = [row.cells["r2"] for row in table.rows if "r2" in row.cells]
    signed = any(heading.percent for heading in table.headings if heading.metric == "r2")
    tops = [cell.interval().low * (100 if signed else 1) for cell in printed]  # a % in the cell was read already
    if not signed and 2 * sum(1 < top <= 100 for top in tops) > len(tops):
        told = "Most of the column is above 1: with a % in its heading it would be read in percent."
        return [Reading("R² in percent", "explains", told)]
    if signed and tops and max(tops) <= 1:
        told = "No R² is above 1 under its percent sign: without it, they would be read as fractions."
        return [Reading("R² as fractions", "explains", told)]
    return []
