"""Owners and signatures: given by somebody, for what lies there, and never rewritten."""

import datetime as dt
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.milestones import DELIVERABLES, PASSED, START, Project

from golden_core.milestones import evidence, signoff
from golden_core.milestones.records import EvidenceError, SignOffs, write_record
from golden_core.milestones.registry import load_registry
from golden_core.milestones.signoff import LONGEST_NAME
from golden_core.milestones.state import owners, standing
from golden_core.milestones.steering import steer
from golden_core.milestones.verification import read_sign_offs, verify
from golden_core.store.lake import hash_bytes

NO_NAMES = {
    "": "a name is needed", "  \t": "a name is needed", " Ada": "without space around it",
    "Ada\n": "without space around it", "Ada\x1b[2J": "printable text", "A" * (LONGEST_NAME + 1): "signs at most",
    "—": "a name has letters", "12": "a name has letters", "tl": "is a role of the plan",
    "Research lead": "is a role of the plan", "ＴＬ": "is a role of the plan", "External": "is a role of the plan",
    "nobody": "is what the plan says where there is no person",
    "None yet": "is what the plan says where there is no person",
}  # fmt: skip


@pytest.mark.parametrize(("name", "message"), NO_NAMES.items())
def test_no_name_is_assumed_and_no_role_is_a_person(reviewed, name, message):
    with pytest.raises(EvidenceError, match=message):
        reviewed.own(name, day=1)
    with pytest.raises(EvidenceError, match=message):
        reviewed.sign(name=name)
    assert not reviewed.place.sign_offs("P0.M1").exists()


def at_once(*works):
    """Do everything at the same time; what one of them raises is raised."""
    with ThreadPoolExecutor(len(works)) as threads:
        for begun in [threads.submit(work) for work in works]:
            begun.result()


@pytest.fixture
def slow(monkeypatch):
    """Between reading what is there and writing it again, others have time."""

    def slowly(work):
        def done(*arguments):
            time.sleep(0.1)
            found = work(*arguments)
            time.sleep(0.1)
            return found

        return done

    for module, name in ((signoff, "owners"), (signoff, "read_sign_offs"), (evidence, "put")):
        monkeypatch.setattr(module, name, slowly(getattr(module, name)))


class TestTwoAtOnce:
    """Whoever reads a file to write it again has it alone."""

    def test_both_owners_are_kept(self, project, slow):
        place, registry = project.place, project.registry
        second = registry.milestone("P0.M2")
        at_once(project.own, lambda: signoff.set_owner(place, registry, second, name="Mary", date=START))
        assert {name: one.owner for name, one in owners(place).items()} == {"P0.M1": "Ada Lovelace", "P0.M2": "Mary"}

    def test_both_signatures_are_kept(self, reviewed, slow):
        at_once(reviewed.sign, lambda: reviewed.sign("approved"))
        assert {one.criterion for one in read_sign_offs(reviewed.place, reviewed.milestone)} == {"reviewed", "approved"}

    def test_a_note_and_evidence_are_both_in_the_archive(self, reviewed, slow):
        place = reviewed.place
        steer(place, load_registry(), START)
        at_once(
            lambda: steer(place, load_registry(), START + dt.timedelta(days=1)),
            lambda: reviewed.write({**DELIVERABLES, "report.md": "another"}, day=2),
        )
        kept = (place.archive / "index.csv").read_text("utf-8")
        assert "steering/execution_plan.md" in kept
        assert "P0.M1/report.md" in kept


