"""Facts of data/legacy: row counts against hand arithmetic, evidence against the frozen checksums of the tree."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_core.legacy.flow.graph import trainable_weights
from golden_core.legacy.flow.protocol import Ratios, batches, extents, legacy_windows, read_facts, split_rows
from golden_core.legacy.risks import read_differences, read_questions, read_risks
from golden_core.models.architecture import VARIANTS
from golden_core.store.lake import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "data" / "legacy"
_CODE = re.compile(r"(?:(v_\d\d)/)?(\w+\.(?:py|yaml))(?::(\d+)(?:-(\d+))?)?")

# The published counts: 90,614 / 1,888 / 1,888 rows of v02 … v10, three windows fewer in each part.
_COUNTS = {"train": (90_614, 90_611), "validation": (1_888, 1_885), "test": (1_888, 1_885)}
_COUNTS_V01 = {"train": (88_726, 88_723), "validation": (2_832, 2_829), "test": (2_832, 2_829)}


@pytest.mark.parametrize("variant", VARIANTS)
def test_rows_and_windows_are_the_published_ones(variant):
    facts = read_facts(variant)
    found = {part: (len(extent.rows), len(extent.targets)) for part, extent in extents(facts).items()}
    assert found == (_COUNTS_V01 if variant == "v01" else _COUNTS)


def test_one_row_more_gives_another_training_part():
    """94,391 candles, the other published number, would give 90,615 training rows."""
    assert len(split_rows(94_391, read_facts("v08").ratios)["train"]) == 90_615


def test_steps_of_an_epoch():
    assert batches(90_611, 5000) == (19, 18, 611)
    assert batches(88_723, 5000) == (18, 17, 3_723)
    assert batches(10_000, 5000) == (2, 2, 0)


@given(count=st.integers(10, 10**6), train=st.floats(0.05, 0.9), validation=st.floats(0.01, 0.09))
def test_parts_are_a_partition_in_order(count, train, validation):
    ratios = Ratios(train=train, validation=validation, test=1 - train - validation, evidence=("x",))
    first, second, third = split_rows(count, ratios).values()
    assert (first.start, second.start, third.start, third.stop) == (0, first.stop, second.stop, count)
    assert 0 <= first.stop <= second.stop <= count


def test_windows_and_targets_by_hand():
    windows, targets = legacy_windows(np.arange(10.0), range(4, 9), 3)
    assert windows.tolist() == [[4, 5, 6], [5, 6, 7]]
    assert targets.tolist() == [7, 8]


@pytest.mark.parametrize("variant", VARIANTS)
def test_targets_of_the_windows_are_those_of_the_extent(variant):
    facts = read_facts(variant)
    for extent in extents(facts).values():
        _, targets = legacy_windows(np.arange(float(facts.candles.rows)), extent.rows, facts.windows.context_length)
        assert targets.tolist() == list(extent.targets)


def test_networks_have_the_published_number_of_weights():
    with (FOLDER / "published_results.csv").open(encoding="utf-8") as stream:
        published = {row["variant"].replace("_", ""): int(row["trainable_params"]) for row in csv.DictReader(stream)}
    assert {variant: trainable_weights(read_facts(variant)) for variant in VARIANTS} == published


def test_a_gate_is_known_where_there_are_experts():
    for variant in VARIANTS:
        facts = read_facts(variant)
        assert (facts.gate is None) == (facts.architecture.experts is None)


def test_an_unknown_variant_is_refused():
    with pytest.raises(ValueError, match=r"'v11'; there are v01 … v10"):
        read_facts("v11")


def test_all_evidence_exists_in_the_frozen_tree():
    assert [fault for text in sorted(_all_evidence()) for fault in _faults(text, _tree())] == []


def _all_evidence():
    found: set[str] = set()
    for variant in VARIANTS:
        dumped = read_facts(variant).model_dump()
        found |= {text for fact in dumped.values() if isinstance(fact, dict) for text in fact.get("evidence", ())}
    for entries in (read_risks(), read_differences(), read_questions()):
        found |= {text for entry in entries for text in entry.evidence}
    return found


def _tree():
    """Path → hash and number of lines."""
    with (FOLDER / "checksums.csv").open(encoding="utf-8") as stream:
        return {row["path"]: (row["sha256"], int(row["lines"])) for row in csv.DictReader(stream)}


def _faults(text, tree):
    if text.startswith(("paper: ", "measured: ")):
        return []
    match = _CODE.fullmatch(text)
    if not match:
        return [f"{text}: neither a place in the tree nor the paper nor a measurement"]
    version, name, first, last = match.groups()
    files = {
        path: file
        for path, file in tree.items()
        if path == f"{version}/{name}" or (not version and Path(path).name == name)
    }
    if not files:
        return [f"{text}: no such file"]
    if not version and len({digest for digest, _ in files.values()}) > 1:
        return [f"{text}: differs between versions, name one"]
    lines = min(count for _, count in files.values())
    return [f"{text}: has {lines} lines"] if int(last or first or 0) > lines else []
