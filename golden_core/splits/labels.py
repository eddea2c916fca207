"""What is forecast: labels from closes. Label rows beyond the last bar are NaN, never dropped."""

from __future__ import annotations

import numpy as np

from golden_core.inputs.windows import FloatArray


def log_returns_ahead(close: FloatArray, horizon: int) -> FloatArray:
    """Return log(close[i + horizon] / close[i]) [T]; NaN for the last rows, whose label is not known yet."""
    ahead = np.full(len(close), np.nan)
    ahead[:-horizon] = np.log(close[horizon:] / close[:-horizon])
    return ahead
