"""What Dagster's record says of the checks of a study, as the report shows it."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from golden_core.checks.explanations import explanation_checks
from golden_core.checks.inputs import input_checks
from golden_core.checks.results import result_checks
from golden_core.reporting import Judged
from golden_core.reporting.judged import checks_frame, probes_frame
from golden_core.study import Study


def recorded_verdicts(instance: dg.DagsterInstance, study: Study) -> Judged:
    """Return how every check of a study ended the last time it ran; that of the report itself comes after it."""
    checks = {
        dg.AssetCheckKey(dg.AssetKey(check.asset.split("/")), check.name): check
        for check in (*input_checks(study), *result_checks(study), *explanation_checks(study))
        if check.asset != "report"
    }
    found = {key: _last(instance, key) for key in checks}
    rows = [(*_said(found[key]), check) for key, check in checks.items()]
    return Judged(
        checks_frame([(verdict, c.name, c.asset, c.blocking, text) for verdict, text, c in rows]),
        probes_frame([row for key, check in checks.items() for row in _compared(check.name, found[key])]),
    )


def _last(instance: dg.DagsterInstance, key: dg.AssetCheckKey) -> dg.AssetCheckEvaluation | None:
    record = instance.event_log_storage.get_latest_asset_check_execution_by_key([key]).get(key)
    event = record.event.dagster_event if record and record.event else None
    evaluated = event is not None and event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION
    return event.asset_check_evaluation_data if event and evaluated else None


def _said(evaluation: dg.AssetCheckEvaluation | None) -> tuple[str, str]:
    if evaluation is None:
        return "not run", ""
    bad = "warned" if evaluation.severity == dg.AssetCheckSeverity.WARN else "failed"
    return "passed" if evaluation.passed else bad, evaluation.description or ""


def _compared(name: str, evaluation: dg.AssetCheckEvaluation | None) -> Iterator[tuple[str, str, str, int]]:
    coverage = evaluation.metadata.get("coverage") if evaluation else None
    if isinstance(coverage, dg.TableMetadataValue):
        for record in coverage.records:
            yield name, str(record.data["asset"]), str(record.data["poison"]), int(str(record.data["rows"]))
