"""How good a series of returns is, and how much of it the search for it explains. No prices and no tables here."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy import special, stats

from golden_core.statistics.long_run import ROUNDING, FloatArray
from golden_core.statistics.resampling import stationary

BLOCKS = 16  # of combinatorially symmetric cross-validation: 12,870 ways to choose half of them
AT_ONCE = 4_000_000  # weights of a bootstrap held at a time; bounds the memory, not the result


def sharpe(returns: FloatArray) -> FloatArray:
    """Return mean over standard deviation (population) of returns (..., T) as (...); NaN without spread."""
    mean, spread = returns.mean(axis=-1), returns.std(axis=-1)
    flat = spread <= ROUNDING * np.abs(returns).max(axis=-1)
    ratio: FloatArray = np.where(flat, np.nan, mean / np.where(flat, 1.0, spread))
    return ratio


def sharpe_moment(returns: FloatArray) -> FloatArray:
    """Return (..., T) values whose mean is the Sharpe ratio and whose long-run variance is its own.

    Each is the ratio plus the influence of one return on it (delta method), so that the engine of
    statistics/long_run.py gives the interval. NaN throughout where the returns have no spread.

    References
    ----------
    Ledoit & Wolf (2008), Journal of Empirical Finance 15(5), section 3.1; Lo (2002).
    """
    ratio = sharpe(returns)[..., np.newaxis]
    defined = np.where(np.isnan(ratio), np.nan, returns.std(axis=-1, keepdims=True))
    standard = (returns - returns.mean(axis=-1, keepdims=True)) / defined
    moment: FloatArray = ratio + standard - ratio / 2 * (np.square(standard) - 1)
    return moment


def bootstrap_interval(
    returns: FloatArray, *, block: int, reps: int, level: float, generator: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return the percentile interval of Sharpe ratios of returns (K, T) by a stationary bootstrap, low and high (K,).

    All K meet the same resamples, of blocks of mean length ``block``. NaN for returns without spread.

    References
    ----------
    Politis & Romano (1994), Journal of the American Statistical Association 89(428).
    """
    n, count = returns.shape[-1], len(returns)
    both = np.vstack([returns, np.square(returns)]).T
    parts, left = [], reps
    while left:
        now = min(left, max(1, AT_ONCE // n))
        parts.append(stationary(n, block=block, reps=now, generator=generator).means(both))
        left -= now
    means = np.vstack(parts)
    first, second = means[:, :count], means[:, count:]
    variance = np.maximum(second - np.square(first), 0)
    flat = np.isnan(sharpe(returns)) | (variance <= np.square(ROUNDING) * second)
    drawn = np.where(flat, np.nan, first / np.sqrt(np.where(flat, 1.0, variance)))
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def probabilistic(ratio: float, n: int, skew: float, kurtosis: float, *, benchmark: float = 0.0) -> float:
    """Return the probability that the true Sharpe ratio is above the benchmark, both per bar.

    ``skew`` and ``kurtosis`` (3 if normal) are those of the n returns that gave the ratio.

    References
    ----------
    Bailey & López de Prado (2012), Journal of Risk 15(2), equation 11.
    """
    error = np.sqrt((1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2) / (n - 1))
    return float(special.ndtr((ratio - benchmark) / error))


def expected_maximum(trials: int) -> float:
    """Return the expected maximum of so many independent standard normal values, as approximated by extreme values.

    1.57 for ten, where 1.539 is exact; 0 for one.

    References
    ----------
    Bailey & López de Prado (2014), Journal of Portfolio Management 40(5), equation 1.
    """
    if trials < 2:
        return 0.0
    return float(
        (1 - np.euler_gamma) * special.ndtri(1 - 1 / trials) + np.euler_gamma * special.ndtri(1 - 1 / (trials * np.e))
    )


def deflated(ratio: float, n: int, skew: float, kurtosis: float, *, trials: int, variance: float) -> float:
    """Return the probability that the true ratio is above what the best of so many trials without skill would show.

    ``variance`` is that of the ratios (per bar) of the trials, used as it is: no correction for their correlation.

    References
    ----------
    Bailey & López de Prado (2014), Journal of Portfolio Management 40(5), equation 2.
    """
    return probabilistic(ratio, n, skew, kurtosis, benchmark=float(np.sqrt(variance)) * expected_maximum(trials))


def shape(returns: FloatArray) -> tuple[float, float]:
    """Return skewness and kurtosis (3 if normal) of returns (T,)."""
    return float(stats.skew(returns)), float(stats.kurtosis(returns, fisher=False))


def overfitting(returns: FloatArray, *, blocks: int = BLOCKS, horizon: int = 1) -> float:
    """Return how probably the strategy with the best Sharpe ratio in one half is below the median in the other.

    Takes (K, T) returns of K strategies and gives the share of all ways to choose half of the blocks of time in which
    the chosen strategy's relative rank in the other half is at or below one half. NaN for fewer than two strategies,
    for one without spread, or for blocks no longer than the ``horizon`` over which neighbouring returns share lots.

    References
    ----------
    Bailey, Borwein, López de Prado & Zhu (2017), Journal of Computational Finance 20(4), section 2.
    """
    count, n = returns.shape
    if count < 2 or n // blocks <= horizon or np.isnan(sharpe(returns)).any():
        return float("nan")
    starts = np.arange(blocks) * n // blocks
    sums = np.stack([np.add.reduceat(values, starts, axis=1) for values in (returns, np.square(returns))])
    sizes = np.diff(np.append(starts, n))
    chosen = np.zeros((special.comb(blocks, blocks // 2, exact=True), blocks))
    halves = np.array(list(combinations(range(blocks), blocks // 2)))
    np.put_along_axis(chosen, halves, 1.0, axis=1)
    inside, outside = (_ratios(mask, sums, sizes) for mask in (chosen, 1 - chosen))
    best = inside.argmax(axis=1)
    theirs = np.take_along_axis(outside, best[:, np.newaxis], axis=1)
    rank = (outside < theirs).sum(axis=1) + ((outside == theirs).sum(axis=1) + 1) / 2
    return float((rank / (count + 1) <= 0.5).mean())


def _ratios(mask: FloatArray, sums: FloatArray, sizes: FloatArray) -> FloatArray:
    """Return Sharpe ratios [C, K] within the blocks of each mask [C, S], from sums of returns and squares [2, K, S]."""
    n = mask @ sizes
    first, second = (mask @ one.T / n[:, np.newaxis] for one in sums)
    spread = np.sqrt(np.maximum(second - np.square(first), 0))
    ratios: FloatArray = np.divide(first, spread, out=np.zeros_like(first), where=spread > 0)
    return ratios


def drawdown(returns: FloatArray) -> FloatArray:
    """Return the deepest fall of the running sum of returns (..., T) below its highest level so far, 0 counted in."""
    equity = np.cumsum(returns, axis=-1)
    peak = np.maximum(np.maximum.accumulate(equity, axis=-1), 0)
    deepest: FloatArray = (peak - equity).max(axis=-1)
    return deepest
