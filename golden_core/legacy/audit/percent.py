"""R² whose percent sign is missing, or should be: which of two readings a column bears. Nothing else is repaired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from golden_core.legacy.audit.findings import Averaging, Reading
from golden_core.legacy.audit.intervals import common
from golden_core.legacy.audit.table import Row, Table
from golden_core.legacy.audit.variance import rows_by_test_set, variances

_HUNDREDTH = Fraction(1, 100)
_NAME = "R² in percent"


def settle_percent(table: Table, averaging: Averaging) -> tuple[Table, Reading | None]:
    """Return the table with R² as a fraction, and a reading where that is in doubt.

    A column that has numbers above 1 is in percent if most of them are above 1, or if in percent the rows of each
    test set share one variance. Otherwise it stays as it is, and the numbers above 1 are impossible, unless nothing in
    the table can refute percent. A column under a percent sign is not in percent if only as fractions its rows share
    one variance.
    """
    printed = [row.cells["r2"] for row in table.rows if "r2" in row.cells]
    above = [number for number in printed if number.interval().low > 1]
    if not above:
        return _despite_the_sign(table, averaging), None
    rows = _scaled(table.rows, _HUNDREDTH)
    possible = all(number.interval().low <= 100 for number in printed)
    shared = _shared(rows, averaging)
    if 2 * len(above) > len(printed) or (possible and shared is True):
        note = "R² has numbers above 1 and no percent sign; it is read in percent."
        return replace(table, rows=rows, notes=(*table.notes, note)), None
    if possible and shared is None:
        return table, Reading(_NAME, "explains", "Nothing in the table refutes a column in percent.")
    return table, Reading(_NAME, "excluded", "In percent, the rows of one test set do not share one variance.")


def _despite_the_sign(table: Table, averaging: Averaging) -> Table:
    signed = any(heading.percent for heading in table.headings if heading.metric == "r2")
    rows = _scaled(table.rows, 1 / _HUNDREDTH)
    if not signed or any(row.cells["r2"].interval().low > 1 for row in rows if "r2" in row.cells):
        return table
    if _shared(table.rows, averaging) is not False or _shared(rows, averaging) is not True:
        return table
    note = "R² stands under a percent sign, but only as fractions its rows share one variance; it is read so."
    return replace(table, rows=rows, notes=(*table.notes, note))


def _scaled(rows: Sequence[Row], factor: Fraction) -> tuple[Row, ...]:
    return tuple(
        replace(row, cells={m: n.scaled(factor) if m == "r2" else n for m, n in row.cells.items()}) for row in rows
    )


def _shared(rows: Sequence[Row], averaging: Averaging) -> bool | None:
    """Whether rows of a test set share one variance; None where no test set has two rows to compare."""
    if averaging == "datasets":
        return None
    parts = [variances(part, averaging, frozenset(), "nearest").values() for part in rows_by_test_set(rows).values()]
    compared = [common(part) is not None for part in parts if len(part) > 1]
    return all(compared) if compared else None
