"""What is averaged over time to decide a claim: one moment a kind, all for the engine of long_run.py."""

from __future__ import annotations

import numpy as np

from golden_core.statistics.long_run import ROUNDING, FloatArray

# Losses of forecasts that agree to rounding differ by less than this part of their size; a real difference is never
# so small.
NEGLIGIBLE = 1e-10


def accuracy(loss_a: FloatArray, loss_b: FloatArray) -> FloatArray:
    """Return by how much ``loss_b`` exceeds ``loss_a`` at each time: positive where A is the more accurate.

    Takes two arrays (..., T) of losses at the same cutoffs. Where two loss series differ nowhere beyond rounding, all
    differences are zero, so that a test finds them undefined instead of certain. Losses that are not finite are alike
    nowhere: their differences are not finite either.

    References
    ----------
    Diebold & Mariano (1995), section 1.1.
    """
    difference = loss_b - loss_a
    larger = np.maximum(np.abs(loss_a), np.abs(loss_b))
    size = np.maximum(larger, np.median(larger, axis=-1, keepdims=True))
    alike = (np.isfinite(size) & (np.abs(difference) <= NEGLIGIBLE * size)).all(axis=-1, keepdims=True)
    return np.where(alike, 0.0, difference)


def predicts(y: FloatArray, forecast: FloatArray, benchmark: FloatArray | float = 0.0) -> FloatArray:
    """Return 2 (y − b)(f − b), whose mean is positive only if the forecast knows something that the benchmark does not.

    Takes (..., T). It is the loss difference of Clark & West with the noise of the larger model taken out. Under the
    null that y − b cannot be foreseen its mean is zero for every f that is a function of the past, fitted or not.

    References
    ----------
    Clark & West (2007), Journal of Econometrics 138(1), section 2.
    """
    return 2 * (y - benchmark) * departure(forecast, benchmark)


def departure(forecast: FloatArray, benchmark: FloatArray | float = 0.0) -> FloatArray:
    """Return by how much a forecast exceeds the benchmark; zero where it does by rounding alone. Takes (..., T)."""
    difference = forecast - benchmark
    rounding = ROUNDING * np.maximum(np.abs(forecast), np.abs(benchmark))
    return np.where(np.abs(difference) <= rounding, 0.0, difference)


def covers(y: FloatArray, low: FloatArray, high: FloatArray, level: float) -> FloatArray:
    """Return 1 − level where the interval [low, high] holds y, and −level where it does not: mean zero if calibrated.

    Takes (..., T); a y, low or high that is NaN gives NaN. Infinite bounds count as they are.

    References
    ----------
    Christoffersen (1998), International Economic Review 39(4), section 2 (unconditional coverage).
    """
    unknown = np.isnan(y) | np.isnan(low) | np.isnan(high)
    return np.where(unknown, np.nan, ((low <= y) & (y <= high)) - level)
