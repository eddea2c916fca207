"""Made-up markets for the tests of forecasters: closes from seeded returns, two causal features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.signal import lfilter

from golden_core.forecasters.base import Context
from golden_core.inputs.windows import Examples, FloatArray, Target, cut_windows
from golden_core.store.randomness import Stream
from golden_core.study import TrainingSection

VOLATILITY = 0.006  # of a daily log return, as of a major currency pair
TRAINING = TrainingSection(
    epochs=2, batch_size=64, shuffle=True, optimiser="adamw", learning_rate=1e-3, weight_decay=0.0,
    gradient_clip=1.0, precision="float32", early_stopping=None, plateau=None,
)  # fmt: skip


@dataclass(frozen=True)
class Market:
    """Closes [T] and what can be cut out of them. Features and scales are fixed, so no probe can move them."""

    closes: FloatArray
    context_length: int = 24
    horizon: int = 1
    levels: tuple[float, ...] = ()

    @property
    def context(self):
        return Context(self.context_length, ("return_1", "abs_return_1"), self.horizon, TRAINING, self.levels)

    def windows(self, rows):
        returns = np.diff(np.log(self.closes), prepend=np.log(self.closes[0])) / VOLATILITY
        return cut_windows(
            np.column_stack([returns, np.abs(returns) - 0.8]).astype(np.float32),
            self.closes.copy(),
            np.datetime64("2001-01-01T15:00", "us") + np.arange(len(self.closes)) * np.timedelta64(1, "D"),
            rows,
            context_length=self.context_length,
            horizon=self.horizon,
            target=Target("log_return", mean=0.0, scale=VOLATILITY * self.horizon**0.5),
        )

    def examples(self, rows):
        ends = np.asarray(rows)
        return Examples(self.windows(rows), np.log(self.closes[ends + self.horizon] / self.closes[ends]))


def closes_from(log_returns, start=1.1):
    """Return the closes [1 + T] that 1-bar log returns [T] lead to."""
    return start * np.exp(np.concatenate([[0.0], np.cumsum(log_returns)]))


@pytest.fixture(scope="session")
def stream():
    return Stream(20260101, ("tests", "forecasters"))


@pytest.fixture(scope="session")
def walk(stream):
    """Build a market whose log closes are a random walk."""

    def build(bars, **settings):
        returns = stream.child("walk").generator().normal(0.0, VOLATILITY, bars - 1)
        return Market(closes_from(returns), **settings)

    return build


@pytest.fixture(scope="session")
def momentum(stream):
    """Build a market whose returns continue, so that a forecaster that can learn forecasts more than a constant."""

    def build(bars, **settings):
        noise = stream.child("momentum").generator().normal(0.0, VOLATILITY, bars - 1)
        return Market(closes_from(lfilter([1.0], [1.0, -0.4, -0.2], noise)), **settings)

    return build


@pytest.fixture(scope="session")
def market():
    """The market class, for tests that bring their own closes."""
    return Market
