"""Every answer of the published checklists leads to something that exists."""

from pathlib import Path

import pytest
from typer.main import get_command

from golden_core.publication import checklist
from golden_core.publication.checklist import COMMANDS, LISTS, broken_links, checklist_page, checklist_rows
from golden_core.publication.declared import PublicationError

ROOT = Path.cwd()


def test_every_link_leads_somewhere():
    assert broken_links(checklist_rows(), ROOT) == []
    assert {row.list for row in checklist_rows()} == set(LISTS)


@pytest.mark.parametrize("link", [
    "docs/nowhere.md", "check folds:no_such_check", "test tests/core/publication/test_checklist.py::test_of_nothing",
    "test tests/nowhere.py::test_of_nothing", "command golden nonsense",
])  # fmt: skip
def test_a_broken_link_is_named(link, monkeypatch):
    rows = (*checklist_rows()[:1], checklist_rows()[1].model_copy(update={"link": link}))
    assert [link in fault for fault in broken_links(rows, ROOT)] == [True]
    monkeypatch.setattr(checklist, "checklist_rows", lambda: rows)
    with pytest.raises(PublicationError, match="does not exist"):
        checklist_page(ROOT)


def test_the_page_has_every_question():
    page = checklist_page(ROOT)
    assert all(row.question in page for row in checklist_rows())


def test_commands_that_may_be_linked_to_exist():
    from golden_dagster.cli.application import app

    program = get_command(app)
    for command in COMMANDS:
        found = program
        for part in command.split()[1:]:
            found = found.commands[part]
