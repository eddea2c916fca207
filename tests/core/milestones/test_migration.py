"""The migration plan: every legacy file has one place, nothing waits for itself, and its tests and targets exist."""

import csv
import io
import re
from collections import Counter
from itertools import pairwise

import pytest

from golden_core.legacy.frozen import frozen_checksums
from golden_core.milestones.migration import (
    MIGRATION,
    find_cycle,
    load_plan,
    migration_deliverables,
    misplaced_files,
    plan_results,
)
from golden_core.milestones.records import EvidenceError
from golden_core.milestones.registry import load_registry
from golden_core.store.lake import PROJECT_ROOT


@pytest.fixture(scope="module")
def plan():
    return load_plan()


@pytest.fixture(scope="module")
def checksums():
    return frozen_checksums()


@pytest.fixture(scope="module")
def tests(named_tests, existing):
    return named_tests["migration"] & existing


@pytest.fixture(scope="module")
def pages(plan, checksums):
    return migration_deliverables(plan, checksums)


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def changed(plan, package, **changes):
    packages = tuple(one.model_copy(update=changes) if one.id == package else one for one in plan.packages)
    return plan.model_copy(update={"packages": packages})


def test_every_legacy_file_has_exactly_one_place(pages, checksums):
    in_packages = [path for row in rows(pages["work_packages.csv"]) for path in row["legacy_files"].split("; ")]
    retired = [row["path"] for row in rows(pages["deprecations.csv"])]
    assert len(checksums) == 110
    assert Counter(in_packages + retired) == Counter(one.path for one in checksums)


def test_deprecations_have_a_number_a_hash_and_a_reason(pages, checksums):
    hashes = {one.path: one.sha256 for one in checksums}
    for number, row in enumerate(rows(pages["deprecations.csv"]), 1):
        assert (row["number"], row["sha256"]) == (f"D{number:02d}", hashes[row["path"]])
        assert row["reason"]


def test_packages_come_after_what_they_wait_for(pages):
    seen: set[str] = set()
    for row in rows(pages["work_packages.csv"]):
        assert {name for name in row["prerequisites"].split("; ") if name} <= seen
        seen.add(row["package"])


def test_volumes_are_those_of_the_checksums(pages):
    # Recomputed from the raw table, without the code under test.
    with (PROJECT_ROOT / "data" / "legacy" / "checksums.csv").open(encoding="utf-8") as stream:
        facts = {row["path"]: row for row in csv.DictReader(stream)}
    for row in rows(pages["work_packages.csv"]):
        files = [facts[path] for path in row["legacy_files"].split("; ")]
        distinct = sum({file["sha256"]: int(file["lines"]) for file in files}.values())
        assert int(row["file_count"]) == len(files)
        assert int(row["distinct_files"]) == len({file["sha256"] for file in files})
        assert int(row["legacy_lines"]) == sum(int(file["lines"]) for file in files)
        assert int(row["distinct_lines"]) == distinct
        assert row["effort"] == ("S" if distinct < 500 else "M" if distinct < 2000 else "L")


def test_tests_and_targets_exist(plan, pages, tests):
    found = {row["package"]: row for row in rows(pages["work_packages.csv"])}
    for package in plan.packages:
        row = found[package.id]
        assert (row["parity_test"], row["target"]) == ("; ".join(package.parity_tests), "; ".join(package.targets))
        assert tests.issuperset(package.parity_tests)
        for name in package.targets:
            assert list(PROJECT_ROOT.glob(name if "/" in name else f"{name.replace('.', '/')}*"))


def test_a_test_that_is_not_there_fails_its_criterion(plan, checksums, tests):
    lacking = tests - {plan.packages[0].parity_tests[0]}
    assert [result.passed for result in plan_results(plan, checksums, lacking)] == [True, True, True, False]


def test_the_page_states_what_is_kept_changed_and_retired(plan, pages):
    page = pages["migration_plan.md"]
    for package in plan.packages:
        for text in (package.title, package.scope, *package.kept, *package.changed, package.risk.reason):
            assert text in page
    for group in plan.deprecations:
        assert group.reason in page
    assert "110 files with 54 distinct contents: 80 go into 8 work packages, 30 are retired" in page
    assert "D01–D10" in page
    assert "nobody has estimated or measured days" in page
    assert "D21–D30" in page


def test_equal_plans_make_equal_bytes(checksums, pages):
    assert migration_deliverables(load_plan(), tuple(reversed(checksums))) == pages


def test_results_and_deliverables_are_those_of_the_milestone(plan, checksums, tests, pages):
    milestone = load_registry().milestone("P1.M2")
    results = plan_results(plan, checksums, tests)
    assert {result.criterion for result in results} == {c.id for c in milestone.criteria if not c.human}
    assert all(result.passed for result in results)
    assert set(pages) == set(milestone.patterns)


def test_a_cycle_is_found_and_named(plan, checksums):
    round_trip = changed(plan, "settings", prerequisites=("entry_points",))
    cycle = find_cycle(round_trip)
    assert cycle[0] == cycle[-1]
    edges = {(before, one.id) for one in round_trip.packages for before in one.prerequisites}
    assert all(pair in edges for pair in pairwise(cycle))
    with pytest.raises(EvidenceError, match="packages wait for each other: "):
        migration_deliverables(round_trip, checksums)
    assert not plan_results(round_trip, checksums, frozenset())[1].passed


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        (("v_01/HistoryManager.py",), "v_02/HistoryManager.py is in no package and no deprecation"),
        (("v_*/HistoryManager.py", "v_03/Run.py"), "v_03/Run.py has 2 places"),
        (("v_*/HistoryManager.py", "v_*/Nothing.py"), r"v_\*/Nothing\.py names no legacy file"),
    ],
)
def test_a_file_that_is_lost_doubled_or_imagined(plan, checksums, patterns, message):
    broken = changed(plan, "learning_curves", files=patterns)
    assert any(re.fullmatch(message, sentence) for sentence in misplaced_files(broken, checksums))
    assert not plan_results(broken, checksums, frozenset())[2].passed


BROKEN = {
    "unknown prerequisite": ("prerequisites: [training]", "prerequisites: [magic]", "magic is no package"),
    "package twice": ("id: one_run", "id: settings", "settings stands there twice"),
    "unknown level": ("level: low", "level: none", "packages.4.risk.level"),
    "no parity test": ("scope: Losses", "effort_days: 5\n    scope: Losses", "packages.4.effort_days"),
    "no mapping": ("sizes:", "- sizes:", "is not valid YAML"),
}


@pytest.mark.parametrize(("old", "new", "message"), BROKEN.values(), ids=BROKEN)
def test_a_malformed_plan_is_refused(tmp_path, old, new, message):
    path, text = tmp_path / "packages.yaml", (MIGRATION / "packages.yaml").read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(EvidenceError, match=re.escape(message)):
        load_plan(path)
