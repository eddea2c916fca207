"""The warehouse of the study that GOLDEN_STUDY names, with its checks."""

import dagster as dg

from golden_core.study import Study
from golden_dagster.defs.metrics.assets import metrics_asset
from golden_dagster.defs.metrics.checks import metrics_checks


def definitions(study: Study) -> dg.Definitions:
    """Return the asset ``metrics`` of a study and its checks."""
    return dg.Definitions(assets=[metrics_asset(study)], asset_checks=metrics_checks())
