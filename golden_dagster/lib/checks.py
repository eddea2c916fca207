"""How a check of the registry becomes an asset check: a claim, the findings against it, and how much was looked at."""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from golden_core.checks import Check, Examined, sampled_checks
from golden_core.checks.check import Severity
from golden_core.reporting.formats import count
from golden_dagster.lib.metadata import findings_value, table_value
from golden_dagster.resources import StudyResource, WorkersResource

_SEVERITIES = {"error": dg.AssetCheckSeverity.ERROR, "warn": dg.AssetCheckSeverity.WARN}


def asset_check(check: Check) -> dg.AssetChecksDefinition:
    """Return a check of the registry as Dagster runs it."""

    @dg.asset_check(
        asset=dg.AssetKey(check.asset.split("/")), name=check.name, blocking=check.blocking, description=check.says
    )
    def decided(study: StudyResource) -> dg.AssetCheckResult:
        return verdict(check.decide(study.home, study.load()), check.unit, check.severity)

    return decided


def sampled_asset_checks(checks: Sequence[Check]) -> dg.AssetChecksDefinition:
    """Return the checks that fit forecasters as one step with workers, since fits are what probing costs."""

    @dg.multi_asset_check(
        specs=[dg.AssetCheckSpec(c.name, asset=c.asset, blocking=c.blocking, description=c.says) for c in checks],
        can_subset=True,
    )
    def future_and_fits(
        context: dg.AssetCheckExecutionContext, study: StudyResource, workers: WorkersResource
    ) -> Iterator[dg.AssetCheckResult]:
        found = sampled_checks(study.home, study.load(), backend=workers.local, workers=workers.count)
        for check in checks:
            if check.name in {key.name for key in context.selected_asset_check_keys}:
                yield verdict(found[check.name], check.unit, check.severity)._replace(check_name=check.name)

    return future_and_fits


def verdict(found: Examined, unit: str, severity: Severity = "error") -> dg.AssetCheckResult:
    """Return a result that passes when there are no findings and something was examined."""
    faults = found.faults(unit)
    metadata: dict[str, Any] = {"examined": found.examined, "violations": len(faults)}
    metadata["findings"] = findings_value(faults)
    if found.coverage is not None:
        metadata["coverage"] = table_value(found.coverage)
    if found.refused:
        metadata["refused"] = findings_value(found.refused, title="refused")
    return dg.AssetCheckResult(
        passed=not faults,
        severity=_SEVERITIES[found.severity or severity],
        description=faults[0] if faults else f"{count(found.examined)} {found.unit or unit} examined",
        metadata=metadata,
    )
