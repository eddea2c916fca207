"""A universe gives claims where a skill is planted; what peeks is stopped by the gate before any claim."""

import dataclasses

import numpy as np
import pytest
from support import leaks

from golden_core.checks.universes import GATE
from golden_core.forecasters.naive import Drift
from golden_core.placebo.universe import PLANTED, ROWS, Arm, Gate, PlaceboError, universe, universe_rows
from golden_core.study.values import freeze

CHEAP = Arm("cheap", ("drift", "ar"), 4)
OPEN = Gate(lambda *_: [], lambda *_: [], "golden_core.checks.universes")


def with_forecaster(study, name):
    return study.model_copy(update={"forecasters": freeze({**study.forecasters, name: {}})})


def test_a_martingale_is_asked_about_everything_and_is_another_in_every_universe(tiny):
    found = universe_rows(tiny, CHEAP, 0, GATE, thorough=False)
    assert dict(found.schema) == ROWS
    assert found.select("forecaster", "kind").rows() == [
        (name, kind) for name in ("ar", "drift") for kind in ("more_accurate", "predicts")
    ]
    assert found["n"].to_list() == [400] * 4
    assert not found["claimed"].any()
    assert found.drop("seconds").equals(universe_rows(tiny, CHEAP, 0, GATE, thorough=False).drop("seconds"))
    assert found["effect"].to_list() != universe_rows(tiny, CHEAP, 1, GATE, thorough=False)["effect"].to_list()


def test_arms_and_numbers_have_bars_of_their_own(tiny):
    other = dataclasses.replace(CHEAP, name="network")
    roots = {universe(tiny, arm, number).seeds.root for arm in (CHEAP, other) for number in range(3)}
    assert len(roots) == 6
    assert set(universe(tiny, CHEAP, 0).forecasters) == {"random_walk", "drift", "ar"}


def test_a_planted_skill_is_claimed_of_who_knows_it(tiny):
    arm = Arm("power_0.2", ("ar",), 2, 0.2)
    found = universe_rows(tiny, arm, 0, GATE, thorough=False)
    assert found["fault"].null_count() == found.height
    known = found.filter(forecaster=PLANTED)
    assert known["claimed"].all()
    # With 400 times the population's R² of 0.2 is met to a few hundredths, and the moment 2·y·f has twice that mean.
    for kind, effect in (("more_accurate", 0.2), ("predicts", 0.4)):
        assert known.filter(kind=kind)["effect"].item() == pytest.approx(effect, abs=0.1)
    assert set(found["family"]) == {1}


def test_a_forecaster_that_fails_stops_its_universe_and_no_other(tiny, monkeypatch):
    """One of five hundred, on bars of which nobody had thought, would else keep all others from being counted."""
    monkeypatch.setattr(Drift, "predict", lambda self, windows: np.full(len(windows), np.nan))
    found = universe_rows(tiny, CHEAP, 0, GATE, thorough=False)
    assert dict(found.schema) == ROWS
    assert found["fault"].item().startswith("drift on EURUSD_h1, seed 0, fold 0: 400 forecasts are not finite")
    assert found["claimed"].to_list() == [None]


@pytest.mark.parametrize("gate", [GATE, OPEN], ids=["gate", "no gate"])
def test_a_forecaster_that_peeks_is_stopped_before_any_claim(tiny, monkeypatch, gate):
    leaks.register(monkeypatch, leaks.ReadsTheLake)
    found = universe_rows(with_forecaster(tiny, "planted"), Arm("cheap", ("planted",), 1), 0, gate, thorough=False)
    assert bool(found["claimed"].any()) == (gate is OPEN)  # it would have been believed
    if gate is GATE:
        assert found.height == 1
        assert "planted" in found["fault"].item()


def test_a_feature_that_peeks_is_stopped_before_anybody_is_fitted(tiny, monkeypatch):
    leaks.leaking_feature(monkeypatch, "log_return")
    monkeypatch.setattr("golden_core.placebo.universe.run_folds", lambda *_: pytest.fail("a forecaster was fitted"))
    found = universe_rows(tiny, CHEAP, 0, GATE, thorough=False)
    assert found["claimed"].null_count() == found.height == 1
    assert "log_return" in found["fault"].item()


def test_the_probes_of_code_catch_who_fits_on_what_it_must_not(tiny, monkeypatch):
    leaks.register(monkeypatch, leaks.FitsOnTheLake)
    study = with_forecaster(tiny, "planted")
    found = universe_rows(study, Arm("cheap", ("planted",), 1), 0, GATE, thorough=True)
    assert "weights, column 'planted'" in found["fault"].item()


def test_without_a_protocol_there_is_nothing_to_count(tiny):
    with pytest.raises(PlaceboError, match="no section `protocol`"):
        universe_rows(tiny.model_copy(update={"protocol": None}), CHEAP, 0, OPEN, thorough=False)
