"""An audit as a page of Markdown, in the order a reader asks: what is wrong, what is open, which claims stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from golden_core.legacy.audit.auditing import Audit
from golden_core.legacy.audit.claims import Ruling
from golden_core.legacy.audit.findings import VERDICTS, Finding, Verdict
from golden_core.legacy.audit.headings import METRICS, NAMES
from golden_core.legacy.audit.intervals import between, names, number, plural
from golden_core.store.markdown import markdown_table

_TITLES: dict[Verdict, str] = {
    "certainly_wrong": "Certainly wrong",
    "different_test_sets": "Scored on different test sets",
    "inconsistent": "Inconsistent: the identities cannot all hold",
    "open": "Open: an innocent reading remains",
}
_SUMMARIES: dict[Verdict, str] = {
    "certainly_wrong": "no rounding and no averaging gives these numbers",
    "different_test_sets": "the rows cannot share a test set, unless a reading holds that is still open",
    "inconsistent": "so many rows contradict each other that none can be singled out, unless an open reading holds",
    "open": "a contradiction that an innocent reading would explain",
}


def audit_markdown(audit: Audit) -> str:
    """Return an audit as Markdown; equal audits give equal text."""
    blocks = [
        f"# Audit of {_escaped(audit.file)}",
        _summary(audit),
        *(block for verdict in VERDICTS for block in _section(verdict, audit.found(verdict))),
        *_claims(audit.rulings),
        *_splits(audit),
        "## Rows",
        _rows(audit),
        *(["## What could not be checked", _list(audit.notes)] if audit.notes else []),
    ]
    return "\n\n".join(blocks) + "\n"


def _summary(audit: Audit) -> str:
    counts = [
        f"- **{_TITLES[verdict]}**: {plural(len(found), 'finding')}; {_SUMMARIES[verdict]}."
        for verdict in VERDICTS
        if (found := audit.found(verdict))
    ]
    checked = (
        f"{plural(len(audit.rows), 'row')} were held against RMSE² = MSE, MAE ≤ RMSE, R² ≤ 1 and one target variance "
        "MSE/(1 − R²) per test set. Every printed number stands for all values that are rounded to it."
    )
    fallen = sum(ruling.falls for ruling in audit.rulings)
    claims = [f"- **Claims**: {fallen} of {len(audit.rulings)} fall."] if audit.rulings else []
    return "\n".join([checked, "", *(counts or ["- Nothing contradicts."]), *claims])


def _section(verdict: Verdict, findings: Sequence[Finding]) -> list[str]:
    if not findings:
        return []
    return [f"## {_TITLES[verdict]}", *(block for finding in findings for block in _finding(finding))]


def _finding(finding: Finding) -> list[str]:
    blocks = [
        f"### {finding.kind.replace('_', ' ')}: {_escaped(names(finding.rows))}",
        _escaped(finding.sentence),
        _list(finding.evidence),
    ]
    if finding.readings:
        cells = [(reading.name, reading.status, reading.sentence) for reading in finding.readings]
        blocks.append(_table(("reading", "status", "what it would take"), cells))
    return blocks


def _claims(rulings: Sequence[Ruling]) -> list[str]:
    if not rulings:
        return []
    cells = [(ruling.claim.text, "falls" if ruling.falls else "not refuted", ruling.sentence) for ruling in rulings]
    return ["## Claims", _table(("claim", "verdict", "why"), cells)]


def _splits(audit: Audit) -> list[str]:
    if audit.explanation is None:
        return []
    cells = [
        (
            part.shares,
            str(part.targets),
            names(part.rows),
            between(part.variance) if part.variance else "—",
            number(part.measured, 6) if part.measured is not None else "—",
            "yes" if part.holds else "no",
        )
        for part in audit.explanation.parts
    ]
    heading = ("split", "targets", "rows", "implied target variance", "measured", "holds")
    return ["## The given splits", _escaped(audit.explanation.sentence), _table(heading, cells)]


def _rows(audit: Audit) -> str:
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
    return _table(("row", *(NAMES[metric] for metric in metrics), "implied target variance", "set"), cells)


def _table(heading: Sequence[str], cells: Iterable[Sequence[str]]) -> str:
    return markdown_table(heading, [[_escaped(cell) for cell in row] for row in cells])


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {_escaped(line)}" for line in lines)


def _escaped(text: str) -> str:
    """Return text that Markdown shows as it is; a table comes from strangers."""
    for character in "\\`*_<>|":
        text = text.replace(character, "\\" + character)
    return " ".join(text.replace("](", "]\\(").split())
