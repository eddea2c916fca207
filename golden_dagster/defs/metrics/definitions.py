"""The warehouse of a study."""

import dagster as dg

from golden_core.study import Study
from golden_dagster.defs.metrics.assets import metrics_asset


def definitions(study: Study) -> dg.Definitions:
    """Return the asset ``metrics`` of a study."""
    return dg.Definitions(assets=[metrics_asset(study)])
