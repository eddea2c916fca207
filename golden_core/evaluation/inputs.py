"""What every evaluation starts from: checked forecasts in a fixed order, the benchmark's error beside each."""

from __future__ import annotations

import polars as pl

from golden_core.store.schema import FORECASTS

BENCHMARK = "random_walk"
TRIAL = ["study", "forecaster", "pair", "horizon", "seed"]
SERIES = ["study", "pair", "horizon"]
_NUMBERS = [name for name, dtype in FORECASTS.dtypes.items() if dtype == pl.Float64]


def prepare(forecasts: pl.DataFrame) -> pl.DataFrame:
    """Check forecasts, sort them by their key and put the benchmark's error beside each.

    The order fixes the order of every sum, so that equal forecasts give bit-identical tables however the rows came.

    The benchmark is deterministic; where it has several seeds the lowest speaks for it. ``benchmark_error`` is its
    forecast minus true log return at the same cutoff; null where it made no forecast.

    Raises
    ------
    SchemaError
        If the table is not as the schema says.
    ValueError
        If a number is null or not finite, or a key occurs twice.
    """
    forecasts = FORECASTS.conform(forecasts).sort(FORECASTS.key).rechunk()
    _refuse(
        forecasts, ~pl.all_horizontal(pl.col(_NUMBERS).is_finite().fill_null(False)), "hold a number that is not finite"
    )
    _refuse(forecasts, pl.struct(FORECASTS.key).is_duplicated(), "share their key with another")
    return forecasts.join(_errors(forecasts), on=[*SERIES, "cutoff"], how="left", maintain_order="left")


def difference(one: pl.Expr, other: pl.Expr, same: pl.Expr, *floors: pl.Expr) -> pl.Expr:
    """Return by how much two numbers differ, relative to the larger and the floors, where they count the ``same``.

    Infinite where they do not, or one side alone is null.
    """
    relative = (one - other).abs() / pl.max_horizontal(one.abs(), other.abs(), *floors)
    return (
        pl.when(same & one.eq_missing(other))
        .then(0.0)
        .when(same & one.is_not_null() & other.is_not_null())
        .then(relative)
        .otherwise(float("inf"))
    )


def _refuse(forecasts: pl.DataFrame, bad: pl.Expr, what: str) -> None:
    rows = forecasts.filter(bad)
    if len(rows):
        raise ValueError(f"{len(rows)} forecasts {what}, the first {rows.row(0, named=True)}")


def _errors(forecasts: pl.DataFrame) -> pl.DataFrame:
    return (
        forecasts.filter(pl.col("forecaster") == BENCHMARK)
        .filter(pl.col("seed") == pl.col("seed").min().over(SERIES))
        .select(*SERIES, "cutoff", benchmark_error=pl.col("y_pred") - pl.col("y_true"))
    )
