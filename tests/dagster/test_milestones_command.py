"""`golden milestones`: what people and programs read, and that only a person at a terminal signs."""

import json
import os
import pty
import subprocess
import sys
import time

import pytest
from support.milestones import make_project
from typer.testing import CliRunner

from golden_core.milestones.registry import load_registry
from golden_core.milestones.signatures import read_sign_offs
from golden_core.store.lake import PROJECT_ROOT
from golden_dagster.cli import milestones
from golden_dagster.cli.application import app

SIGNING = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv.pop(1))
from support.milestones import project_at
from golden_dagster.cli import application, milestones
project = project_at(Path(sys.argv.pop(1)))
milestones._plan = lambda: (project.place, project.registry)
application.app()
"""


def golden(*arguments, **options):
    return CliRunner().invoke(app, list(arguments), **options)


@pytest.fixture
def reviewed(tmp_path, monkeypatch):
    """A small project whose first milestone waits for signatures, in place of this one."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GOLDEN_EVIDENCE"):
        monkeypatch.delenv(name, raising=False)
    project = make_project(tmp_path / "project")
    project.own()
    project.write()
    project.commit()
    monkeypatch.setattr(milestones, "_plan", lambda: (project.place, project.registry))
    return project


def at_a_terminal(project, *arguments, typed=b""):
    """Run the command as a person does: with a terminal, typing."""
    master, slave = pty.openpty()
    command = [sys.executable, "-c", SIGNING, str(PROJECT_ROOT / "tests"), str(project.place.repository)]
    process = subprocess.Popen(
        [*command, "milestones", *arguments], stdin=slave, stdout=slave, stderr=slave, cwd=PROJECT_ROOT, close_fds=True
    )
    os.close(slave)
    os.write(master, typed)
    output = b""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            piece = os.read(master, 4096)
        except OSError:  # the other end is closed
            break
        output += piece
    os.close(master)
    return process.wait(10), output.decode()


def test_a_person_signs_at_the_prompt(reviewed):
    status, said = at_a_terminal(
        reviewed, "sign", "P0.M1", "reviewed", "--role", "statistician", "--commit", reviewed.head, typed=b"Mary C\n"
    )
    assert "Your name" in said
    assert "signed by Mary C (statistician)" in said
    assert status == 0
    assert [entry.name for entry in read_sign_offs(reviewed.place, reviewed.milestone)] == ["Mary C"]


@pytest.mark.parametrize("given", ["Mary C\n", ""])
def test_nothing_is_signed_without_a_terminal(reviewed, given):
    arguments = ("sign", "P0.M1", "reviewed", "--role", "statistician", "--commit", reviewed.head)
    result = golden("milestones", *arguments, input=given)
    assert result.exit_code == 2
    assert "only a person signs" in " ".join(result.output.replace("│", " ").split())
    assert not reviewed.place.sign_offs("P0.M1").exists()


def test_no_option_gives_the_name(reviewed):
    result = golden("milestones", "sign", "P0.M1", "reviewed", "--name", "Mary C")
    assert result.exit_code == 2
    assert "No such option: --name" in result.output


def test_a_criterion_that_the_milestone_does_not_have(reviewed):
    status, said = at_a_terminal(reviewed, "sign", "P0.M1", "nonsense", typed=b"\n")
    assert status == 2
    assert "has no criterion 'nonsense'" in said
    assert "Traceback" not in said


def test_a_milestone_shows_who_answers_what_it_takes_and_what_it_gives(reviewed):
    shown = golden("milestones", "show", "P0.M1").output
    for line in (
        "accountable lead; supporting statistician",
        "takes      data/*.csv: the input",
        "takes      a file or folder of yours: a file of the user's",
        "gives      tables/*.csv: tables",
        "counts_equal: Twenty of twenty are equal. (check some/asset:counts_equal) [20]",
    ):
        assert line in shown


def test_status_says_which_evidence_does_not_count_and_why(reviewed):
    assert "not as recorded" not in golden("milestones", "status").output
    (reviewed.folder / "report.md").write_text("another")
    said = golden("milestones", "status").output
    assert "not as recorded  P0.M1: deliverable report.md: has changed" in said
    assert "unmeasured" in said


def test_status_cuts_no_name(reviewed):
    """A table without a terminal: the name of every check can be read in full, if over two lines."""
    said = golden("milestones", "status").output
    assert "…" not in said


def test_status_for_programs():
    found = json.loads(golden("milestones", "status", "--json").output)
    plan = load_registry()
    assert [one["milestone"] for one in found["milestones"]] == [milestone.id for milestone in plan.milestones]
    for told, milestone in zip(found["milestones"], plan.milestones, strict=True):
        assert [one["id"] for one in told["criteria"]] == [one.id for one in milestone.criteria]
        assert {one["verdict"] for one in told["criteria"]} <= {"pass", "fail", "open", "unmeasured"}
    assert [gate["gate"] for gate in found["gates"]] == [phase.id for phase in plan.phases]
