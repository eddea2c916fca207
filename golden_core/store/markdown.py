"""Tables as Markdown text. What a cell says, and how text of strangers is escaped, is decided by whoever makes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]], marks: Sequence[str] = ()) -> str:
    r"""Return a table of cells in which nothing but an unescaped bar can still end a cell: it is escaped here.

    Examples
    --------
    >>> print(markdown_table(("a", "b"), [("1", "x|y")]))
    | a | b |
    | --- | --- |
    | 1 | x\|y |
    """
    lines = [
        [cell(text) for text in heads],
        marks or ["---"] * len(heads),
        *([cell(text) for text in row] for row in rows),
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def cell(text: str) -> str:
    """Return text in which no bar ends a cell."""
    return text.replace("\\|", "|").replace("|", "\\|")
