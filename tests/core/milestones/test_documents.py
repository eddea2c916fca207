"""The specification of the data loader follows the code, and every planned test exists."""

import pytest

from golden_core.bars.cleaning.rules import RULES
from golden_core.milestones import documents
from golden_core.milestones.documents import loader_specification
from golden_core.milestones.test_plan import existing_tests, load_test_plan
from golden_core.store.lake import PROJECT_ROOT
from golden_core.vendors import READERS


def test_every_rule_format_and_closure_is_in_the_specification():
    text = loader_specification()
    for rule in RULES:
        assert f"| {rule.name} | {rule.action} |" in text
    for name in READERS:
        assert f"| {name} |" in text
    assert "| Christmas Eve, early close | 24.12. | 12:00 | 17:00 | no |" in text
    assert "{{" not in text


def test_a_new_rule_shows(monkeypatch):
    extra = RULES[0].__class__("made_up", "quarantined", "a | b")
    monkeypatch.setattr(documents, "RULES", (*RULES, extra))
    assert "| made_up | quarantined | a \\| b | — |" in loader_specification()


def test_every_planned_test_exists():
    plan = load_test_plan()
    assert len({planned.section for planned in plan.tests}) == 8
    asked = {planned.test for planned in plan.tests}
    assert asked - existing_tests(PROJECT_ROOT, asked) == set()


@pytest.mark.parametrize("name", ["clock", "holidays"])
def test_the_modules_that_it_names_exist(name):
    assert f"`{name}." in loader_specification()
    assert (PROJECT_ROOT / "golden_core" / "market" / f"{name}.py").is_file()
