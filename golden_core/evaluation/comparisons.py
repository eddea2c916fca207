"""Tests of every forecaster against the benchmark. The statistics themselves belong to golden_core.statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from golden_core.claims.decisions import holm_within
from golden_core.evaluation.inputs import BENCHMARK, SERIES, prepare
from golden_core.statistics import diebold_mariano, long_run
from golden_core.statistics.moments import accuracy
from golden_core.store.schema import COMPARISONS

ENSEMBLE_SEED = -1
AT = ["level", "study", "forecaster", "pair", "horizon", "seed"]  # where a test is


class MissingBenchmarkError(ValueError):
    """The benchmark made no forecasts, or not at the same cutoffs."""


def comparisons_table(forecasts: pl.DataFrame, *, trials: pl.DataFrame | None = None) -> pl.DataFrame:
    """Test each forecaster against the benchmark in every series, on squared errors of log returns.

    Level ``ensemble`` averages the forecasts of all seeds at each cutoff before the errors are taken (seed −1); level
    ``seed`` tests every seed by itself.

    ``trials`` (``schema.TRIALS``) are all that were asked for: those that failed or are missing count as p = 1 in
    Holm's adjustment, so that no other p-value falls because they did.

    ``schema.COMPARISONS``, sorted by key. Statistic and p-values are null where the test is undefined, as for forecasts
    identical to the benchmark's; such tests count as p = 1 in Holm's adjustment, which runs over all tests of a study
    and level.

    Raises
    ------
    MissingBenchmarkError
        If the benchmark lacks a series, or a trial and the benchmark do not have the same cutoffs.
    SchemaError, ValueError
        As :func:`~golden_core.evaluation.inputs.prepare`.
    """
    prepared = prepare(forecasts)
    _require_benchmark(prepared)
    single = prepared.filter(pl.col("forecaster") != BENCHMARK).with_columns(level=pl.lit("seed"))
    at_cutoff = [*AT, "cutoff"]
    average = single.with_columns(level=pl.lit("ensemble"), seed=pl.lit(ENSEMBLE_SEED, pl.Int32))
    losses = (
        pl.concat([single, average])
        .group_by(at_cutoff, maintain_order=True)
        .agg(
            error=pl.col("y_pred").mean() - pl.col("y_true").first(), benchmark_error=pl.col("benchmark_error").first()
        )
        .sort(at_cutoff)
    )
    series = losses.partition_by(AT, as_dict=True, maintain_order=True)
    tests = [_test(group, part) for group, part in series.items()]
    table = pl.DataFrame(tests, schema={name: dtype for name, dtype in COMPARISONS.dtypes.items() if name != "p_holm"})
    absent = table.clear() if trials is None else _asked(trials).join(table, on=AT, how="anti")
    family = pl.concat([table, absent], how="diagonal").with_columns(p_holm=holm_within("study", "level"))
    return COMPARISONS.conform(family.drop_nulls("n")).sort(COMPARISONS.key)


def _asked(trials: pl.DataFrame) -> pl.DataFrame:
    """Return the places of all tests that trials ask for; all seeds of a deterministic forecaster are one."""
    others = trials.filter(pl.col("forecaster") != BENCHMARK)
    single = others.with_columns(level=pl.lit("seed"), seed=pl.when("deterministic").then(0).otherwise("seed"))
    average = others.with_columns(level=pl.lit("ensemble"), seed=pl.lit(ENSEMBLE_SEED))
    places = pl.concat([single, average], how="vertical_relaxed")
    return places.select(pl.col(name).cast(COMPARISONS.dtypes[name]) for name in AT).unique()


def _test(group: tuple[Any, ...], losses: pl.DataFrame) -> dict[str, object]:
    found = dict(zip(AT, group, strict=True))
    ours, theirs = losses["error"].to_numpy() ** 2, losses["benchmark_error"].to_numpy() ** 2
    tested = long_run(accuracy(theirs, ours), horizon=found["horizon"])
    parity = diebold_mariano(ours, theirs, horizon=found["horizon"])
    defined = tested.reason == ""
    return {
        **found,
        "benchmark": BENCHMARK,
        "n": tested.n,
        "mean_difference": float(np.mean(ours - theirs)),
        "statistic": float(tested.statistic) if defined else None,
        "df": tested.df,
        "p_value": float(tested.p_value) if defined else None,
        "hln_statistic": parity.statistic,
        "hln_p_value": parity.p_value,
    }


def _require_benchmark(prepared: pl.DataFrame) -> None:
    covered = (
        prepared.filter(pl.col("forecaster") == BENCHMARK)
        .group_by(SERIES)
        .agg(benchmark_cutoffs=pl.col("cutoff").n_unique())
    )
    uneven = (
        prepared.group_by("study", "forecaster", "pair", "horizon", "seed")
        .agg(cutoffs=pl.len(), matched=pl.col("benchmark_error").count())
        .join(covered, on=SERIES, how="left")
        .filter((pl.col("matched") < pl.col("cutoffs")) | pl.col("cutoffs").ne_missing(pl.col("benchmark_cutoffs")))
        .sort(pl.all())
    )
    if len(uneven):
        raise MissingBenchmarkError(
            f"nothing is reported without the random walk: {len(uneven)} trials and {BENCHMARK!r} do "
            f"not have the same cutoffs. The first: {uneven.row(0, named=True)}. Run the trials of {BENCHMARK!r} first."
        )
