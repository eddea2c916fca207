"""Statistics on a study: a source or a file that brings the future along is seen by its effect; shipped data is not."""

import numpy as np
import polars as pl
import pytest
from support import leaks

from golden_core.inputs.features import FEATURES, Feature
from golden_core.leakage.probes import Subject
from golden_core.leakage.screening import permuted_forecasts, screened_features, screened_forecasts
from golden_core.leakage.study_pipeline import raw_bars
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import Home

BASE = ("data.pairs=[EURUSD, USDJPY]", "forecasters={random_walk: {}}")


@pytest.fixture(scope="module")
def study():
    return load_study("smoke", BASE)


@pytest.fixture(scope="module")
def bars(study):
    clean = Subject.of(study, Home.from_environment()).clean_bars
    return {pair: clean.filter(pair=pair) for pair in study.data.pairs}


def forecasts_of(bars, y_pred, name="planted"):
    rows = [
        table.select(
            forecaster=pl.lit(name), pair=pl.lit(pair), horizon=pl.lit(1), seed=pl.lit(0), cutoff="available_at",
            y_pred=pl.Series(y_pred(table)),
        )
        for pair, table in bars.items()
    ]  # fmt: skip
    return pl.concat(rows)


def ahead(table):
    return table["close"].log().diff().shift(-1).fill_null(0.0)


def test_the_shipped_rates_and_features_pass(study, bars):
    assert screened_features(study, bars).findings == ()


def test_a_feature_from_a_file_that_knows_tomorrow(study, bars, monkeypatch):
    store = {pair: ahead(table) for pair, table in bars.items()}
    compute = lambda table: store[table["pair"][0]] + 0.0  # noqa: E731
    monkeypatch.setitem(FEATURES, "volatility_20", Feature("planted", "", 0, ("close",), compute))
    places = [(one.probe, one.asset, one.column) for one in screened_features(study, bars).findings]
    assert ("too_good_feature", "features", "volatility_20") in places
    assert {column for *_, column in places} == {"volatility_20"}


def test_forecasts_that_know_tomorrow(study, bars):
    draw = np.random.default_rng(1)
    noisy = lambda table: ahead(table).to_numpy() + draw.normal(0, 0.005, len(table))  # noqa: E731
    (first, *_) = screened_forecasts(study, bars, forecasts_of(bars, noisy)).findings
    assert (first.probe, first.asset, first.column) == ("too_good_forecast", "forecasts", "planted")
    honest = forecasts_of(bars, lambda table: table["close"].log().diff().fill_null(0.0))
    assert screened_forecasts(study, bars, honest).findings == ()


def test_every_seed_is_judged_by_itself_and_what_the_study_does_not_ask_for_is_not(study, bars):
    honest = forecasts_of(bars, lambda table: table["close"].log().diff().fill_null(0.0))
    others = [honest.with_columns(seed=pl.lit(seed)) for seed in (1, 3)]
    knows = forecasts_of(bars, ahead).with_columns(seed=pl.lit(2))
    elsewhere = knows.with_columns(horizon=pl.lit(max(study.horizons) + 1), seed=pl.lit(0))
    report = screened_forecasts(study, bars, pl.concat([honest, *others, knows, elsewhere]))
    assert {one.column for one in report.findings} == {"planted, seed 2"}
    assert screened_forecasts(study, bars, pl.concat([honest, *others, elsewhere])).findings == ()


def test_skill_on_permuted_moves_is_a_leak(study, monkeypatch):
    raw = raw_bars(study, Home.from_environment())
    leaks.register(monkeypatch, leaks.LooksAtTheNextWindow)
    planted = load_study("smoke", (*BASE[:1], leaks.forecasters("planted", "drift")))
    found = permuted_forecasts(planted, raw, ("EURUSD", 1), 0, "planted").findings
    assert [(one.probe, one.column) for one in found][:1] == [("permuted_targets", "planted")]
    assert permuted_forecasts(planted, raw, ("EURUSD", 1), 0, "drift").findings == ()
