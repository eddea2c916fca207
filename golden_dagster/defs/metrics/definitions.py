"""The warehouse of the study that GOLDEN_STUDY names, with its checks."""

import dagster as dg

from golden_core.study import Study
from golden_dagster.defs.metrics.assets import metrics_asset
from golden_dagster.defs.metrics.checks import metrics_checks
from golden_dagster.lib.loading import current_study


def metrics_definitions(study: Study) -> dg.Definitions:
    """Return the asset ``metrics`` of a study and its checks."""
    return dg.Definitions(assets=[metrics_asset(study)], asset_checks=metrics_checks())


@dg.definitions
def defs() -> dg.Definitions:
    """Return the warehouse assets of the current study."""
    return metrics_definitions(current_study())
