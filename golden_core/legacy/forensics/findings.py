"""Where paper and code disagree, and what only people can answer: facts of data/legacy as a table and as a page."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from golden_core.legacy.frozen import FACTS
from golden_core.legacy.listed import Entry, read_list, write_csv

_HEAD = """# Open questions about the legacy

What files, code and arithmetic cannot settle. The questions are kept in data/legacy/open_questions.yaml. Owner, due
date and answer are for people to fill in; nothing of the platform writes them.

| | question | owner | due date |
|---|---|---|---|
"""


class Difference(Entry):
    """One claim of the paper, and what the code does instead."""

    topic: str = Field(min_length=1)
    variants: tuple[str, ...] = Field(min_length=1)
    paper: str = Field(min_length=1, description="what the paper says, in other words")
    paper_place: str = Field(min_length=1)
    code: str = Field(min_length=1, description="what the code does")
    evidence: tuple[str, ...] = Field(min_length=1)
    consequence: str = Field(min_length=1)


class Question(Entry):
    """One question: why it is asked, what it concerns, and what would settle it."""

    question: str = Field(min_length=1)
    why: str = Field(min_length=1)
    settled_by: str = Field(min_length=1)
    concerns: tuple[str, ...] = Field(description="ids of risks and differences")
    evidence: tuple[str, ...] = Field(min_length=1)


def read_differences(folder: Path = FACTS) -> tuple[Difference, ...]:
    """Return the differences D01, D02, …; a ``FactsError`` if the file is not a list of them."""
    return read_list(folder / "differences.yaml", Difference, "D")


def read_questions(folder: Path = FACTS) -> tuple[Question, ...]:
    """Return the questions Q01, Q02, …; a ``FactsError`` if the file is not a list of them."""
    return read_list(folder / "open_questions.yaml", Question, "Q")


def differences_csv() -> str:
    """Return paper_vs_code.csv: one row per difference, with its evidence."""
    header = ("difference", "topic", "variants", "paper_says", "paper_place", "code_does", "evidence", "consequence")
    rows = (
        (d.id, d.topic, " ".join(d.variants), d.paper, d.paper_place, d.code, "; ".join(d.evidence), d.consequence)
        for d in read_differences()
    )
    return write_csv(header, rows)


def open_questions_markdown() -> str:
    """Return open_questions.md: a table with room for owner and due date, and a section per question."""
    questions = read_questions()
    table = "".join(f"| {question.id} | {question.question} | | |\n" for question in questions)
    return _HEAD + table + "".join(_section(question) for question in questions)


def _section(question: Question) -> str:
    return (
        f"\n## {question.id}. {question.question}\n\n"
        f"- Why it matters: {question.why}\n"
        f"- Settled by: {question.settled_by}\n"
        f"- Evidence: {'; '.join(question.evidence)}\n"
        f"- Concerns: {', '.join(question.concerns) or 'no row'}\n"
        "- Owner:\n"
        "- Due date:\n"
        "- Answer:\n"
    )
