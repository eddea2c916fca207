"""Parts of the platform, timed on a study's data: from raw rows to windows, and the tests that decide claims."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from golden_core.benchmarking.energy import Meter
from golden_core.benchmarking.forecasters import Effort, Note, first_fold
from golden_core.benchmarking.measurement import Condition, Measurement, measure
from golden_core.inputs.features import build_features
from golden_core.preparation import prepare_pair, prepare_raw, prepare_series
from golden_core.statistics.long_run import equivalence, long_run
from golden_core.statistics.resampling import Resamples, confidence_set, cosines, superior
from golden_core.store.lake import Home
from golden_core.store.randomness import Stream
from golden_core.study import Study
from golden_core.trials.identity import all_series, series_inputs
from golden_core.trials.rows import cut_folds

TIMES, FORECASTERS, RESAMPLES = 1888, 10, 499  # of the tests of many: as their calibration has them
STREAM = Stream(0, ("benchmarking", "platform"))


def data_parts(home: Home, study: Study, effort: Effort, note: Note) -> list[Measurement]:
    """Measure each step from the source's table to the windows of a study's first series; nothing is written."""
    first_fold(home, study)
    pair, horizon = all_series(study)[0]
    inputs = series_inputs(home, study, pair, horizon)
    raw = pl.read_parquet(home.study(study.name).raw).height
    bars = inputs.bars.height
    parts: dict[str, tuple[int, Callable[[], object]]] = {
        "source to raw table": (raw, lambda: prepare_raw(home, study, write=False)),
        "raw table to bars": (raw, lambda: prepare_pair(home, study, pair, write=False)),
        "bars to folds": (bars, lambda: prepare_series(home, study, pair, horizon, write=False)),
        "bars to features": (bars, lambda: build_features(study.features, inputs.bars)),
        "folds to windows": (bars, lambda: list(cut_folds(study, horizon, inputs))),
    }
    return measure_each("part", parts, effort, note)


def statistics_parts(effort: Effort, note: Note) -> list[Measurement]:
    """Measure the tests that decide claims, on losses of ten forecasters at 1,888 times."""
    losses = STREAM.generator().standard_normal((TIMES, FORECASTERS))
    moment = losses[:, 0] - losses[:, 1]

    def resamples() -> Resamples:
        return cosines(TIMES, horizon=1, reps=RESAMPLES, generator=STREAM.child("resamples").generator())

    drawn = resamples()
    parts: dict[str, tuple[int, Callable[[], object]]] = {
        "mean against zero": (TIMES, lambda: long_run(moment, horizon=1)),
        "equivalence": (TIMES, lambda: equivalence(moment, margin=0.1, horizon=1)),
        "resamples": (TIMES, resamples),
        "best of many": (TIMES * FORECASTERS, lambda: superior(losses[:, 0], losses[:, 1:], drawn)),
        "confidence set": (TIMES * FORECASTERS, lambda: confidence_set(losses, drawn)),
    }
    return measure_each("part", parts, effort, note)


def measure_each(
    scenario: str, parts: Mapping[str, tuple[int, Callable[[], object]]], effort: Effort, note: Note
) -> list[Measurement]:
    """Time calls by name, each with the units of work in it, on the processor alone."""
    meter, found = Meter.on("cpu"), []
    for name, (rows, call) in parts.items():
        note(f"{name} …")
        condition = Condition(precision="float64", threads=effort.threads, batch=rows)
        asked: dict[str, Any] = {"seconds": effort.seconds, "fewest": effort.samples, "meter": meter}
        found.append(measure(name, scenario, call, condition, **asked))
    return found
