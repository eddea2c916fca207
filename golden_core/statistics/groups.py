"""Differences between groups of values, such as the metrics of seeds or pairs: they describe and never decide.

Values of one group share their test data, so nothing here is evidence for a claim: that is the work of long_run.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.optimize import brentq
from scipy.special import gammaln, nctdtrinc

from golden_core.statistics.long_run import ROUNDING, FloatArray


@dataclass(frozen=True)
class GroupTest:
    """A statistic and its p-value; both NaN where a group has no spread or too few values."""

    statistic: float
    p_value: float


@dataclass(frozen=True)
class Effect:
    """A standardised effect with its confidence interval; NaN where undefined."""

    value: float
    low: float
    high: float


# Beyond these scipy has no noncentral t or F; to five digits they are their shift over χ² there, or over its root.
FAR_T, FAR_F = 1e3, 1e8
UNDEFINED = GroupTest(float("nan"), float("nan"))
NO_EFFECT = Effect(float("nan"), float("nan"), float("nan"))


def anova(groups: Sequence[FloatArray], *, equal_variances: bool = True) -> GroupTest:
    """Test whether K groups (n_k,) share one mean: Fisher's F, or Welch's where variances may differ.

    Sums are taken here and not by SciPy, whose products of vectors end in another digit on another processor.

    References
    ----------
    Fisher (1925); Welch (1951), Biometrika 38(3/4).
    """
    if not _varied(groups, every=not equal_variances):
        return UNDEFINED
    k, n, mean, variance = len(groups), *_summary(groups)
    if equal_variances:
        f, within = _fisher(groups)
    else:
        weight = n / variance
        middle = (weight * mean).sum() / weight.sum()
        uneven = (np.square(1 - weight / weight.sum()) / (n - 1)).sum() / (k**2 - 1)
        f = (weight * np.square(mean - middle)).sum() / (k - 1) / (1 + 2 * (k - 2) * uneven)
        within = 1 / (3 * uneven)
    return GroupTest(float(f), float(stats.f.sf(f, k - 1, within)))


def _fisher(groups: Sequence[FloatArray]) -> tuple[float, int]:
    """Return F and the degrees of freedom within groups."""
    n, mean, variance = _summary(groups)
    between = (n * np.square(mean - np.concatenate(groups).mean())).sum() / (len(groups) - 1)
    within = int(n.sum()) - len(groups)
    return float(between / (((n - 1) * variance).sum() / within)), within


def _summary(groups: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return size, mean and variance of each group."""
    told = [(len(group), group.mean(), group.var(ddof=1)) for group in groups]
    n, mean, variance = np.array(told, dtype=float).T
    return n, mean, variance


def pairwise(groups: Sequence[FloatArray], *, equal_variances: bool = True) -> FloatArray:
    """Return (K, K) p-values of all differences of means: Tukey's, or Games & Howell's where variances may differ.

    NaN throughout if a group has no spread or too few values.

    References
    ----------
    Tukey (1953) and Kramer (1956); Games & Howell (1976), Journal of Educational Statistics 1(2).
    """
    if not _varied(groups, every=not equal_variances):
        return np.full((len(groups), len(groups)), np.nan)
    return np.asarray(stats.tukey_hsd(*groups, equal_var=equal_variances).pvalue)


def friedman(values: FloatArray) -> GroupTest:
    """Test whether K treatments rank alike over N blocks, of (N, K) values with N ≥ 2 and K ≥ 3.

    References
    ----------
    Friedman (1937), Journal of the American Statistical Association 32(200).
    """
    if values.shape[0] < 2 or values.shape[1] < 3 or not np.isfinite(values).all() or not np.ptp(values, axis=1).any():
        return UNDEFINED
    found = stats.friedmanchisquare(*values.T)
    return GroupTest(float(found.statistic), float(found.pvalue))


def nemenyi_difference(treatments: int, blocks: int, alpha: float) -> float:
    """Return by how much the average ranks of two of K ≥ 2 treatments differ over N blocks, if not by chance.

    References
    ----------
    Nemenyi (1963); Demšar (2006), Journal of Machine Learning Research 7, section 3.2.2.
    """
    range_ = float(stats.studentized_range.isf(alpha, treatments, np.inf))
    return range_ * float(np.sqrt(treatments * (treatments + 1) / (12 * blocks)))


def hedges_g(a: FloatArray, b: FloatArray, *, level: float = 0.95) -> Effect:
    """Return the difference of two means in pooled standard deviations, corrected for its bias in small groups.

    Takes (n_a,) and (n_b,). The interval inverts the noncentral t distribution.

    References
    ----------
    Hedges (1981), Journal of Educational Statistics 6(2), equation 6e; Steiger & Fouladi (1997).
    """
    if not _varied((a, b)):
        return NO_EFFECT
    df = len(a) + len(b) - 2
    pooled = np.sqrt(((len(a) - 1) * a.var(ddof=1) + (len(b) - 1) * b.var(ddof=1)) / df)
    scale = np.sqrt(1 / len(a) + 1 / len(b))
    t = float((a.mean() - b.mean()) / (pooled * scale))
    correction = np.exp(gammaln(df / 2) - gammaln((df - 1) / 2)) / np.sqrt(df / 2)
    tails = np.array(_tails(level))
    far = abs(t) > FAR_T
    low, high = t * np.sqrt(_inverse(df, tails if t < 0 else 1 - tails)) if far else nctdtrinc(df, tails, t)
    return Effect(*(float(correction * scale * value) for value in (t, low, high)))


def eta_squared(groups: Sequence[FloatArray], *, level: float = 0.95) -> Effect:
    """Return the share of the variance of all values that lies between groups.

    The interval inverts the noncentral F distribution and starts at zero where no effect is compatible.

    References
    ----------
    Fisher (1925); Steiger (2004), Psychological Methods 9(2), section on η².
    """
    if not _varied(groups):
        return NO_EFFECT
    f, within = _fisher(groups)
    between, n = len(groups) - 1, within + len(groups)

    def bound(tail: float) -> float:
        if stats.f.cdf(f, between, within) <= tail:
            return 0.0
        if f > FAR_F:
            return f * between * float(_inverse(within, np.array(1 - tail)))
        beyond = f * between
        while (reached := stats.ncf.cdf(f, between, within, beyond)) > tail:
            beyond *= 2
        if np.isnan(reached):  # SciPy's function ends before such an effect does
            return float("nan")
        return float(brentq(lambda shift: stats.ncf.cdf(f, between, within, shift) - tail, 0, beyond))

    low, high = (shift / (shift + n) for shift in map(bound, _tails(level)))
    return Effect(f * between / (f * between + within), low, high)


def _varied(groups: Sequence[FloatArray], *, every: bool = False) -> bool:
    """Say whether all values are finite and spread within groups goes beyond rounding: in one, or in every group."""
    if len(groups) < 2 or any(len(group) < 2 or not np.isfinite(group).all() for group in groups):
        return False
    varied = [bool(np.ptp(group) > ROUNDING * np.abs(group).max()) for group in groups]
    return all(varied) if every else any(varied)


def _inverse(df: int, tail: FloatArray) -> FloatArray:
    """Return quantiles of χ² over its degrees of freedom."""
    return np.asarray(stats.chi2.ppf(tail, df) / df)


def _tails(level: float) -> tuple[float, float]:
    """Return the values of the distribution function at which the lower and the upper bound lie."""
    return (1 + level) / 2, (1 - level) / 2
