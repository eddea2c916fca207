"""Rankings that contradict each other: rows in one order by one metric and in the other order by another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from golden_core.legacy.audit.bounds import bounds, is_mean
from golden_core.legacy.audit.findings import VERDICTS, Averaging, Finding
from golden_core.legacy.audit.headings import NAMES, Metric
from golden_core.legacy.audit.table import Row, Table
from golden_core.legacy.audit.variance import rows_by_test_set
from golden_core.legacy.audit.wording import names

_PAIRS: tuple[tuple[Metric, Metric], ...] = (("rmse", "mse"), ("rmse", "r2"), ("mse", "r2"))
_KINDS = frozenset({"target_variance", "rmse_squared_above_mse", "rmse_squared_below_mse"})
_SENTENCE = "Rows rank differently by metrics that must agree on one test set (RMSE, MSE, R²)."


def ranking_findings(table: Table, averaging: Averaging, findings: Sequence[Finding]) -> list[Finding]:
    """Return where the order of rows differs between metrics that must agree on one test set.

    With the same targets, a smaller RMSE is a smaller MSE and a larger R². A reversed pair therefore always goes with
    another finding, whose verdict it takes; it is what a reader sees first. Of means over seeds only MSE and R² must
    agree, of means over data sets nothing.
    """
    found = []
    for members_of_set in rows_by_test_set(table.rows).values():
        rows = [row for row in members_of_set if averaging != "datasets" and not row.summary]
        members = {row.name for row in rows}
        flagged = [finding for finding in findings if finding.kind in _KINDS and members.intersection(finding.rows)]
        suspects = {name for finding in flagged for name in finding.rows}
        pairs = _PAIRS[-1:] if any(is_mean(row, averaging) for row in rows) else _PAIRS
        evidence = _reversed(rows, np.array([row.name in suspects for row in rows], dtype=np.bool_), pairs)
        if evidence:
            verdict = min((finding.verdict for finding in flagged), key=VERDICTS.index)
            named = tuple(row.name for row in rows if row.name in suspects)
            found.append(Finding("ranking", verdict, named, _SENTENCE, tuple(evidence)))
    return found


def _reversed(rows: Sequence[Row], suspect: npt.NDArray[np.bool_], pairs: Sequence[tuple[Metric, Metric]]) -> list[str]:
    """Return the pairs of rows, one of them a suspect, that two metrics put in opposite orders."""
    ends = {metric: _ends(rows, metric) for pair in pairs for metric in pair}
    lines = []
    for place in np.flatnonzero(suspect).tolist():
        # A pair of suspects is named once, with the first of them.
        partner = ~suspect | (np.arange(len(rows)) > place)
        for first, second in pairs:
            opposite = _order(ends[first], place) * _order(ends[second], place) == (1 if second == "r2" else -1)
            against = [rows[other].name for other in np.flatnonzero(opposite & partner).tolist()]
            if against:
                pair = f"{NAMES[first]} and {NAMES[second]}"
                lines.append(f"{rows[place].name} and {names(against)}: opposite orders by {pair}")
    return lines


def _ends(rows: Sequence[Row], metric: Metric) -> npt.NDArray[np.float64]:
    """Return the ends of a metric's intervals [2, rows]; NaN, which is neither more nor less, where there is none."""
    found = [bounds(row).get(metric) for row in rows]
    return np.array(
        [
            [np.nan if interval is None else float(interval.low) for interval in found],
            [np.nan if interval is None or interval.high is None else float(interval.high) for interval in found],
        ]
    )


def _order(ends: npt.NDArray[np.float64], place: int) -> npt.NDArray[np.int64]:
    """Return whether a row is certainly above (1) or below (−1) each other row, or neither (0)."""
    low, high = ends
    order: npt.NDArray[np.int64] = np.subtract(low[place] > high, high[place] < low, dtype=np.int64)
    return order
