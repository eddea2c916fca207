"""Every answer of the published checklists leads to something that exists."""

import pytest
from typer.main import get_command

from golden_core.checks import all_checks
from golden_core.milestones.loader import existing_tests
from golden_core.preparation.catalogue import load_study
from golden_core.publication.checklist import LISTS, checklist_page, checklist_rows
from golden_core.store.lake import PROJECT_ROOT
from golden_dagster.cli.application import app


@pytest.fixture(scope="module")
def linked():
    """What answers link to, by kind; of a file the path alone."""
    found = {kind: set() for kind in ("check", "command", "test", "file")}
    for row in checklist_rows():
        kind, _, name = row.link.partition(" ")
        found[kind if name else "file"].add(name or kind)
    assert all(found.values())
    return found


def test_every_list_is_answered_and_every_question_is_on_the_page():
    assert {row.list for row in checklist_rows()} == set(LISTS)
    page = checklist_page()
    assert all(f"| {row.question} | {row.answer} |" in page for row in checklist_rows())


def test_files_and_tests_that_are_linked_to_exist(linked):
    assert [path for path in linked["file"] if not (PROJECT_ROOT / path).exists()] == []
    assert existing_tests(PROJECT_ROOT, linked["test"]) == linked["test"]


def test_checks_that_are_linked_to_exist(linked):
    assert linked["check"] <= {f"{one.asset}:{one.name}" for one in all_checks(load_study("demo"))}


def test_commands_that_are_linked_to_exist(linked):
    for command in linked["command"]:
        found = get_command(app)
        for part in command.split()[1:]:
            assert part in found.commands, command
            found = found.commands[part]
