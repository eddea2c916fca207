"""The one engine of every test of a mean over time: its long-run variance by equally weighted cosines.

What is averaged is a moment of moments.py. Bootstraps belong to resampling.py, adjustments to multiplicity.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import fft, stats
from scipy.special import nctdtrinc

FloatArray = npt.NDArray[np.float64]
Alternative = Literal["two-sided", "greater", "less"]

LEAST_COEFFICIENTS = 4  # below, Student's t has too few degrees of freedom to say anything
ROUNDING = 64 * np.finfo(np.float64).eps  # spread that float64 gives to numbers that are equal

NOT_FINITE = "a value is not finite"
TOO_SHORT = f"fewer than {LEAST_COEFFICIENTS} cosine coefficients: the series is too short for its horizon"
CONSTANT = "no spread beyond rounding: identical forecasts, or forecasts that differ by a constant"


@dataclass(frozen=True)
class LongRun:
    """Means over time, each with its interval and test. NaN where undefined, and ``reason`` says why ("" elsewhere)."""

    mean: FloatArray  # [...]
    low: FloatArray
    high: FloatArray
    statistic: FloatArray
    p_value: FloatArray
    reason: npt.NDArray[np.str_]
    df: int  # cosine coefficients, the degrees of freedom of Student's t
    n: int


def coefficients(n: int, horizon: int) -> int:
    """Return how many cosine coefficients estimate a long-run variance: min(0.4 n^⅔, n / 2h), rounded down.

    The first is the choice of Lazarus et al. for a small distortion of size; the second keeps to frequencies over which
    the overlap of h-bar labels leaves the spectrum flat. Below four, every test is undefined.

    Raises
    ------
    ValueError
        If the horizon is less than 1.
    """
    if horizon < 1:
        raise ValueError(f"the horizon counts bars and is at least 1, got {horizon}")
    return int(min(0.4 * np.cbrt(n) ** 2, n / (2 * horizon)))  # 1000^⅔ as a power is a little less than 100


def long_run(
    g: FloatArray,
    *,
    horizon: int,
    alternative: Alternative = "two-sided",
    level: float = 0.95,
    most: int | None = None,
) -> LongRun:
    """Test whether the mean of a moment over time is zero, and give its confidence interval.

    Parameters
    ----------
    g : (..., T) float64
        A moment in the order of time, as those of moments.py.
    horizon : int
        Bars looked ahead, h: neighbouring values share h − 1 of them.
    alternative : {"two-sided", "greater", "less"}
        Where the mean lies if not at zero. The interval is two-sided whatever is chosen.
    level : float
        Nominal coverage of the interval.
    most : int or None
        Coefficients at the most, for a moment that wanders for longer than the horizon says.

    Returns
    -------
    LongRun
        Its arrays have shape (...). Undefined are moments with a value that is not finite, without spread beyond
        rounding, or with fewer than four coefficients.

    Notes
    -----
    With Λⱼ = √(2/T) Σ gₜ cos(πj(t − ½)/T), the variance is the mean of Λ₁² … Λ_B², and the statistic
    √T · mean / √variance has Student's t distribution with B degrees of freedom in the limit where B stays fixed.
    Such a variance is never negative, unlike one of rectangular weights.

    References
    ----------
    Lazarus, Lewis, Stock & Watson (2018), Journal of Business & Economic Statistics 36(4), sections 3 and 4.
    """
    n = g.shape[-1]
    df = min(coefficients(n, horizon), most or n)
    mean, variance, reason = _moments(g, df)
    error = np.sqrt(variance / n) if n else variance
    statistic = mean / error
    half = stats.t.ppf((1 + level) / 2, df) * error if df else error
    return LongRun(
        mean=mean,
        low=mean - half,
        high=mean + half,
        statistic=statistic,
        p_value=_p_value(statistic, df, alternative),
        reason=reason,
        df=df,
        n=n,
    )


def equivalence(g: FloatArray, *, margin: float | FloatArray, horizon: int) -> FloatArray:
    """Return the p-value against a mean at or beyond the margin, on either side: small says that it lies within.

    Takes (..., T) and gives (...). ``margin`` is positive, in units of g; a series (..., T), such as one hundredth of
    the benchmark's loss, makes the margin a mean of its own whose uncertainty counts.

    Raises
    ------
    ValueError
        If a margin is negative, or the horizon less than 1.

    References
    ----------
    Schuirmann (1987), Journal of Pharmacokinetics and Biopharmaceutics 15(6) (two one-sided tests).
    """
    if (np.asarray(margin) < 0).any():
        raise ValueError("a margin of equivalence is a distance from zero and never negative")
    below = long_run(g - margin, horizon=horizon, alternative="less").p_value
    above = long_run(g + margin, horizon=horizon, alternative="greater").p_value
    return np.maximum(below, above)


def minimum_detectable(g: FloatArray, *, horizon: int, power: float = 0.8, alpha: float = 0.05) -> FloatArray:
    """Return the mean that a one-sided test at level ``alpha`` would have found with probability ``power``.

    Takes (..., T) and gives (...), in units of g, NaN where the test is undefined. The test statistic of a mean δ has
    the noncentral t distribution with noncentrality √T · δ / √variance.
    """
    n, df = g.shape[-1], coefficients(g.shape[-1], horizon)
    _, variance, _ = _moments(g, df)
    if df < LEAST_COEFFICIENTS:
        return np.full(g.shape[:-1], np.nan)[()]
    critical = stats.t.ppf(1 - alpha, df)
    effect: FloatArray = nctdtrinc(df, 1 - power, critical) * np.sqrt(variance / n)
    return effect


def _moments(g: FloatArray, count: int) -> tuple[FloatArray, FloatArray, npt.NDArray[np.str_]]:
    """Return mean, long-run variance of ``count`` cosines (NaN where undefined) and the reason, each (...)."""
    n = g.shape[-1]
    if count < LEAST_COEFFICIENTS:
        undefined = np.full(g.shape[:-1], np.nan)
        return (g.mean(axis=-1) if n else undefined[()]), undefined[()], np.full(g.shape[:-1], TOO_SHORT)[()]
    finite = np.asarray(np.isfinite(g).all(axis=-1))
    known = np.where(finite[..., np.newaxis], g, 0.0)
    mean = known.mean(axis=-1)
    # The orthonormal DCT-II gives all Λ in T log T steps. Centring first keeps a large mean out of the rounding.
    projected = fft.dct(known - mean[..., np.newaxis], norm="ortho", axis=-1)[..., 1 : count + 1]
    variance = np.square(projected).mean(axis=-1)
    size = np.abs(known).max(axis=-1)
    flat = (np.ptp(known, axis=-1) <= ROUNDING * size) | (variance <= np.square(ROUNDING * size))
    reason = np.where(finite, np.where(flat, CONSTANT, ""), NOT_FINITE)
    return np.where(finite, mean, np.nan)[()], np.where(reason == "", variance, np.nan)[()], reason[()]


def _p_value(statistic: FloatArray, df: int, alternative: Alternative) -> FloatArray:
    if df < LEAST_COEFFICIENTS:
        return np.full_like(statistic, np.nan)
    reached = {"two-sided": np.abs(statistic), "greater": statistic, "less": -statistic}[alternative]
    beyond: FloatArray = stats.t.sf(reached, df)
    return 2 * beyond if alternative == "two-sided" else beyond
