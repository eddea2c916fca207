"""The migration plan: work packages and deprecations of data/migration, held against the legacy's frozen file list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from golden_core.legacy.inventory import Checksum
from golden_core.milestones.evidence import Result
from golden_core.milestones.pytest_ids import is_test
from golden_core.milestones.registry import Name, matches
from golden_core.store.lake import shipped
from golden_core.study import Section

MIGRATION = shipped("migration")

Texts = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
Level = Literal["low", "medium", "high"]


class PlanError(ValueError):
    """The migration plan is not one: a file is malformed, packages wait for each other, or a legacy file is lost."""


class Size(Section):
    """A class of effort, by lines of legacy code."""

    name: str
    below: int | None = Field(description="the lines stay below; null: no limit")


class Risk(Section):
    """How much could go wrong, and why."""

    level: Level
    reason: str = Field(min_length=1)


class WorkPackage(Section):
    """A piece of the migration with its legacy files, its new home and the tests that show parity."""

    id: Name
    title: str = Field(min_length=1)
    scope: str = Field(min_length=1)
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
    reason: str = Field(min_length=1)
    replaced_by: str = Field(min_length=1)


class Plan(Section):
    """The whole migration."""

    sizes: Annotated[tuple[Size, ...], Field(min_length=1)]
    risks: dict[Level, str]
    packages: Annotated[tuple[WorkPackage, ...], Field(min_length=1)]
    deprecations: tuple[Deprecation, ...]

    @model_validator(mode="after")
    def _sound(self) -> Self:
        names = [package.id for package in self.packages]
        if repeated := [name for name, count in Counter(names).items() if count > 1]:
            raise ValueError(f"package {', '.join(repeated)} stands there twice")
        unknown = {name for package in self.packages for name in package.prerequisites} - set(names)
        if unknown:
            raise ValueError(f"prerequisite {', '.join(sorted(unknown))} is no package")
        limits = [size.below for size in self.sizes]
        finite = [limit for limit in limits if limit is not None]
        if limits != [*sorted(set(finite)), None]:
            raise ValueError(f"limits of sizes must grow and end with null, got {limits}")
        if self.risks.keys() != {"low", "medium", "high"}:
            raise ValueError("risks must say what low, medium and high mean")
        return self


@dataclass(frozen=True)
class Volume:
    """How much legacy code a package takes over; ``distinct`` counts identical copies once."""

    files: int
    distinct_files: int
    lines: int
    distinct_lines: int
    size: str


def load_plan(folder: Path = MIGRATION) -> Plan:
    """Read packages.yaml and deprecations.yaml.

    Raises
    ------
    PlanError
        If a file is missing or malformed; names what and where.
    """
    try:
        return Plan.model_validate(_read(folder / "packages.yaml") | _read(folder / "deprecations.yaml"), strict=False)
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise PlanError(f"{folder}: " + "; ".join(faults)) from None


def find_cycle(plan: Plan) -> tuple[str, ...]:
    """Return packages that wait for each other, the first one again at the end; empty if there are none."""
    try:
        TopologicalSorter({package.id: package.prerequisites for package in plan.packages}).prepare()
    except CycleError as error:
        return tuple(error.args[1])
    return ()


def steps(plan: Plan) -> tuple[tuple[str, ...], ...]:
    """Return the order of work: each step holds the packages whose prerequisites are all in earlier steps.

    Raises
    ------
    PlanError
        If packages wait for each other.
    """
    if cycle := find_cycle(plan):
        raise PlanError(f"packages wait for each other: {' → '.join(cycle)}")
    sorter = TopologicalSorter({package.id: package.prerequisites for package in plan.packages})
    sorter.prepare()
    found = []
    while sorter.is_active():
        ready = sorter.get_ready()
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


def volume(plan: Plan, package: WorkPackage, checksums: Sequence[Checksum]) -> Volume:
    """Count the legacy code of a package and give it its size."""
    files = files_of(package, checksums)
    lines = {one.sha256: one.lines for one in files}
    distinct = sum(lines.values())
    size = next(size.name for size in plan.sizes if size.below is None or distinct < size.below)
    return Volume(len(files), len(lines), sum(one.lines for one in files), distinct, size)


def parity_tests(package: WorkPackage, repository: Path, *, existing: bool) -> tuple[str, ...]:
    """Return the parity tests of a package that exist in tests/, or those that are only planned."""
    return tuple(name for name in package.parity_tests if is_test(repository, name) == existing)


def targets(package: WorkPackage, repository: Path, *, existing: bool) -> tuple[str, ...]:
    """Return the modules and files a package goes to that exist, or those that are only planned."""
    return tuple(name for name in package.targets if _is_there(name, repository) == existing)


def plan_results(plan: Plan, checksums: Sequence[Checksum], repository: Path) -> tuple[Result, ...]:
    """Return what is found for the machine criteria of milestone P1.M2."""
    cycle, misplaced = find_cycle(plan), misplaced_files(plan, checksums)
    shown = [package for package in plan.packages if parity_tests(package, repository, existing=True)]
    return (
        Result("packages_acyclic", " → ".join(cycle) or "no cycle", "no cycle", not cycle),
        Result("every_legacy_file_placed_once", len(misplaced), "0 misplaced", not misplaced),
        Result(
            "every_package_has_a_parity_test",
            f"{len(shown)} of {len(plan.packages)}",
            "all",
            len(shown) == len(plan.packages),
        ),
    )


def _read(path: Path) -> dict[str, object]:
    try:
        content = YAML(typ="safe", pure=True).load(path)
    except (OSError, YAMLError) as error:
        raise PlanError(f"{path}: cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise PlanError(f"{path}: must be a mapping")
    return content


def _is_there(target: str, repository: Path) -> bool:
    """Whether a target exists: a path may have a pattern, anything else is a module."""
    if "/" in target:
        return any(repository.glob(target))
    stem = repository.joinpath(*target.split("."))
    return stem.with_suffix(".py").is_file() or (stem / "__init__.py").is_file()
