"""What a report shows: a query's answer with caption and columns, as HTML cells, Markdown or LaTeX. No SQL here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import polars as pl

from golden_core.reporting.formats import ABSENT, Format, escape_latex, escape_markdown
from golden_core.store.warehouse import Warehouse

Row = Mapping[str, Any]
Kind = Literal["number", "text", "prose", "heading"]  # prose may break into lines


@dataclass(frozen=True)
class Answer:
    """The answer to a query, with the query as a reader can run it again."""

    frame: pl.DataFrame
    sql: str


def ask(warehouse: Warehouse, sql: str, *parameters: str | float) -> Answer:
    """Run a query whose parameters are written ``$1``, ``$2``, …, and keep its text with the values filled in."""
    text = sql.strip()
    for place, value in enumerate(parameters, start=1):
        literal = "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)
        text = text.replace(f"${place}", literal)
    return Answer(warehouse.query(sql, parameters), text)


@dataclass(frozen=True)
class Column:
    """One column of a table: its heading, and how a row becomes text.

    ``tone`` names the CSS class of a cell; a tone always repeats what the text says, it never replaces it.
    """

    label: str
    text: Callable[[Row], str]
    unit: str = ""
    kind: Kind = "number"
    tone: Callable[[Row], str] = lambda _: ""

    @property
    def heading(self) -> str:
        """The label with its unit in parentheses."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


def field(label: str, name: str, style: Format, *, unit: str = "", kind: Kind = "number") -> Column:
    """Return the column that shows one field of the answer."""
    return Column(label, lambda row: style(row[name]), unit, kind)


def interval(label: str, low: str, high: str, style: Format, *, unit: str = "") -> Column:
    """Return the column that shows two fields as an interval, or the dash when there is none."""

    def text(row: Row) -> str:
        ends = (style(row[low]), style(row[high]))
        return ABSENT if ABSENT in ends else f"[{ends[0]}, {ends[1]}]"

    return Column(label, text, unit)


class Cell(NamedTuple):
    """The text of a cell and the CSS class of its tone."""

    text: str
    tone: str = ""


@dataclass(frozen=True)
class Exhibit:
    """A table: what it says, how it is set, and the query behind it."""

    name: str
    caption: str
    columns: tuple[Column, ...]
    answer: Answer
    notes: tuple[str, ...] = ()
    row_tone: Callable[[Row], str] = lambda _: ""

    @property
    def keyed(self) -> bool:
        """Whether one heading names each row, so that it can stay in sight when the table scrolls."""
        return sum(column.kind == "heading" for column in self.columns) == 1

    @property
    def rows(self) -> list[tuple[str, list[Cell]]]:
        """Tone and cells of every row."""
        return [
            (self.row_tone(row), [Cell(column.text(row), column.tone(row)) for column in self.columns])
            for row in self.answer.frame.iter_rows(named=True)
        ]


@dataclass(frozen=True)
class Grid:
    """A small table of two crossed names, such as pair × horizon."""

    title: str
    corner: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


@dataclass(frozen=True)
class Grids:
    """One or more grids under one caption, with the legend of their tones."""

    name: str
    caption: str
    grids: tuple[Grid, ...]
    legend: tuple[Cell, ...]
    answer: Answer


def cross(
    frame: pl.DataFrame, rows: str, columns: str, cell: Callable[[Row], Cell], *, title: str, corner: str
) -> Grid:
    """Cross two columns of a table; names keep the order of their first appearance."""
    cells = {(row[rows], row[columns]): cell(row) for row in frame.iter_rows(named=True)}
    across = frame[columns].unique(maintain_order=True).to_list()
    down = frame[rows].unique(maintain_order=True).to_list()
    body = tuple((str(name), tuple(cells.get((name, other), Cell(ABSENT)) for other in across)) for name in down)
    return Grid(title, corner, tuple(str(name) for name in across), body)


def markdown(exhibit: Exhibit) -> str:
    """Return the exhibit as a GitHub table under its caption."""
    headings = [escape_markdown(column.heading) for column in exhibit.columns]
    rules = ["---:" if column.kind == "number" else ":---" for column in exhibit.columns]
    body = [[escape_markdown(cell.text) for cell in cells] for _, cells in exhibit.rows]
    lines = ["| " + " | ".join(cells) + " |" for cells in (headings, rules, *body)]
    notes = [escape_markdown(note) for note in exhibit.notes]
    return "\n\n".join([escape_markdown(exhibit.caption), "\n".join(lines), *notes]) + "\n"


def latex(exhibit: Exhibit) -> str:
    r"""Return the exhibit as a LaTeX table; needs ``\usepackage{booktabs}``."""
    alignment = "".join("r" if column.kind == "number" else "l" for column in exhibit.columns)
    headings = [escape_latex(column.heading) for column in exhibit.columns]
    body = [[escape_latex(cell.text) for cell in cells] for _, cells in exhibit.rows]
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape_latex(' '.join((exhibit.caption, *exhibit.notes)))}}}",
        rf"\label{{tab:{exhibit.name}}}",
        rf"\begin{{tabular}}{{{alignment}}}",
        r"\toprule",
        " & ".join(headings) + r" \\",
        r"\midrule",
        # An empty group first: a cell that starts with [ would be read as the optional argument of \\.
        *("{}" + " & ".join(cells) + r" \\" for cells in body),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"
