"""The register: every row holds, every probe shows its risk whatever the draw, and people have their fields left."""

import csv
import functools
import io
import math
import re

import numpy as np
import pytest
from scipy import integrate, stats

from golden_core.legacy import risks as register
from golden_core.legacy.flow.graph import data_flow
from golden_core.legacy.flow.protocol import read_facts
from golden_core.legacy.forensics.probes.result import STREAM, ProbeResult
from golden_core.legacy.forensics.register import PROBES, leakage_register_csv
from golden_core.legacy.risks import (
    LEAKAGE_CLASSES,
    differences_csv,
    open_questions_markdown,
    read_differences,
    read_questions,
)
from golden_core.models.architecture import VARIANTS, AdditiveFacts, DotFacts, MultiHeadFacts, read_architecture
from golden_core.store.lake import PROJECT_ROOT
from golden_core.store.randomness import Stream

read_risks = functools.cache(register.read_risks)


def test_every_row_names_a_probe_that_exists_and_every_probe_has_one_row():
    assert sorted(risk.probe for risk in read_risks()) == sorted(PROBES)


def test_entries_are_numbered_and_concern_known_variants():
    lists = {"R": read_risks(), "D": read_differences(), "Q": read_questions()}
    for letter, entries in lists.items():
        assert [entry.id for entry in entries] == [f"{letter}{n:02d}" for n in range(1, len(entries) + 1)]
    assert {name for risk in read_risks() for name in risk.variants} <= set(VARIANTS)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_place_is_a_node_of_the_flow(variant):
    graph = data_flow(read_facts(variant), read_risks())
    assert {risk.place for risk in graph.risks} <= {node.id for node in graph.nodes}


def test_what_is_sound_has_no_severity_and_what_is_not_has_one():
    for risk in read_risks():
        assert (risk.severity == "none") == (risk.status == "sound"), risk.id


def test_the_taxonomy_is_covered_but_for_feature_selection():
    """There is no selection of features to look at: the four columns were fixed."""
    assert {risk.leakage for risk in read_risks()} == set(LEAKAGE_CLASSES) - {"L1.3"}


def test_the_table_says_what_the_probes_found():
    rows = list(csv.DictReader(io.StringIO(leakage_register_csv())))
    risks = {risk.id: risk for risk in read_risks()}
    assert [row["risk"] for row in rows] == list(risks)
    for row in rows:
        risk = risks[row["risk"]]
        legacy, alternative = found(risk.probe), found(risk.probe, "alternative")
        assert row["shown"] == ("yes" if legacy.shown else "no")
        assert float(row["value_legacy"]) == pytest.approx(legacy.value, rel=5e-3)
        assert float(row["value_alternative"]) == pytest.approx(alternative.value, rel=5e-3)
        assert row["class_name"] == LEAKAGE_CLASSES[risk.leakage]
        assert all(row[column] for column in row)


SOUND = {risk.probe for risk in read_risks() if risk.status == "sound"}


@functools.cache
def found(name, practice="legacy"):
    return PROBES[name](practice, STREAM)


@pytest.mark.parametrize("name", sorted(PROBES))
def test_the_legacy_practice_shows_the_risk_and_its_remedy_removes_it_or_the_other_way_round_where_it_is_sound(name):
    legacy, alternative = found(name), found(name, "alternative")
    assert (legacy.shown, alternative.shown) == (name not in SOUND, name in SOUND)
    assert legacy.threshold == alternative.threshold
    assert math.isfinite(legacy.value)
    assert math.isfinite(alternative.value)
    assert PROBES[name]("legacy", STREAM) == legacy  # and it says the same twice


@pytest.mark.parametrize("root", range(1, 5))
@pytest.mark.parametrize("name", sorted(PROBES))
def test_the_verdict_is_not_the_luck_of_one_draw(name, root):
    stream = Stream(root, ("another",))
    assert PROBES[name]("legacy", stream).shown == (name not in SOUND)
    assert PROBES[name]("alternative", stream).shown == (name in SOUND)


def test_a_value_at_the_threshold_shows_nothing():
    assert not ProbeResult(1.0, 1.0, "").shown
    assert ProbeResult(1.0 + 1e-9, 1.0, "").shown


def _expected_maximum(count):
    """Mean of the largest of so many standard normals, by integration."""
    density = lambda x: x * count * stats.norm.pdf(x) * stats.norm.cdf(x) ** (count - 1)  # noqa: E731
    return integrate.quad(density, -10, 10)[0]


KNOWN = [  # probe, practice, its value by hand, and how near it comes
    # A maximum of ten deviates by 0.59, of sixty by 0.43; means over 2,000 tables and 1,000 runs by 0.013 and 0.014.
    ("best_of_ten", "legacy", _expected_maximum(10), 4 * 0.013),
    ("validation_used_to_choose", "legacy", _expected_maximum(60), 4 * 0.014),
    # Of ten equal models the first is the best in one table of ten.
    ("single_run", "legacy", 0.9, 4 * np.sqrt(0.09 / 400)),
    # A tenth of still bars dropped raises the moves by one over root nine tenths.
    ("rows_chosen_by_outcome", "legacy", 1 / np.sqrt(0.9) - 1, 0.005),
    # The bounds are √(6 / (400 · 6 + 400 · 10)) in Keras 3.8 and √(6 / (400 + 60)) in Keras 3.15.
    ("initialisers_drift", "legacy", np.sqrt((400 * 6 + 400 * 10) / (400 + 60)), 4e-3),
    ("paired_test_undefined", "legacy", 944 / 2829, 1e-9),
    ("windows_cross_closures", "legacy", 3 * 51 / (52 * 120 - 3), 1e-9),  # three a week
    ("windows_straddle_parts", "alternative", 3, 0),  # the context
    ("package_missing", "legacy", 2, 0),
    # Of the 796,641 numbers of v08, 795,633 are trained and have two moments each.
    ("checkpoint_per_epoch", "legacy", 60 * (1 + 2 * 795_633 / 796_641), 1e-6),
    ("checkpoint_per_epoch", "alternative", 2, 0),
]


@pytest.mark.parametrize(("name", "practice", "value", "near"), KNOWN)
def test_numbers_that_can_be_derived(name, practice, value, near):
    assert found(name, practice).value == pytest.approx(value, abs=near)


def test_after_holm_few_equal_models_are_called_better():
    assert found("single_run", "alternative").value < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


def test_levels_of_a_walk_have_an_r2_of_one_minus_six_over_their_number():
    """A walk of n steps has a variance about its mean of nσ²/6 in expectation, and an error of σ²."""
    values = [1 - PROBES["level_r2"]("legacy", Stream(root)).value for root in range(40)]
    assert 2 / 1885 < np.median(values) < 18 / 1885


def test_v08_and_v06_differ_in_more_than_the_experts():
    assert found("ablation_confounded").sentence == "The two differ in 3: attention, experts, hidden."
    assert found("ablation_confounded", "alternative").sentence == "The two differ in 1: experts."


def test_the_paired_test_is_refused_on_two_windows_and_defined_on_one():
    assert found("paired_test_undefined").sentence.endswith("there is no paired test.")
    assert "p-value" in found("paired_test_undefined", "alternative").sentence


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
