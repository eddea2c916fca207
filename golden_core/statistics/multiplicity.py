"""Adjustments of p-values for testing many hypotheses at once. The tests themselves belong elsewhere."""

from __future__ import annotations

import numpy as np

from golden_core.inputs.windows import FloatArray


def holm(p_values: FloatArray) -> FloatArray:
    """Adjust p-values so that the chance of any false rejection stays below the level, whatever their dependence.

    Takes and gives (K,); NaN where a test is undefined: it is not counted and stays NaN.

    Raises
    ------
    ValueError
        If a p-value lies outside [0, 1].

    References
    ----------
    Holm (1979).
    """
    defined = ~np.isnan(p_values)
    p = p_values[defined]
    if ((p < 0) | (p > 1)).any():
        raise ValueError(f"p-values lie in [0, 1], got {p[(p < 0) | (p > 1)][0]}")
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.full_like(p_values, np.nan)
    adjusted[np.flatnonzero(defined)[order]] = np.minimum(stepped, 1.0)
    return adjusted
