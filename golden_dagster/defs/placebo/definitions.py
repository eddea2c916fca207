"""The placebo domain."""

import dagster as dg

from golden_core.study import Study
from golden_dagster.defs.placebo.assets import placebo_assets


def definitions(study: Study) -> dg.Definitions:
    """Return the universes of a study and what is counted of them; nothing of a study without the section."""
    return dg.Definitions(assets=placebo_assets(study) if study.placebo else [])
