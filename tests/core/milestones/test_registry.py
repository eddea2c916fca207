"""The plan that the project declares is the plan that was given, and plans that are none are refused."""

import re
import shutil

import pytest

from golden_core.milestones.records import EvidenceError
from golden_core.milestones.registry import PHASES, PLAN, load_registry, matches

# What the execution plan asks for, frozen: accountable; supporting; deliverables by its own names; criteria.
ASKED = {
    "P0.M1": ("TL RL", "DL", ["legacy_inventory.md", "checksums.csv"], 2),
    "P0.M2": ("DL", "TL RL", ["data_flow_diagrams/", "open_questions.md"], 3),
    "P1.M1": ("RL", "TL QL", ["requirements_matrix.xlsx", "raci.md"], 2),
    "P1.M2": ("TL", "IE RL", ["migration_plan.md", "work_packages.csv"], 2),
    "P2.M1": ("IE", "TL QL", ["config_schema.yaml", "validation plan", "reproducibility script prototype"], 4),
    "P2.M2": ("DL", "IE", ["data_loader_spec.md", "test_plan.md"], 2),
    "P3.M1": ("TL", "IE RL", ["orchestrator_design.md", "interface diagrams"], 2),
    "P3.M2": ("RL", "QL", ["statistical_protocol.md", "reporting templates"], 2),
    "P4.M1": ("IS", "TL RL", ["interpretability_spec.md", "sanity check matrix"], 2),
    "P4.M2": ("IE", "TL QL", ["benchmark_plan.md", "measurement templates"], 2),
    "P5.M1": ("TL", "IE DL", ["code modules", "CI configs", "updated docs"], 3),
    "P5.M2": ("RL", "TL IE QL", ["orchestrator code", "statistical notebooks", "example reports"], 3),
    "P5.M3": ("IS", "IE TL", ["tooling modules", "sample artifacts"], 2),
    "P6.M1": ("TL", "RL DL", ["config files", "comparison tables", "validation report"], 2),
    "P6.M2": ("RL", "TL IE QL IS", ["reports/golden_suite/", "summary manuscript appendices"], 3),
    "P6.M3": ("QL", "TL RL DL", ["docs", "release tag", "archival bundle manifest"], 3),
}


@pytest.fixture(scope="module")
def registry():
    return load_registry()


def test_the_plan_is_the_one_that_was_given(registry):
    """Of P2.M1, the review of the schema and its rules are one sentence of the plan and two rows here."""
    declared = {
        one.id: (
            " ".join(one.accountable),
            " ".join(one.supporting),
            [deliverable.name for deliverable in one.deliverables if not deliverable.beyond],
            sum(not criterion.beyond for criterion in one.criteria),
        )
        for one in registry.milestones
    }
    assert declared == ASKED
    assert list(registry.roles) == ["TL", "RL", "DL", "QL", "IE", "IS"]
    assert [phase.id for phase in registry.phases] == list(PHASES)


@pytest.mark.parametrize("who", ["plan", "loader", "migration"])
def test_every_test_that_is_named_exists(named_tests, existing, who):
    assert named_tests[who]
    assert named_tests[who] - existing == set()


def test_unknown_names_list_the_known_ones(registry):
    with pytest.raises(LookupError, match=r"no milestone 'P9\.M1'; the plan has P0\.M1, "):
        registry.milestone("P9.M1")
    with pytest.raises(LookupError, match=r"P1\.M2 has no criterion 'x'; it has: packages_complete, "):
        registry.milestone("P1.M2").criterion("x")


BROKEN = {
    "two deciders": ("sign_off: [TL]\n", "sign_off: [TL]\n        check: a:b\n", "exactly one of"),
    "no decider": ("        sign_off: [TL]\n", "", "exactly one of check, command, sign_off; got none"),
    "undeclared role": ("accountable: [TL]", "accountable: [XX]", "XX: not declared in roles.yaml"),
    "unknown key": ("accountable:", "reviewer: me\n    accountable:", "Extra inputs are not permitted"),
    "criterion twice": ("id: plan_approved", "id: packages_acyclic", "packages_acyclic stands there twice"),
    "nobody signs": ("sign_off: [TL]\n", "check: a:b\n", "no milestone is accepted without a person"),
    "path upwards": ("name: deprecations.csv", "name: ../deprecations.csv", "must be a plain relative path"),
    "own file": ("name: deprecations.csv", "name: metadata.json", "is written by the mechanism itself"),
    "another phase": ("id: P1\n", "id: P2\n", "milestones of P2 must be"),
    "out of order": ("id: P1.M2", "id: P1.M1", "milestones of P1 must be"),
    "impossible id": ("id: P1.M2", "id: P1.M4", "String should match pattern"),
    "no YAML": ("id: P1\n", "id: [P1\n", "is not valid YAML"),
    "key twice": ("id: P1\n", "id: P1\nid: P1\n", "is not valid YAML"),
}


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(PLAN, tmp_path / "plan")


@pytest.mark.parametrize(("old", "new", "message"), BROKEN.values(), ids=BROKEN)
def test_a_malformed_plan_is_refused_with_its_file(folder, old, new, message):
    path = folder / "P1.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(EvidenceError, match=re.escape(message)) as error:
        load_registry(folder)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("name", ["roles.yaml", "P3.yaml"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(EvidenceError, match=rf"{name}: is missing"):
        load_registry(folder)


def test_a_phase_in_the_wrong_file_is_refused(folder):
    shutil.copy(PLAN / "P3.yaml", folder / "P4.yaml")
    with pytest.raises(EvidenceError, match=r"P4\.yaml: holds P3; name the file P3\.yaml"):
        load_registry(folder)


@pytest.mark.parametrize(("name", "pattern", "expected"), [
    ("tables/a.csv", "tables/*.csv", True), ("tables/deep/a.csv", "tables/*.csv", False),
    ("more/tables/a.csv", "tables/*.csv", False), ("a.csv", "*", True), ("A.csv", "a.csv", False),
])  # fmt: skip
def test_a_star_stands_for_text_within_one_name(name, pattern, expected):
    assert matches(name, pattern) is expected
