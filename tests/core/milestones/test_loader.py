"""The specification of the loader follows the code; a plan of tests tells what passes, fails, or is not there."""

import pytest

from golden_core.bars.cleaning.rules import RULES
from golden_core.milestones import loader
from golden_core.milestones.loader import (
    existing_tests,
    load_test_plan,
    loader_specification,
    plan_page,
    plan_results,
)
from golden_core.milestones.records import EvidenceError
from golden_core.store.lake import PROJECT_ROOT
from golden_core.vendors import READERS

TESTS = """
import pytest

def test_right():
    pass

@pytest.mark.parametrize("k", [1, 2, 3])
def test_many(k):
    pass

@pytest.mark.parametrize("k", [1, 2])
def test_one_of_many_fails(k):
    assert k == 1

def test_right_too_long_a_name():
    assert False

def test_skipped():
    pytest.skip("no reason")

@pytest.fixture
def broken():
    yield
    raise RuntimeError

def test_not_taken_down(broken):
    pass

class TestGroup:
    @pytest.mark.parametrize("text", ["two words"])
    def test_inside(self, text):
        pass
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    root = tmp_path_factory.mktemp("repository")
    (root / "tests").mkdir()
    (root / "tests" / "test_it.py").write_text(TESTS)
    (root / "pytest.ini").write_text("[pytest]\n")
    return root


def plan(folder, *tests):
    path = folder / "plan.yaml"
    lines = [f"  - {{section: a, requirement: r{k}, test: '{name}'}}" for k, name in enumerate(tests)]
    path.write_text("\n".join(["tests:", *lines] if lines else ["tests: []"]) + "\n")
    return load_test_plan(path)


RIGHT = "::test_right"


@pytest.mark.parametrize(
    ("tests", "said", "passed"),
    [
        ((RIGHT, "::test_many", "::TestGroup::test_inside"), "5 passed", True),
        ((RIGHT, "::test_one_of_many_fails"), "1 failed, 2 passed", False),
        ((RIGHT, "::test_skipped"), "1 passed, 1 skipped", False),
        ((RIGHT, "::test_not_taken_down"), "2 passed, 1 error", False),
        ((RIGHT, "::test_gone"), "no tests ran", False),
        ((), "nothing was run", False),
    ],
)
def test_a_plan_passes_if_it_has_tests_and_all_are_there_and_pass(repository, tests, said, passed):
    planned = plan(repository, *(f"tests/test_it.py{name}" for name in tests))
    result = plan_results(planned, repository)[1]
    assert (result.value, result.passed) == (said, passed)


def test_a_test_exists_if_pytest_collects_it(repository):
    there = {"", "::test_right", "::test_many", "::test_many[2]", "::TestGroup", "::TestGroup::test_inside"}
    names = {f"tests/test_it.py{name}" for name in there}
    others = {"tests/test_it.py::test_inside", "tests/test_it.py::test_righ", "tests/test_gone.py", "tests"}
    assert existing_tests(repository, names | others) == names


def test_a_plan_has_checks_by_program_and_by_hand(repository):
    ours, page = load_test_plan(), plan_page(load_test_plan())
    assert all(f"| {one.requirement} | `{one.test}` | all pass |" in page for one in ours.tests)
    assert all(f"| {one.threshold} |" in page for one in ours.manual)
    right = plan(repository, f"tests/test_it.py{RIGHT}")
    assert not plan_results(right, repository)[0].passed
    assert plan_results(right.model_copy(update={"manual": ours.manual}), repository)[0].passed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "tests:\n  - {section: a, requirement: r, test: t}\n  - {section: b, requirement: r, test: t}\n",
            "t is planned twice for 'r'",
        ),
        ("tests:\n  - {section: a, requirement: r}\n", r"plan\.yaml: tests\.0\.test: Field required"),
    ],
)
def test_what_is_no_plan_is_refused(tmp_path, text, message):
    (tmp_path / "plan.yaml").write_text(text)
    with pytest.raises(EvidenceError, match=message):
        load_test_plan(tmp_path / "plan.yaml")


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
    monkeypatch.setattr(loader, "RULES", (*RULES, extra))
    assert "| made_up | quarantined | a \\| b | — |" in loader_specification()


@pytest.mark.parametrize("name", ["clock", "holidays"])
def test_the_modules_that_it_names_exist(name):
    assert f"`{name}." in loader_specification()
    assert (PROJECT_ROOT / "golden_core" / "market" / f"{name}.py").is_file()
