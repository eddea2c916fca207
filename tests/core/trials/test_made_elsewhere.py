"""Whose bytes are promised here: trials of this processor, or of a card that is here, too."""

import pytest

from golden_core.store.lake import write_json
from golden_core.trials.identity import Trial
from golden_core.trials.outputs import altered_files
from golden_core.trials.reproduction import _made_elsewhere

CARD, HERE, TRIAL = {"name": "H200"}, "AMD EPYC (avx512)", Trial("v01", "EURUSD", 1, 0)
SAID = {
    **{"git": {"commit": None, "dirty": None}, "libraries": {}, "parameters": 1, "fingerprint": "", "sha256": {}},
    **dict.fromkeys(("wall_seconds", "cpu_seconds", "peak_memory_mb"), 1.0),
}


def said(cpu, **others):
    return {**SAID, "machine": {"cpu": cpu, "python": "3.11"}, **others}


def card(name):
    return {"device": {"kind": "cuda", "card": name}}


@pytest.mark.parametrize(("record", "cards", "where"), [
    (said(HERE, **card(None)), None, None),
    (said("another", **card(None)), [CARD], "another"),
    (said("another"), None, "another"),  # of before there were cards
    (said("AMD EPYC"), None, None),  # of before sets of instructions were told
    (said("another", **card("H200")), [CARD], None),
    (said(HERE, **card("H200")), [{"name": "A100"}], "H200"),
    (said(HERE, **card("H200")), None, "H200"),
    (said(HERE, company=[["USDJPY", 0, "then"], ["EURUSD", 0]]), None, "other data of USDJPY in its company"),
])  # fmt: skip
def test_where_a_trial_was_trained(tmp_path, record, cards, where):
    write_json(record, tmp_path / "provenance.json")
    assert _made_elsewhere(TRIAL, tmp_path, {"cpu": HERE, "gpu": cards}, {("USDJPY", 1): "now"}) == where


@pytest.mark.parametrize("damage", [
    {"machine": "damaged"}, {"machine": {"cpu": 3, "python": "3.11"}}, {"device": "cuda"}, {"device": {"card": ["A"]}},
    {"company": [3]}, {"company": [[["USDJPY"], 0, "then"]]}, {"company": "USDJPY"}, {"libraries": {"numpy": None}},
])  # fmt: skip
def test_a_damaged_provenance_is_told_and_says_nothing_else(tmp_path, damage):
    write_json(said("another", **damage), tmp_path / "provenance.json")
    assert _made_elsewhere(TRIAL, tmp_path, {"cpu": HERE, "gpu": None}, {}) is None
    (told,) = altered_files(tmp_path)
    assert told.startswith(f"provenance.json does not say what was written (ValueError: {min(damage)}: ")
