"""The published tables and the report of the study that GOLDEN_STUDY names, with their checks."""

import dagster as dg

from golden_core.study import Study
from golden_dagster.defs.reports.assets import report_assets
from golden_dagster.defs.reports.checks import report_checks


def definitions(study: Study) -> dg.Definitions:
    """Return the published tables and the report of a study, and their checks."""
    return dg.Definitions(assets=report_assets(study), asset_checks=report_checks())
