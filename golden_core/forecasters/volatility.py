"""No change, with a volatility that moves: GARCH(1,1) and GJR-t, fitted by arch. The mean is the random walk's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from arch import arch_model
from scipy import special
from scipy.signal import lfilter

from golden_core.forecasters.base import Context, Epoch, FitError, Forecaster, State
from golden_core.forecasters.closes import closes_since
from golden_core.forecasters.settings import NoSettings
from golden_core.inputs.windows import Examples, FloatArray, Windows
from golden_core.store.randomness import Stream

MIN_RETURNS = 100  # five parameters; below, the likelihood is too flat for its maximum to mean anything


class GarchWalk(Forecaster):
    """The random walk, whose 1-bar log returns have the variance ``ω + (α + γ·1[e < 0]) e² + β σ²``.

    Parameters are fitted to the closes of the training part and then frozen; to forecast, the recursion runs from the
    first training row over every later close, so that the variance at a cutoff depends on nothing after it. The h-bar
    return gets the variance of the sum, by the recursion in expectation, and the shape of one bar's distribution.

    References
    ----------
    Bollerslev (1986); Glosten, Jagannathan & Runkle (1993), the term in γ.
    """

    Settings: ClassVar = NoSettings
    deterministic: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "scipy", "arch")
    asymmetric: ClassVar[bool] = False
    student: ClassVar[bool] = False

    def __init__(self, settings: Mapping[str, Any], context: Context) -> None:
        del settings
        self._horizon = context.horizon

    def fit(self, train: Examples, validation: Examples, stream: Stream) -> list[Epoch]:
        """Fit on the 1-bar log returns between the first and the last training cutoff; the labels are not used."""
        del validation, stream
        self._start = int(train.windows.positions[0])
        returns = _returns(train.windows, self._start)
        if len(returns) < MIN_RETURNS:
            raise FitError(f"a GARCH model needs at least {MIN_RETURNS} training returns, there are {len(returns)}")
        self._unit = float(np.sqrt(np.mean(returns**2)))  # arch's optimiser wants returns near 1
        if not self._unit > 0:
            raise FitError(f"a GARCH model needs closes that vary, all {len(returns) + 1} are equal")
        model = arch_model(
            returns / self._unit, mean="Zero", o=int(self.asymmetric), dist="t" if self.student else "normal",
            rescale=False,
        )  # fmt: skip
        found = model.fit(disp="off", show_warning=False, backcast=1.0)
        if found.convergence_flag:
            raise FitError(f"no maximum of the likelihood of a GARCH model is found in {len(returns)} returns")
        fitted = {"gamma[1]": 0.0, "nu": np.inf} | dict(found.params)
        self._parameters = np.array([fitted[name] for name in ("omega", "alpha[1]", "gamma[1]", "beta[1]", "nu")])
        return []

    def predict(self, windows: Windows) -> FloatArray:
        """Return zeros [N]."""
        return np.zeros(len(windows))

    def predict_quantiles(self, windows: Windows, levels: FloatArray) -> FloatArray:
        """Return quantiles of the h-bar log return [N, Q]."""
        nu = self._parameters[4]
        shape = special.ndtri(levels) if np.isinf(nu) else special.stdtrit(nu, levels) * np.sqrt((nu - 2) / nu)
        return np.asarray(np.sqrt(self.variances(windows))[:, None] * shape)

    def variances(self, windows: Windows) -> FloatArray:
        """Return the variance of the h-bar log return at each cutoff [N].

        Raises
        ------
        ValueError
            If a cutoff lies before the first training row, where the recursion starts.
        """
        omega, alpha, gamma, beta, _ = self._parameters
        persistence = alpha + gamma / 2 + beta
        returns = _returns(windows, self._start)
        squares, falls = (returns / self._unit) ** 2, returns < 0
        first = omega + persistence  # of the bar after the first row, whose past has the mean square 1
        news = np.append(first, omega + (alpha + gamma * falls) * squares)
        ahead = lfilter([1.0], [1.0, -beta], news)[windows.positions - self._start]
        total, one = np.zeros_like(ahead), ahead
        for _ in range(self._horizon):
            total, one = total + one, omega + persistence * one
        return np.asarray(self._unit**2 * total)

    def state(self) -> State:
        """Return ω, α, γ, β, ν [5] of returns in units of their root mean square, that unit, and the first bar."""
        return {
            "parameters": self._parameters.copy(),
            "unit": np.array([self._unit]),
            "start": np.array([self._start], dtype=np.int64),
        }

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take over a fitted model."""
        self._parameters = np.asarray(state["parameters"], dtype=np.float64)
        self._unit, self._start = float(state["unit"][0]), int(state["start"][0])


class GjrTWalk(GarchWalk):
    """The same with more weight on falls, and Student t shocks."""

    asymmetric: ClassVar[bool] = True
    student: ClassVar[bool] = True


def _returns(windows: Windows, start: int) -> FloatArray:
    """Return every 1-bar log return from bar ``start`` to the last cutoff."""
    return np.asarray(np.diff(np.log(closes_since(windows, start))))
