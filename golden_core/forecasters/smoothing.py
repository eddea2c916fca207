"""Exponential smoothing through statsforecast; apart from the other statistics, since that library loads slowly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from statsforecast.ets import pegelsresid_C
from statsforecast.models import AutoETS

from golden_core.forecasters.base import Context, Epoch, Forecaster, State
from golden_core.forecasters.closes import closes_since, training_closes
from golden_core.forecasters.settings import EtsSettings
from golden_core.inputs.windows import Examples, FloatArray, Windows
from golden_core.store.randomness import Stream

# Our name of a model → statsforecast's letters and whether its trend is damped (None: let AICc choose).
MODELS: dict[str, tuple[str, bool | None]] = {
    "ANN": ("ANN", False),
    "AAN": ("AAN", False),
    "AAdN": ("AAN", True),
    "AZN": ("AZN", None),
}
MIN_ROWS = 10  # the damped trend has five free numbers and AICc divides by rows − 7


class ExponentialSmoothing(Forecaster):
    """Additive exponential smoothing of log closes, its parameters frozen after the training part.

    Trend and parameters are fitted to the closes of the training rows alone. To forecast, the fitted recursion runs
    from the first training row over every later close, so that the state at a cutoff depends on nothing after it;
    the forecast is the extrapolated level h bars on, less the last log close.

    References
    ----------
    Hyndman, Koehler, Ord & Snyder (2008), *Forecasting with Exponential Smoothing*, section 2.5 and chapter 5.
    """

    Settings: ClassVar = EtsSettings
    deterministic: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "statsforecast", "coreforecast")

    def __init__(self, settings: Mapping[str, Any], context: Context) -> None:
        self._letters, self._damped = MODELS[settings["model"]]
        self._horizon = context.horizon

    def fit(self, train: Examples, validation: Examples, stream: Stream) -> list[Epoch]:
        """Select and fit on the closes of the training rows; the labels are not used."""
        del validation, stream
        closes = training_closes(train, "exponential smoothing", MIN_ROWS)
        model = AutoETS(season_length=1, model=self._letters, damped=self._damped).fit(np.log(closes)).model_
        smoothing, self._initial = model["par"][:4], model["par"][4:]
        self._smoothing = smoothing[np.isfinite(smoothing)]
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
        states = filter_states(log_closes, self._smoothing, self._initial)[after]
        # Extrapolated here, for statsforecast 2.1.1 counts φ twice beyond one bar (corrected in its pull request 1219).
        damping = self._smoothing[2] if len(self._smoothing) == 3 else 1.0
        bars_of_trend = np.sum(damping ** np.arange(1, self._horizon + 1))
        trend = states[:, 1] if len(self._initial) == 2 else 0.0
        forecast: FloatArray = states[:, 0] + bars_of_trend * trend - log_closes[after]
        return forecast

    def state(self) -> State:
        """Return smoothing [α], [α, β] or [α, β, φ], initial level and trend [1 or 2], and the bar they stand at."""
        return {
            "smoothing": self._smoothing.copy(),
            "initial": self._initial.copy(),
            "start": np.array([self._start], dtype=np.int64),
        }

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take over a fitted model; the lengths of its arrays tell which components it has."""
        self._smoothing = np.asarray(state["smoothing"], dtype=np.float64)
        self._initial = np.asarray(state["initial"], dtype=np.float64)
        self._start = int(state["start"][0])


def filter_states(log_closes: FloatArray, smoothing: FloatArray, initial: FloatArray) -> FloatArray:
    """Return level and trend after each observation [T, 1 or 2].

    ``smoothing`` is (α), (α, β) or (α, β, φ), ``initial`` level and trend before the first observation.
    """
    alpha, beta, phi = np.append(smoothing, [0.0, 1.0][len(smoothing) - 1 :])
    _, _, states, _ = pegelsresid_C(
        y=log_closes,
        m=1,
        init_state=initial,
        errortype="A",
        trendtype="A" if len(initial) == 2 else "N",
        seasontype="N",
        damped=len(smoothing) == 3,
        alpha=alpha,
        beta=beta,
        gamma=0.0,
        phi=phi,
        nmse=1,
    )
    filtered: FloatArray = states[1:]
    return filtered
