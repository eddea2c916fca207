"""States: every transition, none that skips a fact, and never acceptance with something open."""

import tempfile
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.milestones import DELIVERABLES, PASSED, Project, make_project

from golden_core.milestones.evidence import Result
from golden_core.milestones.records import EvidenceError
from golden_core.milestones.registry import Registry
from golden_core.milestones.state import (
    GATE_COLUMNS,
    NOT_SET,
    STATUS_COLUMNS,
    decide,
    gate_table,
    gates,
    standing,
    status_table,
)
from golden_core.milestones.verification import content_findings

VERDICTS = ("pass", "fail", "open", "unmeasured")
FAILED = (Result("counts_equal", 19, "20", False), PASSED[1])


def test_every_combination_of_facts():
    # Second derivation: a state is the number of conditions that hold, counted until the first that does not.
    order = ("Planned", "In Progress", "Under Review", "Accepted")
    for owned, ready, machine, human in product((True, False), (True, False), VERDICTS, VERDICTS):
        conditions = (owned, ready and machine == "pass", human == "pass")
        held = next((index for index, holds in enumerate(conditions) if not holds), len(conditions))
        assert decide(owned=owned, ready=ready, machine=["pass", machine], human=[human, "pass"]) == order[held]


@given(st.booleans(), st.booleans(), st.lists(st.sampled_from(VERDICTS)), st.lists(st.sampled_from(VERDICTS)))
def test_nothing_is_accepted_with_anything_open(owned, ready, machine, human):
    state = decide(owned=owned, ready=ready, machine=machine, human=human)
    if state == "Accepted":
        assert owned
        assert ready
        assert {*machine, *human} <= {"pass"}


def test_all_the_way_and_back(project):
    assert project.state == "Planned"
    project.own()
    assert project.state == "In Progress"
    project.write(results=FAILED)
    assert project.state == "In Progress"
    project.write(day=1)
    project.commit()
    assert project.state == "Under Review"
    project.sign("reviewed")
    assert project.state == "Under Review"
    project.sign("approved")
    assert project.state == "Accepted"
    project.write(DELIVERABLES | {"report.md": "# Another report\n"}, day=2)
    assert project.state == "Under Review"
    (project.folder / "report.md").unlink()
    assert project.state == "In Progress"


def test_evidence_without_an_owner_is_only_planned(project):
    project.write()
    assert project.state == "Planned"


def test_an_unspecified_milestone_can_be_in_progress_and_no_further(project):
    second = project.registry.milestone("P0.M2")
    assert standing(project.place, second).state == "Planned"
    assert standing(project.place, second).reasons() == ("has no owner", NOT_SET)


def test_a_verdict_on_other_bytes_is_no_verdict(reviewed):
    (reviewed.folder / "report.md").write_text("other\n")
    found = standing(reviewed.place, reviewed.milestone)
    assert [one.verdict for one in found.criteria] == ["unmeasured", "unmeasured", "open", "open"]
    assert found.state == "In Progress"


def test_a_criterion_that_was_reworded_is_unmeasured(reviewed):
    criteria = reviewed.milestone.specification.model_dump(mode="json")["criteria"]
    criteria[0]["claim"] = "Twenty-one of twenty are equal."
    found = standing(reviewed.place, reviewed.with_plan(criteria=criteria).milestone)
    assert (found.criteria[0].verdict, found.state) == ("unmeasured", "In Progress")


def test_reasons_say_what_is_left(reviewed):
    reviewed.sign("reviewed")
    assert standing(reviewed.place, reviewed.milestone).reasons() == ("approved is open (sign-off by lead)",)


STEPS = ("own", "write", "write other", "write failed", "commit", "sign reviewed", "sign approved", "tamper", "remove")


def step(project: Project, name: str, day: int) -> None:
    match name.split():
        case ["own"]:
            project.own(f"Person {'ABCDEFGHIJKLMNOP'[day]}", day)
        case ["write", *kind]:
            other = DELIVERABLES | {"report.md": f"# {day}\n"}
            project.write(
                other if kind == ["other"] else DELIVERABLES, results=FAILED if kind == ["failed"] else PASSED
            )
        case ["commit"]:
            project.commit()
        case ["sign", criterion]:
            project.sign(criterion)
        case ["tamper"]:
            (project.folder / "tables" / "a.csv").write_text("9\n")
        case _:
            (project.folder / "tables" / "b.csv").unlink()


@settings(max_examples=25)
@given(st.lists(st.sampled_from(STEPS), max_size=8), st.booleans())
def test_whatever_happens_acceptance_means_all_of_it(steps, ready):
    with tempfile.TemporaryDirectory() as folder:
        project = make_project(Path(folder) / "project")
        first = ["own", "write", "commit", "sign reviewed"] if ready else []
        for day, name in enumerate([*first, *steps]):
            before = project.state
            try:
                step(project, name, day)
            except (EvidenceError, OSError):
                assert project.state == before
            found = standing(project.place, project.milestone)
            if name.startswith("sign") and found.state != before:
                assert (before, found.state) == ("Under Review", "Accepted")
            if found.state == "Accepted":
                assert found.owner
                assert {one.verdict for one in found.criteria} == {"pass"}
                assert content_findings(project.place, project.milestone)[1] == ()


def test_a_gate_is_met_when_all_its_milestones_are_accepted(reviewed):
    (phase,) = reviewed.registry.phases
    alone = phase.model_copy(update={"milestones": phase.milestones[:1]})
    registry = Registry(reviewed.registry.roles, (alone,))
    assert not gates(reviewed.place, registry)[0].met
    reviewed.sign("reviewed")
    reviewed.sign("approved")
    (gate,) = gates(reviewed.place, registry)
    assert gate.met
    (with_the_other,) = gates(reviewed.place, reviewed.registry)
    assert (with_the_other.met, with_the_other.accepted, with_the_other.open) == (False, ("P0.M1",), ("P0.M2",))
    table = gate_table(reviewed.place, reviewed.registry)
    assert dict(table.schema) == GATE_COLUMNS
    assert table.rows() == [("P0", "Beginning", False, 1, 2)]


def test_the_table_lists_every_milestone_and_every_criterion(reviewed):
    reviewed.sign("reviewed")
    table = status_table(reviewed.place, reviewed.registry)
    assert dict(table.schema) == STATUS_COLUMNS
    columns = ["milestone", "state", "owner", "criterion", "verdict", "value", "threshold"]
    assert table.select(columns).rows() == [
        ("P0.M1", "Under Review", "Ada Lovelace", "counts_equal", "pass", "20", "20"),
        ("P0.M1", "Under Review", "Ada Lovelace", "script_runs", "pass", "0", "exit status 0"),
        ("P0.M1", "Under Review", "Ada Lovelace", "reviewed", "pass", "Mary Cartwright, 2026-03-10", "signed"),
        ("P0.M1", "Under Review", "Ada Lovelace", "approved", "open", None, "signed"),
        ("P0.M2", "Planned", None, None, None, None, None),
    ]
    assert table.row(4, named=True)["claim"] == "criteria: not yet set"


@pytest.mark.parametrize("passed", [True, False])
def test_a_failed_criterion_shows_its_value(project, passed):
    project.own()
    project.write(results=PASSED if passed else FAILED)
    row = status_table(project.place, project.registry).row(0, named=True)
    assert (row["verdict"], row["value"]) == (("pass", "20") if passed else ("fail", "19"))
