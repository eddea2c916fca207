"""The published tables and the report of a study."""

import dagster as dg

from golden_core.study import Study
from golden_dagster.defs.reports.assets import report_assets


def definitions(study: Study) -> dg.Definitions:
    """Return the published tables and the report of a study."""
    return dg.Definitions(assets=report_assets(study))
