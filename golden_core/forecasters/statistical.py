"""Autoregression by least squares. Forecasters that need a statistics library have a module of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from golden_core.forecasters.base import Context, Epoch, FitError, Forecaster, State
from golden_core.forecasters.settings import ArSettings
from golden_core.inputs.windows import Examples, FloatArray, Windows
from golden_core.store.randomness import Stream

ROUNDING = 1e-12  # prices have some six digits: log returns that differ by less than this are equal


class AutoRegression(Forecaster):
    """Direct h-step autoregression: the h-bar log return on an intercept and the last p 1-bar log returns.

    The order p = 0 … ``max_order`` minimises BIC over the training rows, every order being judged on the same rows.
    Beyond one bar the labels overlap and their errors are correlated, which BIC ignores: it may then choose too high
    an order. The least-squares forecast stays consistent.

    References
    ----------
    Schwarz (1978), the criterion; Marcellino, Stock & Watson (2006), section 2.2, direct autoregressive forecasts.
    """

    Settings: ClassVar = ArSettings
    deterministic: ClassVar[bool] = True

    def __init__(self, settings: Mapping[str, Any], context: Context) -> None:
        del context
        self._max_order: int = settings["max_order"]

    def fit(self, train: Examples, validation: Examples, stream: Stream) -> list[Epoch]:
        """Choose the order and its coefficients on the training rows."""
        del validation, stream
        _require_enough(train, self._max_order)
        returns = _lagged_returns(train.windows, self._max_order)
        if np.ptp(train.y) < ROUNDING or (self._max_order and np.ptp(returns) < ROUNDING):
            raise FitError(f"an autoregression needs returns that vary, all {len(train)} training rows have the same")
        self._coefficients = select_by_bic(np.column_stack([np.ones(len(train)), returns]), train.y)
        return []

    def predict(self, windows: Windows) -> FloatArray:
        """Return intercept plus weighted past returns [N]."""
        intercept, weights = self._coefficients[0], self._coefficients[1:]
        # Not a matrix product: BLAS may round a row differently when the batch has another size.
        forecast: FloatArray = intercept + (_lagged_returns(windows, len(weights)) * weights).sum(axis=1)
        return forecast

    def state(self) -> State:
        """Return intercept and lag coefficients [1 + p], the latest lag first."""
        return {"coefficients": self._coefficients.copy()}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take over the coefficients; their number gives the order."""
        self._coefficients = np.asarray(state["coefficients"], dtype=np.float64)


def select_by_bic(design: FloatArray, y: FloatArray) -> FloatArray:
    """Return the least-squares coefficients of the first k columns, k ≥ 1 chosen by BIC.

    ``design`` (N, K) holds nested regressors: model k uses the first k columns.

    Raises
    ------
    FitError
        If a column is a linear combination of those before it.
    """
    Q, R = np.linalg.qr(design)
    diagonal = np.abs(np.diag(R))
    if (diagonal <= len(y) * np.finfo(np.float64).eps * np.linalg.norm(design, axis=0)).any():
        raise FitError(f"the {design.shape[1] - 1} lagged returns are not linearly independent; lower max_order")
    effects = Q.T @ y
    k = 1 + int(np.argmin(nested_bic(effects, y - Q @ effects)))
    return np.linalg.solve(R[:k, :k], effects[:k])


def nested_bic(effects: FloatArray, residuals: FloatArray) -> FloatArray:
    """Return the BIC of each nested least-squares model [K], with the constants of the Gaussian likelihood.

    Model k leaves the residuals of the full model and what the later columns would have explained, so that one
    orthogonal decomposition serves every order.

    ``effects`` (K,) are ``Qᵀy`` of the QR decomposition of the full design, ``residuals`` (N,) those of the full model.
    """
    n = len(residuals)
    explained_later = np.append(np.cumsum(effects[:0:-1] ** 2)[::-1], 0.0)
    squares = np.sum(residuals**2) + explained_later
    # Below rounding every order fits exactly; the floor makes them tie, so that the lowest of them wins.
    floor = (np.finfo(np.float64).eps * len(residuals)) ** 2 * squares[0]
    log_likelihood = -n / 2 * (np.log(2 * np.pi * np.maximum(squares, floor) / n) + 1)
    bic: FloatArray = np.log(n) * np.arange(1, len(effects) + 1) - 2 * log_likelihood
    return bic


def _lagged_returns(windows: Windows, count: int) -> FloatArray:
    """Return the last ``count`` 1-bar log returns at each cutoff [N, count], the latest first."""
    returns: FloatArray = np.diff(np.log(windows.recent_closes(count + 1)), axis=1)[:, ::-1]
    return returns


def _require_enough(train: Examples, max_order: int) -> None:
    behind = len(train.windows.past(0))
    if behind < max_order + 1:
        raise FitError(
            f"max_order {max_order} needs {max_order + 1} closes up to the first training cutoff "
            f"({train.windows.cutoffs[0]}), there are {behind}; lower max_order or start training later"
        )
    if len(train) < max_order + 3:
        raise FitError(
            f"max_order {max_order} needs at least {max_order + 3} training rows to leave a residual, "
            f"there are {len(train)}"
        )
