"""How a check of the registry becomes an asset check, and what Dagster's record says of it, as the report shows it."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import dagster as dg

from golden_core.checks import Check, Examined, sampled_checks
from golden_core.checks.check import Severity
from golden_core.checks.explanations import explanation_checks
from golden_core.checks.inputs import decided, input_checks
from golden_core.checks.results import result_checks
from golden_core.preparation.catalogue import command_of
from golden_core.reporting.formats import count
from golden_core.reporting.judged import Judged
from golden_core.store.lake import Home
from golden_core.study import Study
from golden_dagster.lib.metadata import findings_value, table_value
from golden_dagster.resources import StudyResource, WorkersResource

Verdict = Literal["passed", "failed", "warned", "not run"]
_SEVERITIES = {"error": dg.AssetCheckSeverity.ERROR, "warn": dg.AssetCheckSeverity.WARN}


def asset_check(check: Check) -> dg.AssetChecksDefinition:
    """Return a check of the registry as Dagster runs it."""

    @dg.asset_check(asset=_key(check), name=check.name, blocking=check.blocking, description=check.says)
    def judged(study: StudyResource) -> dg.AssetCheckResult:
        return verdict(decided(check, study.home, study.load()), check.unit, check.severity)

    return judged


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


def require_inputs(home: Home, study: Study, refused: str) -> None:
    """Fail where bars, folds or features are at fault: a blocking check protects only the run that it is part of."""
    from golden_core.checks import verified_input_faults

    if faults := verified_input_faults(home, study):
        again = f"`{command_of(home, study.name)}`, or clean_bars and then folds materialised again,"
        raise dg.Failure(
            f"{refused}: {faults[0]}; {again} mends what is stale, and stops at what is not",
            metadata={"faults": findings_value(faults, title="fault")},
            allow_retries=False,
        )


def verdict(found: Examined, unit: str, severity: Severity = "error") -> dg.AssetCheckResult:
    """Return a result that passes when there are no findings and something was examined."""
    what = found.unit or (unit.removesuffix("s") if found.examined == 1 else unit)
    # They name files, and the name of a file may be no text.
    faults = [fault.encode(errors="backslashreplace").decode() for fault in found.faults(unit)]
    metadata: dict[str, Any] = {"examined": found.examined, "violations": len(faults)}
    if faults:
        metadata["findings"] = findings_value(faults)
    if found.coverage is not None:
        metadata["coverage"] = table_value(found.coverage)
    if found.refused:
        metadata["refused"] = findings_value(found.refused, title="refused")
    return dg.AssetCheckResult(
        passed=not faults,
        severity=_SEVERITIES[found.severity or severity],
        description=faults[0] if faults else f"{count(found.examined)} {what} examined",
        metadata=metadata,
    )


def recorded_verdicts(instance: dg.DagsterInstance, study: Study) -> Judged:
    """Return how every check of a study ended the last time it ran; that of the report itself comes after it.

    A run that has yet to decide one again takes nothing from what was decided since its asset was made.
    """
    checks = {
        dg.AssetCheckKey(_key(check), check.name): check
        for check in (*input_checks(study), *result_checks(study), *explanation_checks(study))
        if check.asset != "report"
    }
    found = {key: last_evaluation(instance, key) or _ended_before(instance, key) for key in checks}
    rows = [(*said(found[key]), check) for key, check in checks.items()]
    return Judged.of(
        [(verdict, c.name, c.asset, c.blocking, text) for verdict, text, c in rows],
        [row for key, check in checks.items() for row in _compared(check.name, found[key])],
    )


def last_evaluation(instance: dg.DagsterInstance, key: dg.AssetCheckKey) -> dg.AssetCheckEvaluation | None:
    """Return how a check ended the last time that a run began with it; None where it did not end, or none began."""
    record = instance.event_log_storage.get_latest_asset_check_execution_by_key([key]).get(key)
    return _evaluation(record.event) if record else None


def _ended_before(instance: dg.DagsterInstance, key: dg.AssetCheckKey) -> dg.AssetCheckEvaluation | None:
    made = instance.get_latest_materialization_event(key.asset_key)
    records = instance.event_log_storage.get_asset_check_execution_history(key, limit=10)
    events = (record.event for record in records if record.event and made and record.event.timestamp > made.timestamp)
    return next(filter(None, map(_evaluation, events)), None)


def _evaluation(entry: dg.EventLogEntry | None) -> dg.AssetCheckEvaluation | None:
    event = entry.dagster_event if entry else None
    evaluated = event is not None and event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION
    return event.asset_check_evaluation_data if event and evaluated else None


def said(evaluation: dg.AssetCheckEvaluation | None) -> tuple[Verdict, str]:
    """Return how a check ended, and what it found."""
    if evaluation is None:
        return "not run", ""
    bad: Verdict = "warned" if evaluation.severity == dg.AssetCheckSeverity.WARN else "failed"
    return "passed" if evaluation.passed else bad, evaluation.description or ""


def _compared(name: str, evaluation: dg.AssetCheckEvaluation | None) -> Iterator[tuple[str, str, str, int]]:
    coverage = evaluation.metadata.get("coverage") if evaluation else None
    if isinstance(coverage, dg.TableMetadataValue):
        for record in coverage.records:
            yield name, str(record.data["asset"]), str(record.data["poison"]), int(str(record.data["rows"]))


def _key(check: Check) -> dg.AssetKey:
    return dg.AssetKey(check.asset.split("/"))
