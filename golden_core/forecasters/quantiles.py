"""Quantiles beside a point forecast, before calibration: which forecasters can give them, and how.

Shape letters: N cutoffs, Q levels.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from scipy import special

from golden_core.forecasters.base import Forecaster
from golden_core.inputs.windows import Examples, FloatArray, Windows

# Forecasters whose errors on other rows are like those on the training rows, for they have few numbers to fit.
FROM_RESIDUALS = frozenset({"drift", "ar", "ets", "theta"})
CONSTANT_VOLATILITY = "random_walk"


@runtime_checkable
class GivesQuantiles(Protocol):
    """A forecaster that has a method of its own for quantiles; anybody's may."""

    def predict_quantiles(self, windows: Windows, levels: FloatArray) -> FloatArray:
        """Return finite quantiles of the h-bar log return [N, Q], each row from its own past alone."""
        ...


def raw_quantiles(
    name: str, forecaster: Forecaster, train: Examples, windows: Windows, levels: FloatArray
) -> FloatArray | None:
    """Return quantiles [N, Q] of a fitted forecaster, or None where it gives point forecasts only.

    The random walk's are those of a normal distribution with the mean square of the h-bar training returns; ``drift``,
    ``ar``, ``ets`` and ``theta`` add the quantiles of their training residuals to the forecast.

    Raises
    ------
    ValueError
        If a forecaster's own quantiles have another shape, or one is not finite.
    """
    if name == CONSTANT_VOLATILITY:
        spread = np.sqrt(np.mean(train.y**2)) * special.ndtri(levels)
        return np.asarray(forecaster.predict(windows)[:, None] + spread)
    if name in FROM_RESIDUALS:
        residuals = train.y - forecaster.predict(train.windows)
        return np.asarray(forecaster.predict(windows)[:, None] + np.quantile(residuals, levels))
    if not isinstance(forecaster, GivesQuantiles):
        return None
    own = np.asarray(forecaster.predict_quantiles(windows, levels), dtype=np.float64)
    if own.shape != (len(windows), len(levels)) or not np.isfinite(own).all():
        raise ValueError(
            f"predict_quantiles must return finite quantiles of shape ({len(windows)}, {len(levels)}), got shape "
            f"{own.shape} with {int((~np.isfinite(own)).sum())} that are not finite"
        )
    return own
