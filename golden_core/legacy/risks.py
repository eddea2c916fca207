"""The numbered lists of data/legacy – risks, differences between paper and code, open questions – and their tables."""

from __future__ import annotations

import json
from typing import Literal, TypeVar

import polars as pl
from pydantic import Field
from ruamel.yaml import YAML

from golden_core.legacy.frozen import FACTS
from golden_core.legacy.page import page
from golden_core.study import Section

LeakageClass = Literal["L1.1", "L1.2", "L1.3", "L1.4", "L2", "L3.1", "L3.2", "L3.3", "none"]
Status = Literal["occurs", "possible", "sound"]
Severity = Literal["critical", "high", "medium", "low", "none"]

# The taxonomy of Kapoor & Narayanan (2023), Patterns 4(9).
LEAKAGE_CLASSES: dict[LeakageClass, str] = {
    "L1.1": "no test set",
    "L1.2": "pre-processing on training and test set",
    "L1.3": "feature selection on training and test set",
    "L1.4": "duplicates in data sets",
    "L2": "features that are not legitimate",
    "L3.1": "temporal leakage",
    "L3.2": "training and test samples not independent",
    "L3.3": "sampling bias in the test distribution",
    "none": "not leakage",
}


class Entry(Section):
    """A numbered fact."""

    id: str = Field(pattern=r"^[A-Z][0-9]{2}$")


class Risk(Entry):
    """One row of the register, before any probe has run.

    ``occurs``: the code does it. ``possible``: nothing prevents it, and whether it happened depends on a file or a
    machine that is not known. ``sound``: looked for and not found; the probe tells this from the unsound practice.
    """

    title: str = Field(min_length=1, max_length=62, description="fits one line of a picture's legend")
    place: str = Field(description="node of the data flow where it occurs")
    variants: tuple[str, ...] = Field(min_length=1)
    status: Status
    leakage: LeakageClass
    severity: Severity
    evidence: tuple[str, ...] = Field(min_length=1)
    consequence: str = Field(min_length=1)
    mitigation: str = Field(min_length=1)
    probe: str = Field(min_length=1, description="name of a probe")

    @property
    def number(self) -> int:
        """The number on the badge."""
        return int(self.id[1:])


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


EntryType = TypeVar("EntryType", bound=Entry)


def read_risks() -> tuple[Risk, ...]:
    """Return the risks, R01, R02 and so on."""
    return _read_list("risks", Risk)


def read_differences() -> tuple[Difference, ...]:
    """Return the differences, D01, D02 and so on."""
    return _read_list("differences", Difference)


def read_questions() -> tuple[Question, ...]:
    """Return the questions, Q01, Q02 and so on."""
    return _read_list("open_questions", Question)


def differences_csv() -> str:
    """Return paper_vs_code.csv: one row per difference, with its evidence."""
    header = ("difference", "topic", "variants", "paper_says", "paper_place", "code_does", "evidence", "consequence")
    rows = [
        (d.id, d.topic, " ".join(d.variants), d.paper, d.paper_place, d.code, "; ".join(d.evidence), d.consequence)
        for d in read_differences()
    ]
    return pl.DataFrame(rows, schema=header, orient="row").write_csv()


def open_questions_markdown() -> str:
    """Return open_questions.md: a table with room for owner and due date, and a section per question."""
    return page("open_questions.md.jinja", questions=read_questions())


def _read_list(name: str, model: type[EntryType]) -> tuple[EntryType, ...]:
    entries = YAML(typ="safe", pure=True).load(FACTS / f"{name}.yaml")
    return tuple(model.model_validate_json(json.dumps(entry)) for entry in entries)
