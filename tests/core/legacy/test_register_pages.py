"""Differences and open questions: rows against the facts they speak of, and fields that are left to people."""

import csv
import io
import re

import pytest

from golden_core.legacy.risks import (
    FactsError,
    differences_csv,
    open_questions_markdown,
    read_differences,
    read_questions,
    read_risks,
)
from golden_core.models.architecture import VARIANTS, AdditiveFacts, DotFacts, MultiHeadFacts, read_architecture
from golden_core.store.lake import PROJECT_ROOT


def test_there_is_a_row_per_difference_with_evidence():
    rows = list(csv.DictReader(io.StringIO(differences_csv())))
    assert [row["difference"] for row in rows] == [found.id for found in read_differences()]
    assert all(row[column] for row in rows for column in row)
    assert {name for row in rows for name in row["variants"].split()} <= set(VARIANTS)


def test_rows_agree_with_the_architectures():
    found = {variant: read_architecture(variant) for variant in VARIANTS}
    rows = {row.id: row for row in read_differences()}
    with_experts = tuple(variant for variant in VARIANTS if found[variant].experts)
    assert rows["D01"].variants == rows["D02"].variants == with_experts
    assert isinstance(found["v09"].front.attention, AdditiveFacts)  # D03: the other way round in the paper
    assert isinstance(found["v10"].front.attention, MultiHeadFacts)
    assert rows["D04"].variants == tuple(v for v in VARIANTS if found[v].front.shortcut_slope is not None)
    additive = tuple(v for v in VARIANTS if isinstance(found[v].attention, AdditiveFacts))
    assert rows["D09"].variants == additive
    assert rows["D11"].variants == tuple(v for v in VARIANTS if isinstance(found[v].attention, DotFacts))
    assert found["v06"].attention == found["v07"].attention != found["v05"].attention  # D07, D10
    assert found["v05"].attention == found["v08"].attention  # D06


def test_counts_in_the_rows_are_published_counts():
    published = (PROJECT_ROOT / "data" / "legacy" / "published_results.csv").read_text(encoding="utf-8")
    rows = {row.id: row for row in read_differences()}
    for name in ("D03", "D06", "D07"):
        counts = re.findall(r"\d{3},\d{3}", " ".join(rows[name].evidence))
        assert len(counts) == 2
        assert all(count.replace(",", "") in published for count in counts)


def test_questions_concern_rows_that_exist():
    known = {row.id for row in read_risks()} | {row.id for row in read_differences()}
    for question in read_questions():
        assert set(question.concerns) <= known, question.id
        assert question.question.endswith("?")


def test_owner_and_due_date_are_left_to_people():
    page = open_questions_markdown()
    count = len(read_questions())
    assert page.count("| | |\n") == count
    for field in ("Owner", "Due date", "Answer"):
        assert re.findall(rf"^- {field}:(.*)$", page, re.MULTILINE) == [""] * count


def test_a_question_with_an_owner_in_the_facts_is_refused(tmp_path):
    text = "- {id: Q01, question: Why?, why: x, settled_by: x, concerns: [], evidence: [x], owner: somebody}\n"
    (tmp_path / "open_questions.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(FactsError, match=r"(?s)entry 1:.*owner"):
        read_questions(tmp_path)
