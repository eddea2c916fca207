"""Percent signs, powers of ten, units: which reading a table bears where its headings leave two. Nothing is mended."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import combinations

from golden_core.legacy.audit.bounds import contradictions
from golden_core.legacy.audit.findings import Averaging, Reading
from golden_core.legacy.audit.headings import ERRORS, NAMES, Metric
from golden_core.legacy.audit.intervals import common
from golden_core.legacy.audit.table import Row, Table
from golden_core.legacy.audit.variance import rows_by_test_set, variances

_RELATIVE_UNITS = re.compile(
    r"\b(pips?|bps?|points?)\b", re.IGNORECASE
)  # a share of the price, with no square of its own
_HUNDREDTH = Fraction(1, 100)
_NAME = "R² in percent"


def settle_percent(table: Table, averaging: Averaging) -> tuple[Table, Reading | None]:
    """Return the table with R² as a fraction, and a reading where that is in doubt.

    A column that has numbers above 1 is in percent if most of them are above 1, or if only in percent the rows of each
    test set share one variance. Otherwise it stays as it is, and the numbers above 1 are impossible, unless nothing in
    the table can refute percent. A column under a percent sign is not in percent if only as fractions its rows share
    one variance.
    """
    printed = [row.cells["r2"] for row in table.rows if "r2" in row.cells]
    above = [number for number in printed if number.interval().low > 1]
    if not above:
        return _despite_the_sign(table, averaging), None
    rows = _scaled(table.rows, "r2", _HUNDREDTH)
    possible = all(number.interval().low <= 100 for number in printed)
    shared = _shared(rows, averaging)
    only_so = shared is True and _shared(table.rows, averaging) is False
    if 2 * len(above) > len(printed) or (possible and only_so):
        note = "R² has numbers above 1 and no percent sign; it is read in percent."
        return replace(table, rows=rows, notes=(*table.notes, note)), None
    if possible and shared is not False:
        return table, Reading(_NAME, "explains", "Nothing in the table refutes a column in percent.")
    return table, Reading(_NAME, "excluded", "In percent, the rows of one test set do not share one variance.")


def settle_powers(table: Table, averaging: Averaging) -> Table:
    """Return the table with the powers of ten of its headings turned round, where only so nothing contradicts.

    ``RMSE (×10⁻⁴)`` tells the unit of its numbers, ``RMSE × 10⁴`` what was done to them; both are written.
    """
    scales = {metric: {h.scale for h in table.headings if h.metric == metric} for metric in ERRORS}
    powers = {metric: found.pop() for metric, found in scales.items() if len(found) == 1}
    turned = [metric for metric, power in powers.items() if power != 1]
    if not turned or not _contradicts(table.rows, averaging):
        return table
    for count in range(1, len(turned) + 1):
        for chosen in combinations(turned, count):
            rows = table.rows
            for metric in chosen:
                rows = _scaled(rows, metric, powers[metric] ** -2)
            if not _contradicts(rows, averaging):
                told = ", ".join(heading.text for heading in table.headings if heading.metric in chosen)
                note = f"{told}: read as what the values were multiplied by; only so nothing contradicts."
                return replace(table, rows=rows, notes=(*table.notes, note))
    return table


def _contradicts(rows: Sequence[Row], averaging: Averaging) -> bool:
    return bool(contradictions(rows, averaging, frozenset(), "nearest"))


def declared(table: Table, left: Metric, right: Metric) -> list[Reading]:
    """Return the reading that the table itself tells of different units."""
    used = [heading for heading in table.headings if heading.metric in (left, right)]
    signed = any(number.sign for row in table.rows for m, number in row.cells.items() if m in (left, right))
    if signed or any(heading.percent or heading.scale != 1 for heading in used):
        told = "A percent sign, a unit or a power of ten is printed: read the other way round, it explains the factor."
        return [Reading("declared units", "explains", told)]
    units = [table.unit(metric) for metric in (left, right)]
    base, other = (re.sub(r"(\^?2|\bsquared)$", "", unit.casefold()).strip() for unit in units)
    if base != other:
        said = " and ".join(
            f"{NAMES[metric]} in {unit}" if unit else f"{NAMES[metric]} in none"
            for metric, unit in zip((left, right), units, strict=True)
        )
        return [Reading("declared units", "explains", f"The headings do not tell one unit: {said}.")]
    if "mse" in (left, right) and units[0] == units[1] and _RELATIVE_UNITS.search(base):
        told = f"MSE is told in {units[0]}, not in their square: it may have been scaled like an error, once."
        return [Reading("declared units", "explains", told)]
    return []


def _despite_the_sign(table: Table, averaging: Averaging) -> Table:
    signed = any(heading.percent for heading in table.headings if heading.metric == "r2")
    rows = _scaled(table.rows, "r2", 1 / _HUNDREDTH)
    if not signed or any(row.cells["r2"].interval().low > 1 for row in rows if "r2" in row.cells):
        return table
    if _shared(table.rows, averaging) is not False or _shared(rows, averaging) is not True:
        return table
    note = "R² stands under a percent sign, but only as fractions its rows share one variance; it is read so."
    return replace(table, rows=rows, notes=(*table.notes, note))


def _scaled(rows: Sequence[Row], metric: Metric, factor: Fraction) -> tuple[Row, ...]:
    return tuple(
        replace(row, cells={m: n.scaled(factor) if m == metric else n for m, n in row.cells.items()}) for row in rows
    )


def _shared(rows: Sequence[Row], averaging: Averaging) -> bool | None:
    """Whether rows of a test set share one variance; None where no test set has two rows to compare."""
    if averaging == "datasets":
        return None
    parts = [variances(part, averaging, frozenset(), "nearest").values() for part in rows_by_test_set(rows).values()]
    compared = [common(part) is not None for part in parts if len(part) > 1]
    return all(compared) if compared else None
