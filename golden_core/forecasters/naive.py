"""Benchmarks that estimate nothing, or one number: no change, and constant drift."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from golden_core.forecasters.base import Context, Epoch, FitError, Forecaster, State
from golden_core.forecasters.settings import NoSettings
from golden_core.inputs.windows import Examples, FloatArray, Windows
from golden_core.store.randomness import Stream


class RandomWalk(Forecaster):
    """No change: the forecast log return is zero.

    References
    ----------
    Meese & Rogoff (1983), the benchmark that exchange-rate models are held against.
    """

    Settings: ClassVar = NoSettings
    deterministic: ClassVar[bool] = True

    def __init__(self, settings: Mapping[str, Any], context: Context) -> None:
        del settings, context  # there is nothing to set

    def fit(self, train: Examples, validation: Examples, stream: Stream) -> list[Epoch]:
        """Learn nothing."""
        del train, validation, stream
        return []

    def predict(self, windows: Windows) -> FloatArray:
        """Return zeros [N]."""
        return np.zeros(len(windows))

    def state(self) -> State:
        """Return no arrays."""
        return {}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take over nothing."""
        del state


class Drift(Forecaster):
    """Constant drift: the h-bar forecast is h times the mean 1-bar log return of the training rows.

    The 1-bar returns from the first to the last training cutoff telescope, so their mean is
    ``log(last close / first close) / bars between``: the line through the first and the last training close. Where
    rows were left out, every run of rows telescopes by itself, and returns over the gaps do not count. The labels are
    not used; they reach beyond the last cutoff.

    References
    ----------
    Hyndman & Athanasopoulos (2021), *Forecasting: Principles and Practice*, section 5.2, drift method.
    """

    Settings: ClassVar = NoSettings
    deterministic: ClassVar[bool] = True

    def __init__(self, settings: Mapping[str, Any], context: Context) -> None:
        del settings
        self._horizon = context.horizon

    def fit(self, train: Examples, validation: Examples, stream: Stream) -> list[Epoch]:
        """Take the mean 1-bar log return of the training rows."""
        del validation, stream
        closes, rows = train.windows.last_close, train.windows.positions
        ends = np.append(np.flatnonzero(np.diff(rows) > 1), len(rows) - 1)
        starts = np.append(0, ends[:-1] + 1)
        bars = int((ends - starts).sum())
        if not bars:
            raise FitError(f"a drift needs 2 consecutive training rows, there are none among {len(closes)}")
        self._mean = np.log(closes[ends] / closes[starts]).sum() / bars
        return []

    def predict(self, windows: Windows) -> FloatArray:
        """Return the same forecast at every cutoff [N]."""
        return np.full(len(windows), self._horizon * self._mean)

    def state(self) -> State:
        """Return the mean 1-bar log return."""
        return {"mean_log_return": np.array([self._mean])}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take over the mean 1-bar log return."""
        self._mean = float(state["mean_log_return"][0])
