"""Findings about rows together: test sets that cannot be one, and rankings that contradict each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from golden_core.legacy.audit.bounds import Group, bounds, rows_by_test_set
from golden_core.legacy.audit.explanations import scattered_readings, set_readings
from golden_core.legacy.audit.findings import VERDICTS, Finding, Reading, RowSet, Verdict, settle
from golden_core.legacy.audit.headings import NAMES, Metric
from golden_core.legacy.audit.intervals import between, names
from golden_core.legacy.audit.row_explanations import Contradictions, rounded_otherwise
from golden_core.legacy.audit.table import Row, Table
from golden_core.study.faults import plural

_PAIRS: tuple[tuple[Metric, Metric], ...] = (("rmse", "mse"), ("rmse", "r2"), ("mse", "r2"))
_KINDS = frozenset({"target_variance", "rmse_squared_above_mse", "rmse_squared_below_mse"})
_SENTENCE = "Rows rank differently by metrics that must agree on one test set (RMSE, MSE, R²)."


def variance_findings(groups: Sequence[Group], table: Table, known: Contradictions) -> list[Finding]:
    """Return one finding per set of rows that cannot share the variance of the agreeing rows.

    Where no set of agreeing rows stands out there is one finding for the whole group; and where agreeing rows are not
    even the larger part, its verdict is "inconsistent".
    """
    found = []
    for group in groups:
        main, *others = group.sets
        if others and group.clear and group.unique and len(main.rows) > 1:
            for other in others:
                readings = set_readings(other, main, table, list(group.variances))
                found.append(_singled_out(other, main, [*_rounded(other.rows, known), *readings]))
        elif others:
            readings = scattered_readings(group.sets, table, clear=group.clear)
            rows = [row for other in others for row in other.rows]
            found.append(_no_single_one(group, [*_rounded(rows, known), *readings]))
    return found


def _singled_out(other: RowSet, main: RowSet, readings: list[Reading]) -> Finding:
    word = "implies" if len(other.rows) == 1 else "imply"
    sentence = (
        f"{names(other.rows)} {word} a target variance in {between(other.variance)}, the other "
        f"{plural(len(main.rows), 'row')} agree on {between(main.variance)}: not one test set."
    )
    return _finding("different_test_sets", other.rows, sentence, (main, other), readings)


def _no_single_one(group: Group, readings: list[Reading]) -> Finding:
    rows = tuple(name for found in group.sets for name in found.rows)
    sentence = (
        f"no target variance fits all {len(rows)} rows: single runs with R² = 1 − MSE/variance would need at least "
        f"{len(group.sets)} test sets. RMSE² = MSE, R² = 1 − MSE/variance and one test set cannot all hold."
    )
    return _finding("different_test_sets" if group.clear else "inconsistent", rows, sentence, group.sets, readings)


def _finding(
    otherwise: Verdict, rows: tuple[str, ...], sentence: str, sets: Sequence[RowSet], readings: list[Reading]
) -> Finding:
    told = f"{sets[0].name}: {sentence}" if sets[0].name else sentence
    evidence = tuple(f"MSE/(1 − R²) in {between(found.variance)}: {names(found.rows)}" for found in sets)
    return Finding("target_variance", settle(readings, otherwise), rows, told, evidence, tuple(readings))


def _rounded(rows: Sequence[str], known: Contradictions) -> list[Reading]:
    """Return what other ways of rounding do for all of the rows."""
    each = [rounded_otherwise((row, "target_variance"), known) for row in rows]
    explained = [{reading.name for reading in readings if reading.status == "explains"} for readings in each]
    always = set.intersection(*explained)
    told = [one for readings in each for one in readings if (one.status == "explains") == (one.name in always)]
    return [one for place, one in enumerate(told) if one.name not in {other.name for other in told[:place]}]


def ranking_findings(table: Table, findings: Sequence[Finding]) -> list[Finding]:
    """Return where the order of rows differs between metrics that must agree on one test set.

    With the same targets, a smaller RMSE is a smaller MSE and a larger R². A reversed pair therefore always goes with
    another finding about one of its rows, and is as certain as the milder where both have one. Of means over seeds only
    MSE and R² must agree, of means over data sets nothing.
    """
    found = []
    for listed in rows_by_test_set(table.rows).values():
        rows = [row for row in listed if table.averaging != "datasets" and not row.summary]
        pairs = _PAIRS[-1:] if any(table.is_mean(row) for row in rows) else _PAIRS
        for verdict, reversals in _by_verdict(rows, pairs, findings).items():
            evidence = [
                f"{row} and {names(others)}: opposite orders by {NAMES[first]} and {NAMES[second]}"
                for (row, first, second), others in reversals.items()
            ]
            accused = tuple(dict.fromkeys(row for row, _, _ in reversals))
            found.append(Finding("ranking", verdict, accused, _SENTENCE, tuple(evidence)))
    return found


def _by_verdict(
    rows: Sequence[Row], pairs: Sequence[tuple[Metric, Metric]], findings: Sequence[Finding]
) -> dict[Verdict, dict[tuple[str, Metric, Metric], list[str]]]:
    """Return verdict → accused row and two metrics → the rows beside which they put it in opposite orders."""
    found: dict[Verdict, dict[tuple[str, Metric, Metric], list[str]]] = {}
    for first, second in pairs:
        kinds = _KINDS if second == "r2" else _KINDS - {"target_variance"}
        worst = {
            row.name: min(verdicts, key=VERDICTS.index)
            for row in rows
            if (verdicts := [f.verdict for f in findings if f.kind in kinds and row.name in f.rows])
        }
        for pair in _reversed(rows, first, second):
            accused = sorted((name for name in pair if name in worst), key=lambda name: VERDICTS.index(worst[name]))
            if accused:
                other = pair[1 - pair.index(accused[0])]
                reversals = found.setdefault(worst[accused[-1]], {})
                reversals.setdefault((accused[0], first, second), []).append(other)
    return found


def _reversed(rows: Sequence[Row], first: Metric, second: Metric) -> list[tuple[str, str]]:
    """Return the pairs of rows that two metrics put in opposite orders beyond rounding."""
    ends = _ends(rows, first), _ends(rows, second)
    found = []
    for place, row in enumerate(rows):
        opposite = _order(ends[0], place) * _order(ends[1], place) == (1 if second == "r2" else -1)
        found += [(row.name, rows[other].name) for other in np.flatnonzero(opposite).tolist() if other > place]
    return found


def _ends(rows: Sequence[Row], metric: Metric) -> npt.NDArray[np.float64]:
    """Return the ends of a metric's intervals [2, rows]; NaN, which is neither more nor less, where there is none."""
    found = [bounds(row).get(metric) for row in rows]
    ends = [(None, None) if interval is None else (interval.low, interval.high) for interval in found]
    return np.array(ends, dtype=float).T


def _order(ends: npt.NDArray[np.float64], place: int) -> npt.NDArray[np.int64]:
    """Return whether a row is certainly above (1) or below (−1) each other row, or neither (0)."""
    low, high = ends
    order: npt.NDArray[np.int64] = np.subtract(low[place] > high, high[place] < low, dtype=np.int64)
    return order
