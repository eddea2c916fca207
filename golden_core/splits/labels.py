"""What is forecast: labels from closes. Label rows beyond the last bar are NaN, never dropped."""

from __future__ import annotations

import numpy as np

from golden_core.inputs.windows import FloatArray


def log_returns_ahead(close: FloatArray, horizon: int) -> FloatArray:
    """Return the log return from each bar to the bar ``horizon`` later.

    Parameters
    ----------
    close : (T,) float64
        Positive prices of consecutive bars.
    horizon : int
        Bars looked ahead, at least 1.

    Returns
    -------
    (T,) float64
        log(close[i + horizon] / close[i]); NaN for the last ``horizon`` rows, whose label is not known yet.
    """
    ahead = np.full(len(close), np.nan)
    ahead[:-horizon] = np.log(close[horizon:] / close[:-horizon])
    return ahead
