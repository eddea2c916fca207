"""Metrics over seeds and series: means, spread and intervals. The metrics themselves belong to point.py."""

from __future__ import annotations

import numpy as np
import polars as pl

from golden_core.evaluation.inputs import TRIAL, prepare
from golden_core.evaluation.point import METRICS, evaluate
from golden_core.statistics import bootstrap_interval, t_interval
from golden_core.store.randomness import Stream
from golden_core.store.schema import SUMMARY
from golden_core.study import EvaluationSection

ALL_PAIRS = "all"
ALL_HORIZONS = 0
SPANS: tuple[tuple[str, ...], ...] = ((), ("pair",), ("horizon",))  # what stays apart when series are combined
STATISTICS = ("mean", "sd", "t_low", "t_high", "bootstrap_low", "bootstrap_high")
GROUP = [name for name in SUMMARY.key if name != "study"]


def summary_table(
    forecasts: pl.DataFrame, metrics: pl.DataFrame, trials: pl.DataFrame, evaluation: EvaluationSection, stream: Stream
) -> pl.DataFrame:
    """Summarise every metric over seeds: per series, averaged over series (macro) and of pooled forecasts (micro).

    Macro takes the mean over series for each seed; micro computes the metric of all forecasts of a seed at once. Both
    come for the whole study (pair ``all``, horizon 0), per pair over horizons (horizon 0) and per horizon over pairs
    (pair ``all``). A seed enters only with every series that the study asks for, and a metric that is undefined in one
    of them is undefined for that seed: ``seeds`` says how many entered. Metrics in price units are not combined over
    pairs, and R² of levels is not pooled over them: those rows are absent.

    ``schema.SUMMARY``, sorted by key. A deterministic forecaster has one seed, which has neither spread nor intervals.

    Raises
    ------
    ValueError
        If a forecast belongs to no trial, or as :func:`~golden_core.evaluation.inputs.prepare`.
    """
    overall = _one_seed(metrics.filter(pl.col("stratum_kind") == "all"), trials)
    prepared = _one_seed(prepare(forecasts), trials)
    asked = trials.select("study", "forecaster", "pair", "horizon").unique()
    stray = prepared.join(asked, on=asked.columns, how="anti")
    if len(stray):
        raise ValueError(f"forecasts of no trial, the first of {stray.select(TRIAL).row(0)}")
    parts = [overall.with_columns(scope=pl.lit("series"))]
    for span in SPANS:
        parts += [_macro(overall, asked, span), _micro(prepared, asked, span)]
    by_seed = pl.concat([part.select("study", *GROUP, "seed", "value") for part in parts])
    return SUMMARY.conform(_over_seeds(by_seed, evaluation, stream)).sort(SUMMARY.key)


def _one_seed(table: pl.DataFrame, trials: pl.DataFrame) -> pl.DataFrame:
    """Keep one seed, as seed 0, of each forecaster for which seeds do not matter."""
    fixed = trials.filter("deterministic").select("study", "forecaster").unique()
    single = (
        table.join(fixed, on=fixed.columns, how="semi", maintain_order="left")
        .filter(pl.col("seed") == pl.col("seed").min().over("study", "forecaster", "pair", "horizon"))
        .with_columns(seed=pl.lit(0, pl.Int32))
    )
    return pl.concat([table.join(fixed, on=fixed.columns, how="anti", maintain_order="left"), single])


def _macro(overall: pl.DataFrame, asked: pl.DataFrame, span: tuple[str, ...]) -> pl.DataFrame:
    by = ["study", "forecaster", *span]
    complete = pl.col("value").count() == pl.col("series").first()
    combined = (
        overall.filter(_combinable("macro", span))
        .sort([*TRIAL, "metric"])
        .join(asked.group_by(by).agg(series=pl.len()), on=by, maintain_order="left")
        .group_by([*by, "seed", "metric"], maintain_order=True)
        .agg(value=pl.when(complete).then(pl.col("value").mean()))
    )
    return _placed(combined, "macro", span)


def _micro(prepared: pl.DataFrame, asked: pl.DataFrame, span: tuple[str, ...]) -> pl.DataFrame:
    by = ["study", "forecaster", *span]
    present = prepared.select(TRIAL).unique().group_by([*by, "seed"]).agg(present=pl.len())
    covered = present.join(asked.group_by(by).agg(series=pl.len()), on=by)
    pooled = (
        evaluate(prepared, [*by, "seed"])
        .filter(_combinable("micro", span))
        .join(covered, on=[*by, "seed"], maintain_order="left")
        .with_columns(value=pl.when(pl.col("present") == pl.col("series")).then("value"))
    )
    return _placed(pooled, "micro", span)


def _combinable(scope: str, span: tuple[str, ...]) -> pl.Expr:
    names = [name for name, metric in METRICS.items() if "pair" in span or scope in metric.across_pairs]
    return pl.col("metric").is_in(names)


def _placed(table: pl.DataFrame, scope: str, span: tuple[str, ...]) -> pl.DataFrame:
    combined = {"pair": pl.lit(ALL_PAIRS), "horizon": pl.lit(ALL_HORIZONS, pl.Int32)}
    return table.with_columns(
        pl.lit(scope).alias("scope"), *(combined[name].alias(name) for name in combined if name not in span)
    )


def _over_seeds(by_seed: pl.DataFrame, evaluation: EvaluationSection, stream: Stream) -> pl.DataFrame:
    """Reduce ``value`` over seeds; groups of one forecaster with equally many seeds go through NumPy together."""
    groups = (
        by_seed.sort("study", *GROUP, "seed")
        .group_by("study", *GROUP, maintain_order=True)
        .agg(pl.col("value").drop_nulls())
        .with_columns(seeds=pl.col("value").list.len().cast(pl.Int64))
    )
    parts = groups.partition_by("forecaster", "seeds", maintain_order=True)
    empty = groups.clear().drop("value").with_columns(pl.lit(None, pl.Float64).alias(name) for name in STATISTICS)
    return pl.concat([empty, *(_spread(part, evaluation, stream.child(part["forecaster"][0])) for part in parts)])


def _spread(part: pl.DataFrame, evaluation: EvaluationSection, stream: Stream) -> pl.DataFrame:
    seeds = part["seeds"][0]
    values = part["value"].list.to_array(seeds).to_numpy()  # [G, S]
    found = dict.fromkeys(STATISTICS, np.full(len(part), np.nan))
    if seeds > 0:
        found["mean"] = values.mean(axis=1)
    if seeds > 1:
        found["sd"] = values.std(axis=1, ddof=1)
        found["t_low"], found["t_high"] = t_interval(values, evaluation.confidence)
        found["bootstrap_low"], found["bootstrap_high"] = bootstrap_interval(
            values, evaluation.confidence, evaluation.bootstrap_resamples, stream.generator()
        )
    columns = [pl.Series(name, numbers, pl.Float64).fill_nan(None) for name, numbers in found.items()]
    return part.drop("value").with_columns(columns)
