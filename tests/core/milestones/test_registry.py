"""The plan that the project declares, and plans that are none."""

import re
import shutil

import pytest

from golden_core.milestones.pytest_ids import is_test
from golden_core.milestones.registry import PHASES, PLAN, RegistryError, load_registry, matches
from golden_core.store.lake import PROJECT_ROOT

NAMED_BY_ISSUES = {"P0.M1", "P0.M2", "P1.M2", "P2.M1", "P2.M2", "P3.M1", "P5.M1", "P5.M2", "P6.M1", "P6.M3"}


@pytest.fixture(scope="module")
def registry():
    return load_registry()


def test_the_plan_goes_from_p0_m1_to_p6_m3(registry):
    identities = [milestone.id for milestone in registry.milestones]
    assert [phase.id for phase in registry.phases] == list(PHASES)
    assert identities == sorted(identities)
    assert (identities[0], identities[-1]) == ("P0.M1", "P6.M3")
    assert set(identities) >= NAMED_BY_ISSUES


def test_what_is_not_specified_promises_nothing(registry):
    open_places = [milestone for milestone in registry.milestones if milestone.specification is None]
    assert open_places
    for milestone in open_places:
        phase = next(phase for phase in registry.phases if milestone.id.startswith(phase.id))
        assert milestone.criteria == ()
        assert re.fullmatch(rf"{phase.title}, (first|second|third) milestone", milestone.title)


def test_every_specified_milestone_needs_a_person(registry):
    for milestone in registry.milestones:
        if milestone.specification:
            assert milestone.specification.human
            assert milestone.specification.roles <= set(registry.roles)


def test_every_test_that_decides_a_criterion_exists(registry):
    commands = [c.command for milestone in registry.milestones for c in milestone.criteria if c.command]
    tests = [argument for command in commands for argument in command if argument.startswith("tests/")]
    assert tests
    assert [name for name in tests if not is_test(PROJECT_ROOT, name)] == []


def test_checks_are_listed_once(registry):
    checks = registry.checks()
    assert list(checks) == sorted(set(checks))
    assert "milestones/P1_M2:packages_acyclic" in checks


def test_unknown_names_list_the_known_ones(registry):
    with pytest.raises(LookupError, match=r"no milestone 'P9\.M1'; the plan has P0\.M1, "):
        registry.milestone("P9.M1")
    with pytest.raises(LookupError, match=r"P1\.M2 has no criterion 'x'; it has: packages_acyclic, "):
        registry.milestone("P1.M2").criterion("x")
    with pytest.raises(LookupError, match="none: its criteria are not yet set"):
        registry.milestone("P4.M1").criterion("x")


BROKEN = {
    "two deciders": ("sign_off: research_lead", "sign_off: research_lead\n          check: a:b", "exactly one of"),
    "no decider": ("          sign_off: research_lead\n", "", "exactly one of check, command, sign_off; got none"),
    "undeclared role": ("accountable: platform_engineer", "accountable: wizard", "wizard: not declared in roles.yaml"),
    "unknown key": ("accountable:", "reviewer: me\n      accountable:", "Extra inputs are not permitted"),
    "criterion twice": ("id: plan_approved", "id: packages_acyclic", "packages_acyclic stands there twice"),
    "nobody signs": ("sign_off: research_lead", "check: a:b", "no milestone is accepted without a person"),
    "path upwards": ("name: deprecations.csv", "name: ../deprecations.csv", "must be a plain relative path"),
    "own file": ("name: deprecations.csv", "name: metadata.json", "is written by the mechanism itself"),
    "another phase": ("id: P1\n", "id: P2\n", "milestones of P2 must be"),
    "out of order": ("id: P1.M3", "id: P1.M1", "milestones of P1 must be"),
    "impossible id": ("id: P1.M3", "id: P1.M4", "String should match pattern"),
    "no YAML": ("id: P1\n", "id: [P1\n", "is not valid YAML"),
    "key twice": ("id: P1\n", "id: P1\nid: P1\n", "is not valid YAML"),
}


@pytest.mark.parametrize(("old", "new", "message"), BROKEN.values(), ids=BROKEN)
def test_a_malformed_plan_is_refused_with_its_file(tmp_path, old, new, message):
    shutil.copytree(PLAN, tmp_path / "plan")
    path = tmp_path / "plan" / "P1.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RegistryError, match=re.escape(message)) as error:
        load_registry(tmp_path / "plan")
    assert str(path) in str(error.value)


@pytest.mark.parametrize("name", ["roles.yaml", "P3.yaml"])
def test_a_missing_file_is_named(tmp_path, name):
    shutil.copytree(PLAN, tmp_path / "plan")
    (tmp_path / "plan" / name).unlink()
    with pytest.raises(RegistryError, match=rf"{name}: is missing"):
        load_registry(tmp_path / "plan")


def test_a_phase_in_the_wrong_file_is_refused(tmp_path):
    shutil.copytree(PLAN, tmp_path / "plan")
    shutil.copy(PLAN / "P3.yaml", tmp_path / "plan" / "P4.yaml")
    with pytest.raises(RegistryError, match=r"P4\.yaml: holds P3; name the file P3\.yaml"):
        load_registry(tmp_path / "plan")


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("tables/a.csv", "tables/*.csv", True),
        ("tables/deep/a.csv", "tables/*.csv", False),
        ("more/tables/a.csv", "tables/*.csv", False),
        ("a.csv", "*", True),
        ("A.csv", "a.csv", False),
    ],
)
def test_a_star_stands_for_text_within_one_name(name, pattern, expected):
    assert matches(name, pattern) is expected
