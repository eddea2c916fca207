"""The stages of a workshop as one value: replacing one of them is how a leak is planted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import polars as pl

from golden_core.leakage.workshop import cleaning, fitting, folding, predicting
from golden_core.leakage.workshop.features import FEATURES, Feature
from golden_core.leakage.workshop.fitting import Case, Losses
from golden_core.leakage.workshop.folding import Labels, Parts
from golden_core.leakage.workshop.plan import Plan
from golden_core.leakage.workshop.tape import FloatArray, IntArray, Market, Tape


def align(market: Market, _plan: Plan) -> Market:
    """Return the market as it is: a bar that does not exist is not made up."""
    return market


@dataclass(frozen=True)
class Stages:
    """Every step from raw bars to forecasts, in the order in which they run.

    Parameters
    ----------
    read, clean, slow, align
        Raw bars → tapes → clean tapes → slow bars → the market on one grid.
    features : mapping of str to Feature
        By name; each gets the market and a pair.
    label, unit, divide
        What is forecast, in which unit, and the folds.
    encode, fill, clip, scale, select, reduce
        Fitted on the training rows of a fold, applied to all rows.
    window, train, stop, tune, draw, band
        Inputs, weights along a path, and what validation chooses: the end of the path, the variant, the seed, the
        dead band.
    calibrate, predict, examined
        Intervals, forecasts, and the rows on which they count.
    """

    read: Callable[[pl.DataFrame], dict[str, Tape]] = cleaning.read
    clean: Callable[[Tape], Tape] = cleaning.clean
    slow: Callable[[Tape, Plan], Tape] = cleaning.slow_bars
    align: Callable[[Market, Plan], Market] = align
    features: Mapping[str, Feature] = field(default_factory=lambda: FEATURES)
    label: Callable[[Tape, int], Labels] = folding.label
    unit: Callable[[Tape, int], FloatArray] = folding.unit
    divide: Callable[[int, int, Plan], list[Parts]] = folding.divide
    encode: Callable[[Case], FloatArray] = fitting.encode
    fill: Callable[[Case, FloatArray], FloatArray] = fitting.fill
    clip: Callable[[Case, FloatArray], tuple[FloatArray, FloatArray]] = fitting.clip
    scale: Callable[[Case, FloatArray], tuple[FloatArray, FloatArray]] = fitting.scale
    select: Callable[[Case, FloatArray], IntArray] = fitting.select
    reduce: Callable[[Case, FloatArray], FloatArray] = fitting.reduce
    window: Callable[[FloatArray, IntArray, int], FloatArray] = fitting.window
    train: Callable[[Case, FloatArray, IntArray], FloatArray] = fitting.train
    stop: Callable[[Case, Losses], IntArray] = fitting.stop
    tune: Callable[[Case, Losses], int] = fitting.tune
    draw: Callable[[Case, Losses], int] = fitting.draw
    band: Callable[[Case, FloatArray], float] = predicting.band
    calibrate: Callable[[Case, FloatArray], tuple[float, float]] = predicting.calibrate
    predict: Callable[[Case, FloatArray], FloatArray] = predicting.predict
    examined: Callable[[Case], IntArray] = predicting.examined


CLEAN = Stages()
