"""What a report shows: a query's answer with caption and columns, as HTML cells, Markdown or LaTeX. No SQL here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import polars as pl
from jinja2 import Environment, StrictUndefined, UndefinedError
from ruamel.yaml import YAML

from golden_core.evaluation.inputs import BENCHMARK
from golden_core.reporting import formats
from golden_core.reporting.formats import ABSENT, escape_latex, escape_markdown
from golden_core.store.markdown import markdown_table
from golden_core.store.warehouse import Warehouse
from golden_core.study import Study

Row = Mapping[str, Any]
Kind = Literal["number", "text", "prose", "heading"]  # prose may break into lines


class _Refused(StrictUndefined):
    """A name that a row lacks: an error where it is read, since a format shows what is no number as a dash."""

    def __init__(self, *_: Any, name: str | None = None, **__: Any) -> None:
        raise UndefinedError(f"a table of the report asks for {name!r}, which its query does not give")


# Plain text: the templates of pages escape it for HTML, markdown() and latex() for theirs.
_WORDS = Environment(undefined=_Refused, autoescape=False)
_WORDS.filters |= {
    name: getattr(formats, name)
    for name in ("plain", "count", "decimals", "percent", "significant", "probability", "level")
}
_WORDS.globals |= {"absent": ABSENT, "benchmark": BENCHMARK, "interval": formats.interval, "span": formats.span}


@cache
def _limits() -> dict[str, str]:
    """Return the limits of other rooms that captions name; imported when one does, for a leaderboard names none."""
    from golden_core.benchmarking import sampling  # noqa: PLC0415
    from golden_core.interpretability import filing  # noqa: PLC0415
    from golden_core.reporting import best_of_many  # noqa: PLC0415

    return {
        "likeness": f"{filing.LIKENESS:g}",
        "chance": f"{filing.SIGNIFICANCE:g}",
        "set": formats.level(best_of_many.SET_LEVEL),
        "steady": formats.level(sampling.STEADY),
        "tails": ", ".join(f"{p:.0%}".replace("%", "th") for p in sampling.TAILS),
        "sizes": ", ".join(f"{formats.count(sampling.full_size(p))} calls" for p in sampling.TAILS),
        "certain": formats.level(sampling.CONFIDENCE),
        "different": formats.level(sampling.ALPHA),
    }


_WORDS.globals["limits"] = _limits


@dataclass(frozen=True)
class Answer:
    """The answer to a query, with the query as a reader can run it again; none where the rows were handed in."""

    frame: pl.DataFrame
    sql: str = ""


def ask(warehouse: Warehouse, sql: str, *parameters: str | float) -> Answer:
    """Run a query whose parameters are written ``$1``, ``$2``, …, and keep its text with the values filled in."""
    text = sql.strip()
    for place, value in enumerate(parameters, start=1):
        literal = "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)
        text = text.replace(f"${place}", literal)
    return Answer(warehouse.query(sql, parameters), text)


class Cell(NamedTuple):
    """The text of a cell and the CSS class of its tone."""

    text: str
    tone: str = ""


@dataclass(frozen=True)
class Column:
    """One column of a table: its heading, and how a row becomes text; ``tone`` repeats what the text says."""

    label: str
    show: str
    unit: str = ""
    kind: Kind = "number"
    tone: str = "''"

    @property
    def heading(self) -> str:
        """The label with its unit in parentheses."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    def cell(self, row: Row) -> Cell:
        """Return what the column shows of a row."""
        return Cell(_evaluate(self.show, row), _evaluate(self.tone, row))


@dataclass(frozen=True)
class Exhibit:
    """A table: what it says, how it is set, and the query behind it."""

    name: str
    caption: str
    columns: tuple[Column, ...]
    answer: Answer
    note: str = ""
    row_tone: str = "''"

    @property
    def keyed(self) -> bool:
        """Whether one heading names each row, so that it can stay in sight when the table scrolls."""
        return sum(column.kind == "heading" for column in self.columns) == 1

    @property
    def rows(self) -> list[tuple[str, list[Cell]]]:
        """Tone and cells of every row."""
        return [
            (_evaluate(self.row_tone, row), [column.cell(row) for column in self.columns])
            for row in self.answer.frame.iter_rows(named=True)
        ]


@cache
def declared() -> dict[str, dict[str, Any]]:
    """Return what ``exhibits.yaml`` says of every table, by name."""
    tables: dict[str, dict[str, Any]] = YAML(typ="safe", pure=True).load(Path(__file__).with_suffix(".yaml"))
    return tables


def exhibit(name: str, warehouse: Warehouse, study: Study, answer: Answer | None = None) -> Exhibit:
    """Return a declared table, with an answer given or with that to its own query."""
    said = dict(declared()[name])
    if answer is None:
        query = said.pop("query")
        answer = ask(warehouse, query, study.name, *([study.evaluation.significance] if "$2" in query else []))
    levels = {"confidence": study.evaluation.confidence, "alpha": study.evaluation.significance}
    words = {"study": study, "frame": answer.frame, **{key: formats.level(value) for key, value in levels.items()}}
    columns = tuple(
        Column(**{**column, "label": _WORDS.from_string(column["label"]).render(words)})
        for column in said.pop("columns")
    )
    texts = {part: _WORDS.from_string(said.pop(part)).render(words) for part in ("caption", "note") if part in said}
    return Exhibit(name, columns=columns, answer=answer, **texts, **said)


@cache
def _compiled(expression: str) -> Callable[..., Any]:
    return _WORDS.compile_expression(expression, undefined_to_none=False)


def _evaluate(expression: str, row: Row) -> str:
    return str(_compiled(expression)(**row))


def markdown(exhibit: Exhibit) -> str:
    """Return the exhibit as a GitHub table under its caption."""
    table = markdown_table(
        [escape_markdown(column.heading) for column in exhibit.columns],
        [[escape_markdown(cell.text) for cell in cells] for _, cells in exhibit.rows],
        ["---:" if column.kind == "number" else ":---" for column in exhibit.columns],
    )
    notes = [escape_markdown(exhibit.note)] if exhibit.note else []
    return "\n\n".join([escape_markdown(exhibit.caption), table, *notes]) + "\n"


def latex(exhibit: Exhibit) -> str:
    r"""Return the exhibit as a LaTeX table; needs ``\usepackage{booktabs}``."""
    return latex_table(
        exhibit.name,
        f"{exhibit.caption} {exhibit.note}".strip(),
        "".join("r" if column.kind == "number" else "l" for column in exhibit.columns),
        [column.heading for column in exhibit.columns],
        [[cell.text for cell in cells] for _, cells in exhibit.rows],
    )


def latex_table(name: str, caption: str, alignment: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return plain texts as a LaTeX table, every one of them escaped."""
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape_latex(caption)}}}",
        rf"\label{{tab:{name}}}",
        rf"\begin{{tabular}}{{{alignment}}}",
        r"\toprule",
        " & ".join(map(escape_latex, headings)) + r" \\",
        r"\midrule",
        # An empty group first: a cell that starts with [ would be read as the optional argument of \\.
        *("{}" + " & ".join(map(escape_latex, cells)) + r" \\" for cells in rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"
