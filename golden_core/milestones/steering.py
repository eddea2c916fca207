"""The plan's copy among the evidence, with a dated note of where it stands; the copy before it goes to the archive."""

from __future__ import annotations

import datetime
from pathlib import Path

from golden_core.legacy.risks import read_questions
from golden_core.milestones.evidence import archived, put, render
from golden_core.milestones.place import Place
from golden_core.milestones.records import Verdict
from golden_core.milestones.registry import EXTERNAL, Registry
from golden_core.milestones.state import GateStanding, Standing, gate_standing, standing
from golden_core.store.lake import shipped
from golden_core.store.markdown import markdown_table

TEMPLATE = shipped("steering", "plan.md.jinja")
PAGE = "execution_plan.md"
FOLDER = "steering"
QUESTIONS_PAGE = "P0.M2/open_questions.md"


def steer(place: Place, registry: Registry, now: datetime.datetime) -> Path:
    """Write docs/golden/execution_plan.md with the status of now, and archive the page that was there; return it.

    One moment is written once: EvidenceError if the archive has a page of it already.
    """
    page = place.evidence / PAGE
    content = steering_page(place, registry, now)
    with place.alone():
        archived(place, FOLDER, {PAGE: page}, now)
        put(page, content.encode())
    return page


def steering_page(place: Place, registry: Registry, now: datetime.datetime) -> str:
    """Return the plan, and where each milestone and gate stands, as Markdown."""
    found = [standing(place, milestone) for milestone in registry.milestones]
    gates = [gate_standing(place, registry, phase) for phase in registry.phases]
    facts = {
        "phases": registry.phases,
        "date": f"{now.astimezone(datetime.UTC):%Y-%m-%d %H:%M} UTC",
        "commit": place.git_record().commit,
        "milestones": _milestones(found),
        "gates": markdown_table(
            ("gate", "met", "waits for"),
            ((gate.phase.id, "yes" if gate.met else "no", ", ".join(gate.waits_for())) for gate in gates),
        ),
        "persons": _persons(registry, found, gates),
        "questions": len(read_questions()),
        "questions_page": QUESTIONS_PAGE,
    }
    return render(TEMPLATE, facts)


def _milestones(found: list[Standing]) -> str:
    verdicts: tuple[Verdict, ...] = ("pass", "fail", "open", "unmeasured")
    rows = (
        (one.milestone.id, one.state, one.owner or "nobody", *(str(one.count(verdict)) for verdict in verdicts),
         "; ".join(one.waits_for()) or "nothing")
        for one in found
    )  # fmt: skip
    return markdown_table(("milestone", "state", "owner", *verdicts, "waits for"), rows)


def _persons(registry: Registry, found: list[Standing], gates: list[GateStanding]) -> str:
    """Return role → signatures and owners that are missing."""
    waiting: dict[str, list[str]] = {role: [] for role in (*registry.roles, EXTERNAL)}
    for name, criteria in [(s.milestone.id, s.criteria) for s in found] + [(g.phase.id, g.criteria) for g in gates]:
        for criterion in criteria:
            for role in criterion.unsigned:
                waiting[role].append(f"{name} {criterion.id}")
    for one in found:
        if one.owner is None:
            waiting[one.milestone.accountable[0]].append(f"{one.milestone.id} needs an owner")
    titles = {**registry.roles, EXTERNAL: "reviewer from outside"}
    rows = ((titles[role], str(len(items)), "; ".join(items)) for role, items in waiting.items() if items)
    return markdown_table(("who", "items", "what"), rows)
