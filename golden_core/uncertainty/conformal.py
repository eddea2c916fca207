"""Conformal prediction on nonconformity scores: what a score stays below with a given chance. No forecasts in here.

Shape letters: m calibration scores, T rows to forecast, K kinds of score, each calibrated by itself.
"""

from __future__ import annotations

import numpy as np

from golden_core.inputs.windows import BoolArray, FloatArray, IntArray

# (m + 1)(1 − α) is a whole number for round α, but for rounding: 10 · 0.9 must not be asked for the 10th of 9.
_ROUNDING = 1e-9


def conformal_threshold(scores: FloatArray, alpha: FloatArray | float) -> FloatArray:
    """Return the thresholds [K] that a further score exceeds with probability α at most, exchangeable with these.

    Takes scores (m, K) and miscoverages [K] and gives the ⌈(m + 1)(1 − α)⌉-th smallest score; +∞ where that is beyond
    the m-th, for then nothing else is valid; −∞ for α ≥ 1, where nothing need be covered. For continuous scores the
    coverage of a threshold is Beta(k, m + 1 − k) distributed over calibration sets, k the rank.

    References
    ----------
    Vovk, Gammerman & Shafer (2005), section 4.1; Angelopoulos & Bates (2023), section 3.2, the law of the coverage.
    """
    if np.isnan(scores).any():
        raise ValueError(f"{int(np.isnan(scores).sum())} calibration scores are NaN")
    return _at_ranks(np.sort(scores, axis=0), conformal_rank(len(scores), alpha))


def conformal_rank(count: int, alpha: FloatArray | float) -> IntArray:
    """Return the rank, from 1, of the score of ``count`` that is the threshold: beyond ``count`` +∞, below 1 −∞."""
    return np.ceil((count + 1) * (1 - np.asarray(alpha)) - _ROUNDING).astype(np.int64)


def adaptive_thresholds(
    calibration: FloatArray, scores: FloatArray, known: IntArray, alpha: FloatArray, step: float
) -> FloatArray:
    """Return the thresholds [T, K] of adaptive conformal inference, each from the m scores known last.

    After every score that becomes known, α_t moves by ``step`` · (α − error), never clipped: at or below 0 the
    threshold is +∞, at or above 1 it is −∞. So for any sequence of scores, adversarial ones too, the share of errors
    among the first n rows is within ``(max(α, 1 − α) + delay · step) / (n · step)`` of α, for every n up to
    ``known[-1]``; ``delay`` is the largest ``t + 1 − known[t]``, 1 when every score is known before the next row.

    Parameters
    ----------
    calibration : (m, K) float64
        Scores known before the first row; m stays the length of the rolling window.
    scores : (T, K) float64
        Scores of the rows; those that never become known may be NaN.
    known : (T,) int
        How many of the rows have a known score when row t is forecast: never falling, at most t.
    alpha : (K,) float64
        Nominal miscoverage.
    step : float
        γ, how far one error moves α_t; positive.

    References
    ----------
    Gibbs & Candès (2021), equation 2 and proposition 4.1; with a delay, the same induction over the scores known.
    """
    if (known > np.arange(len(known))).any() or (np.diff(known) < 0).any() or (known < 0).any():
        raise ValueError("row t may know the scores of rows before t, and must not forget any")
    if np.isnan(calibration).any() or np.isnan(scores[: known[-1] if len(known) else 0]).any():
        raise ValueError("a score that is known is NaN")
    pool = np.concatenate([calibration, scores])
    current, seen = np.array(alpha, dtype=np.float64), 0
    thresholds = np.empty_like(scores, dtype=np.float64)
    for row, count in enumerate(known):
        errors = exceeded(scores[seen:count], thresholds[seen:count])
        current, seen = current + step * (alpha - errors).sum(axis=0), int(count)
        window = np.sort(pool[seen : seen + len(calibration)], axis=0)
        thresholds[row] = _at_ranks(window, conformal_rank(len(window), current))
    return thresholds


def exceeded(scores: FloatArray, thresholds: FloatArray) -> BoolArray:
    """Return which scores are errors: above their threshold."""
    return np.asarray(scores > thresholds)


def _at_ranks(ordered: FloatArray, ranks: IntArray) -> FloatArray:
    """Return the entries of sorted columns [m, K] at ranks [K], −∞ below the first and +∞ above the last."""
    ends = np.full((1, *ordered.shape[1:]), np.inf)
    padded = np.concatenate([-ends, ordered, ends])
    places = np.broadcast_to(np.clip(ranks, 0, len(ordered) + 1), ordered.shape[1:])
    return np.asarray(np.take_along_axis(padded, places[None], axis=0)[0])
