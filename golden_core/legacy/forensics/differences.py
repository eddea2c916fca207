"""Where the paper and the code say different things, as a table. The rows are facts of data/legacy/differences.yaml."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from golden_core.legacy.frozen import FACTS
from golden_core.legacy.listed import Entry, read_list, write_csv


class Difference(Entry):
    """One claim of the paper, and what the code does instead."""

    topic: str = Field(min_length=1)
    variants: tuple[str, ...] = Field(min_length=1)
    paper: str = Field(min_length=1, description="what the paper says, in other words")
    paper_place: str = Field(min_length=1)
    code: str = Field(min_length=1, description="what the code does")
    evidence: tuple[str, ...] = Field(min_length=1)
    consequence: str = Field(min_length=1)


def read_differences(folder: Path = FACTS) -> tuple[Difference, ...]:
    """Return the differences in the order of their numbers.

    Raises
    ------
    FactsError
        If the file is not a list of differences D01, D02, …
    """
    return read_list(folder / "differences.yaml", Difference, "D")


def differences_csv() -> str:
    """Return paper_vs_code.csv: one row per difference, with its evidence."""
    header = ("difference", "topic", "variants", "paper_says", "paper_place", "code_does", "evidence", "consequence")
    rows = (
        (
            found.id,
            found.topic,
            " ".join(found.variants),
            found.paper,
            found.paper_place,
            found.code,
            "; ".join(found.evidence),
            found.consequence,
        )
        for found in read_differences()
    )
    return write_csv(header, rows)
