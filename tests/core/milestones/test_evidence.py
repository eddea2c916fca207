"""Writing evidence: what is recorded, when nothing is written, what goes to the archive, what is refused."""

import contextlib
import csv
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.milestones import DELIVERABLES, PASSED, START, make_project

from golden_core.milestones import evidence
from golden_core.milestones.evidence import Result
from golden_core.milestones.records import (
    CriterionRecord,
    EvidenceError,
    read_record,
    write_record,
)
from golden_core.milestones.verification import content_findings
from golden_core.store.lake import hash_bytes

CHANGED = DELIVERABLES | {"report.md": "# Another report\n"}


def test_everything_is_recorded(project):
    written = project.write()
    metadata = json.loads((project.folder / "metadata.json").read_text(encoding="utf-8"))
    assert metadata["author"] == "Grace Hopper"
    assert metadata["date"] == "2026-03-01T12:00:00Z"
    assert metadata["git"] == {"commit": project.head, "dirty": False, "uncommitted": []}
    assert metadata["command"] == ["python", "make.py"]
    assert metadata["lock"] == {"path": "constraints.txt", "sha256": hash_bytes(b"numpy==2.4.6\n"), "bytes": 13}
    assert metadata["inputs"] == [
        {"path": "data/input.csv", "sha256": hash_bytes(b"1\n"), "bytes": 2, "external": False}
    ]
    assert [(one["path"], one["sha256"]) for one in metadata["outputs"]] == [
        ("report.md", hash_bytes(DELIVERABLES["report.md"].encode())),
        ("tables/a.csv", hash_bytes(b"x\n1\n")),
        ("tables/b.csv", hash_bytes(b"y\n2\n")),
    ]
    assert [(one["id"], one["value"], one["threshold"], one["verdict"]) for one in metadata["criteria"]] == [
        ("counts_equal", 20, "20", "pass"),
        ("script_runs", 0, "exit status 0", "pass"),
        ("reviewed", None, "signed", "open"),
        ("approved", None, "signed", "open"),
    ]
    assert written.changed == ("report.md", "tables/a.csv", "tables/b.csv", "metadata.json")
    assert (project.folder / "tables" / "a.csv").read_bytes() == b"x\n1\n"


