"""Bars and forecasts to hold against a record, and a record that fits them."""

import dataclasses
import datetime as dt
from fractions import Fraction

import numpy as np
import polars as pl

from golden_core.legacy.audit.intervals import Interval
from golden_core.legacy.reproduction.published import PublishedRow, PublishedSplit, Record
from golden_core.market.clock import expected_opens
from golden_core.store.randomness import Stream
from golden_core.store.schema import FORECASTS
from support.forecasts import filled

STREAM = Stream(20260101, ("tests", "record"))


def hourly_bars(count, name="bars", last=dt.datetime(2025, 2, 18, 23, tzinfo=dt.UTC)):
    """Return bars of a random walk, one for every hour that the market is open, the last one at a given time."""
    generator = STREAM.child(name).generator()
    closes = 1.1 * np.exp(np.cumsum(0.001 * generator.standard_normal(count)))
    opens = np.concatenate([[1.1], closes[:-1]])
    earliest = last.date() - dt.timedelta(days=20 + count // 16)
    open_market = expected_opens(earliest, last.date(), "1h").filter(
        pl.col("closure").is_null(), pl.col("timestamp") <= last
    )
    high, low = np.maximum(opens, closes) + 1e-4, np.minimum(opens, closes) - 1e-4
    times = open_market["timestamp"].tail(count)
    return pl.DataFrame({"timestamp": times, "open": opens, "high": high, "low": low, "close": closes})


def flat_bars(bars, later=dt.timedelta(minutes=30)):
    """Return bars moved to later at one price throughout: what an export writes for closed hours."""
    closed = bars.with_columns(pl.col("timestamp") + later)
    return closed.with_columns(pl.col("close").alias(name) for name in ("open", "high", "low"))


def around(value, relative=1e-9):
    """Return a narrow interval around a number."""
    half = Fraction(abs(value) * relative)
    return Interval(Fraction(value) - half, Fraction(value) + half)


def published_row(variant, shares, variance, *, rmse=0.002):
    """Return a published row whose four numbers belong together, each known to one part in a thousand."""
    values = {"mae": 0.8 * rmse, "mse": rmse**2, "rmse": rmse, "r2": 1 - rmse**2 / variance}
    intervals = {metric: around(value, 5e-4) for metric, value in values.items()}
    return PublishedRow(variant, shares, values, intervals, around(variance))


def small_record(closes, lengths=(("96/2/2", ("v02", "v03"), 40), ("94/3/3", ("v01",), 60)), **errors):
    """Return a record whose splits were scored on the last closes; the first three rows of a part are no targets."""
    splits, rows = {}, {}
    for shares, variants, test_rows in lengths:
        variance = float(np.var(closes[-(test_rows - 3) :]))
        splits[shares] = PublishedSplit(shares, variants, test_rows, test_rows, test_rows - 3, around(variance))
        for variant in variants:
            rows[variant] = published_row(variant, shares, variance, rmse=errors.get(variant, 0.002))
    return Record(dict(sorted(rows.items())), splits, len(closes), dt.date(2025, 2, 18))


def forecasts_of(study, bars, targets, errors, seeds=5):
    """Return the forecasts of the last bars by the random walk and by variants with errors of a given scale."""
    closes = bars["close"].to_numpy()
    last, true = closes[-targets - 1 : -1], closes[-targets:]
    frames = []
    for name, scale in {"random_walk": 0.0, **errors}.items():
        for seed in range(1 if name == "random_walk" else seeds):
            noise = STREAM.child(study, name, seed).generator().standard_normal(targets)
            pred = last if name == "random_walk" else true + scale * noise
            frames.append(_forecasts(study, name, seed, bars, targets, last, true, pred))
    return pl.concat(frames)


def _forecasts(study, name, seed, bars, targets, last, true, pred):
    times = bars["timestamp"][-targets:]
    told = {"cutoff": times, "target_at": times + dt.timedelta(hours=1), "last_close": last, "true_close": true}
    told |= {"pred_close": pred, "y_true": np.log(true / last), "y_pred": np.log(pred / last)}
    frame = filled(pl.DataFrame(told), study=study, forecaster=name, seed=seed, scale=0.001, volatility=0.001)
    return FORECASTS.conform(frame)


def with_rmse(record, variant, rmse):
    """Return the record with another published RMSE of a variant, its other numbers to match."""
    row = record.rows[variant]
    variance = float((row.variance.low + row.variance.high) / 2)
    rows = {**record.rows, variant: published_row(variant, row.shares, variance, rmse=rmse)}
    return dataclasses.replace(record, rows=rows)
