"""The plan as assets: evidence is written, criteria become checks, and nothing is signed by a machine."""

import json
from dataclasses import replace

import dagster as dg
import pytest

from golden_core.milestones.registry import load_registry
from golden_core.milestones.state import standing
from golden_dagster.definitions import resources
from golden_dagster.lib import milestones
from golden_dagster.lib.milestones import gate_asset, milestone_asset, milestone_checks

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
    }
    found = {e.check_name: e.passed for e in result.get_asset_check_evaluations()}
    assert found == {
        "packages_acyclic": True,
        "every_legacy_file_placed_once": True,
        "every_package_has_a_parity_test": True,
    }


def test_a_changed_byte_takes_the_verdicts_back(evidence):
    milestone = load_registry().milestone("P1.M2")
    run(milestone_asset(milestone))
    path = evidence / "P1.M2" / "deprecations.csv"
    path.write_bytes(path.read_bytes() + b" ")
    found = check(milestone)
    assert len(found) == 3
    assert not any(evaluation.passed for evaluation in found)


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
    assert all(evaluation.passed for evaluation in found.values())


def test_a_milestone_without_criteria_stays_planned(evidence):
    result = run(milestone_asset(load_registry().milestone("P4.M1")))
    metadata = result.asset_materializations_for_node("milestones__P4_M1")[0].metadata
    assert metadata["state"].value == "Planned"
    assert list(evidence.iterdir()) == []


def test_no_gate_is_met(evidence):
    for phase in load_registry().phases:
        result = run(gate_asset(phase))
        assert result.asset_materializations_for_node(f"milestones__{phase.id}")[0].metadata["met"].value is False
