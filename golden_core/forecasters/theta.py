"""The theta method of log closes, as the exponential smoothing with drift that it is. Needs SciPy alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.signal import lfilter

from golden_core.forecasters.base import Context, Epoch, FitError, Forecaster, State
from golden_core.forecasters.closes import closes_since, training_closes
from golden_core.forecasters.settings import NoSettings
from golden_core.inputs.windows import Examples, FloatArray, Windows
from golden_core.store.randomness import Stream

MIN_ROWS = 10  # a line and a smoothing weight
GRID = np.linspace(0.05, 1.0, 20)  # the sum of squares may have several minima: the best of these is refined


class Theta(Forecaster):
    """The theta method: exponential smoothing of log closes with half the drift of their trend line.

    The mean of two theta lines of the training closes, the trend line (θ = 0) and the line of twice the curvature
    (θ = 2) smoothed exponentially, is exponential smoothing with a drift of half the line's slope. Slope and weight
    are fitted to the closes of the training rows; the level then runs on over every later close, so that it depends
    on nothing after a cutoff. The forecast is the level plus h drifts, less the last log close.

    References
    ----------
    Assimakopoulos & Nikolopoulos (2000), the method; Hyndman & Billah (2003), section 2, what it is.
    """

    Settings: ClassVar = NoSettings
    deterministic: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "scipy")

    def __init__(self, settings: Mapping[str, Any], context: Context) -> None:
        del settings
        self._horizon = context.horizon

    def fit(self, train: Examples, validation: Examples, stream: Stream) -> list[Epoch]:
        """Fit slope and weight to the closes of the training rows; the labels are not used."""
        del validation, stream
        log_closes = np.log(training_closes(train, "the theta method", MIN_ROWS))
        bars = np.arange(len(log_closes)) - (len(log_closes) - 1) / 2
        self._drift = float((bars * log_closes).sum() / (bars * bars).sum()) / 2
        self._weight = best_weight(log_closes, self._drift)
        self._start = int(train.windows.positions[0])
        return []

    def predict(self, windows: Windows) -> FloatArray:
        """Return the h-bar extrapolation less the last log close [N].

        Raises
        ------
        ValueError
            If a cutoff lies before the first training row, where the recursion starts.
        """
        log_closes = np.log(closes_since(windows, self._start))
        after = windows.positions - self._start
        levels = smoothed_levels(log_closes, self._weight, self._drift)[after]
        return np.asarray(levels + self._horizon * self._drift - log_closes[after])

    def state(self) -> State:
        """Return the smoothing weight, the drift per bar, and the bar at which the level starts."""
        return {
            "weight": np.array([self._weight]),
            "drift": np.array([self._drift]),
            "start": np.array([self._start], dtype=np.int64),
        }

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take over a fitted weight and drift."""
        self._weight, self._drift = float(state["weight"][0]), float(state["drift"][0])
        self._start = int(state["start"][0])


def smoothed_levels(log_closes: FloatArray, weight: float, drift: float) -> FloatArray:
    """Return the level after each observation [T]: ``l' = l + drift + weight · (y − l − drift)``, from the first."""
    kept = 1 - weight
    moved = weight * log_closes[1:] + kept * drift
    later, _ = lfilter([1.0], [1.0, -kept], moved, zi=[kept * log_closes[0]])
    return np.append(log_closes[0], later)


def best_weight(log_closes: FloatArray, drift: float) -> float:
    """Return the weight in (0, 1] with the least sum of squared one-bar errors.

    Raises
    ------
    FitError
        If the search does not converge.
    """

    def squares(weight: float) -> float:
        errors = log_closes[1:] - smoothed_levels(log_closes, weight, drift)[:-1] - drift
        return float((errors * errors).sum())

    place = int(np.argmin([squares(weight) for weight in GRID]))
    step = GRID[1] - GRID[0]
    bounds = (max(GRID[place] - step, 1e-4), min(GRID[place] + step, 1.0))
    found = minimize_scalar(squares, bounds=bounds, method="bounded", options={"xatol": 1e-8})
    if not found.success:
        raise FitError(f"no smoothing weight is found in {len(log_closes)} closes: {found.message}")
    # A bounded search stays off its ends, and 1, no smoothing at all, is what fits a random walk.
    return min((float(found.x), float(GRID[place])), key=squares)
