"""Who is responsible, accountable, consulted and informed: a chart made from the plan's roles, one A per milestone."""

from __future__ import annotations

from golden_core.milestones.evidence import Result
from golden_core.milestones.registry import Milestone, Registry
from golden_core.store.markdown import markdown_table

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
