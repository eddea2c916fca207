"""What each fold fits on its training rows: fill values, limits, scales, encoding, selection, components, weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from golden_core.leakage.workshop.folding import Labels, Parts
from golden_core.leakage.workshop.plan import Plan
from golden_core.leakage.workshop.tape import FloatArray, IntArray, Market, Tape

Losses = Callable[[IntArray], FloatArray]


@dataclass(frozen=True, eq=False)
class Case:
    """Everything that the stages of one fold may look at; honest ones look at few rows of it.

    Parameters
    ----------
    series : str
        ``EURUSD_h1``.
    pair, horizon, fold : str, int, int
    market : Market
    tape : Tape
        The pair's clean bars, T rows.
    names : tuple of str
        Names of the F features.
    X : (T, F) float64
        Features as computed; NaN where missing.
    y : (T,) float64
        Labels in units.
    unit : (T,) float64
        Scale of each label.
    hours : (T,) int64
        Hour of the day of each row.
    labels : Labels
    parts : Parts
    plan : Plan
    luck : (members, T) float64
        Uniform numbers by which each member picks its training rows.
    """

    series: str
    pair: str
    horizon: int
    fold: int
    market: Market
    tape: Tape
    names: tuple[str, ...]
    X: FloatArray
    y: FloatArray
    unit: FloatArray
    hours: IntArray
    labels: Labels
    parts: Parts
    plan: Plan
    luck: FloatArray


def encode(case: Case) -> FloatArray:
    """Return the shrunken mean label of each hour of the day [24]."""
    rows = case.parts.train
    return hour_means(case.hours[rows], case.y[rows])


def hour_means(hours: IntArray, y: FloatArray) -> FloatArray:
    """Return the mean of labels by hour [24], shrunken towards zero as if five zeros had been seen."""
    counts = np.bincount(hours, minlength=24)
    return np.bincount(hours, weights=y, minlength=24) / (counts + 5.0)


def fill(case: Case, X: FloatArray) -> FloatArray:
    """Return the mean of each feature where it is known [F]."""
    return column_means(X[case.parts.train])


def column_means(X: FloatArray) -> FloatArray:
    """Return the mean of each column over its finite values [F]."""
    known = np.isfinite(X)
    found: FloatArray = np.where(known, X, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return found


def clip(case: Case, X: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the limits to which each feature is winsorised [F], [F]."""
    return tails(X[case.parts.train], case.plan.tail)


def tails(X: FloatArray, tail: float) -> tuple[FloatArray, FloatArray]:
    """Return the order statistics that cut a share of each column off at both ends."""
    ordered = np.sort(X, axis=0)
    cut = int(tail * len(X))
    return ordered[cut], ordered[len(X) - 1 - cut]


def scale(case: Case, X: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard deviation of each feature [F], [F]."""
    return moments(X[case.parts.train])


def moments(X: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard deviation of each column; 1 for a constant one."""
    spread = X.std(axis=0)
    return X.mean(axis=0), np.where(spread > 0, spread, 1.0)


def select(case: Case, Z: FloatArray) -> IntArray:
    """Return which features are kept [kept], in their order: the most correlated with the label."""
    rows = case.parts.train
    return strongest(Z[rows], case.y[rows], case.plan.kept)


def strongest(Z: FloatArray, y: FloatArray, kept: int) -> IntArray:
    """Return the columns whose product with y is largest on average."""
    return np.sort(np.argsort(-np.abs(Z.T @ y), kind="stable")[:kept])


def reduce(case: Case, Z: FloatArray) -> FloatArray:
    """Return the principal components of the kept features [kept, components]."""
    return components(Z[case.parts.train], case.plan.components)


def components(Z: FloatArray, count: int) -> FloatArray:
    """Return the leading eigenvectors of a second moment matrix, the largest entry of each positive."""
    vectors = np.linalg.eigh(Z.T @ Z / len(Z))[1][:, ::-1][:, :count]
    largest = vectors[np.argmax(np.abs(vectors), axis=0), np.arange(count)]
    return np.ascontiguousarray(vectors * np.sign(largest))


def window(Z: FloatArray, rows: IntArray, lags: int) -> FloatArray:
    """Return the last ``lags`` rows up to each row, newest first [N, lags · K]."""
    return np.concatenate([Z[rows - lag] for lag in range(lags)], axis=1)


def train(case: Case, W: FloatArray, rows: IntArray) -> FloatArray:
    """Return ridge weights along the penalty path [penalties, K] from windows [N, K] of some rows."""
    return ridge(W, case.y[rows], case.plan.penalties)


def ridge(W: FloatArray, y: FloatArray, penalties: tuple[float, ...]) -> FloatArray:
    """Return the ridge solutions for several penalties per row from one eigendecomposition."""
    values, vectors = np.linalg.eigh(W.T @ W / len(W))
    turned = vectors.T @ (W.T @ y / len(W))
    found: FloatArray = (turned / (np.maximum(values, 0.0) + np.array(penalties)[:, None])) @ vectors.T
    return found


def stop(case: Case, losses: Losses) -> IntArray:
    """Return how far down the penalty path each variant and member goes [variants, members]."""
    found: IntArray = np.argmin(losses(case.parts.validation), axis=2)
    return found


def tune(case: Case, losses: Losses) -> int:
    """Return the variant, of two window lengths, with the smallest validation loss."""
    return int(np.argmin(losses(case.parts.validation).min(axis=2).mean(axis=1)))


def draw(case: Case, losses: Losses) -> int:
    """Return the member, one per seed, with the smallest validation loss."""
    return int(np.argmin(losses(case.parts.validation).min(axis=2).mean(axis=0)))
