"""Forecasts → errors in prices, one row per trial, and whose test set they were made on."""

from __future__ import annotations

import polars as pl

from golden_core.evaluation import BENCHMARK, METRICS
from golden_core.evaluation.inputs import prepare
from golden_core.legacy.reproduction.published import PublishedRow, Record, RecordError

_RMSE = METRICS["rmse_price"].value


def trial_errors(forecasts: pl.DataFrame, record: Record) -> pl.DataFrame:
    """Return the errors of every trial of the record's variants and of the random walk; others are left out.

    Returns
    -------
    DataFrame
        ``study``, ``forecaster``, ``seed``, ``targets``, ``variance`` of the targets, and ``mae``, ``mse``, ``rmse``,
        ``r2`` in prices; in the order of the key.

    Raises
    ------
    RecordError
        If there are several pairs or horizons, or a study has no random walk.
    """
    known = of_record(forecasts, record)
    series = known.select("pair", "horizon").unique()
    if series.height > 1 or (known["horizon"] != 1).any():
        raise RecordError(f"the record is of one pair, one bar ahead; the forecasts are of {series.rows()}")
    walks = set(known.filter(pl.col("forecaster") == BENCHMARK)["study"])
    without = sorted(set(known["study"]) - walks)
    if without:
        raise RecordError(f"study {without[0]} has no {BENCHMARK}: no error is reported without its own")
    return (
        prepare(known)
        .group_by("study", "forecaster", "seed", maintain_order=True)
        .agg(
            targets=pl.len().cast(pl.Int64),
            variance=pl.col("true_close").var(ddof=0),
            mae=METRICS["mae_price"].value,
            mse=_RMSE**2,
            rmse=_RMSE,
            r2=METRICS["r2_levels"].value,
        )
    )


def of_record(forecasts: pl.DataFrame, record: Record) -> pl.DataFrame:
    """Return the forecasts of the record's variants and of the random walk."""
    return forecasts.filter(pl.col("forecaster").is_in([*record.rows, BENCHMARK]))


def on_published_rows(targets: int, variance: float, row: PublishedRow, record: Record) -> bool:
    """Whether a published row can have been scored on test targets like these: as many, and of that variance."""
    return targets == record.splits[row.shares].targets and variance in row.variance


def rows_unlike_the_random_walk(forecasts: pl.DataFrame) -> list[str]:
    """Return a sentence for every trial that was not scored on exactly the random walk's rows of its study."""
    row = ("cutoff", "target_at", "last_close", "true_close")
    found = []
    for (study,), own in forecasts.group_by(["study"], maintain_order=True):
        walk = own.filter(pl.col("forecaster") == BENCHMARK).select(row).unique()
        for (name, seed), trial in own.group_by(["forecaster", "seed"], maintain_order=True):
            rows = trial.select(row)
            apart = rows.join(walk, on=row, how="anti").height + walk.join(rows, on=row, how="anti").height
            if apart or rows.height != walk.height:
                found.append(f"{name}, seed {seed}, of {study}: {apart} rows are not shared with the {BENCHMARK}")
    return found
