"""The audit of a published table, from file to findings, to plain values and to a page. Steps are defined elsewhere."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from golden_core.legacy.audit.bounds import Contradiction, Group, contradictions, groups, strangers
from golden_core.legacy.audit.claims import Claim, Ruling, rule
from golden_core.legacy.audit.findings import VERDICTS, Averaging, Finding, RowSet, Verdict
from golden_core.legacy.audit.headings import METRICS, NAMES, Heading
from golden_core.legacy.audit.identities import disguised_column, row_findings
from golden_core.legacy.audit.intervals import Interval, between, names
from golden_core.legacy.audit.layout import Columns
from golden_core.legacy.audit.printed import Printed, Rounding
from golden_core.legacy.audit.splits import Explanation, SplitHypothesis, explain
from golden_core.legacy.audit.table import Row, Table, read_table
from golden_core.legacy.audit.together import ranking_findings, variance_findings
from golden_core.legacy.page import page


@dataclass(frozen=True)
class Audit:
    """What a table of errors contradicts, row by row and together, and what it leaves open."""

    file: str
    averaging: Averaging
    rows: tuple[Row, ...]
    headings: tuple[Heading, ...]
    variances: Mapping[str, Interval]  # row → the target variances it leaves possible
    test_sets: tuple[RowSet, ...]
    findings: tuple[Finding, ...]
    explanation: Explanation | None
    rulings: tuple[Ruling, ...]
    notes: tuple[str, ...]

    def found(self, verdict: Verdict) -> tuple[Finding, ...]:
        """Return the findings with one verdict."""
        return tuple(finding for finding in self.findings if finding.verdict == verdict)


def audit_table(
    source: Path,
    *,
    columns: Columns | None = None,
    averaging: Averaging = "undeclared",
    claims: Sequence[Claim] = (),
    splits: SplitHypothesis | None = None,
) -> Audit:
    """Hold a published table of errors against the identities that any such table satisfies.

    Every printed number stands for all values that are rounded to it, and a contradiction is reported only where no
    choice of values satisfies RMSE² = MSE, MAE ≤ RMSE, R² ≤ 1 and one target variance MSE / (1 − R²) per test set.

    ``columns`` say which column is what where the headings do not, ``averaging`` what the paper says a row is, and
    ``splits`` which rows may have been scored on which split. Equal inputs give equal audits.

    Raises ``TableError`` if the table, a claim or a split cannot be read; names file, line and column.

    References
    ----------
    Brown & Heathers (2017), whose GRIM test asks the same of printed means: whether any data round to them.
    """
    table = read_table(source, columns)
    disguised, unreliable = disguised_column(table)
    table = replace(table, averaging=averaging, unreliable=unreliable)
    sets = groups(table)

    @cache  # most tables ask for one way of rounding
    def known(rounding: Rounding) -> frozenset[Contradiction]:
        return contradictions(table, rounding) | strangers(sets, table, rounding)

    findings = [*disguised, *row_findings(table, known), *variance_findings(sets, table, known)]
    findings += ranking_findings(table, findings)
    explanation = explain(splits, table.rows, sets, findings) if splits is not None else None
    rows = {row.name: row for row in table.rows}
    return Audit(
        file=table.file,
        averaging=averaging,
        rows=table.rows,
        headings=table.headings,
        variances={name: interval for group in sets for name, interval in group.variances.items()},
        test_sets=tuple(found for group in sets for found in group.sets),
        findings=tuple(sorted(findings, key=lambda finding: VERDICTS.index(finding.verdict))),
        explanation=explanation,
        rulings=tuple(rule(claim, rows, sets, findings, explanation) for claim in claims),
        notes=(*table.notes, *_limits(table, sets)),
    )


def _limits(table: Table, sets: Sequence[Group]) -> list[str]:
    """Return what the table does not allow to check."""
    found = []
    both = {row.name: row.cells for row in table.rows if {"mse", "rmse"} <= set(row.cells)}
    coarse = [name for name, cells in both.items() if cells["mse"].digits < min(3, cells["rmse"].digits)]
    if coarse:
        found += [f"MSE has fewer significant digits than RMSE² carries: {names(coarse)}. RMSE² is the better number."]
    if table.averaging == "datasets":
        found.append("Means over data sets have no target variance: test sets were not compared.")
    alone = [row.name for row in table.rows if not any(row.name in group.variances for group in sets)]
    if alone and table.averaging != "datasets":
        found.append(f"Without a usable R² and MSE or RMSE there is no target variance: {names(alone)}.")
    if sets and len(table.rows) > 1 and all(len(group.variances) == 1 for group in sets):
        found.append("No two rows with a target variance share a test set, as the table tells them apart.")
    ends = [name for group in sets for name, interval in group.variances.items() if interval.high is None]
    if ends:
        found += [f"A mean's RMSE, or R² printed as 1, leaves the target variance without an upper end: {names(ends)}."]
    if table.unreliable:
        told = ", ".join(NAMES[metric] for metric in NAMES if metric in table.unreliable)
        found.append(f"Not used for the target variance, being in doubt as a column: {told}.")
    return found


def audit_record(audit: Any) -> Any:
    """Return an audit, or a part of it, as mappings, lists, text and numbers.

    Numbers of the table are their printed text; an interval is ``[low, high]``, ``high`` null where there is no end.
    """
    if isinstance(audit, Interval):
        return [audit_record(audit.low), audit_record(audit.high)]
    if isinstance(audit, Printed):
        return audit.text
    if isinstance(audit, Fraction):
        return float(audit)
    if dataclasses.is_dataclass(audit):
        fields = (field.name for field in dataclasses.fields(audit) if field.compare)
        return {name: audit_record(getattr(audit, name)) for name in fields}
    if isinstance(audit, Mapping):
        return {str(key): audit_record(value) for key, value in audit.items()}
    return [audit_record(part) for part in audit] if isinstance(audit, tuple | list) else audit


def audit_markdown(audit: Audit) -> str:
    """Return an audit as Markdown; equal audits give equal text."""
    return page("audit.md.jinja", audit=audit, rows=_rows(audit))


def _rows(audit: Audit) -> dict[str, Any]:
    metrics = [metric for metric in METRICS if any(metric in row.cells for row in audit.rows)]
    place = {row: f"{found.number}" for found in audit.test_sets for row in found.rows}
    cells = [
        (
            row.name,
            *(row.cells[metric].text if metric in row.cells else "—" for metric in metrics),
            between(audit.variances[row.name]) if row.name in audit.variances else "—",
            place.get(row.name, "—"),
        )
        for row in audit.rows
    ]
    return {"heads": ("row", *(NAMES[metric] for metric in metrics), "implied target variance", "set"), "cells": cells}
