"""From the lake to the tables of money and claims: bars of the home, tries of its ledger, nothing that is not asked."""

import numpy as np
import polars as pl
import pytest
from support.folds import folds_of_years
from support.money import bars, section

from golden_core.evaluation.campaign import money_and_claims
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import Home, write_parquet
from golden_core.store.schema import CLAIMS, ECONOMICS, EQUITY, FORECASTS, QUANTILES
from golden_core.study import Study
from golden_core.trials import Trial
from golden_core.trials.ledger import open_test_parts

PROTOCOL = {
    "kinds": ("predicts", "profitable"),
    "scopes": ("series", "pooled"),
    "loss": "squared",
    "margin": 0.01,
    "family": "kind",
    "alpha": 0.05,
    "power": 0.8,
}
PAIRS = ("EURUSD", "USDJPY")


def asking(**sections):
    return Study.model_validate(load_study("smoke").model_dump() | sections)


@pytest.fixture
def home(tmp_path):
    """A home with hourly bars, in whose ledger stand two forecasters."""
    place = Home(tmp_path / "home", tmp_path / "reports")
    for pair in PAIRS:
        write_parquet(bars(pair), place.study("smoke").table("bars", pair))
        write_parquet(folds_of_years(2024, 2024), place.study("smoke").table("folds", f"{pair}_h1"))
    study = asking(protocol=PROTOCOL, economics=section().model_dump())
    open_test_parts(place, study, [Trial(name, pair, 1, 0) for name in ("random_walk", "ar") for pair in PAIRS])
    return place


def forecasts():
    """One hour ahead: ``ar`` knows a tenth of what comes."""
    parts = []
    for pair in PAIRS:
        frame = bars(pair)[50:650]
        y = np.log(bars(pair)["open"][52:652].to_numpy() / bars(pair)["open"][51:651].to_numpy())
        for name, y_pred in {"random_walk": 0 * y, "ar": 0.1 * y}.items():
            facts = {"study": "smoke", "forecaster": name, "pair": pair, "horizon": 1, "seed": 0, "fold": 0}
            facts |= {"last_close": 1.0, "true_close": 1.0, "pred_close": 1.0, "scale": 1.0, "volatility": 0.002}
            told = {"cutoff": frame["available_at"], "target_at": frame["available_at"], "y_true": y, "y_pred": y_pred}
            parts.append(pl.DataFrame(told).with_columns(crosses_closure=pl.lit(value=False), **facts_of(facts)))
    return FORECASTS.conform(pl.concat(parts).select(pl.col(one.name).cast(one.dtype) for one in FORECASTS.columns))


def facts_of(facts):
    return {name: pl.lit(value) for name, value in facts.items()}


def test_bars_of_the_lake_and_tries_of_the_ledger_enter(home):
    study = asking(protocol=PROTOCOL, economics=section().model_dump())
    names = [(name, pair, 1) for name in ("random_walk", "ar") for pair in PAIRS]
    done = pl.DataFrame(names, ["forecaster", "pair", "horizon"], orient="row")
    tables = money_and_claims(home, study, done, forecasts(), QUANTILES.empty())
    money, claims = tables["economics"], tables["claims"]
    assert money.select("forecaster", "pair").rows() == [
        (name, pair) for name in ("ar", "random_walk") for pair in PAIRS
    ]
    assert money["tried"].unique().to_list() == [2]
    dearer = asking(protocol=PROTOCOL, economics=section(slippage=3.0).model_dump())
    tables = money_and_claims(home, dearer, done, forecasts(), QUANTILES.empty())
    assert tables["economics"]["tried"].unique().to_list() == [4]  # costs alone, with nothing trained, are a try
    assert not tables["claims"]["registered"].any()
    assert money.filter(forecaster="ar")["gross"].min() > 0
    assert tables["equity"]["forecaster"].unique().sort().to_list() == ["ar", "random_walk"]
    profitable = claims.filter(kind="profitable")
    assert profitable["scope"].sort().to_list() == ["pooled", "series", "series"]
    assert profitable["claimed"].all()
    net = profitable.filter(pair="EURUSD")["effect"][0]
    assert net == pytest.approx(money.filter(forecaster="ar", pair="EURUSD")["net"][0], rel=1e-12)
    assert claims["registered"].all()


def test_a_study_that_asks_nothing_gets_no_rows(home):
    tables = money_and_claims(home, asking(), pl.DataFrame(), forecasts(), QUANTILES.empty())
    for name, table in (("economics", ECONOMICS), ("equity", EQUITY), ("claims", CLAIMS)):
        assert tables[name].equals(table.empty())
