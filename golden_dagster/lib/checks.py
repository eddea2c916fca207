"""How a check reports: a claim, the findings against it, and how much was looked at."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from golden_dagster.lib.metadata import findings_value


def verdict(
    findings: Sequence[str],
    *,
    examined: int,
    unit: str,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
) -> dg.AssetCheckResult:
    """Return a result that passes when there are no findings and something was examined.

    Parameters
    ----------
    findings : sequence of str
        One sentence per violation, each naming what, where and what was expected.
    examined : int
        How many things were looked at. A check that examined nothing has shown nothing and fails.
    unit : str
        What was counted: ``rows``, ``folds``, ``trials``.
    severity
        Severity of a failure.
    """
    faults = list(findings) or ([f"no {unit} to examine: the claim cannot be checked"] if examined == 0 else [])
    return dg.AssetCheckResult(
        passed=not faults,
        severity=severity,
        description=faults[0] if faults else f"{examined} {unit} examined",
        metadata={"examined": examined, "violations": len(faults), "findings": findings_value(faults)},
    )
