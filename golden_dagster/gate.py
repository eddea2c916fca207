"""The gate: every check of a study, run and counted. What decides is here; what is claimed lives in the checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree

import dagster as dg

from golden_core.checks.inputs import SAMPLED
from golden_core.reporting.formats import visible
from golden_core.store.lake import write_text
from golden_dagster.campaign import Campaign
from golden_dagster.lib.checks import Verdict, said
from golden_dagster.lib.failures import failure_messages

PLATFORM = {"legacy", "leakage", "milestones"}  # where assets live that belong to no study


@dataclass(frozen=True)
class CheckRow:
    """One check: what became of it and why."""

    asset: str
    name: str
    verdict: Verdict
    description: str
    seconds: float | None = None  # of the step that decided it, which may have decided others too
    follows: bool = False  # says nothing of its own: what it looks at could not be made, or it could not look

    @property
    def of_study(self) -> bool:
        """Whether it is a claim about a study, and not about the platform."""
        return self.asset.partition("/")[0] not in PLATFORM

    @property
    def blocks(self) -> bool:
        """Whether this row closes the gate."""
        return self.verdict in {"failed", "not run"}


@dataclass(frozen=True)
class GateResult:
    """Every check and every failed run."""

    rows: Sequence[CheckRow]  # in the order in which their assets are made
    failures: Sequence[str]

    @property
    def passed(self) -> bool:
        """Whether no ERROR check failed, every check was evaluated, and every run succeeded."""
        return not self.failures and not any(row.blocks for row in self.rows)

    @property
    def cause(self) -> str | None:
        """What closed the gate: the first failed run, else the first check in the order of the graph."""
        rows = (f"{row.asset}: {row.name}: {row.description}" for row in self.rows if row.blocks and not row.follows)
        return next(iter((*self.failures, *rows)), None)


def run_gate(campaign: Campaign) -> GateResult:
    """Evaluate every check of a campaign whose assets have been materialised.

    A check that should have run and did not is as bad as a failed one: it has shown nothing. A warning never fails.

    Those that fit forecasters on sampled folds count as the stages of this campaign evaluated them: they cost more than
    all others, and whether their inputs are still those is what the others say.
    """
    graph = campaign.definitions.resolve_asset_graph()
    place = {key: number for number, key in enumerate(graph.toposorted_asset_keys)}
    expected = sorted(graph.asset_check_keys, key=lambda key: (place[key.asset_key], key.name))
    once = {key for key in expected if key.name in {check.name for check in SAMPLED}}
    evaluations, seconds = _evaluated(campaign.results, once)
    left = dg.AssetSelection.all_asset_checks() - dg.AssetSelection.checks(*evaluations)
    result = campaign.run_selection("gate", left, {})
    found, took = _evaluated([result], set(expected))
    evaluations, seconds = evaluations | found, seconds | took
    rows = [_row(key, evaluations.get(key), seconds.get(key)) for key in expected]
    claims = {f"{row.name}: {row.description}" for row in rows}
    told = (*campaign.failures, *failure_messages(result.all_events))
    failures = [message for message in told if message not in claims]
    causes = campaign.failures if campaign.stopped else failures
    if causes:
        lost = _unmade(campaign)
        unmade = (key.asset_key in lost for key in expected)
        rows = [
            replace(row, follows=row.verdict == "not run" or (below and row.verdict != "passed"))
            for row, below in zip(rows, unmade, strict=True)
        ]
    return GateResult(rows, list(dict.fromkeys(causes)))


def _unmade(campaign: Campaign) -> set[dg.AssetKey]:
    """Return the assets below the stage that failed."""
    graph, found = campaign.definitions.resolve_asset_graph(), set[dg.AssetKey]()
    front = set(campaign.stopped.assets) if campaign.stopped else set()
    while front := {child for key in front for child in graph.get(key).child_keys} - found:
        found |= front
    return found


def _evaluated(
    results: Sequence[dg.ExecuteInProcessResult], keys: set[dg.AssetCheckKey]
) -> tuple[dict[dg.AssetCheckKey, dg.AssetCheckEvaluation], dict[dg.AssetCheckKey, float]]:
    """Return the last evaluation of each check, and how long its step took."""
    evaluations, seconds = dict[dg.AssetCheckKey, dg.AssetCheckEvaluation](), dict[dg.AssetCheckKey, float]()
    for result in results:
        steps = {e.step_key: e.step_success_data.duration_ms / 1000 for e in result.all_events if e.is_step_success}
        for event in result.all_events:
            if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
                evaluation = event.asset_check_evaluation_data
                if evaluation.asset_check_key in keys:
                    evaluations[evaluation.asset_check_key] = evaluation
                    if event.step_key in steps:
                        seconds[evaluation.asset_check_key] = steps[event.step_key]
    return evaluations, seconds


def _row(key: dg.AssetCheckKey, evaluation: dg.AssetCheckEvaluation | None, seconds: float | None) -> CheckRow:
    verdict, found = said(evaluation) if evaluation else ("not run", "the check was not evaluated")
    return CheckRow(key.asset_key.to_user_string(), key.name, verdict, found, seconds)


def write_junit(result: GateResult, study: str, path: Path) -> None:
    """Write the result as JUnit XML: one test case per check, one per failed run."""
    suite = ElementTree.Element("testsuite", name=f"golden gate {study}")
    for row in result.rows:
        case = ElementTree.SubElement(suite, "testcase", classname=row.asset.replace("/", "."), name=row.name)
        if row.seconds is not None:
            case.set("time", f"{row.seconds:.3f}")
        if row.blocks:
            reason = f"{row.description}; it follows from: {result.cause}" if row.follows else row.description
            ElementTree.SubElement(case, {"failed": "failure"}.get(row.verdict, "error"), message=reason)
        elif row.verdict == "warned":
            ElementTree.SubElement(case, "system-out").text = f"warning: {row.description}"
    for failure in result.failures:
        case = ElementTree.SubElement(suite, "testcase", classname="run", name=failure.partition(":")[0])
        ElementTree.SubElement(case, "error", message=failure)
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(suite.findall("testcase/error"))))
    ElementTree.indent(suite)
    write_text(visible(ElementTree.tostring(suite, encoding="unicode", xml_declaration=True)) + "\n", path)
