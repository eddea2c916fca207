"""Labels, their units, and folds: which rows train, choose and test. No value is fitted here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from golden_core.leakage.workshop.cleaning import trailing
from golden_core.leakage.workshop.features import WARM_UP, log_close, move
from golden_core.leakage.workshop.plan import Plan
from golden_core.leakage.workshop.tape import FloatArray, IntArray, Tape


@dataclass(frozen=True, eq=False)
class Labels:
    """What is to be forecast at each row of a tape.

    Parameters
    ----------
    y : (T,) float64
        Log return over the horizon; NaN where it is not known yet.
    end : (T,) int64
        Row whose close completes the label; T or more where it is not known yet.
    """

    y: FloatArray
    end: IntArray


@dataclass(frozen=True, eq=False)
class Parts:
    """Rows of one fold: positions in the tape. Test rows may still be to come."""

    train: IntArray
    validation: IntArray
    test: IntArray


def label(tape: Tape, horizon: int) -> Labels:
    """Return the log return from each close to the close ``horizon`` bars on."""
    level = log_close(tape)
    y = np.full(len(tape), np.nan)
    y[:-horizon] = level[horizon:] - level[:-horizon]
    return Labels(y, np.arange(len(tape)) + horizon)


def unit(tape: Tape, horizon: int) -> FloatArray:
    """Return the scale of a label [T]: the root mean square of the last 24 moves, for the horizon."""
    moves = move(log_close(tape), 1)
    found: FloatArray = np.sqrt((trailing(moves, 24) ** 2).mean(axis=1) * horizon)
    return found


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