class TestOwners:
    def test_the_last_one_owns_it(self, project):
        assert owners(project.place) == {}
        project.own("Ada Lovelace")
        project.own("Émilie du Châtelet", day=1)
        assert standing(project.place, project.milestone).owner == "Émilie du Châtelet"
        assert json.loads(project.place.owners.read_text("utf-8")) == {
            "owners": {"P0.M1": {"owner": "Émilie du Châtelet", "date": "2026-03-02T12:00:00Z"}}
        }

    def test_setting_the_same_owner_twice_is_refused(self, project):
        project.own()
        with pytest.raises(EvidenceError, match="Ada Lovelace owns it already, since 2026-03-01"):
            project.own(day=1)

    @pytest.mark.parametrize("text", ["", "[]", '{"owners": {"P0.M1": {"owner": "Ada"}}}', "\xff"])
    def test_a_damaged_file_is_refused(self, project, text):
        project.own()
        project.place.owners.write_bytes(text.encode("latin-1"))
        with pytest.raises(EvidenceError, match=r"owners\.json: "):
            standing(project.place, project.milestone)


class TestSigning:
    def test_an_entry_says_who_what_when_and_for_which_bytes(self, reviewed):
        reviewed.sign()
        (written,) = json.loads(reviewed.place.sign_offs("P0.M1").read_text("utf-8"))["signoffs"]
        assert written["criterion"] == "reviewed"
        assert (written["role"], written["name"]) == ("RL", "Mary Cartwright")
        assert (written["date"], written["commit"]) == ("2026-03-10T12:00:00Z", reviewed.head)
        # By hand: what was signed is the criterion as worded and the bytes of every deliverable.
        bodies = {n: c.encode() if isinstance(c, str) else c for n, c in DELIVERABLES.items()}
        signed = {
            "milestone": "P0.M1",
            "criterion": "reviewed",
            "claim": "The numbers are right.",
            "role": "RL",
            "deliverables": {f"P0.M1/{name}": hash_bytes(content) for name, content in bodies.items()},
        }
        text = json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert written["evidence"] == hash_bytes(text.encode())

    def test_entries_are_only_ever_added(self, reviewed):
        first = reviewed.sign("reviewed")
        second = reviewed.sign("approved", name="Emmy Noether")
        assert read_sign_offs(reviewed.place, reviewed.milestone) == (first, second)

    def test_each_of_several_roles_has_to_sign(self, reviewed):
        reviewed.sign("approved", role="TL")
        assert verdict(reviewed, "approved") == "open"
        with pytest.raises(EvidenceError, match="Mary Cartwright has signed it already"):
            reviewed.sign("approved", role="TL")
        reviewed.sign("approved", role="RL")
        assert verdict(reviewed, "approved") == "pass"

    def test_the_commit_must_hold_what_is_signed(self, reviewed):
        older = reviewed.head
        reviewed.write(DELIVERABLES | {"tables/b.csv": b"y\n3\n"}, day=1)
        reviewed.commit()
        for commit, name in ((reviewed.git("rev-parse", f"{older}~1"), "report.md"), (older, "tables/b.csv")):
            with pytest.raises(EvidenceError, match=rf"{name}: commit .* does not hold it as it lies here"):
                reviewed.sign(commit=commit)

    def test_uncommitted_evidence_is_not_signed(self, project):
        project.own()
        project.write()
        with pytest.raises(EvidenceError, match=r"docs/golden/P0\.M1/report\.md: commit .* does not hold it"):
            project.sign()


REFUSED = {  # what is asked of reviewed evidence, and why it is refused
    "another role": ({"role": "TL"}, "is for the RL to sign, not for 'TL'"),
    "a machine's": ({"criterion": "counts_equal"}, "is decided by check some/asset:counts_equal, not by a signature"),
    "no criterion": ({"criterion": "beauty"}, "has no criterion 'beauty'"),
    "before the evidence": ({"date": START - dt.timedelta(seconds=1)}, "the evidence was written on"),
    "no time zone": ({"date": START.replace(tzinfo=None)}, "has no time zone"),
    "unknown commit": ({"commit": "0" * 40}, "does not hold it as it lies here; commit it, then sign"),
    **{f"commit {c!r}": ({"commit": c}, "is not a commit in full") for c in ("", "HEAD", "--help", "1234567")},
}


