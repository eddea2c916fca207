"""A plan of tests on a small repository: what passes, fails, is skipped or is not there."""

import pytest

from golden_core.milestones.records import EvidenceError
from golden_core.milestones.test_plan import existing_tests, load_test_plan, plan_page, plan_results, run_test_plan

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

class TestGroup:
    def test_inside(self):
        pass
"""


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_it.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


def plan(repository, *tests):
    path = repository / "plan.yaml"
    lines = [f"  - {{section: a, requirement: r{k}, test: '{name}'}}" for k, name in enumerate(tests)]
    path.write_text("\n".join(["tests:", *lines]) + "\n")
    return load_test_plan(path)


def outcome(repository, *tests):
    names = [f"tests/test_it.py{name}" for name in tests]
    return run_test_plan(plan(repository, *names), repository, timeout_s=60)


def verdict(table):
    result = plan_results(load_test_plan(), table)[1]
    return result.value, result.passed


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("", True),
        ("::test_right", True),
        ("::test_many", True),
        ("::test_many[2]", True),
        ("::TestGroup", True),
        ("::TestGroup::test_inside", True),
        ("::test_inside", False),
        ("::test_righ", False),
        ("::test_gone", False),
    ],
)
def test_a_test_exists_if_pytest_collects_it(repository, name, expected):
    asked = [f"tests/test_it.py{name}", "tests/test_other.py"]
    assert existing_tests(repository, asked) == (set(asked[:1]) if expected else set())


def test_a_plan_has_checks_by_program_and_by_hand(repository):
    project_plan = load_test_plan()
    table = outcome(repository, "::test_right")
    page = plan_page(project_plan, table)
    assert "| a | r0 | `tests/test_it.py::test_right` | 1 | all pass | passed |" in page
    assert all(f"| {one.threshold} |" in page for one in project_plan.manual)
    assert plan_results(project_plan, table)[0].passed
    assert not plan_results(plan(repository, "x"), table)[0].passed


def test_outcomes(repository):
    names = ["::test_right", "::test_many", "::test_one_of_many_fails", "::test_skipped", "::TestGroup::test_inside"]
    found = outcome(repository, *names, "::test_gone")
    assert found["outcome"].to_list() == ["passed", "passed", "failed", "skipped", "passed", "missing"]
    assert found["cases"].to_list() == [1, 3, 2, 1, 1, 0]
    assert verdict(found) == ("3 of 6", False)


def test_a_whole_file_is_all_of_its_tests(repository):
    assert outcome(repository, "")["outcome"].to_list() == ["failed"]


def test_a_plan_that_passes(repository):
    assert verdict(outcome(repository, "::test_right", "::test_many")) == ("2 of 2", True)


def test_an_empty_plan_shows_nothing(repository):
    (repository / "plan.yaml").write_text("tests: []\n")
    table = run_test_plan(load_test_plan(repository / "plan.yaml"), repository, timeout_s=60)
    assert verdict(table) == ("0 of 0", False)


def test_a_test_planned_twice_is_refused(repository):
    (repository / "plan.yaml").write_text(
        "tests:\n  - {section: a, requirement: r, test: t}\n  - {section: b, requirement: r, test: t}\n"
    )
    with pytest.raises(EvidenceError, match="t is planned twice for 'r'"):
        load_test_plan(repository / "plan.yaml")


def test_another_form_is_refused(repository):
    (repository / "plan.yaml").write_text("tests:\n  - {section: a, requirement: r}\n")
    with pytest.raises(EvidenceError, match=r"plan\.yaml: tests\.0\.test: Field required"):
        load_test_plan(repository / "plan.yaml")
