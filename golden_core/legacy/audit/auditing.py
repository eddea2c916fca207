"""The audit of a published table, from file to findings. Every step is defined elsewhere; here they meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from golden_core.legacy.audit.bounds import contradictions
from golden_core.legacy.audit.claims import Claim
from golden_core.legacy.audit.columns import column_faults
from golden_core.legacy.audit.comparability import variance_findings
from golden_core.legacy.audit.findings import VERDICTS, Averaging, Finding, Reading, RowSet, Verdict, settle
from golden_core.legacy.audit.headings import NAMES, Heading, Metric
from golden_core.legacy.audit.identities import ROUNDINGS, row_findings
from golden_core.legacy.audit.improvements import told_claims
from golden_core.legacy.audit.intervals import Interval
from golden_core.legacy.audit.layout import Columns
from golden_core.legacy.audit.ranking import ranking_findings
from golden_core.legacy.audit.rulings import Evidence, Ruling, rule
from golden_core.legacy.audit.scales import settle_percent, settle_powers
from golden_core.legacy.audit.splits import Explanation, SplitHypothesis, explain
from golden_core.legacy.audit.table import Row, Table, read_table
from golden_core.legacy.audit.variance import Group, groups, strangers
from golden_core.legacy.audit.wording import names


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
    source: Path | str | pl.DataFrame,
    *,
    columns: Columns | None = None,
    averaging: Averaging = "undeclared",
    claims: Sequence[Claim] = (),
    splits: SplitHypothesis | None = None,
) -> Audit:
    """Hold a published table of errors against the identities that any such table satisfies.

    Every printed number stands for all values that are rounded to it, and a contradiction is reported only where no
    choice of values satisfies RMSE² = MSE, MAE ≤ RMSE, R² ≤ 1 and one target variance MSE / (1 − R²) per test set.

    Parameters
    ----------
    source : path or DataFrame
        A file with a table, or a frame; see :func:`golden_core.legacy.audit.records.read_grid`.
    columns : mapping, optional
        Which column is what, where the headings do not say; see
        :func:`golden_core.legacy.audit.table.read_table`.
    averaging : {"undeclared", "none", "seeds", "datasets"}
        What the paper says a row is: a single run, a mean over seeds on one test set, a mean over data sets.
    claims : sequence of Claim
        Comparisons of rows that the paper makes; those of the table's own columns are found in it.
    splits : SplitHypothesis, optional
        Which rows may have been scored on which split.

    Returns
    -------
    Audit
        Deterministic: equal inputs give equal audits.

    Raises
    ------
    TableError
        If the table, a claim or a split cannot be read; names file, line and column.

    References
    ----------
    Brown & Heathers (2017), whose GRIM test asks the same of printed means: whether any data round to them.
    """
    table, in_percent = settle_percent(settle_powers(read_table(source, columns), averaging), averaging)
    faults = column_faults(table, averaging)
    unreliable = frozenset[Metric]().union(*(fault.unreliable for fault in faults))
    sets = groups(table, averaging, unreliable)
    known = {
        rounding: contradictions(table.rows, averaging, unreliable, rounding)
        | strangers(sets, table, averaging, unreliable, rounding)
        for rounding in ROUNDINGS
    }
    findings = [fault.finding for fault in faults]
    findings += [_with_percent(f, in_percent) for f in row_findings(table, averaging, known)]
    findings += variance_findings(sets, table, averaging, unreliable, known)
    findings += ranking_findings(table, averaging, findings)
    explanation = explain(splits, table.rows, sets, findings) if splits is not None else None
    told = told_claims(table)
    evidence = Evidence({row.name: row for row in table.rows}, sets, findings, explanation)
    return Audit(
        file=table.file,
        averaging=averaging,
        rows=table.rows,
        headings=table.headings,
        variances={name: interval for group in sets for name, interval in group.variances.items()},
        test_sets=tuple(found for group in sets for found in group.sets),
        findings=tuple(sorted(findings, key=lambda finding: VERDICTS.index(finding.verdict))),
        explanation=explanation,
        rulings=tuple(rule(claim, evidence) for claim in (*claims, *told)),
        notes=(*table.notes, *_unread(table, told), *_limits(table, sets, averaging, unreliable)),
    )


def _with_percent(finding: Finding, reading: Reading | None) -> Finding:
    """Return a finding about R² above 1 with the reading that the column is in percent."""
    if reading is None or finding.kind != "impossible_value":
        return finding
    readings = (*finding.readings, reading)
    return replace(finding, readings=readings, verdict=settle(readings, finding.verdict))


def _unread(table: Table, told: Sequence[Claim]) -> list[str]:
    headings = dict.fromkeys(heading for row in table.rows for heading in row.changes)
    left = [heading for heading in headings if not any(f": {heading} " in claim.text for claim in told)]
    return [f"Columns that were not read: {names(left)}."] if left else []


def _limits(table: Table, sets: Sequence[Group], averaging: Averaging, unreliable: frozenset[Metric]) -> list[str]:
    """Return what the table does not allow to check."""
    found = []
    coarse = [row.name for row in table.rows if _is_coarse(row)]
    if coarse:
        found.append(
            f"MSE has fewer significant digits than RMSE² carries: {names(coarse)}. RMSE² is the better number."
        )
    if averaging == "datasets":
        found.append("Means over data sets have no target variance: test sets were not compared.")
    alone = [row.name for row in table.rows if not any(row.name in group.variances for group in sets)]
    if alone and averaging != "datasets":
        found.append(f"Without a usable R² and MSE or RMSE there is no target variance: {names(alone)}.")
    if sets and len(table.rows) > 1 and all(len(group.variances) == 1 for group in sets):
        found.append("No two rows with a target variance share a test set, as the table tells them apart.")
    open_ended = [name for group in sets for name, interval in group.variances.items() if interval.high is None]
    if open_ended:
        found.append(f"R² that is printed as 1 leaves the target variance without an upper end: {names(open_ended)}.")
    if unreliable:
        told = ", ".join(NAMES[metric] for metric in NAMES if metric in unreliable)
        found.append(f"Not used for the target variance, being in doubt as a column: {told}.")
    return found


def _is_coarse(row: Row) -> bool:
    if "mse" not in row.cells or "rmse" not in row.cells:
        return False
    return row.cells["mse"].digits < 3 and row.cells["mse"].digits < row.cells["rmse"].digits
