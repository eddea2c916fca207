"""Quantiles of a forecaster made to hold on rows that it was not fitted on. How thresholds are found is conformal.py's.

Shape letters: m calibration rows, T rows to forecast, Q levels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from golden_core.inputs.windows import BoolArray, FloatArray, IntArray
from golden_core.uncertainty.conformal import adaptive_thresholds, conformal_threshold
from golden_core.uncertainty.rearrangement import rearranged
from golden_core.uncertainty.scores import verified_levels

# Scores of the calibration rows (m, Q) and of the rows to forecast (T, Q), and miscoverages [Q] → thresholds.
Rule = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]


@dataclass(frozen=True, eq=False)
class Quantiles:
    """Quantiles that do not cross [T, Q], and in which rows [T] they did, as given or as calibrated."""

    values: FloatArray
    rearranged: BoolArray


def split(calibration: FloatArray, _: FloatArray, alpha: FloatArray) -> FloatArray:
    """Split conformal: one threshold per level [Q]."""
    return conformal_threshold(calibration, alpha)


def adaptive(step: float, known: IntArray) -> Rule:
    """Adaptive conformal inference: a threshold per row and level [T, Q]; see :func:`adaptive_thresholds`."""

    def thresholds(calibration: FloatArray, scores: FloatArray, alpha: FloatArray) -> FloatArray:
        return adaptive_thresholds(calibration, scores, known, alpha, step)

    return thresholds


def calibrated(
    levels: FloatArray, calibration: tuple[FloatArray, FloatArray], given: tuple[FloatArray, FloatArray], rule: Rule
) -> Quantiles:
    """Shift each quantile until it holds: below an upper one lies at least its level, above a lower one the rest.

    Quantiles that cross as given are put in order first. Every level is calibrated by itself, from one side: its score
    is how far the truth lies beyond the quantile, in units of the row's own spread, the distance of its outermost
    quantiles; so that a shift found in calm rows is as wide as it must be in wild ones. A shift is infinite where only
    that is valid.

    Parameters
    ----------
    levels : (Q,) float64
    calibration : (m,) and (m, Q) float64
        Truth and quantiles of the calibration rows.
    given : (T,) and (T, Q) float64
        The same of the rows to forecast. A truth that the rule may not know can be NaN.
    rule
        :func:`split`, or what :func:`adaptive` returns.

    Raises
    ------
    ValueError
        If a row's quantiles have no spread or are not finite.

    References
    ----------
    Romano, Patterson & Candès (2019), section 4, the one-sided scores of their asymmetric intervals.
    """
    levels = verified_levels(levels)
    side = np.where(levels >= 0.5, 1.0, -1.0)
    alpha = np.minimum(levels, 1 - levels)
    before, (raw, crossed) = rearranged(calibration[1])[0], rearranged(given[1])
    known = side * (calibration[0][:, None] - before) / _spread(before)
    later = side * (given[0][:, None] - raw) / _spread(raw)
    values, again = rearranged(raw + side * rule(known, later, alpha) * _spread(raw))
    return Quantiles(values, crossed | again)


def _spread(raw: FloatArray) -> FloatArray:
    """Return the distance of the outermost quantiles of each row, as a column [N, 1]."""
    spread: FloatArray = raw[:, -1:] - raw[:, :1]
    if not (np.isfinite(spread) & (spread > 0)).all():
        raise ValueError("a forecaster must give finite quantiles that are not all equal: nothing can be calibrated")
    return spread
