"""Scores of forecast distributions and quantiles: one number per forecast, lower is better. No averages, no tests.

Shape letters: N forecasts, Q quantile levels. All scores have the unit of ``y`` but coverage, which has none. An
infinite quantile is a forecast like any other: its interval is infinitely wide and covers, its score is infinite. NaN
is refused.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from golden_core.inputs.windows import BoolArray, FloatArray


def crps_quantiles(y: FloatArray, quantiles: FloatArray, levels: FloatArray) -> FloatArray:
    """Return the CRPS [N] of the distribution that quantiles [N, Q] at levels [Q] stand for.

    The rule: its quantile function is linear between neighbouring levels and constant beyond the outer ones. The score
    is the exact integral of twice the pinball loss over all levels, so uneven levels weigh as much as they span, and
    on average no forecast scores better than the true distribution. A mean, or a trapezoid, of pinball losses has
    neither property.

    References
    ----------
    Gneiting & Ranjan (2011), equation 16, the CRPS as an integral of quantile scores.
    """
    edges = np.concatenate([[0.0], verified_levels(levels), [1.0]])
    values = np.pad(_ordered(quantiles, len(levels)), [(0, 0)] * (np.ndim(quantiles) - 1) + [(1, 1)], mode="edge")
    finite: BoolArray = np.asarray(np.isfinite(values).all(axis=-1))
    values = np.where(finite[..., None], values, 0.0)
    a, b = edges[:-1], edges[1:]
    above, below = values[..., :-1], values[..., 1:]
    left, right = _numbers(y)[..., None] - above, _numbers(y)[..., None] - below
    width = below - above
    # Where the quantile function passes y: there the loss turns from τ (y − q) to (1 − τ) (q − y).
    turn = np.divide(left, width, out=np.where(left > 0, 1.0, 0.0), where=width > 0).clip(0.0, 1.0)
    under = (b - a) / 6 * (a * left + (a + b) * (left + right) + b * right)  # ∫ τ (y − q), by Simpson's rule exactly
    over = (b - a) * (1 - turn) / 2 * (np.minimum(left, 0.0) + right)  # ∫ (y − q) above the turn
    return np.where(finite, 2 * (under - over).sum(axis=-1), np.inf)


def pinball(y: FloatArray, quantiles: FloatArray, levels: FloatArray) -> FloatArray:
    """Return the pinball loss [N, Q] of quantiles [N, Q] at levels [Q].

    References
    ----------
    Koenker & Bassett (1978).
    """
    levels = verified_levels(levels)
    error = _numbers(y)[..., None] - _numbers(quantiles)
    return np.maximum(levels * error, (levels - 1) * error)


def interval_score(y: FloatArray, low: FloatArray, high: FloatArray, level: float) -> FloatArray:
    """Return the interval score [N]: width, and 2/α per unit by which a central interval of 1 − α = ``level`` misses.

    References
    ----------
    Gneiting & Raftery (2007), equation 43.
    """
    alpha = 1 - float(verified_levels(np.array([level]))[0])
    missed = np.maximum(_numbers(low) - y, 0.0) + np.maximum(_numbers(y) - high, 0.0)
    return np.asarray(width(low, high) + 2 / alpha * missed)


def weighted_interval_score(y: FloatArray, quantiles: FloatArray, levels: FloatArray) -> FloatArray:
    """Return the weighted interval score [N] of a median and K central intervals, levels [2K + 1] symmetric about ½.

    Interval scores weigh α/2 and the absolute error of the median ½, over K + ½: with many even levels, the CRPS.

    References
    ----------
    Bracher, Ray, Gneiting & Reich (2021), equation 1.
    """
    levels, values = verified_levels(levels), _ordered(quantiles, len(levels))
    pairs = central_intervals(levels)
    score = np.abs(_numbers(y) - values[..., len(pairs)]) / 2
    for low, high, level in pairs:
        score = score + (1 - level) / 2 * interval_score(y, values[..., low], values[..., high], level)
    return np.asarray(score / (len(pairs) + 0.5))


def covered(y: FloatArray, low: FloatArray, high: FloatArray) -> BoolArray:
    """Return whether each value lies within its interval [N], the ends included."""
    return np.asarray((width(low, high) >= 0) & (low <= _numbers(y)) & (y <= high))


def width(low: FloatArray, high: FloatArray) -> FloatArray:
    """Return the widths of intervals [N], the sharpness of a forecast; infinite where an end is."""
    if not (_numbers(low) <= _numbers(high)).all():
        raise ValueError("an interval ends before it begins: rearrange crossing quantiles first")
    finite = np.isfinite(low) & np.isfinite(high)
    return np.asarray(np.subtract(high, low, out=np.full(finite.shape, np.inf), where=finite))


def central_intervals(levels: FloatArray) -> list[tuple[int, int, float]]:
    """Return places of low and high end, and level, of every central interval, the widest first.

    Raises
    ------
    ValueError
        If the levels are not symmetric about ½, or ½ is not among them.
    """
    if len(levels) % 2 == 0 or not np.allclose(np.add(levels, np.flip(levels)), 1.0, rtol=0, atol=1e-9):
        raise ValueError(f"central intervals need levels symmetric about 0.5, and 0.5 itself, got {list(levels)}")
    last = len(levels) - 1
    return [(k, last - k, round(float(levels[last - k] - levels[k]), 12)) for k in range(last // 2)]


def verified_levels(levels: FloatArray) -> FloatArray:
    """Return quantile levels [Q] as an array.

    Raises
    ------
    ValueError
        If one is not strictly between 0 and 1, or they do not increase.
    """
    levels = np.asarray(levels, dtype=np.float64)
    if not (levels.ndim == 1 and len(levels) and ((levels > 0) & (levels < 1)).all() and (np.diff(levels) > 0).all()):
        raise ValueError(f"quantile levels must increase strictly between 0 and 1, got {levels.tolist()}")
    return levels


def _ordered(quantiles: FloatArray, count: int) -> FloatArray:
    values = _numbers(quantiles)
    if values.ndim == 0 or values.shape[-1] != count:
        raise ValueError(f"{count} levels need {count} quantiles along the last axis, got shape {values.shape}")
    if not (values[..., 1:] >= values[..., :-1]).all():
        raise ValueError("quantiles cross: rearrange them first")
    return values


def _numbers(values: npt.ArrayLike) -> FloatArray:
    numbers = np.asarray(values, dtype=np.float64)
    if np.isnan(numbers).any():
        raise ValueError(f"{int(np.isnan(numbers).sum())} of {numbers.size} values are NaN: they have no score")
    return numbers
