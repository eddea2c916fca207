"""What is printed is what was said: lists in settings and names in brackets are no markup."""

import pytest

from golden_dagster.cli.options import coloured, table, terminal
from golden_dagster.cli.run import _standing


@pytest.mark.parametrize("text", ["explanations={forecasters: [v08]}", "[/x]", "[red]red[/red]"])
def test_brackets_are_printed(capsys, text):
    terminal().print(text)
    terminal().print(coloured("failed", "red", f" {text}"))
    terminal().print(table(("a", "b"), [(text, coloured(text, "red"))], title=text, caption=text))
    assert capsys.readouterr().out.count(text) == 6


def test_the_command_to_go_on_with_is_the_one_that_was_given(capsys):
    asked = "forecasters={random_walk: {}, ar: {max_order: 1}}"
    terminal().print(_standing("smoke", [asked, "data.pairs=[EURUSD]"], "SIGTERM"), soft_wrap=True)
    said = capsys.readouterr().out
    assert said.endswith(f"golden run smoke --set '{asked}' --set 'data.pairs=[EURUSD]'\n")
