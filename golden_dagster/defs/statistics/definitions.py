"""The statistics domain; the same for every study."""

import dagster as dg

from golden_core.study import Study
from golden_dagster.defs.statistics.assets import statistics_calibration


def definitions(_study: Study) -> dg.Definitions:
    """Return the calibration of the tests."""
    return dg.Definitions(assets=[statistics_calibration])
