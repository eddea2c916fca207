"""What "golden standard" requires, held against plan and repository, and who is responsible for which milestone."""

from __future__ import annotations

import datetime
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from golden_core.milestones.evidence import Result
from golden_core.milestones.place import Place
from golden_core.milestones.records import read_declared
from golden_core.milestones.registry import Milestone, Name, Path_, Registry, Text, refuse_repeats
from golden_core.store.lake import shipped
from golden_core.store.markdown import markdown_table
from golden_core.study import Section

REQUIREMENTS = shipped("requirements.yaml")
COLUMNS = ("requirement", "milestone", "must", "artefacts", "measures", "threshold", "decided by", "covers")
WIDTHS = (28, 10, 60, 44, 48, 12, 60, 30)


class Requirement(Section):
    """One thing that must hold: what shows it, what is measured, and what is accepted."""

    id: Name
    milestone: str
    must: Text
    covers: tuple[Name, ...] = Field(default=(), description="criteria of its milestone that it stands for")
    check: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_/]+:[a-z0-9_]+$", description="asset:check")
    artefacts: Annotated[tuple[Path_, ...], Field(min_length=1)]
    measures: Text
    equals: float | None = None
    at_least: float | None = None
    at_most: float | None = None

    @property
    def threshold(self) -> str:
        """What is accepted, as it is read: ``= 0``, ``≥ 5``, ``≤ 0.063``."""
        signs = (("=", self.equals), ("≥", self.at_least), ("≤", self.at_most))
        return ", ".join(f"{sign} {value:g}" for sign, value in signs if value is not None)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if (given := [self.equals, self.at_least, self.at_most].count(None)) != 2:
            raise ValueError(f"{self.id} needs exactly one of equals, at_least, at_most; it has {3 - given}")
        if not self.covers and self.check is None:
            raise ValueError(f"{self.id} needs a criterion that it covers, or a check of its own: nothing decides it")
        return self


