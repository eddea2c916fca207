"""What the runs of one variant say about one more run, and where a published number lies in their spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from golden_core.data.windows import FloatArray
from golden_core.legacy.audit import Interval
from golden_core.legacy.audit.headings import Metric
from golden_core.statistics import t_interval

Verdict = Literal["consistent", "published_better", "published_worse", "other_test_set", "undecided"]


@dataclass(frozen=True)
class Spread:
    """One metric of one variant over its seeds. Everything but the mean is None for fewer than two seeds."""

    seeds: int
    mean: float
    sd: float | None
    mean_low: float | None  # interval of the mean
    mean_high: float | None
    run_low: float | None  # interval of one more run
    run_high: float | None


def spread_of(values: FloatArray, confidence: float) -> Spread:
    """Return mean, spread, and the intervals of the mean and of one more run.

    One more run lies within mean ± t · sd · √(1 + 1/S): a published number comes from one run, so this is the interval
    to hold it against, not that of the mean.

    Parameters
    ----------
    values : (S,) float64
        The metric of every seed; taken for independent draws of a normal distribution.
    confidence : float
        Coverage of both intervals.

    References
    ----------
    Hahn & Meeker (1991), Statistical Intervals, chapter 4: prediction interval for one future observation.
    """
    seeds, mean = len(values), float(values.mean())
    if seeds == 1:
        return Spread(1, mean, None, None, None, None, None)
    low, high = t_interval(values, confidence)
    sd = float(values.std(ddof=1))
    half = float(stats.t.ppf((1 + confidence) / 2, df=seeds - 1)) * sd * np.sqrt(1 + 1 / seeds)
    return Spread(seeds, mean, sd, float(low), float(high), mean - half, mean + half)


def z_score(published: float, spread: Spread) -> float | None:
    """Return how many standard deviations the published number lies above our mean; None without a spread."""
    return (published - spread.mean) / spread.sd if spread.sd else None


def judge(published: Interval, spread: Spread, metric: Metric) -> Verdict:
    """Say whether a published number could be one more of our runs.

    Parameters
    ----------
    published : Interval
        Everything that rounds to the printed number; one value of it that fits is enough.
    spread : Spread
    metric : str
        For R² more is better; for the errors less is.
    """
    if spread.run_low is None or spread.run_high is None:
        return "undecided"
    below = published.high is not None and published.high < spread.run_low
    above = published.low > spread.run_high
    if not (below or above):
        return "consistent"
    return "published_better" if above == (metric == "r2") else "published_worse"
