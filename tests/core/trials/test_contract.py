"""What a forecaster returns against its contract is one sentence with trial, fold and fix, and no trial."""

import sys

import numpy as np
import pytest

from golden_core.forecasters.naive import Drift
from golden_core.preparation import prepare_pair, prepare_raw, prepare_series
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import Home
from golden_core.trials import Trial, run_trials
from golden_core.trials.campaign import fingerprinted


@pytest.mark.parametrize(
    ("method", "returned", "said"),
    [
        ("fit", None, "fit must return a list of Epoch, empty where nothing is learned so, got None"),
        ("fit", [1.0, 0.5], "fit must return a list of Epoch, empty where nothing is learned so, got [1.0, 0.5]"),
        ("state", None, "state must return a dictionary of named arrays, got NoneType"),
        ("predict", np.full(100, np.nan), "100 forecasts are not finite"),
        ("predict", np.ma.masked_equal([0.0] * 99 + [1.0], 1.0), "1 forecasts are not finite"),
        ("predict", None, "predict returned shape (), expected (100,)"),
        ("predict", np.full(100, 1e4), "100 forecasts are not finite as log returns or as prices, the first at cutoff"),
        ("predict", sys.exit, "SystemExit: 3"),
        ("predict", np.zeros((100, 1)), "predict returned shape (100, 1), expected (100,)"),
    ],
)
def test_what_breaks_the_contract_is_told_with_its_place(monkeypatch, method, returned, said):
    """A price beyond all floats would be written, and the evaluation of the whole study would stumble over it."""
    home, study = Home.from_environment(), load_study("smoke", ["forecasters={random_walk: {}, drift: {}}"])
    prepare_raw(home, study)
    prepare_pair(home, study, "EURUSD")
    prepare_series(home, study, "EURUSD", 1)
    sound = getattr(Drift, method)

    def broken(*given):
        sound(*given)
        return returned if returned is not sys.exit else sys.exit(3)

    monkeypatch.setattr(Drift, method, broken)
    (outcome,) = run_trials(home, study, fingerprinted(home, study, [Trial("drift", "EURUSD", 1, 0)]))
    assert outcome.status == "failed"
    assert outcome.error.startswith("drift on EURUSD_h1, seed 0, fold 0: ")
    assert said in outcome.error
