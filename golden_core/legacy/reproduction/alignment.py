"""The published table against ours: per variant and metric, what was published, what we get, and what follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from golden_core.evaluation.comparisons import comparisons_table
from golden_core.evaluation.inputs import BENCHMARK
from golden_core.legacy.audit.headings import Metric
from golden_core.legacy.reproduction import errors
from golden_core.legacy.reproduction.published import METRICS, PublishedRow, Record
from golden_core.store.table import Column, Table

ALIGNMENT = Table(
    "alignment",
    "One row per study, variant and metric: the published number, ours, and the random walk's on the same rows.",
    (
        Column("study", pl.String, "which runs"),
        Column("variant", pl.String, "v01 … v10"),
        Column("metric", pl.String, "mae, mse, rmse or r2, of prices"),
        Column("targets", pl.Int64, "test targets of the study"),
        Column("variance", pl.Float64, "of these targets"),
        Column("published", pl.Float64, "as printed"),
        Column("published_low", pl.Float64, "lowest value that is printed like this"),
        Column("published_high", pl.Float64, "highest value that is printed like this"),
        Column("seeds", pl.Int64, "runs"),
        Column("mean", pl.Float64, "mean over seeds"),
        Column("sd", pl.Float64, "standard deviation over seeds; null for one seed"),
        Column("mean_low", pl.Float64, "interval of the mean, lower end"),
        Column("mean_high", pl.Float64, "interval of the mean, upper end"),
        Column("typical", pl.Float64, "geometric mean over seeds; of R², 1 − that of 1 − R²"),
        Column("log_sd", pl.Float64, "standard deviation of the logarithms of errors, or of 1 − R²"),
        Column("run_low", pl.Float64, "interval of one more run, on logarithms, lower end"),
        Column("run_high", pl.Float64, "interval of one more run, on logarithms, upper end"),
        Column("z", pl.Float64, "log(published / typical) / log_sd; of R², on 1 − R² with the sign turned"),
        Column("verdict", pl.String, "consistent, published_better, published_worse, other_test_set or undecided"),
        Column("category", pl.String, "of the deviation; null where nothing deviates"),
        Column("experiment", pl.String, "ids of the experiments that support the category"),
        Column("tried", pl.String, "ids of experiments that do not"),
        Column("random_walk", pl.Float64, "the random walk on the same rows"),
        Column("statistic", pl.Float64, "Diebold–Mariano against the random walk, seed-averaged forecasts"),
        Column("p_holm", pl.Float64, "of that test, Holm-adjusted over the variants of the study"),
        Column("seeds_better", pl.Int64, "seeds that beat the random walk, Holm-adjusted over all seeds of the study"),
        Column("seeds_worse", pl.Int64, "seeds that the random walk beats, likewise"),
    ),
    key=("study", "variant", "metric"),
)


@dataclass(frozen=True, eq=False)
class Alignment:
    """The table, and what it was made with."""

    table: pl.DataFrame  # ALIGNMENT
    windows: pl.DataFrame  # one row per study: rows and errors of the random walk
    record: Record
    experiments: tuple[errors.Experiment, ...]
    confidence: float
    significance: float


def align(
    forecasts: pl.DataFrame,
    published: Record,
    *,
    confidence: float,
    significance: float,
    experiments: Sequence[errors.Experiment] = (),
) -> Alignment:
    """Hold published errors against those of our runs, ``forecasts`` (schema.FORECASTS) of one or several studies.

    A published number is held against the runs only where both can have been scored on the same test targets: as many,
    and of a variance that the published row allows. Whether it could be one more run is asked of the interval of one
    more run, and of every value that rounds to the printed number. Without ``experiments`` the reason of a deviation is
    unknown. A trial scored on other rows than the random walk, or a study without one, is a ``MissingBenchmarkError``.
    """
    scored = errors.trial_errors(forecasts, published)
    tests = _tests(forecasts.filter(pl.col("forecaster").is_in([*published.rows, BENCHMARK])), significance)
    tried = errors.outcomes(experiments, published, confidence)
    windows = scored.filter(pl.col("forecaster") == BENCHMARK).unique("study", keep="first", maintain_order=True)
    walks = {walk["study"]: walk for walk in windows.iter_rows(named=True)}
    own = scored.filter(pl.col("forecaster") != BENCHMARK).partition_by("study", "forecaster", maintain_order=True)
    rows: list[dict[str, Any]] = []
    for trials in own:
        row, walk = published.rows[trials["forecaster"][0]], walks[trials["study"][0]]
        comparable = [
            other["study"][0]  # the studies in which the variant was run on test targets like the published ones
            for other in own
            if other["forecaster"][0] == row.variant
            and errors.on_published_rows(other["targets"][0], other["variance"][0], row, published)
        ]
        rows += [
            _row(trials, row, metric, confidence, comparable, tried.get(row.variant, ()))
            | {"random_walk": walk[metric]}
            for metric in METRICS
        ]
    table = pl.DataFrame(rows, schema={n: t for n, t in ALIGNMENT.dtypes.items() if n not in tests.columns[2:]})
    table = table.join(tests, on=["study", "variant"], how="left", maintain_order="left")
    return Alignment(ALIGNMENT.conform(table), windows, published, tuple(experiments), confidence, significance)


def _row(
    trials: pl.DataFrame,
    row: PublishedRow,
    metric: Metric,
    confidence: float,
    comparable: Sequence[str],
    tried: Sequence[errors.Outcome],
) -> dict[str, Any]:
    """Hold one published number against the runs of one study; ``comparable`` are the studies on its own rows."""
    study, published = trials["study"][0], row.intervals[metric]
    spread = errors.spread_of(trials[metric].to_numpy(), confidence, metric)
    verdict: errors.Verdict = errors.judge(published, spread, metric) if study in comparable else "other_test_set"
    category, experiment, vain = errors.attribute(verdict, metric, row.values[metric], spread, tried, comparable)
    return {
        "study": study,
        "variant": row.variant,
        "metric": metric,
        "targets": trials["targets"][0],
        "variance": trials["variance"][0],
        "published": row.values[metric],
        "published_low": float(published.low),
        "published_high": None if published.high is None else float(published.high),
        **vars(spread),
        "z": errors.z_score(row.values[metric], spread, metric) if study in comparable else None,
        "verdict": verdict,
        "category": category,
        "experiment": experiment,
        "tried": vain,
    }


def _tests(forecasts: pl.DataFrame, significance: float) -> pl.DataFrame:
    """Diebold–Mariano against the random walk per study and variant: the ensemble's, and how many seeds differ."""
    tests = comparisons_table(forecasts)
    significant = (pl.col("p_holm") < significance) & (pl.col("level") == "seed")
    ensemble = pl.col("level") == "ensemble"
    return tests.group_by("study", variant="forecaster", maintain_order=True).agg(
        statistic=pl.col("statistic").filter(ensemble).first(),
        p_holm=pl.col("p_holm").filter(ensemble).first(),
        seeds_better=(significant & (pl.col("mean_difference") < 0)).sum().cast(pl.Int64),
        seeds_worse=(significant & (pl.col("mean_difference") > 0)).sum().cast(pl.Int64),
    )
