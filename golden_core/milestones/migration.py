"""The migration plan of data/migration, held against the legacy's files, and as pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence, Set
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Annotated, Literal, Self

import polars as pl
from pydantic import Field, model_validator

from golden_core.legacy.inventory import Checksum
from golden_core.milestones.evidence import Result, render
from golden_core.milestones.records import EvidenceError, read_declared
from golden_core.milestones.registry import Name, Text, matches, refuse_repeats
from golden_core.store.lake import shipped
from golden_core.study import Section

MIGRATION = shipped("migration")

Texts = Annotated[tuple[Text, ...], Field(min_length=1)]
Level = Literal["low", "medium", "high"]


class Size(Section):
    """A class of effort, by lines of legacy code."""

    name: str
    below: int | None = Field(description="the lines stay below; null: no limit")


class Risk(Section):
    """How much could go wrong, and why."""

    level: Level
    reason: Text


class WorkPackage(Section):
    """A piece of the migration with its legacy files, its new home and the tests that show parity."""

    id: Name
    title: Text
    scope: Text
    prerequisites: tuple[Name, ...]
    risk: Risk
    files: Texts
    targets: Texts
    parity_tests: Texts
    kept: Texts
    changed: Texts


class Deprecation(Section):
    """Legacy files that are not carried over."""

    files: Texts
    reason: Text
    replaced_by: Text


class Plan(Section):
    """The whole migration."""

    sizes: Annotated[tuple[Size, ...], Field(min_length=1)]
    risks: dict[Level, str]
    packages: Annotated[tuple[WorkPackage, ...], Field(min_length=1)]
    deprecations: tuple[Deprecation, ...]

    @model_validator(mode="after")
    def _sound(self) -> Self:
        names = [package.id for package in self.packages]
        refuse_repeats("package", names)
        unknown = {name for package in self.packages for name in package.prerequisites} - set(names)
        if unknown:
            raise ValueError(f"prerequisite {', '.join(sorted(unknown))} is no package")
        return self


def load_plan(path: Path = MIGRATION / "packages.yaml") -> Plan:
    """Read the plan; EvidenceError names the file and the place of what is wrong."""
    return read_declared(Plan, path)


def find_cycle(plan: Plan) -> tuple[str, ...]:
    """Return packages that wait for each other, the first one again at the end; empty if there are none."""
    try:
        _sorter(plan).prepare()
    except CycleError as error:
        return tuple(error.args[1])
    return ()


def steps(plan: Plan) -> tuple[tuple[str, ...], ...]:
    """Return the order of work: each step holds the packages whose prerequisites are all in earlier steps.

    EvidenceError if packages wait for each other.
    """
    if cycle := find_cycle(plan):
        raise EvidenceError(f"packages wait for each other: {' → '.join(cycle)}")
    sorter, found = _sorter(plan), []
    sorter.prepare()
    while ready := sorter.get_ready():
        found.append(tuple(package.id for package in plan.packages if package.id in ready))
        sorter.done(*ready)
    return tuple(found)


def files_of(part: WorkPackage | Deprecation, checksums: Iterable[Checksum]) -> tuple[Checksum, ...]:
    """Return the legacy files that a package or a deprecation names, by path."""
    named = [one for one in checksums if any(matches(one.path, pattern) for pattern in part.files)]
    return tuple(sorted(named, key=lambda one: one.path))


def misplaced_files(plan: Plan, checksums: Sequence[Checksum]) -> tuple[str, ...]:
    """Return a sentence for every legacy file that is in no package and no deprecation, or in more than one.

    A pattern that names no file is one too: it is a file that somebody believes to exist.
    """
    parts: tuple[WorkPackage | Deprecation, ...] = (*plan.packages, *plan.deprecations)
    count = Counter(one.path for part in parts for one in files_of(part, checksums))
    lost = [f"{one.path} is in no package and no deprecation" for one in checksums if count[one.path] == 0]
    twice = [f"{path} has {number} places" for path, number in sorted(count.items()) if number > 1]
    patterns = [pattern for part in parts for pattern in part.files]
    idle = [f"{p} names no legacy file" for p in patterns if not any(matches(one.path, p) for one in checksums)]
    return (*lost, *twice, *idle)


def migration_deliverables(plan: Plan, checksums: Sequence[Checksum]) -> dict[str, str]:
    """Return the deliverables of milestone P1.M2 by name; equal plans give equal bytes.

    EvidenceError if packages wait for each other.
    """
    order = [(number, name) for number, step in enumerate(steps(plan), 1) for name in step]
    named = {package.id: package for package in plan.packages}
    packages = [(n, named[name], _row(plan, named[name], checksums)) for n, name in order]
    retired = [(one, group) for group in plan.deprecations for one in files_of(group, checksums)]
    facts = {
        "plan": plan,
        "packages": packages,
        "checksums": checksums,
        "retired": [(group, len(files_of(group, checksums))) for group in plan.deprecations],
    }
    return {
        "work_packages.csv": pl.DataFrame([row for *_, row in packages]).write_csv(),
        "deprecations.csv": pl.DataFrame(
            [
                (f"D{number:02d}", one.path, one.sha256, one.lines, group.reason, group.replaced_by)
                for number, (one, group) in enumerate(retired, 1)
            ],
            schema=["number", "path", "sha256", "lines", "reason", "replaced_by"],
            orient="row",
        ).write_csv(),
        "migration_plan.md": render(MIGRATION / "plan.md.jinja", facts),
        "second_layout.md": (MIGRATION / "second_layout.md").read_text(encoding="utf-8"),
    }


def plan_results(plan: Plan, checksums: Sequence[Checksum], tests: Set[str]) -> tuple[Result, ...]:
    """Return what is found for the machine criteria of milestone P1.M2."""
    cycle, misplaced, count = find_cycle(plan), misplaced_files(plan, checksums), len(plan.packages)
    shown = sum(set(package.parity_tests) <= tests for package in plan.packages)
    complete = sum(bool(package.scope and files_of(package, checksums)) for package in plan.packages)
    return (
        Result("packages_complete", f"{complete} of {count}", "all", complete == count),
        Result("packages_acyclic", " → ".join(cycle) or "no cycle", "no cycle", not cycle),
        Result("every_legacy_file_placed_once", len(misplaced), "0 misplaced", not misplaced),
        Result("every_package_has_a_parity_test", f"{shown} of {count}", "all", shown == count),
    )


def _sorter(plan: Plan) -> TopologicalSorter[str]:
    return TopologicalSorter({package.id: package.prerequisites for package in plan.packages})


def _row(plan: Plan, package: WorkPackage, checksums: Sequence[Checksum]) -> dict[str, str | int]:
    files = files_of(package, checksums)
    lines = {one.sha256: one.lines for one in files}
    distinct = sum(lines.values())
    return {
        "package": package.id,
        "title": package.title,
        "scope": package.scope,
        "prerequisites": "; ".join(package.prerequisites),
        "effort": next(size.name for size in plan.sizes if size.below is None or distinct < size.below),
        "file_count": len(files),
        "distinct_files": len(lines),
        "legacy_lines": sum(one.lines for one in files),
        "distinct_lines": distinct,
        "risk": package.risk.level,
        "risk_reason": package.risk.reason,
        "legacy_files": "; ".join(one.path for one in files),
        "target": "; ".join(package.targets),
        "parity_test": "; ".join(package.parity_tests),
    }
