"""Tests of many forecasters at once from one matrix of resampled means. Adjustments of p-values belong elsewhere.

A resample of T times is a row of weights that sums to 1, so that the means of all resamples of losses [T, K] are one
matrix product.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from golden_core.statistics.long_run import ROUNDING, FloatArray, coefficients
from golden_core.statistics.moments import NEGLIGIBLE, accuracy


@dataclass(frozen=True)
class Resamples:
    """B resamples of T times: weights [B, T], or mixtures [B, R] of few series [R, T] whose product they are."""

    mixtures: FloatArray
    series: FloatArray | None = None
    df: float = float("inf")  # degrees of freedom of a variance that is estimated from them

    def means(self, losses: FloatArray) -> FloatArray:
        """Return the means [B, K] of all resamples of losses [T, K].

        Raises
        ------
        ValueError
            If the losses are of another number of times.
        """
        times = (self.mixtures if self.series is None else self.series).shape[-1]
        if len(losses) != times:
            raise ValueError(f"these are resamples of {times} times, and the losses have {len(losses)}: draw them anew")
        return self.mixtures @ (losses if self.series is None else self.series @ losses)


Test = Callable[[FloatArray, FloatArray, Resamples], Any]  # of a benchmark's losses (T,) and others' (T, K)


def cosines(n: int, *, horizon: int, reps: int, generator: np.random.Generator) -> Resamples:
    """Return resamples whose means vary as the long-run variance of long_run.py says, with half its coefficients.

    Each row is 1/n and a normal mixture of the lowest cosines, so that resampled means of any losses are normal with
    their estimated long-run covariance. The maximum over many forecasters looks further into the tail than one test
    does, where a bias of the variance costs more than a few degrees of freedom: hence half (calibration.py measures
    it). The mixtures are made orthonormal, so that no chance is left in the variance.

    Raises
    ------
    ValueError
        If half the coefficients are none, or more than ``reps``.
    """
    count = coefficients(n, horizon) // 2
    if not 0 < count <= reps:
        raise ValueError(f"needs between 1 and reps={reps} half coefficients, got {count} of n={n}, horizon={horizon}")
    mixtures = np.linalg.qr(generator.standard_normal((reps, count)))[0] * np.sqrt(reps)
    phases = np.pi * np.outer(np.arange(1, count + 1), np.arange(n) + 0.5) / n
    series = np.vstack([np.full(n, 1 / n), np.cos(phases) * np.sqrt(2 / count) / n])
    return Resamples(np.hstack([np.ones((reps, 1)), mixtures]), series, count)


def stationary(n: int, *, block: float, reps: int, generator: np.random.Generator) -> Resamples:
    """Return a stationary bootstrap with blocks of mean length ``block``: how often each time was drawn, divided by n.

    Raises
    ------
    ValueError
        If the mean length is less than 1, or there are no times or resamples.

    References
    ----------
    Politis & Romano (1994), Journal of the American Statistical Association 89(428).
    """
    if block < 1 or n < 1 or reps < 1:
        raise ValueError(f"needs times, resamples and blocks of at least 1, got n={n}, reps={reps}, block={block}")
    starts = generator.integers(n, size=(reps, n))
    begins = generator.random((reps, n)) < 1 / block
    begins[:, 0] = True
    times = np.arange(n)
    begun = np.maximum.accumulate(np.where(begins, times, 0), axis=1)
    drawn = (np.take_along_axis(starts, begun, axis=1) + times - begun) % n
    counts = np.bincount((drawn + n * np.arange(reps)[:, np.newaxis]).ravel(), minlength=reps * n)
    return Resamples(counts.reshape(reps, n) / n)


def superior(benchmark: FloatArray, losses: FloatArray, resamples: Resamples) -> float:
    """Return the p-value of the claim that some forecaster has a smaller expected loss than the benchmark.

    Parameters
    ----------
    benchmark : (T,) float64
        Losses of the benchmark, in time order.
    losses : (T, K) float64
        Losses of the forecasters at the same cutoffs. One whose losses are the benchmark's is no competitor.
    resamples : Resamples
        Of the same T times.

    Returns
    -------
    float
        (1 + resamples at least as extreme) / (1 + B); NaN if a loss is not finite or nobody competes.

    Notes
    -----
    Each difference is divided by its own bootstrap standard error, so that one precise forecaster is not lost among
    erratic ones, and those far worse than the benchmark are not recentred (the "consistent" p-value).

    References
    ----------
    Hansen (2005), Journal of Business & Economic Statistics 23(4), section 3.
    """
    means, spread, centred = _against(benchmark, losses, resamples)
    if not len(means):
        return float("nan")
    far_worse = means / spread < -np.sqrt(2 * np.log(np.log(len(benchmark))))
    null = ((centred + np.where(far_worse, means, 0.0)) / spread).max(axis=1)
    observed = np.maximum(0.0, _as_normal((means / spread).max(), resamples.df))
    return float(_exceeded(np.maximum(0.0, null), observed))


def stepwise(benchmark: FloatArray, losses: FloatArray, resamples: Resamples) -> FloatArray:
    """Return (K,) p-values of "more accurate than the benchmark", adjusted for all K by stepping down.

    Arguments as :func:`superior`. The largest statistic meets the maximum over all forecasters, the next the maximum
    over the rest, and so on; p-values never fall on the way. NaN for a copy of the benchmark, and for all if a loss is
    not finite.

    References
    ----------
    Romano & Wolf (2005), Econometrica 73(4); Romano & Wolf (2016), Statistics & Probability Letters 113 (p-values).
    """
    found = np.full(losses.shape[1], np.nan)
    means, spread, centred = _against(benchmark, losses, resamples)
    competing = _competing(benchmark, losses)
    statistics = _as_normal(means / spread, resamples.df)
    order = np.argsort(-statistics, kind="stable")
    # The maximum over the forecasters from each place of the order on.
    rest = np.maximum.accumulate((centred / spread)[:, order[::-1]], axis=1)[:, ::-1]
    found[competing[order]] = np.maximum.accumulate(_exceeded(rest, statistics[order]))
    return found


def confidence_set(losses: FloatArray, resamples: Resamples) -> FloatArray:
    """Return (K,) p-values: the forecasters with p ≥ α hold the best with probability 1 − α.

    Takes losses (T, K) and resamples of the same T times. The forecaster that is worst against the mean of those left
    goes first; its p-value is that of the test that all left are equal, never below that of one who went before. The
    last left has p = 1, and so have all left where they differ in nothing, or by a constant, of which no spread tells
    whether it is much; who have the same losses have one p-value, that of the last of them to go. NaN for all if a loss
    is not finite.

    References
    ----------
    Hansen, Lunde & Nason (2011), Econometrica 79(2), section 3.1.2 (the statistic T_max).
    """
    found = np.full(losses.shape[1], np.nan)
    if not np.isfinite(losses).all():
        return found
    means = losses.mean(axis=0)
    centred = resamples.means(losses) - means
    left, p_value = np.arange(losses.shape[1]), 0.0
    while len(left) > 1:
        against = means[left] - means[left].mean()
        null = centred[:, left] - centred[:, left].mean(axis=1, keepdims=True)
        spread = np.sqrt(np.square(null).mean(axis=0))
        alike = spread <= NEGLIGIBLE * np.abs(means[left])
        if alike.all():
            break
        scale = np.where(alike, np.inf, spread)
        worst = int(np.argmax(against / scale))
        observed = _as_normal((against / scale)[worst], resamples.df)
        p_value = max(p_value, float(_exceeded((null / scale).max(axis=1), observed)))
        found[left[worst]] = p_value
        left = np.delete(left, worst)
    found[left] = 1.0
    return np.array([found[(own == losses.T).all(axis=1)].max() for own in losses.T])


def in_directions_too(
    test: Test, benchmark: FloatArray, losses: FloatArray, turned: FloatArray, drawn: Resamples
) -> Any:
    """Return the larger of two p-values of a test of many: of losses, and of what directions alone earn (T, K).

    Where nothing can be foretold no direction earns anything, whatever is said by losses of forecasts that go back to a
    level (skill.py); so the larger keeps the test's size there.
    """
    return np.maximum(test(benchmark, losses, drawn), test(np.zeros(len(benchmark)), -turned, drawn))


def _competing(benchmark: FloatArray, losses: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Return the columns whose gain varies beyond rounding; none if any loss is not finite."""
    if not (np.isfinite(losses).all() and np.isfinite(benchmark).all()):
        return np.arange(0)
    gains = accuracy(losses.T, benchmark[np.newaxis])
    return np.flatnonzero(np.ptp(gains, axis=1) > ROUNDING * np.abs(gains).max(axis=1))


def _against(
    benchmark: FloatArray, losses: FloatArray, resamples: Resamples
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return mean gains over the benchmark (K′), their standard errors (K′) and centred resampled means (B, K′)."""
    gains = benchmark[:, np.newaxis] - losses[:, _competing(benchmark, losses)]
    means = gains.mean(axis=0)
    centred = resamples.means(gains) - means
    return means, np.sqrt(np.square(centred).mean(axis=0)), centred


def _as_normal(statistic: FloatArray, df: float) -> FloatArray:
    """Return the normal quantiles of Student t statistics: the resampled means have no uncertain variance."""
    return statistic if np.isinf(df) else -special.ndtri(special.stdtr(df, -statistic))


def _exceeded(null: FloatArray, observed: FloatArray) -> FloatArray:
    """Return p-values: how many of the resamples (B, ...) reach what was observed (...), itself counted as one."""
    p_values: FloatArray = (1 + (null >= observed).sum(axis=0)) / (1 + len(null))
    return p_values
