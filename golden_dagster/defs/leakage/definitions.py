"""The leakage domain; the same for every study."""

import dagster as dg

from golden_core.study import Study
from golden_dagster.defs.leakage.assets import leakage_scorecard


def definitions(_study: Study) -> dg.Definitions:
    """Return the scorecard."""
    return dg.Definitions(assets=[leakage_scorecard])
