"""What a trial is given and becomes: a forecaster, windows and labels, random streams, forecasts beside truths.

A change here changes numbers of every trial: unlike the rest of this package, it is part of their identity.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import polars as pl

from golden_core.forecasters import forecaster_class
from golden_core.forecasters.base import Context, Forecaster
from golden_core.forecasters.custom import own_settings
from golden_core.inputs.features import build_features
from golden_core.inputs.windows import Examples, FloatArray, IntArray, Target, TargetName, Windows, cut_windows
from golden_core.splits.calibration import set_apart
from golden_core.splits.closures import crossings
from golden_core.splits.labels import log_returns_ahead
from golden_core.splits.scaling import standardise
from golden_core.splits.segments import positions
from golden_core.splits.tables import read_rows
from golden_core.store.randomness import Stream
from golden_core.store.schema import FORECASTS
from golden_core.study import Study
from golden_core.trials.identity import SeriesInputs, Trial


@dataclass(frozen=True, eq=False)
class FoldData:
    """One fold, ready to fit and forecast. Only :attr:`test_rows` leads to test labels, and only the writer uses it."""

    index: int
    train: Examples
    validation: Examples
    test: Windows
    test_rows: IntArray
    scale: float
    calibration: Examples | None  # of a study with quantiles


def new_forecaster(study: Study, trial: Trial) -> Forecaster:
    """Return the forecaster of a trial, not fitted yet."""
    levels = study.quantiles.levels if study.quantiles else ()
    context = Context(study.context_length, study.features, trial.horizon, study.training, levels)
    settings = study.forecasters[trial.forecaster]
    return forecaster_class(trial.forecaster, settings)(own_settings(settings), context)


def fold_stream(study: Study, trial: Trial, fold: int) -> Stream:
    """Return the random stream of one fit."""
    stream = Stream(study.seeds.root).child(trial.forecaster, trial.pair, trial.horizon, f"seed {trial.seed}")
    return stream.child("fold", fold)


def cut_folds(study: Study, horizon: int, inputs: SeriesInputs) -> Iterator[FoldData]:
    """Yield every fold with its windows standardised by its own scalers."""
    bars = inputs.bars
    closes = bars["close"].to_numpy()
    available_at = bars["available_at"].dt.replace_time_zone(None).to_numpy()
    features = build_features(study.features, bars).select("timestamp", *study.features)
    ahead = log_returns_ahead(closes, horizon)
    for (index,), parts in inputs.folds.group_by(["fold"], maintain_order=True):
        scalers = inputs.scalers.filter(pl.col("fold") == index)
        own = scalers.row(by_predicate=pl.col("column") == "target", named=True)
        target = Target(cast(TargetName, study.target), own["mean"], own["scale"])
        standardised = standardise(features, scalers)
        rows = {part: positions(runs) for part, runs in read_rows(parts).items()}

        def windows(part: IntArray, target: Target = target, matrix: Any = standardised) -> Windows:
            return cut_windows(
                matrix, closes, available_at, part, context_length=study.context_length, horizon=horizon, target=target
            )

        def examples(part: IntArray, windows: Any = windows) -> Examples:
            return Examples(windows(part), ahead[part])

        calibration = None
        if study.quantiles:
            part, share = read_rows(parts)["validation"], study.quantiles.calibration.share
            kept, apart = set_apart(part, share, available_at, horizon=horizon, embargo=study.splits.embargo)
            rows["validation"], calibration = positions(kept), examples(positions(apart))
        train, validation, test = examples(rows["train"]), examples(rows["validation"]), windows(rows["test"])
        scale = float(np.abs(train.y).mean())
        yield FoldData(int(index), train, validation, test, rows["test"], scale, calibration)


def forecast_rows(study: Study, trial: Trial, fold: FoldData, bars: pl.DataFrame, y_pred: FloatArray) -> pl.DataFrame:
    """Return ``schema.FORECASTS`` of a fold's test part, outcomes beside forecast log returns [N]."""
    rows, h, window = fold.test_rows, trial.horizon, study.evaluation.volatility_window
    origin, goal = bars[rows], bars[rows + h]
    last, true = origin["close"], goal["close"]
    crosses = crossings(bars["timestamp"], study.data.bar, context_length=study.context_length, horizon=h).labels[rows]
    steps = np.diff(np.log(bars["close"].to_numpy()[rows[0] - window : rows[-1] + 1]))
    volatility = np.lib.stride_tricks.sliding_window_view(steps, window).std(axis=1, ddof=1)[rows - rows[0]]
    frame = pl.DataFrame(
        {
            "cutoff": origin["available_at"],
            "target_at": goal["available_at"],
            "last_close": last,
            "true_close": true,
            "pred_close": last * np.exp(y_pred),
            "y_true": np.log(true.to_numpy() / last.to_numpy()),
            "y_pred": y_pred,
            "volatility": volatility,
            "crosses_closure": crosses,
        }
    )
    told = {**trial_key(study, trial, fold.index), "scale": fold.scale}
    return FORECASTS.conform(
        frame.with_columns(pl.lit(v, FORECASTS.dtypes[name]).alias(name) for name, v in told.items())
    )


def trial_key(study: Study, trial: Trial, fold: int) -> dict[str, Any]:
    """Return the columns that all rows of a fold share."""
    return {"study": study.name, **dataclasses.asdict(trial), "fold": fold}
