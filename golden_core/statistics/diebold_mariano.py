"""The Diebold–Mariano test of equal predictive accuracy of two forecasters. No other test belongs here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy  # loads scipy.stats when it is first used: half of what the evaluation takes to import

from golden_core.inputs.windows import FloatArray
from golden_core.statistics.long_run import ROUNDING
from golden_core.statistics.moments import accuracy


@dataclass(frozen=True)
class TestResult:
    """What a test of a mean loss difference found. ``None`` where the data leave the test undefined."""

    statistic: float | None
    p_value: float | None
    mean_difference: float
    n: int
    lags: int


def diebold_mariano(loss_a: FloatArray, loss_b: FloatArray, *, horizon: int) -> TestResult:
    """Test whether two forecasters have equal expected loss, two-sided.

    Parameters
    ----------
    loss_a, loss_b : (T,) float64
        Losses of the two forecasters at the same cutoffs, in time order.
    horizon : int
        Bars looked ahead, h. Optimal h-step errors are MA(h − 1), so h − 1 autocovariances enter the variance, with
        equal weights: both papers have these, and the correction is derived for them.

    Returns
    -------
    TestResult
        A negative statistic favours ``loss_a``. Statistic and p-value are ``None`` if the losses differ by a
        constant (identical losses included), to rounding, if T ≤ h, or if the estimated long-run variance is not
        positive.

    Raises
    ------
    ValueError
        If the losses are empty, not of one length, not finite, or the horizon is less than 1.

    References
    ----------
    Diebold & Mariano (1995), section 1.1; Harvey, Leybourne & Newbold (1997).
    """
    if loss_a.ndim != 1 or loss_a.shape != loss_b.shape or not len(loss_a):
        raise ValueError(f"needs two loss series of one length, got shapes {loss_a.shape} and {loss_b.shape}")
    if not (np.isfinite(loss_a).all() and np.isfinite(loss_b).all()):
        raise ValueError("a loss is not finite; a forecaster that failed has no place in a comparison")
    difference = loss_a - loss_b
    statistic = float(harvey_leybourne_newbold(difference, horizon=horizon))
    n = len(difference)
    # The difference of losses that differ by nothing, or by a constant, is what rounding of the losses leaves of it.
    size = np.maximum(np.abs(loss_a), np.abs(loss_b)).max()
    defined = np.isfinite(statistic) and np.ptp(accuracy(loss_b, loss_a)) > ROUNDING * size
    return TestResult(
        statistic=statistic if defined else None,
        p_value=float(2 * scipy.stats.t.sf(abs(statistic), df=n - 1)) if defined else None,
        mean_difference=float(difference.mean()),
        n=n,
        lags=horizon - 1,
    )


def harvey_leybourne_newbold(differences: FloatArray, *, horizon: int) -> FloatArray | np.float64:
    """Return the corrected statistic of many loss differences at once.

    Takes (..., T) in the order of time and gives (...): Student t with T − 1 degrees of freedom under the null, NaN
    where undefined. The horizon is that of :func:`diebold_mariano`.

    Raises
    ------
    ValueError
        If the horizon is less than 1.
    """
    if horizon < 1:
        raise ValueError(f"the horizon counts bars and is at least 1, got {horizon}")
    n = differences.shape[-1]
    if n <= horizon:
        return np.full(differences.shape[:-1], np.nan)[()]
    mean = differences.mean(axis=-1)
    centred = differences - mean[..., np.newaxis]
    variance = np.square(centred).mean(axis=-1)
    for lag in range(1, horizon):
        variance = variance + 2 * (centred[..., lag:] * centred[..., :-lag]).sum(axis=-1) / n
    # Rounding gives constant differences a variance of about 1e-34, so they are recognised by what they are.
    undefined = (np.ptp(differences, axis=-1) == 0) | (variance <= 0)
    # (T + 1 − 2h + h(h − 1)/T) / T, the square of the correction, is (T − h)(T − h + 1) / T².
    correction = np.sqrt((n - horizon) * (n - horizon + 1)) / n
    return np.where(undefined, np.nan, mean / np.sqrt(np.where(undefined, 1.0, variance) / n) * correction)[()]
