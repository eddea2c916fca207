"""A toy market and a toy pipeline whose every stage can be replaced by one that leaks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

from golden_core.leakage.artefacts import Fit, Pipeline, Run
from golden_core.store.randomness import Stream

PAIRS = ("AUDUSD", "EURUSD")
START = dt.datetime(2020, 1, 6, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
BARS, TRAIN, VALIDATION, TEST = 240, range(20, 120), range(122, 160), range(162, 239)


@pytest.fixture(scope="session")
def stream():
    return Stream(3).child("tests", "leakage")


@pytest.fixture(scope="session")
def raw(stream):
    """Hourly bars of two pairs, not sorted, one of them twice."""
    frames = []
    for pair in PAIRS:
        draw = stream.child(pair).generator()
        close = np.exp(np.cumsum(draw.normal(0, 1e-3, BARS)))
        spread = np.abs(draw.normal(0, 5e-4, (2, BARS)))
        open_ = np.concatenate([close[:1], close[:-1]])
        times = [START + HOUR * i for i in range(BARS)]
        frames.append(
            pl.DataFrame(
                {
                    "pair": pair, "timestamp": times, "available_at": [time + HOUR for time in times], "open": open_,
                    "high": np.maximum(open_, close) * (1 + spread[0]),
                    "low": np.minimum(open_, close) * (1 - spread[1]),
                    "close": close, "volume": draw.integers(1, 9, BARS).astype(float),
                },
                schema_overrides={"timestamp": pl.Datetime("us", "UTC"), "available_at": pl.Datetime("us", "UTC")},
            )
        )  # fmt: skip
    table = pl.concat(frames)
    table = pl.concat([table, table[50:51]])
    return table[stream.child("order").generator().permutation(table.height)]


@dataclass(frozen=True)
class Stages:
    """What the toy pipeline does to the bars of one pair; each field is a place for a leak."""

    prints: Callable = lambda bars: bars.unique("timestamp", keep="first")
    clean: Callable = lambda bars: bars.filter(pl.col("close").is_finite() & (pl.col("close") > 0))
    feature: Callable = lambda bars: (pl.col("close") / pl.col("close").shift(1)).log()
    scale_rows: Callable = lambda train, bars: train
    validation: Callable = lambda validation, test: validation
    declared: Callable = lambda bars, rows: bars[: rows.stop + 1]
    forecast: Callable = lambda slope, x: slope * x


def toy(**replaced):
    """Return the toy pipeline: clean, one feature, one scaler, one slope chosen on validation, forecasts."""
    stages = Stages(**replaced)

    def run(given):
        parts = {name: [] for name in ("bars", "features", "scalers", "weights", "forecasts")}
        fits: list[Fit] = []
        for pair in PAIRS:
            bars = stages.clean(stages.prints(given.filter(pair=pair)).sort("timestamp"))
            bars = bars.with_columns(stages.feature(bars).alias("x"))
            key = pl.lit(pair).alias("key")
            stamped = bars.rename({"available_at": "stamp"}).drop("pair").with_columns(key)
            parts["bars"].append(stamped.select("key", "stamp", "close"))
            parts["features"].append(stamped.select("key", "stamp", "timestamp", "x"))
            if bars.height < TEST.start + 5:
                continue
            _fold(stages, bars, f"{pair}_h1/0", parts, fits)
        made = {name: pl.concat(frames) for name, frames in parts.items() if frames}
        return Run(made, tuple(fits))

    return Pipeline("toy", run)


def _fold(stages, bars, key, parts, fits):
    x = bars["x"].to_numpy()
    y = np.append(np.log(bars["close"].to_numpy()[1:] / bars["close"].to_numpy()[:-1]), np.nan)
    known = bars["available_at"]
    test = range(TEST.start, min(TEST.stop, bars.height))
    labelled = range(test.start, min(test.stop, bars.height - 1))
    rows = np.array(stages.scale_rows(TRAIN, bars))
    scale = x[rows].std()
    chosen = np.array(stages.validation(VALIDATION, labelled))
    slopes = np.linspace(-1, 1, 41)
    slope = slopes[np.argmin([((y[chosen] - s * x[chosen]) ** 2).sum() for s in slopes])] / scale
    stamp, ready = known[TRAIN.stop], known[TEST.start]
    parts["scalers"].append(pl.DataFrame({"key": [key], "stamp": [stamp], "scale": [scale]}))
    parts["weights"].append(pl.DataFrame({"key": [key], "stamp": [ready], "slope": [slope]}))
    at = np.arange(test.start, test.stop)
    forecast = stages.forecast(slope, x[at])
    parts["forecasts"].append(
        pl.DataFrame({"y_pred": forecast, "stamp": known.gather(at)}).with_columns(key=pl.lit(key)).select(
            "key", "stamp", "y_pred"
        )
    )  # fmt: skip
    for asset, purpose, part in (
        ("scalers", "scale", TRAIN),
        ("weights", "train", TRAIN),
        ("weights", "stop_early", VALIDATION),
    ):
        fits.append(Fit(asset, key, purpose, stages.declared(bars, part).select("pair", "timestamp")))


@pytest.fixture(scope="session")
def build():
    return toy


@pytest.fixture(scope="session")
def middle():
    """A time in the test part."""
    return START + HOUR * 200
