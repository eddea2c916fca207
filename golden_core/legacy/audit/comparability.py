"""Findings about rows together: test sets that cannot be one."""

from __future__ import annotations

from collections.abc import Sequence

from golden_core.legacy.audit.findings import Averaging, Finding, Reading, RowSet, settle
from golden_core.legacy.audit.headings import Metric
from golden_core.legacy.audit.identities import Contradictions, excuses
from golden_core.legacy.audit.readings import scattered_readings, set_readings
from golden_core.legacy.audit.table import Table
from golden_core.legacy.audit.variance import Group
from golden_core.legacy.audit.wording import between, names, plural


def variance_findings(
    groups: Sequence[Group],
    table: Table,
    averaging: Averaging,
    unreliable: frozenset[Metric],
    known: Contradictions,
) -> list[Finding]:
    """Return one finding per set of rows that cannot share the variance of the agreeing rows.

    Where no set of agreeing rows stands out there is one finding for the whole group; and where agreeing rows are not
    even the larger part, its verdict is "inconsistent".
    """
    found = []
    for group in groups:
        main, *others = group.sets
        if others and group.clear and group.unique and len(main.rows) > 1:
            for other in others:
                readings = set_readings(other, main, table, averaging, unreliable)
                found.append(_singled_out(other, main, [*_rounded(other.rows, known), *readings]))
        elif others:
            readings = scattered_readings(group.sets, table, averaging, unreliable, clear=group.clear)
            rows = [row for other in others for row in other.rows]
            found.append(_no_single_one(group, [*_rounded(rows, known), *readings]))
    return found


def _singled_out(other: RowSet, main: RowSet, readings: list[Reading]) -> Finding:
    word = "implies" if len(other.rows) == 1 else "imply"
    return Finding(
        kind="target_variance",
        verdict=settle(readings, "different_test_sets"),
        rows=other.rows,
        sentence=(
            f"{_within(main.name)}{names(other.rows)} {word} a target variance in {between(other.variance)}, the other "
            f"{plural(len(main.rows), 'row')} agree on {between(main.variance)}: not one test set."
        ),
        evidence=_evidence((main, other)),
        readings=tuple(readings),
    )


def _no_single_one(group: Group, readings: list[Reading]) -> Finding:
    rows = tuple(name for found in group.sets for name in found.rows)
    return Finding(
        kind="target_variance",
        verdict=settle(readings, "different_test_sets" if group.clear else "inconsistent"),
        rows=rows,
        sentence=(
            f"{_within(group.name)}no target variance fits all {len(rows)} rows: single runs with "
            f"R² = 1 − MSE/variance would need at least {len(group.sets)} test sets. RMSE² = MSE, "
            "R² = 1 − MSE/variance and one test set cannot all hold."
        ),
        evidence=_evidence(group.sets),
        readings=tuple(readings),
    )


def _within(name: str) -> str:
    return f"{name}: " if name else ""


def _evidence(sets: Sequence[RowSet]) -> tuple[str, ...]:
    return tuple(f"MSE/(1 − R²) in {between(found.variance)}: {names(found.rows)}" for found in sets)


def _rounded(rows: Sequence[str], known: Contradictions) -> list[Reading]:
    """Return what other ways of rounding do for all of the rows."""
    each = [excuses((row, "target_variance"), known) for row in rows]
    explained = [{reading.name for reading in readings if reading.status == "explains"} for readings in each]
    always = set.intersection(*explained)
    found: dict[str, Reading] = {}
    for readings in each:
        for reading in readings:
            if (reading.status == "explains") == (reading.name in always):
                found.setdefault(reading.name, reading)
    return list(found.values())
