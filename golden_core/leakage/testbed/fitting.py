"""Labels, folds, what each fold fits on its training rows, and forecasts from fitted weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from golden_core.leakage.testbed.cleaning import trailing
from golden_core.leakage.testbed.features import WARM_UP, log_close, move
from golden_core.leakage.testbed.market import Plan
from golden_core.leakage.testbed.pair_bars import FloatArray, IntArray, Market, PairBars


@dataclass(frozen=True, eq=False)
class Labels:
    """What is to be forecast at each row of bars, where it is known."""

    y: FloatArray  # log return over the horizon [T]; NaN where it is not known yet
    end: IntArray  # row whose close completes the label [T]; T or more where it is not known yet


@dataclass(frozen=True, eq=False)
class Parts:
    """Rows of one fold: positions in the bars. Test rows may still be to come."""

    train: IntArray
    validation: IntArray
    test: IntArray


def label(bars: PairBars, horizon: int) -> Labels:
    """Return the log return from each close to the close ``horizon`` bars on."""
    level = log_close(bars)
    y = np.full(len(bars), np.nan)
    y[:-horizon] = level[horizon:] - level[:-horizon]
    return Labels(y, np.arange(len(bars)) + horizon)


def unit(bars: PairBars, horizon: int) -> FloatArray:
    """Return the scale of a label [T]: the root mean square of the last 24 moves, for the horizon."""
    moves = move(log_close(bars), 1)
    return np.asarray(np.sqrt((trailing(moves, 24) ** 2).mean(axis=1) * horizon))


def divide(rows: int, horizon: int, plan: Plan) -> list[Parts]:
    """Return walk-forward folds: a fold exists as soon as the labels of its validation part are known.

    Training and validation lose the rows whose labels, and the embargo behind them, reach the next part.
    """
    gap = horizon + plan.embargo
    folds: list[Parts] = []
    start = WARM_UP
    while True:
        middle = start + plan.train
        test = middle + plan.validation
        if test - plan.embargo > rows:
            return folds
        parts = (np.arange(start, middle - gap), np.arange(middle, test - gap), np.arange(test, test + plan.test))
        folds.append(Parts(*(part[part < rows] for part in parts)))
        start += plan.test


Losses = Callable[[IntArray], FloatArray]


@dataclass(frozen=True, eq=False)
class Case:
    """Everything that the stages of one fold may look at; honest ones look at few rows of it."""

    series: str  # EURUSD_h1
    pair: str
    horizon: int
    fold: int
    market: Market
    bars: PairBars  # the pair's clean bars, T rows
    names: tuple[str, ...]  # of the F features
    X: FloatArray  # features as computed [T, F]; NaN where missing
    y: FloatArray  # labels in units [T]
    unit: FloatArray  # scale of each label [T]
    hours: IntArray  # of the day [T]
    labels: Labels
    parts: Parts
    plan: Plan
    luck: FloatArray  # uniform numbers by which each member picks its training rows [members, T]


def encode(case: Case) -> FloatArray:
    """Return the mean label of each hour of the day [24], shrunken towards zero as if five zeros had been seen."""
    rows = case.parts.train
    counts = np.bincount(case.hours[rows], minlength=24)
    return np.bincount(case.hours[rows], weights=case.y[rows], minlength=24) / (counts + 5.0)


def fill(case: Case, X: FloatArray) -> FloatArray:
    """Return the mean of each feature where it is known [F]."""
    train = X[case.parts.train]
    known = np.isfinite(train)
    return np.asarray(np.where(known, train, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1))


def clip(case: Case, X: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the order statistics to which each feature is winsorised [F], [F]."""
    ordered = np.sort(X[case.parts.train], axis=0)
    tail = int(case.plan.tail * len(ordered))
    return ordered[tail], ordered[len(ordered) - 1 - tail]


def scale(case: Case, X: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard deviation of each feature [F], [F]; 1 for a constant one."""
    train = X[case.parts.train]
    spread = train.std(axis=0)
    return train.mean(axis=0), np.where(spread > 0, spread, 1.0)


def select(case: Case, Z: FloatArray) -> IntArray:
    """Return which features are kept [kept], in their order: the most correlated with the label."""
    rows = case.parts.train
    return np.sort(np.argsort(-np.abs(Z[rows].T @ case.y[rows]), kind="stable")[: case.plan.kept])


def reduce(case: Case, Z: FloatArray) -> FloatArray:
    """Return the principal components of the kept features [kept, components], the largest entry of each positive."""
    train, count = Z[case.parts.train], case.plan.components
    vectors = np.linalg.eigh(train.T @ train / len(train))[1][:, ::-1][:, :count]
    largest = vectors[np.argmax(np.abs(vectors), axis=0), np.arange(count)]
    return np.ascontiguousarray(vectors * np.sign(largest))


def window(Z: FloatArray, rows: IntArray, lags: int) -> FloatArray:
    """Return the last ``lags`` rows up to each row, newest first [N, lags · K]."""
    return np.concatenate([Z[rows - lag] for lag in range(lags)], axis=1)


def train(case: Case, W: FloatArray, rows: IntArray) -> FloatArray:
    """Return ridge weights along the penalty path [penalties, K] from windows [N, K], by one eigendecomposition."""
    values, vectors = np.linalg.eigh(W.T @ W / len(W))
    turned = vectors.T @ (W.T @ case.y[rows] / len(W))
    penalties = np.array(case.plan.penalties)[:, None]
    return np.asarray((turned / (np.maximum(values, 0.0) + penalties)) @ vectors.T)


def stop(case: Case, losses: Losses) -> IntArray:
    """Return how far down the penalty path each variant and member goes [variants, members]."""
    return np.asarray(np.argmin(losses(case.parts.validation), axis=2))


def tune(case: Case, losses: Losses) -> int:
    """Return the variant, of two window lengths, with the smallest validation loss."""
    return int(np.argmin(losses(case.parts.validation).min(axis=2).mean(axis=1)))


def draw(case: Case, losses: Losses) -> int:
    """Return the member, one per seed, with the smallest validation loss."""
    return int(np.argmin(losses(case.parts.validation).min(axis=2).mean(axis=0)))


BANDS = (0.0, 0.25, 0.5, 1.0)  # candidates for the dead band, in standard deviations of the forecast
MEMORY, GAIN = 0.9, 0.1  # of the running error that the predictor adds


def band(case: Case, forecast: FloatArray) -> float:
    """Return the dead band with the smallest squared error: smaller forecasts become zero. ``forecast`` has all [T]."""
    rows = case.parts.validation
    sizes = np.array(BANDS) * (forecast[rows].std() if len(rows) else 0.0)
    errors = [((case.y[rows] - cut(forecast[rows], size)) ** 2).sum() for size in sizes]
    return float(sizes[int(np.argmin(errors))])


def cut(forecast: FloatArray, size: float) -> FloatArray:
    """Set forecasts within the dead band to zero."""
    return np.where(np.abs(forecast) > size, forecast, 0.0)


def calibrate(case: Case, forecast: FloatArray) -> tuple[float, float]:
    """Return the order statistics of the validation residuals between which the level lies."""
    rows = case.parts.validation
    ordered = np.sort(case.y[rows] - forecast[rows])
    left = int((1 - case.plan.level) / 2 * len(ordered))
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
