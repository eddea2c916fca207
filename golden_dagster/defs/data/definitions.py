"""Rates, bars and folds of the study that GOLDEN_STUDY names, with their checks."""

import dagster as dg

from golden_core.study import Study
from golden_dagster.defs.data.assets import data_assets
from golden_dagster.defs.data.checks import data_checks
from golden_dagster.defs.data.quality import quality_assets, quality_checks


def definitions(study: Study) -> dg.Definitions:
    """Return the data assets of a study and their checks."""
    return dg.Definitions(
        assets=[*data_assets(study), *quality_assets()], asset_checks=[*data_checks(study), *quality_checks()]
    )
