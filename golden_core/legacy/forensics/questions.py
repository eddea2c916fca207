"""What only people can answer, as a page. Owner and due date stay blank here: people fill them in."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from golden_core.legacy.frozen import FACTS
from golden_core.legacy.listed import Entry, read_list

_HEAD = """# Open questions about the legacy

What files, code and arithmetic cannot settle. The questions are kept in data/legacy/open_questions.yaml. Owner, due
date and answer are for people to fill in; nothing of the platform writes them.

| | question | owner | due date |
|---|---|---|---|
"""


class Question(Entry):
    """One question: why it is asked, what it concerns, and what would settle it."""

    question: str = Field(min_length=1)
    why: str = Field(min_length=1)
    settled_by: str = Field(min_length=1)
    concerns: tuple[str, ...] = Field(description="ids of risks and differences")
    evidence: tuple[str, ...] = Field(min_length=1)


def read_questions(folder: Path = FACTS) -> tuple[Question, ...]:
    """Return the questions in the order of their numbers.

    Raises
    ------
    FactsError
        If the file is not a list of questions Q01, Q02, …
    """
    return read_list(folder / "open_questions.yaml", Question, "Q")


def open_questions_markdown() -> str:
    """Return open_questions.md: a table with room for owner and due date, and a section per question."""
    questions = read_questions()
    table = "".join(f"| {question.id} | {question.question} | | |\n" for question in questions)
    return _HEAD + table + "".join(_section(question) for question in questions)


def _section(question: Question) -> str:
    concerns = ", ".join(question.concerns) or "no row"
    return (
        f"\n## {question.id}. {question.question}\n\n"
        f"- Why it matters: {question.why}\n"
        f"- Settled by: {question.settled_by}\n"
        f"- Evidence: {'; '.join(question.evidence)}\n"
        f"- Concerns: {concerns}\n"
        "- Owner:\n"
        "- Due date:\n"
        "- Answer:\n"
    )