def snapshot(root):
    files = (path for path in root.rglob("*") if path.is_file() and path.name != ".lock")  # who is at it is no evidence
    return {str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_unchanged_content_is_not_written_again(project):
    project.write()
    project.commit()
    before = snapshot(project.place.evidence)
    again = project.write(day=5)
    assert snapshot(project.place.evidence) == before
    assert again.changed == ()
    assert again.metadata.date == START
    assert project.git("status", "--porcelain") == ""


def test_later_commits_and_authors_do_not_disturb_it(project):
    project.write()
    project.commit()
    project.git("config", "user.name", "Somebody Else")
    (project.place.repository / "unfinished.txt").write_text("dirty now, clean then\n")
    assert project.write(day=5).changed == ()


@pytest.mark.parametrize("what", ["result", "command", "input", "lock", "title"])
def test_new_facts_about_old_deliverables_are_recorded(project, what):
    project.write()
    project.commit()
    changes = {}
    if what == "result":
        changes = {"results": (Result("counts_equal", 19, "20", False), PASSED[1])}
    elif what == "command":
        changes = {"command": ["python", "make.py", "--again"]}
    elif what == "title":
        project = project.with_plan(criteria=[{"id": "reviewed", "claim": "Other words.", "sign_off": ["RL"]}])
        changes = {"results": ()}
    else:
        name = {"input": "data/input.csv", "lock": "constraints.txt"}[what]
        (project.place.repository / name).write_text("changed\n")
        project.commit()
    again = project.write(day=1, **changes)
    assert again.changed == ("metadata.json",)
    assert [row["file"] for row in index(project)] == ["P0.M1/metadata.json"]


def test_evidence_from_a_dirty_tree_is_replaced_by_the_same_from_a_clean_one(project):
    (project.place.repository / "unfinished.txt").write_text("x\n")
    dirty = project.write()
    assert dirty.metadata.git.dirty
    assert dirty.metadata.git.uncommitted == ("unfinished.txt",)
    project.commit()
    clean = project.write(day=1)
    assert clean.changed == ("metadata.json",)
    assert not clean.metadata.git.dirty


def test_evidence_itself_does_not_make_the_tree_dirty(project):
    project.write()
    assert not project.write(CHANGED, day=1).metadata.git.dirty


def index(project):
    with (project.place.archive / "index.csv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def archived(project):
    found = snapshot(project.place.archive)
    return {name: content for name, (content, _) in found.items() if name != "index.csv"}


def test_superseded_documents_stay_and_everything_else_is_a_line(project):
    """git holds the bytes that the line names; documents stay for people to read."""
    project.write()
    commit = project.commit()
    metadata = (project.folder / "metadata.json").read_bytes()
    project.write({name: content for name, content in CHANGED.items() if name != "tables/b.csv"}, day=1)
    time = "20260302T120000.000000Z"
    assert archived(project) == {f"P0.M1/{time}/report.md": DELIVERABLES["report.md"].encode()}
    superseded = {"report.md": DELIVERABLES["report.md"].encode(), "tables/b.csv": b"y\n2\n", "metadata.json": metadata}
    assert index(project) == [
        {"time": time, "file": f"P0.M1/{name}", "sha256": hash_bytes(content), "commit": commit}
        for name, content in superseded.items()
    ]
    assert not (project.folder / "tables" / "b.csv").exists()
    assert project.git("show", f"{commit}:docs/golden/P0.M1/tables/b.csv") == "y\n2"


def test_what_no_commit_holds_is_kept_whole(project):
    project.write()
    project.write(DELIVERABLES | {"tables/b.csv": b"new"}, day=1)
    assert sorted(Path(name).name for name in archived(project)) == ["b.csv", "metadata.json"]
    assert {row["commit"] for row in index(project)} == {""}


def test_two_writings_of_one_moment_do_not_mix(project):
    project.write()
    project.write(CHANGED, day=1)
    with pytest.raises(EvidenceError, match="evidence of one moment is written once"):
        project.write(day=1)


@pytest.mark.parametrize("name", ["report.md", "metadata.json"])
def test_what_was_edited_by_hand_is_archived_and_made_good(project, name):
    project.write()
    project.commit()
    (project.folder / name).write_text("edited\n")
    project.write(day=1)
    assert b"edited\n" in archived(project).values()
    assert content_findings(project.place, project.milestone)[1] == ()


def test_external_inputs_are_recorded_without_their_folder(project, tmp_path):
    outside = tmp_path / "private" / "bars.csv"
    outside.parent.mkdir()
    outside.write_text("2\n")
    inputs = [project.place.repository / "data" / "input.csv", outside]
    written = project.write(inputs=inputs, command=["python", "make.py", "--bars", str(outside)])
    assert written.metadata.inputs[-1].model_dump() == {
        "path": "bars.csv",
        "sha256": hash_bytes(b"2\n"),
        "bytes": 2,
        "external": True,
    }
    assert written.metadata.command == ("python", "make.py", "--bars", "bars.csv")
    assert str(tmp_path) not in (project.folder / "metadata.json").read_text(encoding="utf-8")


def test_a_folder_is_an_input_with_one_hash_for_all_it_holds(project, tmp_path):
    tree = tmp_path / "tree"
    (tree / "v_01").mkdir(parents=True)
    (tree / "v_01" / "Run.py").write_text("a\n")
    (tree / "loop").symlink_to(tree)
    first = project.place.input_record(tree)
    assert (first.path, first.bytes, first.external) == ("tree", 2, True)
    (tree / "v_01" / "Run.py").rename(tree / "v_01" / "Ran.py")
    renamed = project.place.input_record(tree)
    (tree / "v_01" / "Ran.py").write_text("b\n")
    assert len({first.sha256, renamed.sha256, project.place.input_record(tree).sha256}) == 3


REFUSED = {
    "unknown deliverable": ({"deliverables": DELIVERABLES | {"notes.txt": ""}}, "notes.txt is not a declared"),
    "missing deliverable": ({"deliverables": {"tables/a.csv": b""}}, "report.md is not there"),
    "missing family": ({"deliverables": {"report.md": ""}}, r"tables/\*.csv is not there"),
    "hidden file": ({"deliverables": DELIVERABLES | {"tables/.a.csv": b""}}, "cannot be the name of a file"),
    "path of this machine": ({"command": ["python", "/home/me/make.py"]}, "means nothing on another machine"),
    "path in an option": ({"command": ["python", "--out=/tmp/x"]}, "means nothing on another machine"),
    "no command": ({"command": []}, "at least 1 item"),
    "result for a person": ({"results": (Result("approved", 1, "", True),)}, "is for a person to decide"),
    "unknown result": ({"results": (Result("beauty", 1, "", True),)}, "no criterion 'beauty'"),
    "not a number": ({"results": (Result("counts_equal", float("nan"), "", True),)}, "finite number"),
    "no time zone": ({"now": START.replace(tzinfo=None)}, "has no time zone"),
}


def test_all_of_a_declared_family_is_read(project):
    other = project.place.repository / "data" / "other.csv"
    other.write_text("2\n")
    read = [record.path for record in project.write(inputs=[]).metadata.inputs]
    assert read == ["data/input.csv", "data/other.csv"]
    other.unlink()
    (project.place.repository / "data" / "input.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"declared inputs data/\*\.csv: not in"):
        project.write(inputs=[])


@pytest.mark.parametrize(("changes", "message"), REFUSED.values(), ids=REFUSED)
def test_nothing_is_written_when_something_is_wrong(project, changes, message):
    with pytest.raises((ValueError, LookupError), match=message):
        project.write(**({"deliverables": DELIVERABLES} | changes))
    assert not project.place.evidence.exists()


def test_without_a_name_in_git_there_is_no_author(project):
    project.git("config", "--unset", "user.name")
    assert project.write().metadata.author is None


def test_without_git_nothing_is_claimed_about_it(project):
    (project.place.repository / ".git").rename(project.place.repository.parent / "git-elsewhere")
    assert project.write().metadata.git.model_dump() == {"commit": None, "dirty": None, "uncommitted": ()}


def test_a_repository_further_up_is_not_this_one(tmp_path):
    around = make_project(tmp_path / "around")
    inside = make_project(tmp_path / "around" / "inside")
    shutil.rmtree(inside.place.repository / ".git")
    assert around.write().metadata.git.commit == around.head
    assert inside.write().metadata.git.commit is None


def test_looking_at_git_does_not_write_to_it(project):
    index = project.place.repository / ".git" / "index"
    (project.place.repository / "make.py").touch()  # a fresh stat would make `git status` refresh the index
    before = index.read_bytes()
    project.write()
    assert index.read_bytes() == before


VALUES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)


@given(value=VALUES | TEXTS, words=TEXTS)
def test_a_value_survives_its_file(tmp_path_factory, value, words):
    record = CriterionRecord(id="a", claim=words, decided_by="b", value=value, threshold="", verdict="pass")
    file = tmp_path_factory.mktemp("any") / "metadata.json"
    write_record(record, file)
    back = read_record(CriterionRecord, file)
    assert back == record
    assert type(back.value) is type(value)


NEW = {"report.md": b"# Another report\n", "tables/a.csv": DELIVERABLES["tables/a.csv"], "tables/c.csv": b"z\n3\n"}


@pytest.mark.parametrize("stopped_at", range(7))
def test_a_writing_that_stops_half_way_loses_nothing_and_claims_nothing(project, monkeypatch, stopped_at):
    """Two of the archive, three deliverables, then the metadata; the last case is not stopped."""
    project.write()
    project.commit()
    old = {name: content for name, (content, _) in snapshot(project.folder).items()}
    steps = iter(range(99))

    def stopping(step):
        def counted(*arguments):
            if next(steps) == stopped_at:
                raise KeyboardInterrupt
            return step(*arguments)

        return counted

    with monkeypatch.context() as patched, contextlib.suppress(KeyboardInterrupt):
        for name in ("put", "write_record"):
            patched.setattr(evidence, name, stopping(getattr(evidence, name)))
        project.write(NEW, day=1)
    assert next(steps) == min(stopped_at + 1, 6)
    present = {name: content for name, (content, _) in snapshot(project.folder).items()}
    lines = index(project) if (project.place.archive / "index.csv").exists() else []
    known = {(row["file"], row["sha256"], row["commit"]) for row in lines}
    for name, content in old.items():
        kept = (f"P0.M1/{name}", hash_bytes(content), project.head) in known
        assert present.get(name) == content or kept or content in archived(project).values()
    metadata, findings = content_findings(project.place, project.milestone)
    recorded = {record.path: record.sha256 for record in metadata.outputs}
    assert findings or recorded == {n: hash_bytes(content) for n, content in present.items() if n != "metadata.json"}
    project.write(NEW, day=2)
    assert content_findings(project.place, project.milestone)[1] == ()
    assert snapshot(project.folder).keys() == {*NEW, "metadata.json"}
