"""The migration plan → work_packages.csv, deprecations.csv, migration_plan.md. Deterministic text; decides nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from golden_core.legacy.inventory import Checksum
from golden_core.milestones.migration import (
    Plan,
    PlanError,
    WorkPackage,
    files_of,
    misplaced_files,
    parity_tests,
    steps,
    targets,
    volume,
)
from golden_core.store.markdown import markdown_table

WORK_PACKAGE_COLUMNS = (
    "package", "title", "scope", "prerequisites", "effort", "file_count", "distinct_files", "legacy_lines",
    "distinct_lines", "risk", "risk_reason", "legacy_files", "target", "target_planned", "parity_test",
    "parity_test_planned",
)  # fmt: skip
DEPRECATION_COLUMNS = ("number", "path", "sha256", "lines", "reason", "replaced_by")


def migration_deliverables(plan: Plan, checksums: Sequence[Checksum], repository: Path) -> dict[str, str]:
    """Return the deliverables of milestone P1.M2 by name.

    Parameters
    ----------
    plan : Plan
        The migration.
    checksums : sequence of Checksum
        Every legacy file.
    repository : Path
        Root of the checkout: decides which targets and parity tests exist and which are only planned.

    Raises
    ------
    PlanError
        If packages wait for each other, or a legacy file has no place or more than one.
    """
    return {
        "work_packages.csv": work_packages_csv(plan, checksums, repository),
        "deprecations.csv": deprecations_csv(plan, checksums),
        "migration_plan.md": migration_plan_markdown(plan, checksums, repository),
    }


def work_packages_csv(plan: Plan, checksums: Sequence[Checksum], repository: Path) -> str:
    """Return one row per package, in the order of work; several entries of a cell are separated by a semicolon.

    Raises
    ------
    PlanError
        As :func:`migration_deliverables`.
    """
    _require_sound(plan, checksums)
    return _csv(WORK_PACKAGE_COLUMNS, (_package_row(plan, one, checksums, repository) for one in _in_order(plan)))


def deprecations_csv(plan: Plan, checksums: Sequence[Checksum]) -> str:
    """Return one numbered row per legacy file that is not carried over.

    Raises
    ------
    PlanError
        As :func:`migration_deliverables`.
    """
    _require_sound(plan, checksums)
    return _csv(DEPRECATION_COLUMNS, _deprecations(plan, checksums))


def migration_plan_markdown(plan: Plan, checksums: Sequence[Checksum], repository: Path) -> str:
    """Return the plan as a page: order of work, then for each package what is kept and changed, then what is retired.

    Raises
    ------
    PlanError
        As :func:`migration_deliverables`.
    """
    _require_sound(plan, checksums)
    parts = [*_overview(plan, checksums), *_packages(plan, checksums, repository), *_retired(plan, checksums)]
    return "\n\n".join(parts) + "\n"


def _require_sound(plan: Plan, checksums: Sequence[Checksum]) -> None:
    steps(plan)
    if misplaced := misplaced_files(plan, checksums):
        raise PlanError("; ".join(misplaced))


def _in_order(plan: Plan) -> list[WorkPackage]:
    packages = {package.id: package for package in plan.packages}
    return [packages[name] for step in steps(plan) for name in step]


def _package_row(
    plan: Plan, package: WorkPackage, checksums: Sequence[Checksum], repository: Path
) -> tuple[str | int, ...]:
    size = volume(plan, package, checksums)
    return (
        package.id,
        package.title,
        package.scope,
        "; ".join(package.prerequisites),
        size.size,
        size.files,
        size.distinct_files,
        size.lines,
        size.distinct_lines,
        package.risk.level,
        package.risk.reason,
        "; ".join(one.path for one in files_of(package, checksums)),
        "; ".join(targets(package, repository, existing=True)),
        "; ".join(targets(package, repository, existing=False)),
        "; ".join(parity_tests(package, repository, existing=True)),
        "; ".join(parity_tests(package, repository, existing=False)),
    )


def _deprecations(plan: Plan, checksums: Sequence[Checksum]) -> Iterator[tuple[str | int, ...]]:
    retired = [(one, group) for group in plan.deprecations for one in files_of(group, checksums)]
    for number, (one, group) in enumerate(retired, 1):
        yield f"D{number:02d}", one.path, one.sha256, one.lines, group.reason, group.replaced_by


def _overview(plan: Plan, checksums: Sequence[Checksum]) -> Iterator[str]:
    yield "# Migration plan"
    retired = sum(len(files_of(group, checksums)) for group in plan.deprecations)
    distinct = len({one.sha256 for one in checksums})
    yield (
        f"Generated from data/migration. The legacy has {len(checksums)} files with {distinct} distinct contents: "
        f"{len(checksums) - retired} go into {len(plan.packages)} work packages, {retired} are retired."
    )
    yield "## Order of work"
    yield "A step can begin when the steps before it have ended; packages of one step do not wait for each other."
    numbers = {name: number for number, step in enumerate(steps(plan), 1) for name in step}
    yield markdown_table(
        ("step", "package", "waits for", "effort", "risk"),
        (
            (str(numbers[one.id]), one.id, ", ".join(one.prerequisites), _effort(plan, one, checksums), one.risk.level)
            for one in _in_order(plan)
        ),
    )
    yield (
        f"Effort is a size and not a time: nobody has estimated or measured days. {_sizes(plan)} Lines are those of "
        "the legacy files, each distinct content counted once."
    )
    yield "Risk: " + "; ".join(f"**{level}**: {meaning}" for level, meaning in plan.risks.items()) + "."


def _packages(plan: Plan, checksums: Sequence[Checksum], repository: Path) -> Iterator[str]:
    yield "## Kept and changed"
    for package in _in_order(plan):
        yield f"### {package.title} (`{package.id}`)"
        yield package.scope
        yield "Kept:"
        yield _bullets(package.kept)
        yield "Changed:"
        yield _bullets(package.changed)
        yield "Where from, where to, and how it is shown:"
        size = volume(plan, package, checksums)
        legacy = ", ".join(f"`{pattern}`" for pattern in package.files)
        yield _bullets(
            [
                f"Legacy files: {legacy} ({size.files} files, {size.distinct_files} distinct)",
                f"Risk: {package.risk.level}, {package.risk.reason}",
                *_named("Target", targets(package, repository, existing=True)),
                *_named("Target, planned", targets(package, repository, existing=False)),
                *_named("Parity test", parity_tests(package, repository, existing=True)),
                *_named("Parity test, planned", parity_tests(package, repository, existing=False)),
            ]
        )


def _retired(plan: Plan, checksums: Sequence[Checksum]) -> Iterator[str]:
    yield "## Retired"
    if not plan.deprecations:
        yield "Nothing."
        return
    rows, first = [], 1
    for group in plan.deprecations:
        count = len(files_of(group, checksums))
        numbers = f"D{first:02d}–D{first + count - 1:02d}"
        rows.append((numbers, ", ".join(f"`{p}`" for p in group.files), group.reason, f"`{group.replaced_by}`"))
        first += count
    yield markdown_table(("numbers", "files", "reason", "what takes its place"), rows)


def _effort(plan: Plan, package: WorkPackage, checksums: Sequence[Checksum]) -> str:
    size = volume(plan, package, checksums)
    return f"{size.size} ({size.distinct_lines:,} lines)"


def _sizes(plan: Plan) -> str:
    limits = [f"{size.name} below {size.below:,} lines" for size in plan.sizes if size.below is not None]
    return ", ".join([*limits, f"{plan.sizes[-1].name} from there on"]) + "."


def _named(label: str, names: Sequence[str]) -> list[str]:
    return [f"{label}: " + ", ".join(f"`{name}`" for name in names)] if names else []


def _bullets(texts: Iterable[str]) -> str:
    return "\n".join(f"- {text}" for text in texts)


def _csv(columns: Sequence[str], rows: Iterable[Sequence[str | int]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()
