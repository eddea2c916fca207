"""The forecaster of a retrial: a linear regression on lags and rolling means, named by ``custom`` in its studies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from golden_core.forecasters.base import Context, Epoch, FitError, Forecaster, State
from golden_core.inputs.windows import Examples, FloatArray, Windows
from golden_core.store.randomness import Stream
from golden_core.study import Section


class RegressionSettings(Section):
    """What the return ahead is regressed on, beside an intercept."""

    of: Literal["log_close", "log_return"] = Field(description="whether lags and means are of levels or of changes")
    lags: int = Field(ge=0, le=100, description="last values, the one at the cutoff included")
    means: tuple[Annotated[int, Field(ge=2, le=500)], ...] = Field(
        description="lengths of rolling means, which end at the cutoff"
    )


class Regression(Forecaster):
    """Linear regression of the h-bar log return on an intercept, lags and rolling means that end at the cutoff.

    Lags and a mean of as many values depend on each other linearly: the coefficients are those of least norm, and the
    forecast is the same for all. On levels, the intercept and the last one make it the regression of the level ahead.
    """

    Settings: ClassVar = RegressionSettings
    deterministic: ClassVar[bool] = True

    def __init__(self, settings: Mapping[str, Any], context: Context) -> None:
        del context
        self._of: str = settings["of"]
        self._lags: int = settings["lags"]
        self._means: tuple[int, ...] = tuple(settings["means"])

    def fit(self, train: Examples, validation: Examples, stream: Stream) -> list[Epoch]:
        """Fit on the training rows; nothing is chosen, so that validation rows are of no use."""
        del validation, stream
        regressors = 1 + self._lags + len(self._means)
        if len(train) <= regressors or len(train.windows.past(0)) < self._reach:
            raise FitError(
                f"needs more than {regressors} training rows, with {self._reach} closes up to the first cutoff; there "
                f"are {len(train)} rows and {len(train.windows.past(0))} closes: lower lags or means, or train later"
            )
        design = self._design(train.windows)
        self._centre = design.mean(axis=0)  # levels are far from zero, against which rounding would be measured
        centred = np.column_stack([np.ones(len(design)), design - self._centre])
        self._coefficients = np.linalg.lstsq(centred, train.y, rcond=None)[0]
        return []

    def predict(self, windows: Windows) -> FloatArray:
        """Return intercept plus weighted lags and means [N]."""
        # Not a matrix product: BLAS may round a row differently when the batch has another size.
        weighted = (self._design(windows) - self._centre) * self._coefficients[1:]
        forecast: FloatArray = self._coefficients[0] + weighted.sum(axis=1)
        return forecast

    def state(self) -> State:
        """Return intercept and coefficients [1 + K], lags first, and the means of the regressors [K]."""
        return {"coefficients": self._coefficients.copy(), "centre": self._centre.copy()}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take over coefficients and centre."""
        self._coefficients = np.asarray(state["coefficients"], dtype=np.float64)
        self._centre = np.asarray(state["centre"], dtype=np.float64)

    @property
    def _reach(self) -> int:
        """How many closes the regressors need."""
        return max([self._lags, *self._means, 1]) + (self._of == "log_return")

    def _design(self, windows: Windows) -> FloatArray:
        """Return lags, the latest first, then means [N, K]."""
        values = np.log(windows.recent_closes(self._reach))
        if self._of == "log_return":
            values = np.diff(values, axis=1)
        lags = [values[:, -1 - lag] for lag in range(self._lags)]
        columns = lags + [values[:, -length:].mean(axis=1) for length in self._means]
        return np.column_stack(columns) if columns else np.empty((len(values), 0))
