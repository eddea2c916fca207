"""Verification: sound evidence has no findings, and each way of tampering has its own, by name."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.milestones import DELIVERABLES, make_project

from golden_core.milestones.place import Place
from golden_core.milestones.records import EvidenceError, Metadata, read_record, write_record
from golden_core.milestones.verification import Verification, verify
from golden_core.store.lake import PROJECT_ROOT

LIMIT_S = 60


def found(project, **options):
    return [(finding.kind, finding.subject) for finding in verify(project.place, project.milestone, **options).findings]


def test_sound_evidence_has_no_findings(reviewed):
    assert verify(reviewed.place, reviewed.milestone, rerun_within_s=LIMIT_S) == Verification((), ())


def test_what_nobody_looked_at_is_said(reviewed):
    (unverified,) = verify(reviewed.place, reviewed.milestone).unverified
    assert (unverified.kind, unverified.subject) == ("rerun", "python make.py")


def test_verifying_changes_nothing(reviewed):
    before = {path: path.stat().st_mtime_ns for path in reviewed.place.repository.rglob("*")}
    verify(reviewed.place, reviewed.milestone, rerun_within_s=LIMIT_S)
    assert {path: path.stat().st_mtime_ns for path in reviewed.place.repository.rglob("*")} == before


def flip(path):
    """Change one bit of the last byte."""
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def edit_metadata(project, **changes):
    path = project.folder / "metadata.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


def link(project):
    """Put a link to the same bytes in place of a deliverable."""
    elsewhere = project.place.repository.parent / "report.md"
    shutil.move(project.folder / "report.md", elsewhere)
    (project.folder / "report.md").symlink_to(elsewhere)


def drop_an_output(project):
    path = project.folder / "metadata.json"
    metadata = read_record(Metadata, path)
    write_record(metadata.model_copy(update={"outputs": metadata.outputs[:-1]}), path)


EVIDENCE, INPUT, LOCK = "docs/golden/P0.M1", "data/input.csv", "constraints.txt"
TAMPERED = {  # what is done and committed, and what is then found
    **{f"a byte of {n}": (lambda p, n=n: flip(p.folder / n), [("deliverable", n)]) for n in sorted(DELIVERABLES)},
    **{f"no {n}": (lambda p, n=n: (p.folder / n).unlink(), [("deliverable", n)]) for n in sorted(DELIVERABLES)},
    "a link": (link, [("deliverable", "report.md")]),
    **{
        f"{n} that was never evidence": (lambda p, n=n: (p.folder / n).write_text("x"), [("deliverable", n)])
        for n in ("notes.txt", "tables/c.csv", ".hidden")
    },
    "a byte of an input": (lambda p: flip(p.place.repository / INPUT), [("input", INPUT)]),
    "no input": (lambda p: (p.place.repository / INPUT).unlink(), [("input", INPUT)]),
    "one more input": (
        lambda p: (p.place.repository / "data" / "more.csv").write_text("3\n"),
        [("input", "data/more.csv")],
    ),
    "another lock": (lambda p: flip(p.place.repository / LOCK), [("lock", LOCK)]),
    "no lock": (lambda p: (p.place.repository / LOCK).unlink(), [("lock", LOCK)]),
    "fewer outputs": (drop_an_output, [("deliverable", "tables/b.csv")]),
    **{
        f"metadata with {changes}": (lambda p, c=changes: edit_metadata(p, **c), [("metadata", "metadata.json")])
        for changes in ({"seal": "0"}, {"reviewer": "me"}, {"date": 5}, {"command": []})
    },
}


@pytest.mark.parametrize(("tamper", "expected"), TAMPERED.values(), ids=TAMPERED)
def test_what_was_changed_is_found_by_name(reviewed, tamper, expected):
    tamper(reviewed)
    reviewed.commit()
    assert found(reviewed) == expected
    assert reviewed.state == ("Under Review" if expected[0][0] == "lock" else "In Progress")


def test_metadata_of_another_milestone(reviewed):
    edit_metadata(reviewed, milestone="P0.M2")
    reviewed.commit()
    assert ("metadata", "metadata.json") in found(reviewed)


@pytest.mark.parametrize(("name", "subject"), [
    ("unfinished.txt", "unfinished.txt"), ("new/a.txt", "new/"), ("größe \n x", "größe \n x"), ("make.py", "make.py"),
    (f"{EVIDENCE}/owners.txt", f"{EVIDENCE}/owners.txt"),
])  # fmt: skip
def test_a_dirty_tree_is_named(reviewed, name, subject):
    path = reviewed.place.repository / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("x\n")
    assert [finding for finding in found(reviewed) if finding[0] == "tree"] == [("tree", subject)]


def test_uncommitted_evidence_is_named(project):
    project.write()
    assert found(project) == [("tree", "docs/golden/P0.M1/")]
    project.commit()
    flip(project.folder / "report.md")
    assert found(project) == [("deliverable", "report.md"), ("tree", "docs/golden/P0.M1/report.md")]


def test_evidence_from_a_dirty_tree_stays_marked(project):
    (project.place.repository / "unfinished.txt").write_text("x\n")
    project.write()
    project.commit()
    (finding,) = verify(project.place, project.milestone).findings
    assert str(finding) == "tree metadata.json: was written from a dirty tree: unfinished.txt"


def test_a_commit_that_is_not_in_the_history(reviewed):
    commit = reviewed.git("rev-parse", "HEAD~1")
    reviewed.git("checkout", "--quiet", "--orphan", "other")
    reviewed.commit()
    assert found(reviewed) == [("commit", commit)]


def test_no_evidence_at_all(project):
    assert found(project) == [("metadata", "metadata.json")]


def test_edited_metadata_shows_in_git(reviewed):
    edit_metadata(reviewed, author="Ada")
    assert found(reviewed) == [("tree", f"{EVIDENCE}/metadata.json")]


def test_a_plan_that_asks_for_more(reviewed):
    more = {"name": "summary.md", "title": "summary"}
    declared = [{"name": "report.md", "title": "report"}, {"name": "tables/*.csv", "title": "tables"}]
    code = {"name": "code", "title": "code", "repository": ["lib/*.py"]}
    assert found(reviewed.with_plan(deliverables=[*declared, code])) == [("deliverable", "lib/*.py")]
    assert found(reviewed.with_plan(deliverables=[*declared, more])) == [("deliverable", "summary.md")]
    assert found(reviewed.with_plan(deliverables=declared[1:])) == [("deliverable", "report.md")]
    assert found(reviewed.with_plan(inputs=[{"title": "x", "path": "data/more.csv"}])) == [("input", "data/more.csv")]


class TestExternalInputs:
    @pytest.fixture
    def bars(self, tmp_path):
        path = tmp_path / "bars.csv"
        path.write_text("2\n")
        return path

    @pytest.fixture
    def external(self, project, bars):
        """Evidence whose command takes a file from outside."""
        source = (project.place.repository / "make.py").read_text("utf-8")
        (project.place.repository / "make.py").write_text(f"import sys\nopen(sys.argv[1])\n{source}", "utf-8")
        project.commit()
        inputs = [project.place.repository / "data" / "input.csv", bars]
        project.write(inputs=inputs, command=["python", "make.py", str(bars)])
        project.commit()
        return project

    def test_without_a_path_it_is_unverified(self, external):
        verification = verify(external.place, external.milestone, rerun_within_s=LIMIT_S)
        assert verification.findings == ()
        assert [(one.kind, one.subject) for one in verification.unverified] == [
            ("input", "bars.csv"),
            ("rerun", "python make.py bars.csv"),
        ]

    def test_with_its_path_it_is_verified(self, external, bars):
        verification = verify(external.place, external.milestone, external={"bars.csv": bars}, rerun_within_s=LIMIT_S)
        assert (verification.findings, verification.unverified) == ((), ())

    def test_another_file_is_found(self, external, bars):
        flip(bars)
        assert found(external, external={"bars.csv": bars}) == [("input", "bars.csv")]
        bars.unlink()
        assert found(external, external={"bars.csv": bars}) == [("input", "bars.csv")]

    def test_its_absence_does_not_hold_up_the_milestone(self, external):
        external.own()
        assert external.state == "Under Review"


class TestRerun:
    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            ("# Report", "# Rapport", [("report.md", "came out different: recorded ")]),
            (
                '"report.md"',
                '"rapport.md"',
                [("report.md", "was not made again"), ("rapport.md", "is made now and was not recorded")],
            ),
            (
                "import os",
                "raise SystemExit('no bars today')",
                [("python make.py", "ended with status 1: no bars today")],
            ),
            ("import os", "raise SystemExit(0)", [(name, "was not made again") for name in sorted(DELIVERABLES)]),
        ],
    )
    def test_what_comes_out_different(self, reviewed, old, new, expected):
        path = reviewed.place.repository / "make.py"
        path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
        reviewed.commit()
        verification = verify(reviewed.place, reviewed.milestone, rerun_within_s=LIMIT_S)
        assert len(verification.findings) == len(expected)
        for finding, (subject, message) in zip(verification.findings, expected, strict=True):
            assert (finding.kind, finding.subject) == ("rerun", subject)
            assert finding.message.startswith(message)

    def test_from_another_input_nothing_is_made_again(self, reviewed):
        """It must come out otherwise, and may take an hour to."""
        flip(reviewed.place.repository / "data" / "input.csv")
        reviewed.commit()
        verification = verify(reviewed.place, reviewed.milestone, rerun_within_s=LIMIT_S)
        assert [finding.kind for finding in verification.findings] == ["input"]
        assert str(verification.unverified[0]).startswith("rerun python make.py: not run again: what it is made from")

    @pytest.mark.parametrize(
        ("command", "limit_s", "said"),
        [
            (["no-such-program"], LIMIT_S, "rerun no-such-program: cannot be started: No such file or directory"),
            (["sleep", "60"], 1, "rerun sleep 60: took longer than 1 s"),
        ],
    )
    def test_a_command_that_gives_nothing(self, project, command, limit_s, said):
        project.write(command=command)
        project.commit()
        (finding,) = verify(project.place, project.milestone, rerun_within_s=limit_s).findings
        assert str(finding) == said

    def test_the_mechanism_reruns_itself(self, project):
        # The whole way round: the command writes evidence with this library, into the folder the variable names.
        script = (
            "from pathlib import Path\n"
            "from support.milestones import DELIVERABLES, Project, plan\n"
            "from golden_core.milestones.place import Place\n"
            "Project(Place.from_environment(Path.cwd()), plan()).write()\n"
        )
        path = f"{Path(__file__).parents[2]}{os.pathsep}{PROJECT_ROOT}"
        (project.place.repository / "make.py").write_text(
            f"import sys\nsys.path += {path.split(os.pathsep)!r}\n{script}"
        )
        project.commit()
        project.write()
        project.commit()
        assert verify(project.place, project.milestone, rerun_within_s=LIMIT_S).findings == ()
        # No hash covers a verdict: only to decide again shows that one was changed by hand.
        recorded = json.loads((project.folder / "metadata.json").read_text("utf-8"))["criteria"]
        edit_metadata(project, criteria=[recorded[0] | {"verdict": "fail"}, *recorded[1:]])
        project.commit()
        (finding,) = verify(project.place, project.milestone, rerun_within_s=LIMIT_S).findings
        assert str(finding) == "rerun counts_equal: was decided otherwise: recorded fail, now pass"


def clone(project, folder):
    origin = f"file://{project.place.repository}"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", origin, str(folder)], check=True)


def copy(project, folder):
    shutil.copytree(project.place.repository, folder, ignore=shutil.ignore_patterns(".git"))


@pytest.mark.parametrize(("taken", "reason"), [(clone, "shallow clone"), (copy, "no git repository")])
def test_where_history_ends_nobody_knows_more(reviewed, tmp_path, taken, reason):
    folder = tmp_path / "taken"
    taken(reviewed, folder)
    verification = verify(Place(folder, folder / "docs" / "golden"), reviewed.milestone)
    assert verification.findings == ()
    assert reason in str(verification.unverified[0])


def test_a_command_says_how_it_ended(project):
    def run(program, timeout_s=LIMIT_S):
        return project.place.run(["python", "-c", program], timeout_s=timeout_s)

    assert run("print('three'); raise SystemExit(3)") == (3, "three")
    assert run(f"import sys; raise SystemExit(sys.prefix != {sys.prefix!r})") == (0, "")  # this project's Python
    child = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(9)'])"
    assert run(child, 8) == (0, "")  # what it leaves behind is not waited for
    with pytest.raises(subprocess.TimeoutExpired):
        run("import time; time.sleep(60)", 0.2)


def test_a_repository_named_by_a_hook_is_not_asked(reviewed, tmp_path, monkeypatch):
    other = make_project(tmp_path / "other")
    (other.place.repository / "stray.txt").write_text("not committed")
    monkeypatch.setenv("GIT_DIR", str(other.place.repository / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.place.repository))
    assert verify(reviewed.place, reviewed.milestone).findings == ()


def test_a_damaged_index_is_no_clean_tree(reviewed):
    (reviewed.place.repository / ".git" / "index").write_bytes(b"damaged")
    with pytest.raises(EvidenceError, match="git status fails"):
        verify(reviewed.place, reviewed.milestone)


def test_a_machine_without_git_says_that_it_cannot_know(reviewed, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    found = verify(reviewed.place, reviewed.milestone)
    assert found.findings == ()
    assert "there is no git repository here" in " ".join(map(str, found.unverified))