@pytest.mark.parametrize(("changes", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_to_be_signed_is_refused(reviewed, changes, message):
    with pytest.raises((EvidenceError, LookupError), match=message):
        reviewed.sign(**changes)
    assert not reviewed.place.sign_offs("P0.M1").exists()


def dirty(project):
    (project.place.repository / "unfinished.txt").write_text("x\n")
    project.write()


EARLY = {  # owned?, what is done before it is committed, and why nothing is signed
    "not owned": (False, Project.write, "is Planned, not Under Review: an owner"),
    "no evidence": (True, lambda _: None, "is In Progress, not Under Review: metadata metadata.json: no evidence"),
    "unmeasured": (
        True,
        lambda p: p.write(results=PASSED[:1]),
        r"not Under Review: script_runs is unmeasured \(command",
    ),
    "tampered": (
        True,
        lambda p: (p.write(), (p.folder / "report.md").write_text("other\n")),
        r"is In Progress, not Under Review: deliverable report\.md: has changed",
    ),
    "dirty": (True, dirty, "was not written from a clean tree"),
}


@pytest.mark.parametrize(("owned", "prepare", "message"), EARLY.values(), ids=EARLY)
def test_what_is_not_ready_is_not_signed(project, owned, prepare, message):
    if owned:
        project.own()
    prepare(project)
    project.commit()
    with pytest.raises(EvidenceError, match=message):
        project.sign()
    assert not project.place.sign_offs("P0.M1").exists()


def verdict(project, criterion):
    return next(one.verdict for one in standing(project.place, project.milestone).criteria if one.id == criterion)


class TestStaleness:
    def test_changed_deliverables_make_a_signature_stale_and_it_can_be_given_again(self, reviewed):
        first = reviewed.sign()
        before = reviewed.place.sign_offs("P0.M1").read_bytes()
        reviewed.write(DELIVERABLES | {"report.md": "# Another report\n"}, day=1)
        assert reviewed.place.sign_offs("P0.M1").read_bytes() == before
        reviewed.commit()
        assert verdict(reviewed, "reviewed") == "open"
        (finding,) = verify(reviewed.place, reviewed.milestone).findings
        message = "sign-off reviewed: signed by Mary Cartwright for deliverables that have changed since"
        assert str(finding) == message
        second = reviewed.sign(name="Emmy Noether")
        assert verdict(reviewed, "reviewed") == "pass"
        assert read_sign_offs(reviewed.place, reviewed.milestone) == (first, second)

    @pytest.mark.parametrize("change", [{"claim": "Nothing to see here."}, {"sign_off": ["TL"]}])
    def test_other_words_or_another_role_make_a_signature_stale(self, reviewed, change):
        reviewed.sign()
        criteria = reviewed.milestone.model_dump(mode="json")["criteria"]
        criteria[2] |= change
        assert verdict(reviewed.with_plan(criteria=criteria), "reviewed") == "open"

    def test_new_results_alone_do_not(self, reviewed):
        reviewed.sign()
        reviewed.write(day=1, command=["python", "make.py", "--again"])
        assert verdict(reviewed, "reviewed") == "pass"


@pytest.mark.parametrize("change", [lambda one: one | {"name": 5}, lambda one: one | {"seal": "x"}])
def test_a_damaged_list_counts_for_nothing(reviewed, change):
    reviewed.accept()
    assert reviewed.state == "Accepted"
    path = reviewed.place.sign_offs("P0.M1")
    content = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(content | {"signoffs": list(map(change, content["signoffs"]))}))
    reviewed.commit()
    assert reviewed.state == "Under Review"
    (finding,) = verify(reviewed.place, reviewed.milestone).findings
    assert str(finding).startswith("sign-off signoffs.json: signoffs.json: signoffs.0.")
    with pytest.raises(EvidenceError, match="restore it from git"):
        reviewed.sign("reviewed")


def test_signatures_of_another_milestone_count_for_nothing(reviewed):
    entry = reviewed.sign("reviewed")
    write_record(SignOffs(milestone="P0.M2", signoffs=(entry,)), reviewed.place.sign_offs("P0.M1"))
    assert verdict(reviewed, "reviewed") == "open"
