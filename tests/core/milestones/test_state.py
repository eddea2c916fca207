"""States: every transition, none that skips a fact, and never acceptance with something open."""

import datetime as dt
from itertools import product

import pytest
from support.milestones import DELIVERABLES, PASSED, START

from golden_core.milestones.evidence import Result, write_evidence
from golden_core.milestones.place import Place
from golden_core.milestones.records import EvidenceError
from golden_core.milestones.registry import load_registry
from golden_core.milestones.signoff import set_owner, sign
from golden_core.milestones.state import decide, gate_standing, standing
from golden_core.milestones.steering import PAGE, steer

VERDICTS = ("pass", "fail", "open", "unmeasured")
FAILED = (Result("counts_equal", 19, "20", False), PASSED[1])


def test_every_combination_of_facts():
    # Second derivation: a state is the number of conditions that hold, counted until the first that does not.
    order = ("Planned", "In Progress", "Under Review", "Accepted")
    for owned, ready, machine, human in product((True, False), (True, False), VERDICTS, VERDICTS):
        conditions = (owned, ready and machine == "pass", human == "pass")
        held = next((index for index, holds in enumerate(conditions) if not holds), len(conditions))
        assert decide(owned=owned, ready=ready, machine=["pass", machine], human=[human, "pass"]) == order[held]


def test_all_the_way_and_back(project):
    project.write(results=FAILED)
    assert project.state == "Planned"
    project.own()
    assert project.state == "In Progress"
    project.write(day=1)
    project.commit()
    assert project.state == "Under Review"
    project.sign("reviewed")
    project.sign("approved", role="TL")
    assert project.state == "Under Review"
    project.sign("approved", role="RL")
    assert project.state == "Accepted"
    project.write(DELIVERABLES | {"report.md": "# Another report\n"}, day=2)
    assert project.state == "Under Review"
    (project.folder / "report.md").unlink()
    assert project.state == "In Progress"


def test_a_verdict_on_other_bytes_is_no_verdict(reviewed):
    (reviewed.folder / "report.md").write_text("other\n")
    found = standing(reviewed.place, reviewed.milestone)
    assert [one.verdict for one in found.criteria] == ["unmeasured", "unmeasured", "open", "open"]
    assert found.state == "In Progress"


def test_a_criterion_that_was_reworded_is_unmeasured(reviewed):
    criteria = reviewed.milestone.model_dump(mode="json")["criteria"]
    criteria[0]["claim"] = "Twenty-one of twenty are equal."
    found = standing(reviewed.place, reviewed.with_plan(criteria=criteria).milestone)
    assert (found.criteria[0].verdict, found.state) == ("unmeasured", "In Progress")


def test_the_next_state_says_what_it_waits_for(project):
    def said():
        found = standing(project.place, project.milestone)
        return found.state, found.next_step(), found.waits_for()

    assert said() == ("Planned", "an owner", ("an owner",))
    project.own()
    assert said() == ("In Progress", "evidence", ("metadata metadata.json: no evidence has been written", *UNMEASURED))
    project.write(results=FAILED)
    failed = "counts_equal is fail (check some/asset:counts_equal)"
    assert said() == ("In Progress", "1 criteria", (failed,))
    assert standing(project.place, project.milestone).criteria[0].value == 19
    project.write(day=1)
    project.commit()
    project.sign("reviewed")
    project.sign("approved", role="TL")
    assert said() == ("Under Review", "RL", ("approved is open (sign-off by TL and RL)",))
    (project.folder / "report.md").write_text("other\n")
    assert said()[:2] == ("In Progress", "new evidence")


UNMEASURED = (
    "counts_equal is unmeasured (check some/asset:counts_equal)",
    "script_runs is unmeasured (command python -c raise SystemExit(0))",
)


def test_a_gate_is_met_when_all_is_accepted_and_signed(reviewed):
    (phase,) = reviewed.registry.phases

    def gate():
        found = gate_standing(reviewed.place, reviewed.registry, phase)
        return found.met, found.waits_for()

    assert gate() == (False, ("P0.M1", "P0.M2", "scope_approved", "owners_known"))
    reviewed.accept()
    second, when = phase.milestones[1], START + dt.timedelta(days=9)
    set_owner(reviewed.place, reviewed.registry, second, name="Sofia K", date=when)
    write_evidence(reviewed.place, second, DELIVERABLES, inputs=[], command=["x"], results=(), now=START)
    reviewed.commit()

    def signed(planned, criterion):
        given = {"role": "TL", "name": "Mary C", "date": when, "commit": reviewed.head}
        return sign(reviewed.place, reviewed.registry, planned, criterion, **given)

    with pytest.raises(EvidenceError, match=r"P0\.M2: is Under Review, not Accepted"):
        signed(phase, "scope_approved")
    signed(second, "read")
    assert gate() == (False, ("scope_approved",))
    with pytest.raises(EvidenceError, match="is decided by owners of P0, not by a signature"):
        signed(phase, "owners_known")
    signed(phase, "scope_approved")
    assert gate() == (True, ())
    (reviewed.folder / "report.md").write_text("other\n")
    assert gate() == (False, ("P0.M1", "scope_approved"))


MONDAY = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)


def test_a_note_is_dated_and_the_one_before_is_kept(tmp_path):
    place, registry = Place(tmp_path, tmp_path / "evidence"), load_registry()
    page = steer(place, registry, MONDAY)
    first = page.read_text(encoding="utf-8")
    assert "## Status of 2026-03-02 09:00 UTC" in first
    assert all(f"| {milestone.id} | Planned | nobody |" in first for milestone in registry.milestones)
    assert "P6.M3 needs an owner" in first

    steer(place, registry, MONDAY + dt.timedelta(days=7))
    assert "2026-03-09" in page.read_text(encoding="utf-8")
    kept = [path for path in place.archive.rglob(PAGE) if path.read_text(encoding="utf-8") == first]
    assert len(kept) == 1
    assert f"steering/{PAGE}" in (place.archive / "index.csv").read_text(encoding="utf-8")
