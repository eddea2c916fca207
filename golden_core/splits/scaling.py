"""Standardisation, fitted on the training rows of a fold alone, and the check of that. No other statistics.

Shape letters: T bars, F features, N training rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import polars as pl

from golden_core.inputs.windows import Float32Array, FloatArray
from golden_core.splits.folds import Fold
from golden_core.splits.labels import log_returns_ahead
from golden_core.splits.segments import Segments, positions, size
from golden_core.store import schema

# A spread below this share of the largest value is the rounding of a constant, not a scale.
_CONSTANT = 1e-12
# Two ways of summing a few thousand numbers differ by less than this share of the scale; one more row differs by more.
_SAME = 1e-9


def fit_scalers(
    study: str,
    pair: str,
    horizon: int,
    folds: Sequence[Fold],
    features: pl.DataFrame,
    bars: pl.DataFrame,
    target: Literal["log_return", "close"],
) -> pl.DataFrame:
    """Return the mean and population standard deviation of every feature and of the target, per fold.

    A feature is described over the training cutoffs; bars that windows only look back on do not count. The target is
    described over the labels of the same rows, so the last close that is read lies ``horizon`` bars after the last row
    of a run of training rows.

    ``features`` hold ``timestamp`` and one Float64 column each, a row per bar of ``bars`` (``schema.BARS``); the result
    is ``schema.SCALERS``, its target the column called ``target``.

    Raises
    ------
    ValueError
        If features and bars are not of the same bars, or a column is constant or not finite over the training rows.
    """
    if not features["timestamp"].equals(bars["timestamp"]):
        raise ValueError(f"{pair}: features and bars have different timestamps; build the features from these bars")
    names = [*_feature_names(features), "target"]
    matrix, closes = features.select(names[:-1]).to_numpy(), bars["close"].to_numpy()
    fitted = []
    for fold in folds:
        rows = fold.train.rows
        stacked = np.vstack([matrix[positions(rows)].T, _labels(closes, rows, horizon, target)])  # [F + 1, N]
        values = np.ascontiguousarray(stacked)  # how NumPy sums, to the last bit, depends on the layout in memory
        _refuse_unscalable(values, names, f"{pair} horizon {horizon} fold {fold.index}")
        statistics = {"column": names, "mean": values.mean(axis=1), "scale": values.std(axis=1)}
        fitted.append(pl.DataFrame(statistics).with_columns(_lit("fold", fold.index), _lit("rows", size(rows))))
    series = (_lit("study", study), _lit("pair", pair), _lit("horizon", horizon))
    return schema.SCALERS.conform(pl.concat(fitted).with_columns(series))


def standardise(features: pl.DataFrame, scalers: pl.DataFrame) -> Float32Array:
    """Return the features less their mean, over their scale. Columns are matched by name, so order cannot slip.

    Takes ``timestamp`` and F Float64 columns of T bars, null while a feature warms up, and ``schema.SCALERS`` of one
    series and fold; gives (T, F) float32 in the order of the columns, NaN where a feature is null.

    Raises
    ------
    ValueError
        If a feature does not have exactly one row in ``scalers``.
    """
    names = _feature_names(features)
    found = pl.DataFrame({"column": names}).join(scalers, on="column", how="left", maintain_order="left")
    if found["column"].to_list() != names or found["scale"].null_count():
        raise ValueError(
            f"scalers of one fold must hold each of {names} once, they hold {scalers['column'].to_list()}; "
            "select one study, pair, horizon and fold, fitted on the same features"
        )
    scaled: FloatArray = (features.select(names).to_numpy() - found["mean"].to_numpy()) / found["scale"].to_numpy()
    return scaled.astype(np.float32, order="C")  # the L bars of a window lie together


def scaler_mismatches(
    scalers: pl.DataFrame,
    folds: Sequence[Fold],
    features: pl.DataFrame,
    bars: pl.DataFrame,
    target: Literal["log_return", "close"],
) -> list[str]:
    """Return a sentence for every stored statistic of a series that the training rows of its fold do not give.

    The second way: sliced and aggregated in polars, labels by shifting, where :func:`fit_scalers` uses NumPy.
    """
    ahead = pl.col("close").shift(-scalers["horizon"].unique().item())
    label = (ahead / pl.col("close")).log() if target == "log_return" else ahead
    columns = features.select(_feature_names(features)).with_columns(bars.select(label.alias("target")).to_series())
    expected = pl.concat(
        pl.concat(columns.slice(run.start, len(run)) for run in fold.train.rows)
        .unpivot(variable_name="column")
        .group_by("column", maintain_order=True)
        .agg(
            expected_mean=pl.col("value").mean(),
            expected_scale=pl.col("value").std(ddof=0),
            expected_rows=pl.len().cast(pl.Int64),
        )
        .with_columns(_lit("fold", fold.index))
        for fold in folds
    )
    tolerance = _SAME * pl.col("expected_scale")
    same = (
        ((pl.col("mean") - pl.col("expected_mean")).abs() <= tolerance)
        & ((pl.col("scale") - pl.col("expected_scale")).abs() <= tolerance)
        & (pl.col("rows") == pl.col("expected_rows"))
    )
    statistics = ("mean", "scale", "rows", "expected_mean", "expected_scale", "expected_rows")
    text = [pl.col(name).cast(pl.String).fill_null("missing") for name in statistics]
    sentence = pl.format(
        "fold {} column {}: stored mean {}, scale {} from {} rows; its training rows give {}, {} from {}",
        "fold",
        "column",
        *text,
    )
    joined = scalers.join(expected, on=["fold", "column"], how="full", coalesce=True, maintain_order="left_right")
    return joined.filter(~same.fill_null(False)).select(sentence).to_series().to_list()


def _feature_names(features: pl.DataFrame) -> list[str]:
    return [name for name in features.columns if name != "timestamp"]


def _lit(name: str, value: str | int) -> pl.Expr:
    return pl.lit(value, schema.SCALERS.dtypes[name]).alias(name)


def _labels(closes: FloatArray, train: Segments, horizon: int, target: Literal["log_return", "close"]) -> FloatArray:
    """Targets [N] of the training rows; every run is sliced first, so that no other close can matter."""
    read = [closes[run.start : run.stop + horizon] for run in train]
    if target == "close":
        return np.concatenate([run[horizon:] for run in read])
    return np.concatenate([log_returns_ahead(run, horizon)[:-horizon] for run in read])


def _refuse_unscalable(values: FloatArray, names: Sequence[str], where: str) -> None:
    for name, value in zip(names, values, strict=True):
        if not np.isfinite(value).all():
            raise ValueError(
                f"{where}: column {name!r} is not finite on {int((~np.isfinite(value)).sum())} of {len(value)} "
                "training rows; training must start after the features' warm-up, on cleaned bars"
            )
        if value.std() <= _CONSTANT * np.abs(value).max():
            raise ValueError(
                f"{where}: column {name!r} is a constant series ({value[0]:g}) over {len(value)} training rows and has "
                "no scale; drop the feature, or give a longer training part"
            )
