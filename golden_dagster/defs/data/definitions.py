"""Rates, bars, their quality and folds of a study."""

import dagster as dg

from golden_core.study import Study
from golden_dagster.defs.data.assets import data_assets
from golden_dagster.defs.data.quality import data_quality


def definitions(study: Study) -> dg.Definitions:
    """Return the data assets of a study."""
    return dg.Definitions(assets=[*data_assets(study), data_quality])
