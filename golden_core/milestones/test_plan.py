"""A plan of tests: every requirement beside the test that shows it, found and run. What is tested is said in data/."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
from pydantic import ValidationError
from ruamel.yaml import YAML

from golden_core.milestones.evidence import Result
from golden_core.milestones.pytest_ids import is_test
from golden_core.milestones.records import EvidenceError
from golden_core.store.lake import shipped
from golden_core.study import Section

LOADER_TESTS = shipped("loader", "tests.yaml")
PASSED, FAILED, MISSING, SKIPPED = "passed", "failed", "missing", "skipped"


class PlannedTest(Section):
    """One requirement and the pytest id of what shows it."""

    section: str
    requirement: str
    test: str


class TestPlan(Section):
    """The content of a plan's file."""

    __test__ = False  # no test of its own, whatever its name makes pytest think

    tests: tuple[PlannedTest, ...]


def load_test_plan(path: Path = LOADER_TESTS) -> TestPlan:
    """Read a plan.

    Raises
    ------
    EvidenceError
        If it is no plan, or names a test for one requirement twice.
    """
    try:
        plan = TestPlan.model_validate(YAML(typ="safe", pure=True).load(path.read_bytes()), strict=False)
    except ValidationError as error:
        fault = error.errors()[0]
        raise EvidenceError(f"{path.name}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None
    rows = [(planned.requirement, planned.test) for planned in plan.tests]
    twice = next((row for row in rows if rows.count(row) > 1), None)
    if twice:
        raise EvidenceError(f"{path.name}: {twice[1]} is planned twice for {twice[0]!r}")
    return plan


def run_test_plan(plan: TestPlan, repository: Path, *, timeout_s: float) -> pl.DataFrame:
    """Run every planned test and return what came of it.

    Parameters
    ----------
    plan : TestPlan
    repository : Path
        Root of the checkout, in which pytest runs.
    timeout_s : float
        For all of them together.

    Returns
    -------
    DataFrame
        ``section``, ``requirement``, ``test``, ``cases`` (run for it) and ``outcome``: passed if there is a case and
        all passed, failed if one failed, missing if no such test exists, skipped if one was and none failed.

    Raises
    ------
    subprocess.TimeoutExpired
        If they take longer.
    """
    present = sorted({planned.test for planned in plan.tests if is_test(repository, planned.test)})
    cases = _cases(present, repository, timeout_s) if present else {}
    rows = []
    for planned in plan.tests:
        outcomes = [outcome for name, outcome in cases.items() if _belongs(name, planned.test)]
        known = planned.test in present
        found = (len(outcomes), _together(outcomes) if known else MISSING)
        rows.append((planned.section, planned.requirement, planned.test, *found))
    return pl.DataFrame(rows, schema=["section", "requirement", "test", "cases", "outcome"], orient="row")


def plan_result(criterion: str, table: pl.DataFrame) -> Result:
    """Return the verdict on a plan that was run."""
    passed = table.filter(pl.col("outcome") == PASSED).height
    return Result(criterion, f"{passed} of {table.height}", "all exist and pass", 0 < passed == table.height)


def _cases(tests: Sequence[str], repository: Path, timeout_s: float) -> dict[str, str]:
    """Return case → outcome, a case named like ``tests/core/test_x.py::test_y[1]``."""
    with tempfile.TemporaryDirectory(prefix="golden-tests-") as scratch:
        report = Path(scratch) / "report.xml"
        options = ["-q", "-p", "no:cacheprovider", "-o", "junit_family=xunit1", f"--junitxml={report}"]
        command = [sys.executable, "-m", "pytest", *options, *tests]
        subprocess.run(command, cwd=repository, timeout=timeout_s, check=False, capture_output=True)
        # pytest wrote this file a moment ago: it is not a stranger's.
        found = ElementTree.parse(report).iter("testcase") if report.exists() else []
        return {_case_name(case): _outcome(case) for case in found}


def _case_name(case: ElementTree.Element) -> str:
    file, place = case.get("file", ""), case.get("classname", "")
    module = file.removesuffix(".py").replace("/", ".")
    classes = place.removeprefix(module).strip(".")
    return "::".join([file, *([classes.replace(".", "::")] if classes else []), case.get("name", "")])


def _outcome(case: ElementTree.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return FAILED
    return SKIPPED if case.find("skipped") is not None else PASSED


def _belongs(case: str, test: str) -> bool:
    return case == test or case.startswith((f"{test}[", f"{test}::"))


def _together(outcomes: Iterable[str]) -> str:
    """Return one outcome for the cases of a test; no case is a failure, since something was planned."""
    found = set(outcomes)
    if FAILED in found or not found:
        return FAILED
    return SKIPPED if SKIPPED in found else PASSED
