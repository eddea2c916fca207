"""One asset per forecaster of a study."""

import dagster as dg

from golden_core.study import Study
from golden_dagster.lib.models import model_asset


def definitions(study: Study) -> dg.Definitions:
    """Return the assets ``models/<forecaster>`` of a study."""
    return dg.Definitions(assets=[model_asset(study, name) for name in sorted(study.forecasters)])
