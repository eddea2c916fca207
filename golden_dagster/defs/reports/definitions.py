"""The published tables and the report of the study that GOLDEN_STUDY names, with their checks."""

import dagster as dg

from golden_core.study import Study
from golden_dagster.defs.reports.assets import report_assets
from golden_dagster.defs.reports.checks import report_checks
from golden_dagster.lib.loading import current_study


def report_definitions(study: Study) -> dg.Definitions:
    """Return the published tables and the report of a study, and their checks."""
    return dg.Definitions(assets=report_assets(study), asset_checks=report_checks())


@dg.definitions
def defs() -> dg.Definitions:
    """Return the report assets of the current study."""
    return report_definitions(current_study())
