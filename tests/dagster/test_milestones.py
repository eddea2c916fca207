"""The plan as assets: evidence is written, criteria become checks, and nothing is signed by a machine."""

import json
from dataclasses import replace

import dagster as dg
import pytest
from support.milestones import DELIVERABLES, FIRST, PASSED, START, make_project

from golden_core.milestones import makers
from golden_core.milestones.makers import Given
from golden_core.milestones.registry import load_registry
from golden_core.milestones.state import standing
from golden_core.preparation.catalogue import load_study
from golden_dagster.definitions import definitions_for, resources
from golden_dagster.defs import milestones
from golden_dagster.defs.milestones import gate_asset, gate_check, milestone_asset, milestone_checks
from golden_dagster.resources import StudyResource

FAILING = "every_legacy_file_placed_once"


def run(*definitions):
    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize(list(definitions), resources=resources(), instance=instance)


def check(milestone):
    definitions = dg.Definitions(
        assets=[milestone_asset(milestone)],
        asset_checks=milestone_checks(milestone),
        jobs=[dg.define_asset_job("checks", dg.AssetSelection.all_asset_checks())],
        resources=resources(),
    )
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def("checks").execute_in_process(instance=instance)
    return result.get_asset_check_evaluations()


@pytest.fixture
def evidence(tmp_path, monkeypatch):
    """A folder for evidence. That the parity tests exist is shown, and pytest asked, in the tests of the migration."""
    monkeypatch.setattr(makers.loader, "existing_tests", lambda _, names: frozenset(names))
    monkeypatch.setenv("GOLDEN_EVIDENCE", str(tmp_path))
    return tmp_path


def test_the_migration_plan_writes_its_evidence_and_passes_its_checks(evidence):
    milestone = load_registry().milestone("P1.M2")
    result = run(milestone_asset(milestone), *milestone_checks(milestone))
    metadata = json.loads((evidence / "P1.M2" / "metadata.json").read_text())
    assert {record["path"] for record in metadata["outputs"]} == {
        "work_packages.csv",
        "deprecations.csv",
        "migration_plan.md",
        "second_layout.md",
    }
    found = {e.check_name: e.passed for e in result.get_asset_check_evaluations()}
    assert found == {
        "packages_complete": True,
        "packages_acyclic": True,
        "every_legacy_file_placed_once": True,
        "every_package_has_a_parity_test": True,
        "plan_approved": False,
    }


def test_a_changed_byte_takes_the_verdicts_back(evidence):
    milestone = load_registry().milestone("P1.M2")
    run(milestone_asset(milestone))
    path = evidence / "P1.M2" / "deprecations.csv"
    path.write_bytes(path.read_bytes() + b" ")
    found = check(milestone)
    assert len(found) == 5
    assert not any(evaluation.passed for evaluation in found)
    assert all("deliverable deprecations.csv: has changed" in evaluation.description for evaluation in found)


def test_a_failed_criterion_warns_and_says_what_failed(evidence, monkeypatch):
    def failing(place, milestone):
        found = standing(place, milestone)
        criteria = [replace(c, verdict="fail", value=2) if c.id == FAILING else c for c in found.criteria]
        return replace(found, criteria=tuple(criteria))

    milestone = load_registry().milestone("P1.M2")
    run(milestone_asset(milestone))
    monkeypatch.setattr(milestones, "standing", failing)
    found = {evaluation.asset_check_key.name: evaluation for evaluation in check(milestone)}
    failed = found.pop(FAILING)
    assert (failed.passed, failed.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert failed.description == "fails: 2, expected 0 misplaced"
    signature = found.pop("plan_approved")
    assert (signature.passed, signature.severity, signature.description) == (False, dg.AssetCheckSeverity.WARN, "open")
    assert all(evaluation.passed for evaluation in found.values())


def test_what_a_command_decides_is_decided_when_the_evidence_is_made(evidence, monkeypatch):
    """Evidence made from the web UI is as good as from the command line: it supersedes no verdict by none."""
    monkeypatch.setattr(makers.Place, "run", lambda *_, **__: (0, ""))
    milestone = load_registry().milestone("P0.M2")
    result = run(milestone_asset(milestone), *milestone_checks(milestone))
    found = {e.check_name: e.passed for e in result.get_asset_check_evaluations()}
    assert found == {criterion.id: not criterion.human for criterion in milestone.criteria}


def test_a_command_that_does_not_end_fails_its_criterion_and_the_evidence_is_written(tmp_path, monkeypatch):
    project = make_project(tmp_path / "project")
    slow = {"id": "script_runs", "claim": "It ends.", "command": ["python", "-c", "import time; time.sleep(60)"]}
    project = project.with_plan(criteria=[*FIRST["criteria"][:1], slow, *FIRST["criteria"][2:]])
    monkeypatch.setitem(makers.MAKERS, "P0.M1", lambda *_: (DELIVERABLES, PASSED[:1]))
    monkeypatch.setattr(makers, "COMMAND_SECONDS", 0.2)
    written = makers.make_evidence(project.place, project.milestone, given=Given(), now=START, run_commands=True)
    criterion = next(one for one in written.metadata.criteria if one.id == "script_runs")
    assert (criterion.verdict, criterion.value) == ("fail", "longer than 0.2 s")


def test_every_criterion_is_a_check_of_some_asset():
    graph = definitions_for(load_study("smoke"), StudyResource(study="smoke")).resolve_asset_graph()
    checks = {(key.asset_key.to_user_string(), key.name) for key in graph.asset_check_keys}
    for milestone in load_registry().milestones:
        own = f"milestones/{milestone.id.replace('.', '_')}"
        for criterion in milestone.criteria:
            asset, _, name = (criterion.check or f"{own}:{criterion.id}").partition(":")
            assert (asset, name) in checks
            assert asset == own or dg.AssetKey(asset.split("/")) in graph.get(dg.AssetKey(own.split("/"))).parent_keys


def test_an_exit_gate_says_what_is_open(evidence):
    for phase in load_registry().phases:
        result = run(gate_asset(phase), gate_check(phase))
        assert result.asset_materializations_for_node(f"milestones__{phase.id}")[0].metadata["met"].value is False
        (found,) = result.get_asset_check_evaluations()
        assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
        if phase.id == "P0":
            assert found.description == "open: P0.M1, P0.M2, scope_approved"


def test_a_milestone_without_a_maker_stays_planned(evidence):
    result = run(milestone_asset(load_registry().milestone("P6.M3")))
    metadata = result.asset_materializations_for_node("milestones__P6_M3")[0].metadata
    assert metadata["state"].value == "Planned"
    assert list(evidence.iterdir()) == []
