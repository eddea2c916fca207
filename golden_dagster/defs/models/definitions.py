"""One asset per forecaster of the study that GOLDEN_STUDY names, with its check."""

import dagster as dg

from golden_core.study import Study
from golden_dagster.lib.models import model_asset, model_check


def definitions(study: Study) -> dg.Definitions:
    """Return the assets ``models/<forecaster>`` of a study and their checks."""
    names = sorted(study.forecasters)
    return dg.Definitions(
        assets=[model_asset(study, name) for name in names], asset_checks=[model_check(name) for name in names]
    )
