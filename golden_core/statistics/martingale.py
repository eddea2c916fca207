"""How large a sum of products of past and next return may become in a martingale: finite-sample bounds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

FloatArray = npt.NDArray[np.float64]

# The bound is sharpest where the sum of squares is this many times ρ²; any fixed number gives a valid one.
_SHARPEST = 10.0
RECENT = 32  # moves: a day and a bit of hours


def evidence(products: FloatArray, tolerated: float) -> FloatArray:
    """Return the e-value of each column against the claim that its terms cannot be foreseen.

    With dₜ the terms, S = Σdₜ and V = Σdₜ², ``exp(λS − λ²V/2)`` is a supermartingale for every λ when the dₜ are
    conditionally symmetric martingale differences, whatever their conditional variances and tails and however
    persistent the factor known before. Mixing over λ ~ N(0, 1/ρ²) gives e = √(ρ²/(V + ρ²)) · exp(S²/(2(V + ρ²))),
    whose mean is at most 1: by Markov, P(e ≥ 1/α) ≤ α at every sample size, and for K columns, however dependent,
    P(any e ≥ K/α) ≤ α.

    Parameters
    ----------
    products : (T, K) float64
        Terms of unit scale: a factor known before times a return, both standardised by their past. A term that is
        zero counts for nothing.
    tolerated : float
        Mean of a term, in units of its standard deviation, that is not held against it: real prices are not
        martingales to the last digit. |S| is reduced by ``tolerated`` · √(T · V) before the bound is applied.

    Returns
    -------
    (K,) float64
        Natural logarithm of e; for p-values use exp(−log e).

    References
    ----------
    de la Peña (1999), Annals of Probability 27(1), section 6 (the supermartingale for conditionally symmetric terms).
    de la Peña, Klass & Lai (2004), Annals of Probability 32(3A), section 2 (mixing over λ).
    Vovk & Wang (2021), Annals of Statistics 49(3) (e-values and their multiplicity).
    """
    terms = (products != 0).sum(axis=0)
    total, squares = products.sum(axis=0), (products**2).sum(axis=0)
    beyond = np.maximum(np.abs(total) - tolerated * np.sqrt(terms * squares), 0.0)
    rho = np.maximum(terms, 1) / _SHARPEST  # terms have unit scale, so V is about their number
    result: FloatArray = 0.5 * np.log(rho / (squares + rho)) + beyond**2 / (2 * (squares + rho))
    return result


def standardise_by_past(values: FloatArray, *, least: int, limit: float, centre: bool) -> FloatArray:
    """Divide each value by the spread of the values up to it, so that nothing later has a part in it.

    A mean over all rows would make a persistent factor correlate with the returns it is built from
    (Stambaugh 1999, Journal of Financial Economics 54); an expanding one cannot.

    Takes and gives (T, K): zero where a value is missing (NaN) or fewer than ``least`` came before. Results are clipped
    to ± ``limit``, an odd function, so that symmetric terms stay symmetric; ``centre`` subtracts the mean up to each
    row.
    """
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    count = known.cumsum(axis=0)
    safe = np.maximum(count, 1)
    mean = filled.cumsum(axis=0) / safe if centre else np.zeros_like(filled)
    spread = np.sqrt(np.maximum((filled**2).cumsum(axis=0) / safe - mean**2, 0.0))
    usable = known & (count >= least) & (spread > 1e-9 * np.abs(mean))
    scaled = np.divide(filled - mean, spread, out=np.zeros_like(filled), where=usable & (spread > 0))
    clipped: FloatArray = np.clip(scaled, -limit, limit)
    return clipped


def standardise_by_recent(moves: FloatArray, *, window: int = RECENT, limit: float = 4.0) -> FloatArray:
    """Divide each move by the typical size of the moves before it, so that clustered volatility hides nothing.

    Takes and gives (T,). The size is 1.48 times the median absolute value of the last ``window`` moves, the standard
    deviation of a normal variable; the first moves, with fewer before them, become zero. ``limit`` clips.
    """
    if len(moves) <= window:
        return np.zeros(len(moves))
    size = 1.4826 * np.median(sliding_window_view(np.abs(moves), window)[:-1], axis=1)
    scaled = np.zeros(len(moves))
    np.divide(moves[window:], size, out=scaled[window:], where=size > 0)
    clipped: FloatArray = np.clip(scaled, -limit, limit)
    return clipped
