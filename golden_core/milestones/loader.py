"""The pages of P2.M2: the loader's specification, and its plan of tests, found and run. Both are in data/loader."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from golden_core.bars.cleaning.rules import RULES
from golden_core.inputs.features import FEATURES
from golden_core.leakage import scorecard_store as store
from golden_core.leakage.scorecard import KINDS, read_settings, scorecard
from golden_core.market.clock import SESSIONS
from golden_core.market.holidays import CLOSURES
from golden_core.milestones.evidence import Result, render
from golden_core.milestones.place import Place
from golden_core.milestones.records import EvidenceError, read_declared
from golden_core.store.lake import Home, shipped
from golden_core.store.markdown import markdown_table
from golden_core.study import Section
from golden_core.vendors import GENERAL, READERS

LOADER_TESTS = shipped("loader", "tests.yaml")
COLLECT_SECONDS, TEST_SECONDS = 300, 900


class PlannedTest(Section):
    """One requirement and the pytest id of what shows it."""

    section: str
    requirement: str
    test: str


class ManualCheck(Section):
    """One requirement that a person looks at: what to do, and what is accepted."""

    section: str
    requirement: str
    steps: str
    threshold: str


class TestPlan(Section):
    """The content of a plan's file."""

    __test__ = False  # no test of its own, whatever its name makes pytest think

    tests: tuple[PlannedTest, ...]
    manual: tuple[ManualCheck, ...] = ()


def loader_pages(place: Place, workers: int) -> tuple[dict[str, str], tuple[Result, ...]]:
    """Return the deliverables of P2.M2, and what its tests and the scorecard of leaks came to."""
    plan = load_test_plan()
    scores = _scorecard(workers)
    found = store.rates(scores)
    results = [*plan_results(plan, place.repository)]
    for kind in KINDS:
        broken = store.faults(scores, kind)
        said = "; ".join([*(f"{name}: {rate}" for name, rate in found.items() if name.startswith(kind)), *broken])
        results.append(Result(f"{kind}_leaks_caught", said, "the claim, at full scale", not broken))
    pages = {
        "data_loader_spec.md": loader_specification(),
        "test_plan.md": plan_page(plan),
        "scorecard.csv": scores.drop("cpu_seconds").write_csv(),
        "scorecard_by_kind.csv": store.by_kind(scores).write_csv(),
    }
    return pages, tuple(results)


def _scorecard(workers: int) -> pl.DataFrame:
    """Return the scorecard of these probes and this corpus, measured now unless it has been."""
    home, made_by = Home.from_environment(), store.probes_and_leaks()
    filed = store.filed_scorecard(home)
    if filed and filed.current:
        return filed.rows
    rows = scorecard(read_settings(), backend="loky", workers=workers)
    store.file_scorecard(home, rows, made_by)
    return rows


def load_test_plan(path: Path = LOADER_TESTS) -> TestPlan:
    """Read a plan; EvidenceError if it is none, or names a test for one requirement twice."""
    plan = read_declared(TestPlan, path)
    rows = [(planned.requirement, planned.test) for planned in plan.tests]
    twice = next((row for row in rows if rows.count(row) > 1), None)
    if twice:
        raise EvidenceError(f"{path.name}: {twice[1]} is planned twice for {twice[0]!r}")
    return plan


def existing_tests(repository: Path, names: Iterable[str]) -> frozenset[str]:
    """Return the pytest ids, of those given, that pytest collects: files, classes, functions, or one of their cases."""
    asked = sorted(set(names))
    files = sorted({name.partition("::")[0] for name in asked if (repository / name.partition("::")[0]).is_file()})
    found = _pytest(repository, ["-q", "--collect-only", *files], COLLECT_SECONDS).splitlines() if files else []
    return frozenset(name for name in asked if any(belongs(case, name) for case in found))


def plan_page(plan: TestPlan) -> str:
    """Return test_plan.md: checks by program, and checks by hand."""
    automated = markdown_table(
        ("section", "requirement", "test", "accepted"),
        ((one.section, one.requirement, f"`{one.test}`", "all pass") for one in plan.tests),
    )
    manual = markdown_table(
        ("section", "requirement", "what to do", "accepted"),
        ((one.section, one.requirement, one.steps, one.threshold) for one in plan.manual),
    )
    return f"# Test plan of the data loader\n\n## By program\n\n{automated}\n\n## By hand\n\n{manual}\n"


def plan_results(plan: TestPlan, repository: Path) -> tuple[Result, Result]:
    """Run every planned test, and return the verdicts on the plan; a test that is skipped, or not there, has failed."""
    said = _pytest(repository, ["-q", "--tb=no", *(one.test for one in plan.tests)], TEST_SECONDS) if plan.tests else ""
    outcome = said.rstrip().rpartition("\n")[2].rpartition(" in ")[0]
    kinds = f"{len(plan.tests)} by program, {len(plan.manual)} by hand"
    passed = re.fullmatch(r"\d+ passed", outcome) is not None
    return (
        Result("plan_has_both_kinds", kinds, "both, each with a threshold", bool(plan.tests and plan.manual)),
        Result("every_planned_test_passes", outcome or "nothing was run", "all exist and pass", passed),
    )


def _pytest(repository: Path, arguments: Sequence[str], timeout_s: float) -> str:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(
        command, cwd=repository, timeout=timeout_s, check=False, capture_output=True, text=True, errors="replace"
    ).stdout


def belongs(case: str, test: str) -> bool:
    """Return whether a case that pytest collects is a test, or one of a test's, a class's or a file's."""
    return case == test or case.startswith((f"{test}[", f"{test}::"))


LOADER = shipped("loader", "specification.md")


def loader_specification() -> str:
    """Return data_loader_spec.md."""
    tables = {
        "sessions": markdown_table(
            ("centre", "clock", "opens", "closes"),
            ((name, s.zone, f"{s.opens:%H:%M}", f"{s.closes:%H:%M}") for name, s in SESSIONS.items()),
        ),
        "closures": markdown_table(
            ("closure", "trading day", "from", "to", "worldwide", "known from"),
            (
                (c.name, f"{c.day}.{c.month}.", _hour(c.start), _hour(c.stop), "yes" if c.worldwide else "no", c.source)
                for c in CLOSURES
            ),
        ),
        "formats": markdown_table(
            ("format", "asked"), ((name, "last" if name in GENERAL else "first") for name in sorted(READERS))
        ),
        "rules": markdown_table(
            ("rule", "fate", "what it sees", "needs"),
            ((rule.name, rule.action, rule.detail, ", ".join(rule.needs) or "—") for rule in RULES),
        ),
        "features": markdown_table(
            ("feature", "what it is", "unit", "warm-up in bars"),
            ((name, f.description, f.unit or "—", str(f.warm_up)) for name, f in FEATURES.items()),
        ),
    }
    return render(LOADER, tables)


def _hour(minutes: int) -> str:
    """Return minutes from the beginning of a trading day as what a clock in New York shows."""
    hours, rest = divmod(minutes + 17 * 60, 60)
    return f"{hours % 24:02d}:{rest:02d}"
