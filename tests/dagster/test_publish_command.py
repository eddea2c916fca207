"""`golden publish` from the command line: what it says, and its exit status."""

import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import bagit
import pytest
from support.campaigns import SETTINGS
from support.commands import golden

from golden_core.store.lake import hash_file
from golden_dagster.cli import run

publish = partial(golden, "publish")
MAKE = ("make", "-n", "--no-print-directory")  # which a make within `make test` would print


@pytest.fixture
def bag(finished, tmp_path):
    made = publish("bundle", "smoke", "--to", tmp_path / "bag", *SETTINGS)
    assert made.exit_code == 0, made.output
    return tmp_path / "bag"


def test_an_archive_is_written_and_verified(bag):
    found = publish("verify", bag)
    assert (found.exit_code, "every file and 19 tables as archived" in found.output) == (0, True)
    (bag / "data" / "licences.csv").write_text("")
    found = publish("verify", bag)
    assert (found.exit_code, "data/licences.csv is not as it was archived" in found.output) == (1, True)
    found = publish("reproduce", bag)
    assert (found.exit_code, "is not as it was archived: data/licences.csv" in found.output) == (2, True)


def test_an_archive_says_the_name_that_authors_publish(bag):
    name = hash_file(bag / "tagmanifest-sha256.txt")
    assert publish("verify", bag).output.rstrip().endswith(name)


def test_another_study_under_the_name_is_not_run(bag, monkeypatch):
    """Other settings would otherwise excuse every number that comes out otherwise."""
    path = next((bag / "data" / "studies").iterdir())
    path.write_text(path.read_text().replace("root: ", "root: 1"))
    bagit.Bag(str(bag)).save(manifests=True)
    monkeypatch.setattr(run, "run_with_progress", lambda *_: pytest.fail("it ran"))
    found = publish("reproduce", bag)
    assert (found.exit_code, "is not the study of results.json" in found.output) == (2, True), found.output


@pytest.mark.parametrize("command", [("cards",), ("bundle", "--to", "archive")])
def test_a_study_that_was_not_run_is_told_with_the_command_that_runs_it(command, monkeypatch, tmp_path):
    """Its name alone leads nowhere: it has a file and settings, and perhaps a name of its own."""
    monkeypatch.setenv("GOLDEN_HOME", str(tmp_path / "home"))
    found = publish(*command, "smoke", "--set", "training.epochs=2", "--as", "smoke_mine")
    assert found.exit_code == 2
    assert "run: golden run smoke --set training.epochs=2 --set name=smoke_mine" in found.output


def test_a_link_to_itself_is_one_line(finished, tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    said = golden("publish", "bundle", "smoke", "--to", str(loop), *SETTINGS)
    assert said.exit_code == 2
    assert "loop" in said.output
    assert "name another place" in said.output


def test_cards_are_written_where_they_are_asked_for(finished, tmp_path):
    assert publish("cards", "smoke", "--to", tmp_path, *SETTINGS).exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"MODEL_CARD.md", "DATA_CARD.md"}


def test_a_study_that_comes_out_again_is_compared(bag, finished, monkeypatch):
    def ran(study, overrides, *_):
        assert (Path(study).parent.name, overrides) == ("studies", [])
        shutil.copytree(finished.root, os.environ["GOLDEN_HOME"], dirs_exist_ok=True)
        return True, []

    monkeypatch.setattr(run, "run_with_progress", ran)
    found = publish("reproduce", bag)
    assert found.exit_code == 0, found.output
    assert "reproduced: 19 of 19 tables have the archived hash; 4 of 4 verdicts are the archived ones" in found.output
    assert "cause" not in found.output
    assert Path(os.environ["GOLDEN_HOME"]) == finished.root


def test_a_study_that_fails_is_not_reproduced(bag, monkeypatch):
    monkeypatch.setattr(run, "run_with_progress", lambda *_: (True, ["ar EURUSD_h1: no memory"]))
    found = publish("reproduce", bag)
    assert (found.exit_code, "the study did not run whole: ar EURUSD_h1: no memory" in found.output) == (2, True)


@pytest.mark.endurance
def test_an_archive_is_made_again_from_its_own_code(bag, tmp_path):
    """In an empty folder, by the code that the archive holds, in an environment that has its libraries."""
    tree = tmp_path / "tree"
    tree.mkdir()
    subprocess.run(["tar", "-xf", str(bag / "data" / "source.tar"), "-C", str(tree)], check=True)
    command = ["make", "reproduce", f"BUNDLE={bag}", "READY=", f"BIN={Path(sys.executable).parent}"]
    result = subprocess.run(command, cwd=tree, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "reproduced: 19 of 19 tables" in result.stdout


def test_make_asks_for_the_archive():
    result = subprocess.run([*MAKE, "reproduce", "READY="], capture_output=True, text=True)
    assert (result.returncode, "make reproduce BUNDLE=DIR" in result.stderr) == (2, True)


def test_make_takes_an_archive_in_a_folder_with_blanks(tmp_path):
    tree = tmp_path / "a tree of ü"
    tree.mkdir()
    shutil.copy("Makefile", tree)
    shown = tree / "python"
    shown.write_text('#!/bin/sh\necho "$PYTHONPATH"\nfor one; do echo "$one"; done\n')
    shown.chmod(0o755)
    asked = ["reproduce", "READY=", f"BIN={tree}", "BUNDLE=../an archive"]
    result = subprocess.run([MAKE[0], "-s", *MAKE[2:], *asked], cwd=tree, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    said = result.stdout.splitlines()
    assert (said[0], said[-3:]) == (str(tree), ["publish", "reproduce", "../an archive"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("cards", "smoke"), "is not in the warehouse yet"),
        (("bundle", "smoke", "--to", "/proc/nowhere"), "the report"),
        (("verify", "/nowhere"), "is no archive of `golden publish bundle`"),
    ],
)
def test_bad_usage_is_one_clear_message(arguments, message):
    result = publish(*arguments)
    assert (result.exit_code, message in result.output) == (2, True), result.output
