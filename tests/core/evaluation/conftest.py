"""Forecasts made to order: a few trials on random prices, with the random walk beside them."""

import datetime

import numpy as np
import polars as pl
import pytest
from support.forecasts import filled

from golden_core.store.randomness import Stream
from golden_core.store.schema import FORECASTS, TRIALS
from golden_core.study import EvaluationSection

LEVELS = {"EURUSD": 1.1, "USDJPY": 150.0, "AUDNZD": 1.08}


def one_trial(forecaster, pair, horizon, seed, n, study="made"):
    facts = Stream(7).child("facts", pair, horizon).generator()
    noise = Stream(7).child("noise", forecaster, pair, horizon, seed).generator()
    first = datetime.datetime(2019, 12, 1, 15, tzinfo=datetime.UTC)
    cutoff = pl.Series("cutoff", [first + datetime.timedelta(days=day) for day in range(n)])
    last_close = LEVELS[pair] * np.exp(np.cumsum(facts.normal(0, 0.006, n)))
    y_true = facts.normal(0, 0.006 * horizon**0.5, n)
    volatility = facts.uniform(0.004, 0.01, n)
    spread = {"random_walk": 0.0, "steady": 0.001}.get(forecaster, 0.002)
    y_pred = noise.normal(0, 1, n) * spread + (0.1 * y_true if forecaster == "oracle" else 0)
    told = {"cutoff": cutoff, "target_at": cutoff + datetime.timedelta(days=horizon), "volatility": volatility}
    told |= {"last_close": last_close, "true_close": last_close * np.exp(y_true), "y_true": y_true}
    told |= {"pred_close": last_close * np.exp(y_pred), "y_pred": y_pred}
    facts = {"study": study, "forecaster": forecaster, "pair": pair, "horizon": horizon, "seed": seed}
    return filled(pl.DataFrame(told), **facts, scale=0.005 * horizon**0.5)


def make(forecasters=("noisy", "oracle"), pairs=("EURUSD", "USDJPY"), horizons=(1, 5), seeds=3, n=90):
    """Forecasts of every trial; ``random_walk`` and ``steady`` are deterministic and have seed 0 alone."""
    return FORECASTS.conform(
        pl.concat(
            one_trial(forecaster, pair, horizon, seed, n)
            for forecaster in ("random_walk", *forecasters)
            for pair in pairs
            for horizon in horizons
            for seed in range(1 if forecaster in {"random_walk", "steady"} else seeds)
        )
    )


def make_trials(forecasts, seeds=3):
    """The trials behind forecasts, every seed of every forecaster."""
    every = pl.DataFrame({"seed": pl.Series(range(seeds), dtype=pl.Int32)})
    series = forecasts.select("study", "forecaster", "pair", "horizon").unique()
    costs = {name: pl.lit(0.0) for name in ("wall_seconds", "cpu_seconds", "peak_memory_mb")}
    facts = {"status": pl.lit("done"), "fingerprint": pl.lit("0"), "parameters": pl.lit(0, pl.Int64)}
    table = series.join(every, how="cross").with_columns(**facts, **costs, error=pl.lit(None, pl.String))
    return TRIALS.conform(table.with_columns(deterministic=pl.col("forecaster").is_in(["random_walk", "steady"])))


@pytest.fixture
def forecasts():
    return make()


@pytest.fixture
def make_forecasts():
    return make


@pytest.fixture
def trials_of():
    return make_trials


@pytest.fixture
def evaluation():
    return EvaluationSection(
        confidence=0.95, bootstrap_resamples=500, significance=0.05, volatility_window=20, strata=()
    )
