"""The gate of a universe of the campaign against ourselves: checks of the registry, in the order of a campaign."""

from __future__ import annotations

import polars as pl

from golden_core.checks.bars import bars_of
from golden_core.checks.inputs import repeated_checks, sampled_checks
from golden_core.leakage.report import sentence
from golden_core.leakage.screening import screened_forecasts
from golden_core.placebo.universe import Gate
from golden_core.store.lake import Home
from golden_core.study import Study

# They replay the pipeline to see what its code reads, which is the same in every universe.
_OF_CODE = ("fits_touch_only_their_rows", "nothing_sees_the_future", "parts_kept_apart")


def input_faults(home: Home, study: Study, thorough: bool) -> list[str]:
    """Return what speaks against bars, folds, scalers and features; ``thorough`` probes the forecasters' fits, too."""
    asked = [check for check in repeated_checks(study) if thorough or check.name not in _OF_CODE]
    found = [fault for check in asked for fault in check.faults(home, study)]
    if thorough and not found:
        found = [fault for probe in sampled_checks(home, study).values() for fault in probe.faults("rows")]
    return found


def forecast_faults(home: Home, study: Study, forecasts: pl.DataFrame) -> list[str]:
    """Return which forecasters are better than anybody honest can be."""
    return [sentence(finding) for finding in screened_forecasts(study, bars_of(home, study), forecasts).findings]


GATE = Gate(input_faults, forecast_faults, __name__)
