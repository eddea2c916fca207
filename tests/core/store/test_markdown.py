"""A cell can hold a bar and still be one cell."""

from golden_core.store.markdown import markdown_table


def test_a_bar_in_a_cell_is_escaped_once():
    assert markdown_table(("a", "b|c"), [("x|y", "x\\|y")]).splitlines() == [
        "| a | b\\|c |",
        "| --- | --- |",
        "| x\\|y | x\\|y |",
    ]