class Requirements(Section):
    """All of them."""

    requirements: Annotated[tuple[Requirement, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        refuse_repeats("requirement", [one.id for one in self.requirements])
        return self


def requirements_pages(
    registry: Registry, checks: frozenset[str], place: Place
) -> tuple[dict[str, str | bytes], tuple[Result, ...]]:
    """Return the deliverables of P1.M1, and whether every requirement is mapped and the chart covers everybody."""
    requirements, (page, charted) = load_requirements(), responsibility_page(registry)
    faults = requirement_faults(requirements, registry, checks, place)
    pages: dict[str, str | bytes] = {
        "requirements_matrix.xlsx": workbook(requirement_rows(requirements, registry)),
        "raci.md": page,
    }
    return pages, (mapped(requirements, faults), charted)


def load_requirements(path: Path = REQUIREMENTS) -> tuple[Requirement, ...]:
    """Read the requirements; EvidenceError names the file, the place and what is wrong."""
    return read_declared(Requirements, path).requirements


def requirement_faults(
    requirements: tuple[Requirement, ...], registry: Registry, checks: frozenset[str], place: Place
) -> list[str]:
    """Return a sentence for each requirement that is not mapped, and each criterion of the plan that none covers.

    ``checks`` are the names ``asset:check`` of all that there are.
    """
    known = {milestone.id: {c.id for c in milestone.criteria if not c.beyond} for milestone in registry.milestones}
    faults = [fault for one in requirements for fault in _faults(one, known, checks, place)]
    covered = {(one.milestone, criterion) for one in requirements for criterion in one.covers}
    missing = sorted({(name, criterion) for name, own in known.items() for criterion in own} - covered)
    return faults + [f"{name}: no requirement covers the criterion {criterion}" for name, criterion in missing]


def _faults(one: Requirement, known: dict[str, set[str]], checks: frozenset[str], place: Place) -> Iterator[str]:
    if one.milestone not in known:
        yield f"{one.id}: the plan has no milestone {one.milestone}"
        return
    for criterion in sorted(set(one.covers) - known[one.milestone]):
        yield f"{one.id}: {one.milestone} has no criterion {criterion} that the plan asks for"
    if one.check is not None and one.check not in checks:
        yield f"{one.id}: there is no check {one.check}"
    own = f"docs/golden/{one.milestone}/"
    for pattern in one.artefacts:
        # What P1.M1 itself gives is being written while this is asked.
        if not (one.milestone == "P1.M1" and pattern.startswith(own)) and not place.declared(pattern):
            yield f"{one.id}: {pattern} is not there"


def mapped(requirements: tuple[Requirement, ...], faults: list[str]) -> Result:
    """Report how many requirements are mapped; a criterion that nothing covers counts against all."""
    faulty = {fault.partition(":")[0] for fault in faults}
    said = f"{sum(one.id not in faulty for one in requirements)} of {len(requirements)}"
    return Result("every_requirement_mapped", "; ".join([said, *faults]), "all", not faults)


def requirement_rows(requirements: tuple[Requirement, ...], registry: Registry) -> list[tuple[str, ...]]:
    """Return the matrix, a row per requirement, in COLUMNS."""
    decided = {(m.id, c.id): c.decided_by for m in registry.milestones for c in m.criteria}
    return [
        (
            one.id,
            one.milestone,
            one.must,
            "\n".join(one.artefacts),
            one.measures,
            one.threshold,
            "\n".join(
                [f"check {one.check}"] if one.check else [decided.get((one.milestone, c), "?") for c in one.covers]
            ),
            "\n".join(one.covers),
        )
        for one in requirements
    ]


def workbook(rows: list[tuple[str, ...]]) -> bytes:
    """Return the matrix as .xlsx: the same rows give the same bytes, on every day."""
    from xlsxwriter import Workbook  # noqa: PLC0415  nothing else needs it

    content = io.BytesIO()
    book = Workbook(content, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": "Requirements", "created": datetime.datetime(2026, 1, 1)})  # noqa: DTZ001  a constant
    sheet = book.add_worksheet("requirements")
    head, body = book.add_format({"bold": True, "bottom": 1}), book.add_format({"text_wrap": True, "valign": "top"})
    sheet.write_row(0, 0, COLUMNS, head)
    for number, row in enumerate(rows, start=1):
        sheet.write_row(number, 0, row, body)
    for number, width in enumerate(WIDTHS):
        sheet.set_column(number, number, width)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, len(rows), len(COLUMNS) - 1)
    book.close()
    return content.getvalue()


RULE = """\
**A** answers for the milestone: the first role that the plan calls accountable, so that it is exactly one. **R** does
the work: other accountable roles and the supporting ones; where there is none, A does it too. **C** is asked before a
criterion is signed: whoever signs one. **I** is told."""


def letters(milestone: Milestone, roles: list[str]) -> dict[str, str]:
    """Return the letter of every role for a milestone."""
    accountable, *others = milestone.accountable
    working = {*others, *milestone.supporting}
    signing = {role for criterion in milestone.criteria for role in criterion.sign_off or ()}
    chart = {role: "R" if role in working else "C" if role in signing else "I" for role in roles}
    return chart | {accountable: "A" if working else "A, R"}


def responsibility_page(registry: Registry) -> tuple[str, Result]:
    """Return raci.md, and what is found for the criterion that it covers all roles and milestones."""
    roles = list(registry.roles)
    charts = {milestone.id: letters(milestone, roles) for milestone in registry.milestones}
    table = markdown_table(
        ("milestone", *roles),
        ([f"{one.id} {one.title}", *(charts[one.id][role] for role in roles)] for one in registry.milestones),
    )
    named = "\n".join(f"- **{role}** {title}" for role, title in registry.roles.items())
    single = sum(sum(letter.startswith("A") for letter in chart.values()) == 1 for chart in charts.values())
    idle = [role for role in roles if all(chart[role] == "I" for chart in charts.values())]
    said = f"{single} of {len(charts)} milestones with one A; roles without work: {', '.join(idle) or 'none'}"
    page = f"# Responsibilities\n\nGenerated from data/milestones.\n\n{RULE}\n\n{table}\n\n{named}\n"
    return page, Result("raci_covers_all", said, "all, none", single == len(charts) and not idle)
