"""The plan that the project declares is the plan that was given, and plans that are none are refused."""

import pytest
from pydantic import ValidationError

from golden_core.milestones.registry import EXTERNAL, METADATA, PHASES, SIGN_OFFS, Criterion, load_registry, matches

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


def test_the_plan_holds_together(registry):
    assert [one.id for one in registry.milestones] == list(ASKED)
    for phase in registry.phases:
        assert all(milestone.id.startswith(f"{phase.id}.M") for milestone in phase.milestones)
    for planned in (*registry.phases, *registry.milestones):
        assert len({criterion.id for criterion in planned.criteria}) == len(planned.criteria)
        assert {role for criterion in planned.criteria for role in criterion.sign_off or ()} <= {
            *registry.roles,
            EXTERNAL,
        }
    for milestone in registry.milestones:
        assert len({one.name for one in milestone.deliverables}) == len(milestone.deliverables)
        roles = (*milestone.accountable, *milestone.supporting)
        assert sorted(set(roles)) == sorted(roles)
        assert set(roles) <= registry.roles.keys()
        assert any(criterion.human for criterion in milestone.criteria)  # nothing is accepted without a person
        assert not {METADATA, SIGN_OFFS}.intersection(milestone.patterns)  # which the mechanism writes itself
        assert not [pattern for pattern in milestone.patterns if pattern.startswith("/") or ".." in pattern]


@pytest.mark.parametrize("who", ["plan", "loader", "migration"])
def test_every_test_that_is_named_exists(named_tests, existing, who):
    assert named_tests[who]
    assert named_tests[who] - existing == set()


def test_unknown_names_list_the_known_ones(registry):
    with pytest.raises(LookupError, match=r"no milestone 'P9\.M1'; the plan has P0\.M1, "):
        registry.milestone("P9.M1")
    with pytest.raises(LookupError, match=r"P1\.M2 has no criterion 'x'; it has: packages_complete, "):
        registry.milestone("P1.M2").criterion("x")


@pytest.mark.parametrize("deciders", [{}, {"sign_off": ["TL"], "check": "a:b"}])
def test_one_thing_decides_a_criterion(deciders):
    with pytest.raises(ValidationError, match="exactly one of check, command, sign_off; got "):
        Criterion.model_validate({"id": "a", "claim": "b", **deciders}, strict=False)


@pytest.mark.parametrize(("name", "pattern", "expected"), [
    ("tables/a.csv", "tables/*.csv", True), ("tables/deep/a.csv", "tables/*.csv", False),
    ("more/tables/a.csv", "tables/*.csv", False), ("a.csv", "*", True), ("A.csv", "a.csv", False),
])  # fmt: skip
def test_a_star_stands_for_text_within_one_name(name, pattern, expected):
    assert matches(name, pattern) is expected
