"""The leakage domain; the same for every study."""

import dagster as dg

from golden_core.study import Study
from golden_dagster.defs.leakage.assets import leakage_scorecard
from golden_dagster.defs.leakage.checks import deterministic_leaks_caught, statistical_leaks_caught


def definitions(_study: Study) -> dg.Definitions:
    """Return the scorecard and its checks."""
    return dg.Definitions(
        assets=[leakage_scorecard], asset_checks=[deterministic_leaks_caught, statistical_leaks_caught]
    )
