"""`golden reproduce`: what it prints and how it ends; what it finds is tested in core/trials."""

import os
from functools import partial
from pathlib import Path

import pytest
from support.campaigns import SETTINGS
from support.commands import golden

from golden_core.trials import Trial, reproduction
from golden_core.trials.checklist import checklist
from golden_core.trials.reproduction import Reproduction, Sample
from golden_core.trials.syntax import MEMORY

TRIAL = Trial("dlinear", "EURUSD", 1, 0)
reproduce = partial(golden, "reproduce")


@pytest.mark.endurance
def test_a_study_that_was_never_run_is_trained_twice_and_every_line_answered():
    result = reproduce("--check", *SETTINGS)
    assert result.exit_code == 0, result.output
    assert "compared with a first training in a temporary home" in result.output
    lines = sum(len(items) for items in checklist().values())
    assert f"reproduced: 2 of 2 trials gave the same bytes; {lines} lines, 0 failed" in result.output
    assert "numbers of reproducibility.ipynb" in result.output
    assert {path.name for path in Path(os.environ["GOLDEN_HOME"]).iterdir()} <= {MEMORY}  # no result


@pytest.mark.parametrize("trials", [(Reproduction(TRIAL, ("weights.safetensors",), None),), ()])
def test_other_bytes_and_an_empty_sample_end_with_one(monkeypatch, trials):
    monkeypatch.setattr(reproduction, "reproduce_sample", lambda *_: Sample(trials, True, (), (), ("an old one",) * 3))
    result = reproduce(*SETTINGS)
    assert result.exit_code == 1
    assert f"NOT REPRODUCED: 0 of {len(trials)} trials gave the same bytes" in result.output
    assert "left out: 3 finished trials of an old one; bytes are promised on one kind of machine" in result.output
    assert ("not the same bytes again: weights.safetensors" in result.output) == bool(trials)


def test_an_unknown_study_is_one_clear_message():
    result = reproduce("--check", "--study", "demoo")
    assert result.exit_code == 2
    assert "no study is called 'demoo'; did you mean 'demo'?" in result.output
