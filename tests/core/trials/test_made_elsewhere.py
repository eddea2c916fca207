"""Whose bytes are promised here: trials of this processor, or of a card that is here, too."""

import pytest

from golden_core.store.lake import write_json
from golden_core.trials.identity import Trial
from golden_core.trials.reproduction import _made_elsewhere

CARD, HERE, TRIAL = {"name": "H200"}, "AMD EPYC (avx512)", Trial("v01", "EURUSD", 1, 0)


@pytest.mark.parametrize(("record", "cards", "where"), [
    ({"machine": {"cpu": HERE}, "device": {"card": None}}, None, None),
    ({"machine": {"cpu": "another"}, "device": {"card": None}}, [CARD], "another"),
    ({"machine": {"cpu": "another"}}, None, "another"),  # of before there were cards
    ({"machine": {"cpu": "AMD EPYC"}}, None, None),  # of before sets of instructions were told
    ({"machine": {"cpu": "another"}, "device": {"card": "H200"}}, [CARD], None),
    ({"machine": {"cpu": HERE}, "device": {"card": "H200"}}, [{"name": "A100"}], "H200"),
    ({"machine": {"cpu": HERE}, "device": {"card": "H200"}}, None, "H200"),
    ({"machine": "damaged"}, None, None),  # is found by its bytes
])  # fmt: skip
def test_where_a_trial_was_trained(tmp_path, record, cards, where):
    write_json(record, tmp_path / "provenance.json")
    assert _made_elsewhere(TRIAL, tmp_path, {"cpu": HERE, "gpu": cards}, {}) == where
