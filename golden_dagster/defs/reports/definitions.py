"""The published tables and the report of the study that GOLDEN_STUDY names."""

import dagster as dg

from golden_core.study import Study
from golden_dagster.defs.reports.assets import report_assets
from golden_dagster.lib.loading import current_study


def report_definitions(study: Study) -> dg.Definitions:
    """Return the published tables and the report of a study."""
    return dg.Definitions(assets=report_assets(study))


@dg.definitions
def defs() -> dg.Definitions:
    """Return the report assets of the current study."""
    return report_definitions(current_study())
