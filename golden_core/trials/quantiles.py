"""Quantiles of one fold: asked of the forecaster, calibrated as the study says, and made rows of a table."""

from __future__ import annotations

import numpy as np
import polars as pl

from golden_core.forecasters.base import Forecaster
from golden_core.forecasters.quantiles import raw_quantiles
from golden_core.inputs.windows import Examples, FloatArray, IntArray, Windows
from golden_core.store.schema import QUANTILES
from golden_core.study import AdaptiveCalibration, Study
from golden_core.trials.identity import Trial
from golden_core.uncertainty.calibration import Quantiles, adaptive, calibrated, split


def fold_quantiles(
    study: Study, trial: Trial, forecaster: Forecaster, train: Examples, calibration: Examples | None, test: Windows
) -> Quantiles | None:
    """Return calibrated quantiles of a fold's test part; None where study or forecaster have none.

    No test label enters but those that the closes up to a cutoff tell.
    """
    if study.quantiles is None or calibration is None:
        return None
    levels = np.array(study.quantiles.levels)
    before = raw_quantiles(trial.forecaster, forecaster, train, calibration.windows, levels)
    raw = raw_quantiles(trial.forecaster, forecaster, train, test, levels)
    if before is None or raw is None:
        return None
    how = study.quantiles.calibration
    truth, known = known_labels(test)
    rule = adaptive(how.step, known) if isinstance(how, AdaptiveCalibration) else split
    return calibrated(levels, (calibration.y, before), (truth, raw), rule)


def known_labels(windows: Windows) -> tuple[FloatArray, IntArray]:
    """Return the labels that the last cutoff knows [N], NaN for the others, and how many each cutoff knows [N]."""
    rows, closes = windows.positions, windows.past(len(windows) - 1)
    ends = rows + windows.horizon
    labels = np.full(len(rows), np.nan)
    labels[ends < len(closes)] = np.log(closes[ends[ends < len(closes)]] / closes[rows[ends < len(closes)]])
    return labels, np.asarray(np.searchsorted(ends, rows, side="right"))


def quantile_rows(forecasts: pl.DataFrame, levels: tuple[float, ...], quantiles: Quantiles) -> pl.DataFrame:
    """Return the rows of ``schema.QUANTILES`` beside the forecasts of a fold, which are in the order of the cutoffs."""
    key = [name for name in (*QUANTILES.key, "fold") if name != "level"]
    wide = forecasts.select(key).with_columns(rearranged=pl.Series(quantiles.rearranged))
    frames = [
        wide.with_columns(level=pl.lit(level), value=pl.Series(quantiles.values[:, place]))
        for place, level in enumerate(levels)
    ]
    return QUANTILES.conform(pl.concat(frames).sort(QUANTILES.key))
