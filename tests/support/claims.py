"""Forecasts of known skill, and the claims that are made of them."""

import datetime

import polars as pl

from golden_core.claims.decisions import claims_table
from golden_core.store.randomness import Stream
from golden_core.store.schema import FORECASTS
from golden_core.study import ProtocolSection
from golden_core.trials.registration import Standing
from support.forecasts import filled

N = 600
PROTOCOL = ProtocolSection(
    kinds=("more_accurate", "predicts", "equivalent"), scopes=("series", "pooled"), loss="squared", margin=0.05,
    family="kind", alpha=0.05, power=0.8,
)  # fmt: skip
# How much of the next return a forecaster knows, and how much noise it adds, in standard deviations of the return.
FORECASTERS = {"random_walk": (0.0, 0.0), "skilled": (0.1, 0.0), "noisy": (0.0, 0.6), "still": (0.0, 0.02)}


def draw(*names, size=N):
    return Stream(3).child("claims", *names).generator().standard_normal(size)


def forecasts(pairs=("EURUSD", "USDJPY"), seeds=3, n=N):
    first = datetime.datetime(2020, 1, 1, 15, tzinfo=datetime.UTC)
    parts = []
    for pair in pairs:
        size = 0.01 if pair == "USDJPY" else 0.005
        y = size * draw("y", pair)
        for name, (known, noise) in FORECASTERS.items():
            for seed in range(1 if name == "random_walk" else seeds):
                y_pred = known * y + noise * size * draw("f", name, pair, seed)
                parts.append(forecast_rows(name, pair, seed, first, y, y_pred).head(n))
    return FORECASTS.conform(pl.concat(parts))


def forecast_rows(name, pair, seed, first, y, y_pred):
    cutoffs = [first + datetime.timedelta(days=day) for day in range(len(y))]
    frame = pl.DataFrame({"cutoff": cutoffs, "y_true": y, "y_pred": y_pred})
    return filled(frame, forecaster=name, pair=pair, seed=seed)


def decide(table, protocol=PROTOCOL, **beside):
    return claims_table("made", table, protocol, 0.95, Standing(True, 7), **beside)


def row(table, forecaster, kind, pair="EURUSD"):
    (found,) = table.filter(forecaster=forecaster, kind=kind, pair=pair).to_dicts()
    return found
