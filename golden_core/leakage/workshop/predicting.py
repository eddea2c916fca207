"""From fitted weights to forecasts: dead band, a predictor with a state, intervals, and the rows that are tested."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from golden_core.leakage.workshop.fitting import Case
from golden_core.leakage.workshop.tape import FloatArray, IntArray

BANDS = (0.0, 0.25, 0.5, 1.0)  # candidates for the dead band, in standard deviations of the forecast
MEMORY, GAIN = 0.9, 0.1  # of the running error that the predictor adds


def band(case: Case, forecast: FloatArray) -> float:
    """Return the dead band: smaller forecasts become zero. ``forecast`` covers every row [T]."""
    rows = case.parts.validation
    return best_band(forecast[rows], case.y[rows])


def best_band(forecast: FloatArray, y: FloatArray) -> float:
    """Return the candidate with the smallest squared error."""
    sizes = np.array(BANDS) * (forecast.std() if len(forecast) else 0.0)
    errors = [((y - cut(forecast, size)) ** 2).sum() for size in sizes]
    return float(sizes[int(np.argmin(errors))])


def cut(forecast: FloatArray, size: float) -> FloatArray:
    """Set forecasts within the dead band to zero."""
    return np.where(np.abs(forecast) > size, forecast, 0.0)


def calibrate(case: Case, forecast: FloatArray) -> tuple[float, float]:
    """Return the quantiles of the validation residuals between which the level lies."""
    rows = case.parts.validation
    return residual_tails(case.y[rows] - forecast[rows], case.plan.level)


def residual_tails(residuals: FloatArray, level: float) -> tuple[float, float]:
    """Return the order statistics that leave out the same share at both ends."""
    ordered = np.sort(residuals)
    left = int((1 - level) / 2 * len(ordered))
    return float(ordered[left]), float(ordered[len(ordered) - 1 - left])


def predict(case: Case, forecast: FloatArray) -> FloatArray:
    """Return the forecasts of the test rows [N], with a share of the errors known by then; the state starts at 0."""
    rows = case.parts.test
    return forecast[rows] + GAIN * known_errors(case, forecast, rows)


def known_errors(case: Case, forecast: FloatArray, rows: IntArray) -> FloatArray:
    """Return the running error of earlier forecasts whose labels are known at each of consecutive rows [N]."""
    errors = case.y[rows] - forecast[rows]
    state = lfilter([1 - MEMORY], [1, -MEMORY], errors)
    return np.concatenate([np.zeros(min(case.horizon, len(rows))), state[: max(0, len(rows) - case.horizon)]])


def examined(case: Case) -> IntArray:
    """Return the rows on which the forecast is examined: all test rows."""
    return case.parts.test
