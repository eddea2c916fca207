"""From a forecast to the position it asks for, as a multiple of the capital. What a position costs is elsewhere."""

from __future__ import annotations

import numpy as np

from golden_core.statistics.long_run import FloatArray
from golden_core.study import EconomicsSection
from golden_core.study.money import SignRule


def signals(forecast: FloatArray, volatility: FloatArray, horizon: int, section: EconomicsSection) -> FloatArray:
    """Return the position that each forecast asks for, within the position limit; a NaN asks for none.

    Parameters
    ----------
    forecast : (..., N) float64
        Log returns over the horizon.
    volatility : (N,) float64
        Trailing standard deviation of one-bar log returns, known at the cutoff.
    horizon : int
        Bars looked ahead.
    section : EconomicsSection
        The rule and the limit.

    Returns
    -------
    (..., N) float64
        Multiples of the capital, negative where short. The opposite forecast gives exactly the opposite position.
    """
    rule, limit = section.signal, section.position_limit.multiple
    unit = volatility * np.sqrt(horizon)
    if isinstance(rule, SignRule):
        return np.where(np.abs(forecast) > rule.threshold * unit, limit * np.sign(np.nan_to_num(forecast)), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):  # without volatility any forecast is certain
        wanted = rule.gain * forecast / unit
    position: FloatArray = np.clip(np.nan_to_num(wanted, nan=0.0, posinf=limit, neginf=-limit), -limit, limit)
    return position
