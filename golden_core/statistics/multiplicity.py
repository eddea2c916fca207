"""Adjustments of p-values for testing many hypotheses at once. The tests themselves belong elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from golden_core.statistics.long_run import FloatArray


def holm(p_values: FloatArray) -> FloatArray:
    """Adjust p-values so that the chance of any false rejection stays below the level, whatever their dependence.

    Takes and gives (K,). An undefined test (NaN) was still asked: it counts as p = 1, so that no other p-value falls
    because it failed, and it stays NaN.

    Raises
    ------
    ValueError
        If a p-value lies outside [0, 1].

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6(2).
    """
    return _stepped(p_values, lambda p: np.maximum.accumulate(p * np.arange(len(p), 0, -1)))


def benjamini_hochberg(p_values: FloatArray) -> FloatArray:
    """Adjust p-values so that the expected share of false ones among the rejections stays below the level.

    Takes, gives and raises as :func:`holm`. It holds for independent or positively dependent tests.

    References
    ----------
    Benjamini & Hochberg (1995), Journal of the Royal Statistical Society B 57(1).
    """
    return _stepped(p_values, lambda p: np.minimum.accumulate((p * len(p) / np.arange(1, len(p) + 1))[::-1])[::-1])


def _stepped(p_values: FloatArray, adjust: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Apply an adjustment of ascending p-values in the given order of tests."""
    undefined = np.isnan(p_values)
    p = np.where(undefined, 1.0, p_values)
    if ((p < 0) | (p > 1)).any():
        raise ValueError(f"p-values lie in [0, 1], got {p[(p < 0) | (p > 1)][0]}")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(adjust(p[order]), 1.0)
    return np.where(undefined, np.nan, adjusted)
