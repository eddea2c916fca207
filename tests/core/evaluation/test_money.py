"""From the lake to the tables of money and claims: bars of the home, tries of its ledger, nothing that is not asked."""

import numpy as np
import polars as pl
import pytest
from support.folds import folds_of_years
from support.forecasts import filled
from support.money import bars, section

from golden_core.evaluation.campaign import money_and_claims
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import Home, write_parquet
from golden_core.store.schema import CLAIMS, ECONOMICS, EQUITY, FORECASTS, QUANTILES, TRIALS
from golden_core.study import Study
from golden_core.trials import Trial
from golden_core.trials.ledger import open_test_parts

PROTOCOL = {"kinds": ("predicts", "profitable"), "scopes": ("series", "pooled"), "loss": "squared", "margin": 0.01}
PROTOCOL |= {"family": "kind", "alpha": 0.05, "power": 0.8}
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
            told = {"cutoff": frame["available_at"], "target_at": frame["available_at"], "y_true": y, "y_pred": y_pred}
            parts.append(filled(pl.DataFrame(told), study="smoke", forecaster=name, pair=pair, volatility=0.002))
    return FORECASTS.conform(pl.concat(parts))


def trials_of(study, forecasters=("random_walk", "ar"), seeds=1, absent=()):
    """Every trial of some forecasters, done but for those that are absent."""
    facts = {"study": study.name, "fingerprint": "0", "deterministic": False, "parameters": 0, "error": None}
    facts |= dict.fromkeys(("wall_seconds", "cpu_seconds", "peak_memory_mb"), 0.0)
    keys = [(name, pair, seed) for name in forecasters for pair in PAIRS for seed in range(seeds)]
    rows = [
        {"forecaster": name, "pair": pair, "horizon": 1, "seed": seed, **facts}
        | {"status": "failed" if (name, pair, seed) in absent else "done"}
        for name, pair, seed in keys
    ]
    return TRIALS.conform(pl.DataFrame(rows, schema=TRIALS.dtypes))


def test_bars_of_the_lake_and_tries_of_the_ledger_enter(home):
    study = asking(protocol=PROTOCOL, economics=section().model_dump())
    trials = trials_of(study)
    tables = money_and_claims(home, study, trials, forecasts(), QUANTILES.empty())
    money, claims = tables["economics"], tables["claims"]
    assert money.select("forecaster", "pair").rows() == [
        (name, pair) for name in ("ar", "random_walk") for pair in PAIRS
    ]
    assert money["tried"].unique().to_list() == [2]
    dearer = asking(protocol=PROTOCOL, economics=section(slippage=3.0).model_dump())
    tables = money_and_claims(home, dearer, trials, forecasts(), QUANTILES.empty())
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


def claims_of(home, trials, made):
    study = asking(protocol=PROTOCOL, economics=section().model_dump())
    claims = money_and_claims(home, study, trials, made, QUANTILES.empty())["claims"]
    assert claims.filter("claimed", pl.col("reason").is_not_null()).is_empty()
    return {(row["forecaster"], row["kind"], row["pair"]): row for row in claims.iter_rows(named=True)}


def test_a_forecaster_that_failed_stays_in_the_family(home):
    """Left out, it would make every other p-value smaller: who fails is asked about as well."""
    study, made = asking(), forecasts()
    alone = claims_of(home, trials_of(study), made)
    failed = [("other", pair, 0) for pair in PAIRS]
    beside = claims_of(home, trials_of(study, ("random_walk", "ar", "other"), absent=failed), made)
    assert {row["family"] for row in alone.values()} == {3}
    assert {row["family"] for row in beside.values()} == {6}
    assert beside["other", "predicts", "EURUSD"]["reason"] == "0 of 1 trials are present"
    assert beside["other", "profitable", "all"]["reason"] == "EURUSD: 0 of 1 trials are present"
    for key, row in alone.items():  # the same test, at twice the price or more
        same = ("effect", "p_value", "n", "seeds", "claimed")
        assert [row[name] for name in same] == [beside[key][name] for name in same]
        assert row["p_holm"] < beside[key]["p_holm"] < 0.05


def test_one_pair_of_two_is_no_claim_about_all_pairs(home):
    made = forecasts().filter((pl.col("forecaster") != "ar") | (pl.col("pair") == "EURUSD"))
    found = claims_of(home, trials_of(asking(), absent=[("ar", "USDJPY", 0)]), made)
    assert len(found) == 6
    assert found["ar", "predicts", "EURUSD"]["claimed"]
    for kind in ("predicts", "profitable"):
        assert found["ar", kind, "USDJPY"]["reason"] == "0 of 1 trials are present"
        pooled = found["ar", kind, "all"]
        assert (pooled["claimed"], pooled["p_holm"]) == (False, None)
        assert pooled["reason"] == "USDJPY: 0 of 1 trials are present"


def test_training_runs_that_are_left_of_several_are_no_claim(home):
    """A claim is about all seeds: those that came through may be the lucky ones, and other ones in another pair."""
    made = forecasts()
    left = made.with_columns(seed=pl.when(forecaster="ar", pair="USDJPY").then(2).otherwise("seed").cast(pl.Int32))
    absent = [("ar", "EURUSD", 1), ("ar", "EURUSD", 2), ("ar", "USDJPY", 0)]
    found = claims_of(home, trials_of(asking(), ("random_walk", "ar"), seeds=3, absent=absent), left)
    assert not any(row["claimed"] for row in found.values())
    assert found["ar", "predicts", "EURUSD"]["reason"] == "1 of 3 trials are present"
    assert found["ar", "predicts", "EURUSD"]["seeds"] == 1
    assert found["ar", "predicts", "USDJPY"]["reason"] == "2 of 3 trials are present"
    assert found["ar", "predicts", "all"]["reason"] == "EURUSD: 1 of 3 trials are present"


def test_a_series_of_which_nothing_was_forecast_stays_in_the_family(home):
    made = forecasts().filter(pair="EURUSD")
    absent = [(name, "USDJPY", 0) for name in ("random_walk", "ar")]
    found = claims_of(home, trials_of(asking(), absent=absent), made)
    assert {row["family"] for row in found.values()} == {3}
    assert found["ar", "profitable", "USDJPY"]["reason"] == "0 of 1 trials are present"
    assert found["ar", "predicts", "EURUSD"]["claimed"]
