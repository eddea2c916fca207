"""Statistical probes on a study: what no poison can show, since a source or a file may bring the future along.

Features are screened on the bars that the lake has, forecasts once they are there. How a probe works is not here.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from golden_core.leakage import artefacts
from golden_core.leakage.artefacts import KEY, STAMP, Finding, Run
from golden_core.leakage.report import Cell, Report
from golden_core.leakage.statistical import (
    Screen,
    one_sided_market,
    permuted_skill,
    shifted_timestamps,
    too_good_features,
    too_good_forecasts,
)
from golden_core.leakage.study_pipeline import Scope, study_pipeline
from golden_core.leakage.study_tables import Series, feature_rows, stamped, target_rows
from golden_core.store.lake import series_name
from golden_core.store.randomness import Stream
from golden_core.study import Study
from golden_core.trials import Trial, all_series

LEVEL = 0.002  # probability of a false finding of one probe on one honest study
PERMUTATIONS = 2
_SCREENED = "screened"

Bars = Mapping[str, pl.DataFrame]


def screen_of(study: Study) -> Screen:
    """Return how strict the probes are with a study."""
    return Screen(LEVEL, study.checks.max_foresight, study.horizons, PERMUTATIONS)


def screened_features(study: Study, bars: Bars) -> Report:
    """Look, in clean bars of every pair, for bars that go one way and features that foresee returns, late ones too."""
    made = {artefacts.BARS: stamped(bars), artefacts.FEATURES: feature_rows(study, bars)}
    targets = [target_rows(series, bars[series[0]]) for series in all_series(study) if series[0] in bars]
    run, screen = Run({**made, artefacts.TARGETS: pl.concat(targets)}, ()), screen_of(study)
    found = [*one_sided_market(run, screen), *too_good_features(run, screen), *shifted_timestamps(run, screen)]
    return _report(found, artefacts.FEATURES, run.artefacts[artefacts.FEATURES].height)


def screened_forecasts(study: Study, bars: Bars, forecasts: pl.DataFrame) -> Report:
    """Look for forecasters that beat no change beyond what a martingale allows.

    Takes clean bars of every pair and ``schema.FORECASTS``, of which every seed is judged by itself.
    """
    known = [series_name(*series) for series in all_series(study)]
    column = pl.when(pl.col("seed") == 0).then("forecaster").otherwise(pl.format("{}, seed {}", "forecaster", "seed"))
    rows = forecasts.select(
        pl.format("{}_h{}", "pair", "horizon").alias(KEY), pl.col("cutoff").alias(STAMP), "y_pred", column=column
    ).filter(pl.col(KEY).is_in(known))
    wide = rows.pivot("column", index=[KEY, STAMP], values="y_pred")
    run = Run({artefacts.BARS: stamped(bars), artefacts.FORECASTS: wide}, ())
    return _report(too_good_forecasts(run, screen_of(study)), artefacts.FORECASTS, forecasts.height)


def permuted_forecasts(study: Study, raw: pl.DataFrame, series: Series, fold: int, forecaster: str) -> Report:
    """Fit a forecaster on bars whose moves are permuted in time, with random signs: no skill may be left."""
    pipeline = study_pipeline(study, Scope(series=(series,), fits=((Trial(forecaster, *series, 0), fold),)))
    stream = Stream(study.seeds.root).child("leakage", "permuted", forecaster, *series, fold)
    return _report(permuted_skill(pipeline, raw, screen_of(study), stream), artefacts.FORECASTS, raw.height)


def _report(found: list[Finding], asset: str, rows: int) -> Report:
    return Report(tuple(found), (Cell(asset, _SCREENED, rows, found[0] if found else None),), ())
