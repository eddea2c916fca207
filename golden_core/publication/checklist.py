"""The checklists of NeurIPS, REFORMS and model info sheets: our answers, and whether what each links to exists."""

from __future__ import annotations

import ast
import functools
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from golden_core.checks import all_checks
from golden_core.preparation.catalogue import load_study
from golden_core.publication.declared import PublicationError, Text, read_declared, words_path
from golden_core.store.markdown import markdown_table
from golden_core.study.section import Section

LISTS = ("NeurIPS", "REFORMS", "model info sheet")
COMMANDS = ("golden run", "golden gate", "golden reproduce", "golden publish reproduce", "golden publish verify")


class Row(Section):
    """One question with our answer and what bears it out."""

    list: Literal["NeurIPS", "REFORMS", "model info sheet"]
    question: Text
    answer: Literal["yes", "no", "partly", "not applicable"]
    because: Text
    link: Text = Field(description="a path, or check asset:name, test path::name, command …")


class Rows(Section):
    """All of them."""

    rows: Annotated[tuple[Row, ...], Field(min_length=1)]


@functools.cache
def checklist_rows() -> tuple[Row, ...]:
    """Return what checklist.yaml says."""
    return read_declared(Rows, words_path("checklist.yaml")).rows


def broken_links(rows: Collection[Row], root: Path) -> list[str]:
    """Return a sentence for every answer whose link leads nowhere in a checkout."""
    lost = [row for row in rows if not _leads_somewhere(row.link, root)]
    return [f"{row.list}, {row.question!r}: {row.link} does not exist" for row in lost]


def checklist_page(root: Path) -> str:
    """Return the answered lists as Markdown; PublicationError names every answer whose link leads nowhere."""
    rows = checklist_rows()
    if broken := broken_links(rows, root):
        raise PublicationError("reproducibility checklist: " + "; ".join(broken))
    parts = [
        "# Reproducibility checklist",
        "Answers are the project's own and signed by nobody yet: who publishes reads them, and what they link to.",
    ]
    for name in LISTS:
        table = [(row.question, row.answer, row.because, f"`{row.link}`") for row in rows if row.list == name]
        parts += [f"## {name}", markdown_table(("question", "answer", "because", "see"), table)]
    return "\n\n".join(parts) + "\n"


def _leads_somewhere(link: str, root: Path) -> bool:
    kind, _, name = link.partition(" ")
    if kind == "check":
        return name in {f"{one.asset}:{one.name}" for one in all_checks(load_study("demo"))}
    if kind == "command":
        return name in COMMANDS
    if kind != "test":
        return (root / link).exists()
    path, _, function = name.partition("::")
    nodes = ast.parse((root / path).read_text(encoding="utf-8")).body if (root / path).exists() else []
    return function in {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
