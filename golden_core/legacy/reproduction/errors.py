"""Forecasts → errors in prices per trial, where a published number lies in their spread over seeds, and why.

A category of a deviation is given only where an experiment supports it. Nothing is run here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from scipy import stats

from golden_core.evaluation.inputs import BENCHMARK, prepare
from golden_core.evaluation.point import METRICS
from golden_core.inputs.windows import FloatArray
from golden_core.legacy.audit.headings import Metric
from golden_core.legacy.audit.intervals import Interval
from golden_core.legacy.reproduction.published import PublishedRow, Record
from golden_core.statistics import t_interval

Verdict = Literal["consistent", "published_better", "published_worse", "other_test_set", "undecided"]
_RMSE = METRICS["rmse_price"].value


def trial_errors(forecasts: pl.DataFrame, record: Record) -> pl.DataFrame:
    """Return the errors of every trial of the record's variants and of the random walk; others are left out.

    The columns are ``study``, ``forecaster``, ``seed``, ``targets``, ``variance`` of the targets, and ``mae``, ``mse``,
    ``rmse``, ``r2`` in prices.
    """
    known = forecasts.filter(pl.col("forecaster").is_in([*record.rows, BENCHMARK]))
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


@dataclass(frozen=True)
class Spread:
    """One metric of one variant over its seeds. Everything but the mean is None for fewer than two seeds."""

    seeds: int
    mean: float
    sd: float | None = None
    mean_low: float | None = None  # interval of the mean
    mean_high: float | None = None
    typical: float | None = None  # geometric mean; of R², one less that of 1 − R²
    log_sd: float | None = None  # standard deviation of the logarithms
    run_low: float | None = None  # interval of one more run
    run_high: float | None = None


def spread_of(values: FloatArray, confidence: float, metric: Metric) -> Spread:
    """Return mean, spread, and the intervals of the mean and of one more run, of the metric of every seed [S].

    A published number comes from one run, so the interval to hold it against is that of one more run, not that of the
    mean. It is taken on logarithms, log m ± t · s · √(1 + 1/S) with their mean and deviation, for independent draws of
    a normal distribution: an error cannot be below zero, the runs of one network differ by factors, and MSE, RMSE and
    R² then say the same, being one number on one test set. R² enters as log(1 − R²). A run without an error has none.

    References
    ----------
    Hahn & Meeker (1991), Statistical Intervals, chapter 4: prediction interval for one future observation, and its use
    on logarithms.
    """
    seeds, mean = len(values), float(values.mean())
    if seeds == 1:
        return Spread(1, mean)
    low, high = t_interval(values, confidence)
    ordinary = (seeds, mean, float(values.std(ddof=1)), float(low), float(high))
    errors = 1 - values if metric == "r2" else values
    if errors.min() <= 0:
        return Spread(*ordinary)
    logarithms = np.log(errors)
    centre, log_sd = float(logarithms.mean()), float(logarithms.std(ddof=1))
    half = float(stats.t.ppf((1 + confidence) / 2, df=seeds - 1)) * log_sd * math.sqrt(1 + 1 / seeds)
    with np.errstate(over="ignore"):  # two runs and a confidence near one know no upper end
        ends = [float(end) for end in np.exp([centre, centre - half, centre + half])]
    typical, run_low, run_high = ends if metric != "r2" else (1 - ends[0], 1 - ends[2], 1 - ends[1])
    return Spread(*ordinary, typical, log_sd, run_low, run_high)


def distance(published: float, spread: Spread, metric: Metric) -> float | None:
    """Return the logarithm of a published error over our typical one; of R², that of 1 − R², with the sign turned.

    So it is positive where the published number is the larger one. None where there is no logarithm.
    """
    if spread.typical is None or (1 - published if metric == "r2" else published) <= 0:
        return None
    if metric == "r2":
        return -math.log((1 - published) / (1 - spread.typical))
    return math.log(published / spread.typical)


def z_score(published: float, spread: Spread, metric: Metric) -> float | None:
    """Return :func:`distance` in standard deviations of the logarithms; None without either."""
    far = distance(published, spread, metric)
    return far / spread.log_sd if far is not None and spread.log_sd else None


def judge(published: Interval, spread: Spread, metric: Metric) -> Verdict:
    """Say whether a published number could be one more of our runs: one value that rounds to it is enough.

    For R² more is better; for the errors less is.
    """
    if spread.run_low is None or spread.run_high is None:
        return "undecided"
    below = published.high is not None and published.high < spread.run_low
    above = published.low > spread.run_high
    if not (below or above):
        return "consistent"
    return "published_better" if above == (metric == "r2") else "published_worse"


# ------------------------------------------------------------------------------------------------ why a number deviates

Category = Literal["data", "split", "initialisation", "optimiser", "precision", "selection", "unknown"]


@dataclass(frozen=True, eq=False)
class Experiment:
    """The same variants run again with one thing changed."""

    id: str
    category: Category
    change: str  # as one would set it: forecasters.v04.initialisers=keras_3.15
    forecasts: pl.DataFrame  # schema.FORECASTS, the random walk's among them


@dataclass(frozen=True)
class Outcome:
    """What one experiment says about one variant: its runs and the verdict on every metric with the change."""

    id: str
    category: Category
    spreads: Mapping[Metric, Spread]
    verdicts: Mapping[Metric, Verdict]


def outcomes(experiments: Sequence[Experiment], record: Record, confidence: float) -> dict[str, list[Outcome]]:
    """Return what the experiments say, by variant.

    A variant whose changed runs were not made on the published test rows has no outcome: they explain nothing.
    """
    found: dict[str, list[Outcome]] = {}
    for experiment in experiments:
        errors = trial_errors(experiment.forecasts, record)
        for (_, name), trials in errors.group_by("study", "forecaster", maintain_order=True):
            row = record.rows.get(str(name))
            if row is None or not on_published_rows(trials["targets"][0], trials["variance"][0], row, record):
                continue
            spreads = {metric: spread_of(trials[metric].to_numpy(), confidence, metric) for metric in row.values}
            verdicts = {metric: judge(row.intervals[metric], spreads[metric], metric) for metric in row.values}
            outcome = Outcome(experiment.id, experiment.category, spreads, verdicts)
            found.setdefault(row.variant, []).append(outcome)
    return found


def attribute(
    verdict: Verdict,
    metric: Metric,
    published: float,
    spread: Spread,
    tried: Sequence[Outcome],
    elsewhere: Sequence[str],
) -> tuple[Category | None, str, str]:
    """Return why a published number deviates from our runs, which experiments support it, and which do not.

    A change explains a deviation if, with it, the published number could be one more of our runs, and a typical run
    comes nearer to it: runs that only scatter more explain nothing, and no more does an experiment with fewer seeds,
    whose intervals are wider for that reason alone. If changes of different categories explain it, none is singled out.
    ``elsewhere`` are the studies in which the variant was run on the published test rows: what supports a split. The
    category is None where nothing deviates; experiments are named by their ids.
    """
    if verdict == "consistent":
        return None, "", ""
    if verdict == "undecided":
        return "unknown", "", ""
    if verdict == "other_test_set":
        return ("split" if elsewhere else "unknown"), ", ".join(elsewhere), ""
    before = distance(published, spread, metric)
    explaining = [
        outcome
        for outcome in tried
        if outcome.verdicts[metric] == "consistent"
        and outcome.spreads[metric].seeds >= spread.seeds
        and (after := distance(published, outcome.spreads[metric], metric)) is not None
        and before is not None
        and abs(after) < abs(before)
    ]
    others = ", ".join(outcome.id for outcome in tried if outcome not in explaining)
    categories = {outcome.category for outcome in explaining}
    category = categories.pop() if len(categories) == 1 else "unknown"
    return category, ", ".join(outcome.id for outcome in explaining), others
