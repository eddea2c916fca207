"""Coverage and scores of quantiles, per trial. What a score is belongs in uncertainty/scores.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from golden_core.evaluation.inputs import BENCHMARK, SERIES, TRIAL
from golden_core.inputs.windows import FloatArray
from golden_core.statistics.long_run import LEAST_COEFFICIENTS, long_run
from golden_core.store.schema import COVERAGE, FORECASTS, SCORES
from golden_core.uncertainty import scores

Row = dict[str, Any]


def coverage_table(forecasts: pl.DataFrame, quantiles: pl.DataFrame, confidence: float) -> pl.DataFrame:
    """Return ``schema.COVERAGE``: a row per trial and quantile, and per trial and central interval, sorted by key.

    The interval of a share at level ``confidence`` is that of :func:`~golden_core.statistics.long_run.long_run` with as
    few coefficients as it takes: quantiles that do not follow volatility are missed in bursts that last for months.
    """
    rows = [
        key | row | _share_interval(hits, key["horizon"], confidence)
        for key, *arrays in _trials(forecasts, quantiles)
        for row, hits in _coverage(*arrays)
    ]
    return COVERAGE.conform(pl.DataFrame(rows, schema=COVERAGE.dtypes)).sort(COVERAGE.key)


def scores_table(forecasts: pl.DataFrame, quantiles: pl.DataFrame) -> pl.DataFrame:
    """Return ``schema.SCORES``: a row per trial and score, sorted by key; the random walk's first seed is the mark."""
    rows = [key | row for key, *arrays in _trials(forecasts, quantiles) for row in _scores(*arrays)]
    table = pl.DataFrame(rows, schema=SCORES.dtypes)
    mark = table.filter((pl.col("forecaster") == BENCHMARK) & (pl.col("seed") == 0), pl.col("value") != 0)
    marked = table.join(mark.select(*SERIES, "score", mark="value"), on=[*SERIES, "score"], how="left")
    return SCORES.conform(marked.with_columns(skill=1 - pl.col("value") / pl.col("mark")).drop("mark")).sort(SCORES.key)


def _trials(
    forecasts: pl.DataFrame, quantiles: pl.DataFrame
) -> Iterator[tuple[Row, FloatArray, FloatArray, FloatArray, FloatArray]]:
    """Yield the key of a trial, truth [N], quantiles [N, Q], levels [Q], and 1 where they were rearranged [N]."""
    truth = forecasts.select(*FORECASTS.key, "y_true")
    for key, rows in quantiles.join(truth, on=FORECASTS.key, how="left").group_by(TRIAL, maintain_order=True):
        ordered = rows.sort("cutoff", "level")
        levels = ordered["level"].unique().sort().to_numpy()
        columns = (ordered[name].to_numpy().reshape(-1, len(levels)) for name in ("y_true", "value", "rearranged"))
        y, values, rearranged = columns
        yield dict(zip(TRIAL, key, strict=True)), y[:, 0], values, levels, rearranged[:, 0].astype(float)


def _coverage(y: FloatArray, values: FloatArray, levels: FloatArray, _: FloatArray) -> Iterator[tuple[Row, FloatArray]]:
    """Yield a row, and 1 where the truth is at or below the quantile, or within the interval [N]."""
    losses = scores.pinball(y, values, levels)
    for place, level in enumerate(levels):
        score = _mean(losses[:, place])
        row = {"kind": "quantile", "level": level, "width": None, "score": score["value"]}
        yield row | {"infinite": score["infinite"]}, (y <= values[:, place]).astype(float)
    for first, last, level in scores.central_intervals(levels):
        ends = values[:, first], values[:, last]
        width, score = _mean(scores.width(*ends)), _mean(scores.interval_score(y, *ends, level))
        row = {"kind": "interval", "level": level, "width": width["value"], "score": score["value"]}
        yield row | {"infinite": width["infinite"]}, scores.covered(y, *ends).astype(float)


def _share_interval(hits: FloatArray, horizon: int, confidence: float) -> Row:
    found = long_run(hits, horizon=horizon, level=confidence, most=LEAST_COEFFICIENTS)
    low, high = (None if np.isnan(end) else float(end) for end in (found.low, found.high))
    return {"n": len(hits), "share": hits.mean(), "low": low, "high": high}


def _scores(y: FloatArray, values: FloatArray, levels: FloatArray, rearranged: FloatArray) -> Iterator[Row]:
    found = {
        "crps": scores.crps_quantiles(y, values, levels),
        "wis": scores.weighted_interval_score(y, values, levels),
        "rearranged": rearranged,
    }
    for name, each in found.items():
        yield {"score": name, "n": len(y), **_mean(each)}


def _mean(each: FloatArray) -> dict[str, float | int | None]:
    """Return the mean of scores [N], None where one is infinite, and how many are."""
    infinite = int(np.isinf(each).sum())
    return {"value": None if infinite else float(each.mean()), "infinite": infinite}
