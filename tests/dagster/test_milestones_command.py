"""`golden milestones`: what people and programs read, and that only a person at a terminal signs."""

import pytest
from support.commands import golden, said
from support.milestones import DELIVERABLES, PASSED, make_project

from golden_core.milestones import makers
from golden_core.milestones.verification import read_sign_offs
from golden_dagster.cli import milestones


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


@pytest.fixture
def terminal(monkeypatch):
    """Whoever types does so at a terminal."""
    monkeypatch.setattr(milestones, "at_a_terminal", lambda: True)


SIGN = ("milestones", "sign", "P0.M1", "reviewed", "--role", "RL", "--commit")


def test_a_person_signs_at_the_prompt(reviewed, terminal):
    result = golden(*SIGN, reviewed.head, input="Mary C\n")
    assert "Your name" in result.output
    assert "signed by Mary C (RL)" in result.output
    assert result.exit_code == 0
    assert [entry.name for entry in read_sign_offs(reviewed.place, reviewed.milestone)] == ["Mary C"]


@pytest.mark.parametrize("given", ["Mary C\n", ""])
def test_nothing_is_signed_without_a_terminal(reviewed, given):
    result = golden(*SIGN, reviewed.head, input=given)
    assert result.exit_code == 2
    assert "only a person signs" in said(result)
    assert not reviewed.place.sign_offs("P0.M1").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("reviewed", "--name", "Mary C"), "No such option: --name"),
        (("nonsense", "--role", "RL", "--commit", "x"), "has no criterion 'nonsense'"),
    ],
)
def test_what_cannot_be_signed_so_is_bad_usage(reviewed, terminal, arguments, message):
    result = golden("milestones", "sign", "P0.M1", *arguments, input="\n")
    assert result.exit_code == 2
    assert message in said(result)


def test_a_milestone_shows_who_answers_what_it_takes_and_what_it_gives(reviewed):
    shown = golden("milestones", "show", "P0.M1").output
    for line in (
        "accountable TL; supporting RL; a day",
        "takes      data/*.csv: the input",
        "takes      a file or folder of yours: a file of the user's",
        "gives      tables: tables (tables/*.csv)",
        "counts_equal: Twenty of twenty are equal. (check some/asset:counts_equal) [20]",
    ):
        assert line in shown


def test_one_file_is_written_and_an_input_may_be_given_by_another_name_for_it(reviewed, tmp_path, monkeypatch):
    tree = tmp_path / "tree"
    (tree / "v_1").mkdir(parents=True)
    (tmp_path / "alias").symlink_to(tree)
    monkeypatch.setitem(makers.MAKERS, "P0.M1", lambda *_: (DELIVERABLES, PASSED))
    asked = ("milestones", "write", "P0.M1", "--no-commands", "--tree", str(tmp_path / "alias"))
    assert "P0.M1: 1 file written to" in golden(*asked).output
    found = golden("milestones", "verify", "P0.M1", "--no-rerun", "--input", str(tmp_path / "alias")).output
    assert "input tree" not in found


def test_status_is_a_line_for_each_milestone_and_gate(reviewed):
    lines = golden("milestones", "status").output.splitlines()
    assert lines == [
        "      state        owner       pass fail open unm.  evidence    waits for",
        "P0.M1 Under Review Ada Lovela…    2    ·    2    ·  2026-03-01  RL, TL",
        "P0.M2 Planned      nobody         ·    ·    1    ·  none        an owner",
        "gate P0 open: 2 of 2 milestones; TL to sign",
    ]
    assert "Ada Lovelace" in golden("milestones", "show", "P0.M1").output
    assert "waits for  P0.M2" in golden("milestones", "show", "P0").output


def test_status_says_which_evidence_does_not_count(reviewed):
    (reviewed.folder / "report.md").write_text("another")
    said = golden("milestones", "status").output
    assert "P0.M1 In Progress  Ada Lovela…    ·    ·    2    2  2026-03-01! new evidence" in said
    assert "! not as recorded" in said
    assert "deliverable report.md: has changed" in golden("milestones", "show", "P0.M1").output


@pytest.mark.parametrize(
    "words",
    [["status"], ["show", "P0.M1"], ["verify", "P0.M1"], ["write", "P0.M1"], ["owner", "P0.M1", "--name", "Ada"],
     ["steer"]],
)  # fmt: skip
def test_a_folder_that_is_no_checkout_is_told_so_and_left_alone(words, tmp_path, monkeypatch):
    monkeypatch.delenv("GOLDEN_EVIDENCE", raising=False)
    monkeypatch.setattr("golden_core.store.lake.PROJECT_ROOT", tmp_path)  # as installed from a wheel
    monkeypatch.chdir(tmp_path)
    result = golden("milestones", *words)
    fix = "stand in a checkout, or name its docs/golden in GOLDEN_EVIDENCE"
    where = f"{tmp_path / 'docs/golden'}: no such folder; {fix}"
    assert (result.exit_code, result.output.strip(), [*tmp_path.iterdir()]) == (2, where, [])


def test_status_fits_a_terminal():
    """The plan itself: 80 columns, whoever owns and whatever is waited for."""
    lines = golden("milestones", "status").output.splitlines()
    assert sum(line.startswith(("P", "gate")) for line in lines) == 16 + 7
    assert max(map(len, lines)) <= 80


def test_a_program_that_takes_too_long_to_say_how_it_is_used_is_no_traceback(tmp_path, monkeypatch):
    monkeypatch.setenv("GOLDEN_EVIDENCE", str(tmp_path))
    monkeypatch.setattr("golden_core.milestones.designs.SECONDS", 0.01)
    result = golden("milestones", "write", "P5.M1")
    assert (result.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert "utils docs --name golden takes longer than it may; give the same command again" in result.output
