"""The checklists of NeurIPS, REFORMS and model info sheets: our answers, each with a link; tests follow it."""

from __future__ import annotations

import functools
from typing import Annotated, Literal

from pydantic import Field

from golden_core.publication.declared import Text, read_declared, words_path
from golden_core.store.markdown import markdown_table
from golden_core.study.section import Section

LISTS = ("NeurIPS", "REFORMS", "model info sheet")


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


def checklist_page() -> str:
    """Return the answered lists as Markdown."""
    parts = [
        "# Reproducibility checklist",
        "Answers are the project's own and signed by nobody yet: who publishes reads them, and what they link to.",
    ]
    for name in LISTS:
        table = [
            (row.question, row.answer, row.because, f"`{row.link}`") for row in checklist_rows() if row.list == name
        ]
        parts += [f"## {name}", markdown_table(("question", "answer", "because", "see"), table)]
    return "\n\n".join(parts) + "\n"
