"""An audit as a page of Markdown: what is wrong, what is open, which claims stand."""

from __future__ import annotations

from typing import Any

from golden_core.legacy.audit.auditing import Audit
from golden_core.legacy.audit.headings import METRICS, NAMES
from golden_core.legacy.audit.intervals import between
from golden_core.legacy.page import page


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
