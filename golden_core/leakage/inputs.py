"""All claims about a study's shared inputs at once, for whoever gathers trials and must not trust an earlier run."""

from __future__ import annotations

from typing import cast

import polars as pl

from golden_core.bars.verification import disordered_timestamps, implausible_prices
from golden_core.inputs.features import build_features
from golden_core.inputs.windows import TargetName
from golden_core.leakage.probes import clean_bars_report, clean_bars_times
from golden_core.leakage.report import sentence
from golden_core.leakage.screening import screened_features
from golden_core.splits.scaling import scaler_mismatches
from golden_core.splits.tables import read_folds
from golden_core.splits.verification import (
    embargo_violations,
    foreign_schemes,
    label_overlaps,
    reused_test_rows,
    unaccounted_rows,
)
from golden_core.store.lake import Home
from golden_core.study import Study
from golden_core.trials import all_series, series_inputs


def bars_of(home: Home, study: Study) -> dict[str, pl.DataFrame]:
    """Return the clean bars of every pair."""
    folder = home.study(study.name)
    return {pair: pl.read_parquet(folder.table("bars", pair)) for pair in study.data.pairs}


def input_faults(home: Home, study: Study) -> list[str]:
    """Return a sentence for everything that speaks against the bars, folds, scalers and features of a study."""
    found: list[str] = []
    tables = bars_of(home, study)
    for bars in tables.values():
        found += implausible_prices(bars, study.checks.max_abs_log_return)
        found += disordered_timestamps(bars)
        probed = clean_bars_report(study, bars, clean_bars_times(study, bars))
        found += [sentence(finding) for finding in probed.findings]
    found += [sentence(finding) for finding in screened_features(study, tables).findings]
    for pair, horizon in all_series(study):
        inputs = series_inputs(home, study, pair, horizon)
        found += foreign_schemes(inputs.folds, study.splits.scheme)
        found += label_overlaps(inputs.folds)
        found += reused_test_rows(inputs.folds)
        found += unaccounted_rows(inputs.folds)
        found += embargo_violations(inputs.folds, study.splits.embargo)
        features = build_features(study.features, inputs.bars)
        target = cast(TargetName, study.target)
        found += scaler_mismatches(inputs.scalers, read_folds(inputs.folds), features, inputs.bars, target)
    return found
