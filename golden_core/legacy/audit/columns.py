"""Faults of whole columns: one that is another in disguise, and two that are not in one unit."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from golden_core.legacy.audit.bounds import Bounds, bounds, is_mean, squared_error, target_variance
from golden_core.legacy.audit.findings import Averaging, Finding, Reading, settle
from golden_core.legacy.audit.headings import Metric
from golden_core.legacy.audit.intervals import Interval, common, exceeds
from golden_core.legacy.audit.scales import declared
from golden_core.legacy.audit.table import Row, Table
from golden_core.legacy.audit.wording import between, names, number, percent

# Chances of agreeing by accident below which an agreement of two columns is a fault, and is worth a word.
_FAULT, _SUSPICION = 1e-5, 1e-3
_LIKELY_MAE = (Fraction(1, 5), Fraction(1))  # MAE / RMSE: 0.80 for Gaussian errors, 0.2 for very heavy tails
_TINY_MAE = Fraction(1, 100)  # MAE / RMSE of n errors is at least 1/√n, and this only if one error dominates
_MOST_PARAMETERS = Fraction(1, 5)  # share of n that "RMSE with n − k degrees of freedom" may take for k
_LARGEST_POWER = 16  # powers of ten looked for between two columns


@dataclass(frozen=True)
class ColumnFault:
    """A finding about whole columns, and the metrics that can no longer be compared with others."""

    finding: Finding
    unreliable: frozenset[Metric]


def column_faults(table: Table, averaging: Averaging) -> list[ColumnFault]:
    """Return disguised columns, else columns in different units."""
    known = [(row, bounds(row)) for row in table.rows]
    found = _disguised(known)
    doubtful = frozenset[Metric]().union(*(fault.unreliable for fault in found))
    if "mse" not in doubtful:
        found += _constant_factor(known, table, averaging)
    if "mae" not in doubtful:
        found += _absolute_in_another_unit(known, table)
    return found


@dataclass(frozen=True)
class _Disguise:
    """A relation that two honest columns do not have: left(values) equals right(values) in every row."""

    says: str
    left: Metric
    right: Metric
    relate: Callable[[Interval, Interval], tuple[Interval, Interval]]
    unreliable: frozenset[Metric]
    innocent: str
    fault: float = _FAULT


def _plain(left: Interval, right: Interval) -> tuple[Interval, Interval]:
    return left, right


def _right_squared(left: Interval, right: Interval) -> tuple[Interval, Interval]:
    return left, right.squared()


def _left_squared(left: Interval, right: Interval) -> tuple[Interval, Interval]:
    return left.squared(), right


_DISGUISES = (
    _Disguise("MSE = √MAE", "mse", "mae", _left_squared, frozenset({"mae", "mse", "rmse"}), ""),
    # A single run cannot have this one at all, so that suspicion is enough.
    _Disguise("MSE = RMSE", "mse", "rmse", _plain, frozenset({"mse", "rmse"}), "", fault=_SUSPICION),
    _Disguise("MAE = RMSE²", "mae", "rmse", _right_squared, frozenset({"mae"}), ""),
    _Disguise("MAE = MSE", "mae", "mse", _plain, frozenset({"mae"}), ""),
    _Disguise(
        "MAE = RMSE",
        "mae",
        "rmse",
        _plain,
        frozenset(),
        "One test point, or errors that all have the same size: then MAE is RMSE.",
    ),
)


def _disguised(known: Sequence[tuple[Row, Bounds]]) -> list[ColumnFault]:
    """Return the first relation that holds in every row and is too exact for an accident.

    The chance is that of rows whose relation is what an honest table has, MAE = c · RMSE or MSE = RMSE², to meet the
    other one within their printed digits: only rows whose numbers are clearly apart count as further witnesses.
    """
    for disguise in _DISGUISES:
        pairs = [
            disguise.relate(row[disguise.left], row[disguise.right])
            for _, row in known
            if disguise.left in row and disguise.right in row
        ]
        if not pairs or any(left.apart(right) for left, right in pairs):
            continue
        chance = _chance([left for left, _ in pairs], [right for _, right in pairs])
        if chance > _SUSPICION or _around_one(disguise, known):
            continue
        readings = [Reading("equal errors", "explains", disguise.innocent)] if disguise.innocent else []
        if disguise.says in {"MAE = RMSE²", "MAE = MSE"}:
            readings.append(_labels([row for _, row in known]))
        rows = tuple(row.name for row, found in known if disguise.left in found and disguise.right in found)
        finding = Finding(
            kind="disguised_column",
            verdict=settle(readings, "certainly_wrong" if chance <= disguise.fault else "open"),
            rows=rows,
            sentence=f"{disguise.says} in every row: one of the two columns is another one in disguise.",
            evidence=(f"{len(rows)} rows agree to the printed digits; by accident, about {number(chance, 1)}",),
            readings=tuple(readings),
        )
        return [ColumnFault(finding, disguise.unreliable)]
    return []


def _labels(rows: Sequence[Bounds]) -> Reading:
    """Return the reading that forecasts and targets are labels, 0 or 1: |e| is e² then, and no variance above 1/4."""
    variances = [variance for row in rows if (variance := target_variance(row, averaged=False)) is not None]
    possible = all(row["mae"].low <= 1 for row in rows if "mae" in row)
    if possible and all(variance.low <= Fraction(1, 4) for variance in variances):
        return Reading(
            "labels of 0 and 1", "open", "Errors that are all 0 or 1 have MAE = MSE: not of prices or returns."
        )
    return Reading(
        "labels of 0 and 1", "excluded", "Errors of 0 and 1 have no MAE above 1 and no target variance above 1/4."
    )


def _around_one(disguise: _Disguise, known: Sequence[tuple[Row, Bounds]]) -> bool:
    """Whether MSE = RMSE because both are 1, as RMSE² = MSE allows."""
    if disguise.says != "MSE = RMSE":
        return False
    both = [row for _, row in known if "rmse" in row and "mse" in row]
    return not any(row["rmse"].squared().apart(row["mse"]) for row in both)


def _chance(left: Sequence[Interval], right: Sequence[Interval]) -> float:
    """Return the chance that honest columns agree within their digits in as many rows as are clearly apart."""
    middles = sorted((_middle(interval), _width(interval)) for interval in right if interval.low > 0)
    if not middles:
        return 1.0
    width = max(_width(a) + _width(b) for a, b in zip(left, right, strict=True))
    spread = 1 - middles[0][0] / middles[-1][0]
    witnesses, last = 1, middles[0][0]
    for middle, _ in middles:
        if middle > last * (1 + 3 * width):
            witnesses, last = witnesses + 1, middle
    return min(1.0, width) * float(min(1.0, 3 * width / spread) ** (witnesses - 1) if spread else 1.0)


def _middle(interval: Interval) -> float:
    return float(interval.low if interval.high is None else (interval.low + interval.high) / 2)


def _width(interval: Interval) -> float:
    """Return the relative width of an interval; 1 where it reaches down to 0 or has no upper end."""
    if interval.high is None or interval.low <= 0:
        return 1.0
    return float((interval.high - interval.low) / interval.low)


def _constant_factor(known: Sequence[tuple[Row, Bounds]], table: Table, averaging: Averaging) -> list[ColumnFault]:
    """Return the finding that RMSE² and MSE differ by one factor in all rows, two of which show it by themselves.

    A factor below 1 that is no power of ten is left to the rows: averaging explains it.
    """
    pairs = [(row, found["rmse"].squared(), found["mse"]) for row, found in known if "rmse" in found and "mse" in found]
    ratios = [ratio for _, square, mse in pairs if (ratio := square.divided(mse)) is not None]
    wrong = [row for row, square, mse in pairs if square.above(mse) or _is_below(square, mse, row, averaging)]
    factor = common(ratios) if ratios else None
    if len(wrong) < 2 or factor is None or factor.high is None or _is_cut_off([row for row, _, _ in pairs]):
        return []
    power = _power_of_ten(factor)
    if power is None and factor.low < 1:
        return []
    said = f"10^{power}" if power is not None else f"a factor in {between(factor)}"
    readings = _freedom(factor) if power is None else declared(table, "rmse", "mse")
    finding = Finding(
        kind="mixed_units",
        verdict=settle(readings, "open" if power == -1 else "certainly_wrong"),  # ten runs have a factor of 1/10
        rows=tuple(row.name for row, _, _ in pairs),
        sentence=f"RMSE² is {said} times MSE in every row: the two columns are not in one unit.",
        evidence=(f"RMSE²/MSE of all rows meets in {between(factor)}{_as_pips(power)}",),
        readings=tuple(readings),
    )
    # One of the two is enough to compare rows with; RMSE has the unit of MAE.
    return [ColumnFault(finding, frozenset({"mse"}))]


def _is_cut_off(rows: Sequence[Row]) -> bool:
    """Whether RMSE² is MSE in every row whose digits were cut off: no factor is needed then."""
    known = [bounds(row, "cut_off") for row in rows]
    return not any(found["rmse"].squared().apart(found["mse"]) for found in known)


def _is_below(square: Interval, mse: Interval, row: Row, averaging: Averaging) -> bool:
    """Whether RMSE² is below MSE, and further than a mean over a hundred runs could bring it."""
    return mse.above(square) and (not is_mean(row, averaging) or exceeds(mse.low / 100, square.high))


def _freedom(factor: Interval) -> list[Reading]:
    taken = 1 - 1 / factor.low
    told = f"RMSE divided by n − k instead of n would take k = {percent(taken, up=True)} of n."
    return [Reading("degrees of freedom", "explains" if taken <= _MOST_PARAMETERS else "excluded", told)]


def _absolute_in_another_unit(known: Sequence[tuple[Row, Bounds]], table: Table) -> list[ColumnFault]:
    """Return the finding that one power of ten brings every MAE from beyond RMSE, or from far below, into its place."""
    ratios = []
    for row, found in known:
        error = squared_error({m: i for m, i in found.items() if m in ("rmse", "mse")}, averaged=False)
        if "mae" in found and error is not None and (ratio := found["mae"].squared().divided(error)) is not None:
            ratios.append((row, ratio))
    if len(ratios) < 2:
        return []
    above = all(ratio.low > 1 for _, ratio in ratios)
    below = all(ratio.high is not None and ratio.high < _TINY_MAE**2 for _, ratio in ratios)
    power = _fitting_power([ratio for _, ratio in ratios]) if above or below else None
    if power is None:
        return []
    readings = declared(table, "mae", "rmse")
    least = math.floor(1 / max(_middle(ratio) for _, ratio in ratios))
    if below:
        told = f"One error that dwarfs all others, among at least {least} test points, in every row."
        readings.append(Reading("one huge error", "open" if least > 10**6 else "explains", told))
    finding = Finding(
        kind="mixed_units",
        verdict=settle(readings, "certainly_wrong"),
        rows=tuple(row.name for row, _ in ratios),
        sentence=f"MAE is about 10^{power} times what RMSE allows in every row: the two columns are not in one unit.",
        evidence=(f"(MAE/RMSE)² of {names([row.name for row, _ in ratios[:1]])} is in {between(ratios[0][1])}",),
        readings=tuple(readings),
    )
    return [ColumnFault(finding, frozenset({"mae"}))]


def _fitting_power(squared_ratios: Sequence[Interval]) -> int | None:
    """Return the power of ten that brings MAE / RMSE of all rows into its usual range; None where there is none."""
    low, high = (limit**2 for limit in _LIKELY_MAE)
    for power in range(-_LARGEST_POWER, _LARGEST_POWER + 1):
        factor = Fraction(100) ** -power
        moved = [Interval(r.low * factor, None if r.high is None else r.high * factor) for r in squared_ratios]
        if power and not any(interval.apart(Interval(low, high)) for interval in moved):
            return power
    return None


def _power_of_ten(factor: Interval) -> int | None:
    """Return the power of ten that a factor must be; None where it is another number, or too vague to tell."""
    if factor.high is None or factor.high > 2 * factor.low:
        return None
    found = [p for p in range(-_LARGEST_POWER, _LARGEST_POWER + 1) if p and Fraction(10) ** p in factor]
    return found[0] if len(found) == 1 else None


def _as_pips(power: int | None) -> str:
    if power is None or power % 2:
        return ""
    return f"; 10^{power} is the square of 10^{power // 2}" + (
        " (pips are 10⁻⁴ of most prices)" if abs(power) == 8 else ""
    )
