"""One asset per forecaster of the study that GOLDEN_STUDY names."""

import dagster as dg

from golden_core.study import Study
from golden_dagster.lib.loading import current_study
from golden_dagster.lib.models import model_asset


def model_definitions(study: Study) -> dg.Definitions:
    """Return the assets ``models/<forecaster>`` of a study."""
    return dg.Definitions(assets=[model_asset(study, name) for name in sorted(study.forecasters)])


@dg.definitions
def defs() -> dg.Definitions:
    """Return the model assets of the current study."""
    return model_definitions(current_study())
