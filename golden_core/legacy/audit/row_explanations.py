"""Innocent explanations of what contradicts itself in one row, or in one column: rounding, means, units, percent."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from fractions import Fraction

from golden_core.legacy.audit.bounds import MOST_RUNS, Bounds, Contradiction, bounds
from golden_core.legacy.audit.findings import Averaging, Reading
from golden_core.legacy.audit.headings import NAMES, Heading, Metric
from golden_core.legacy.audit.intervals import between, common, exceeds, number, percent
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
_RARE = frozenset({"single_precision", "padded", "recomputed"})  # not worth a word where they explain nothing
# A share of the price, with no square of its own.
_RELATIVE_UNITS = re.compile(r"\b(pips?|bps?|points?)\b", re.IGNORECASE)
_MOST_PARAMETERS = Fraction(1, 5)  # share of n that "RMSE with n − k degrees of freedom" may take for k
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
