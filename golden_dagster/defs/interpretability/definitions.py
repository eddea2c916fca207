"""The interpretability domain: the sanity matrix for everybody, explanations where a study asks for them."""

import dagster as dg

from golden_core.study import Study
from golden_dagster.defs.interpretability.assets import explanations_asset, interpretability_sanity


def definitions(study: Study) -> dg.Definitions:
    """Return the sanity matrix, and the explanations of a study that names some."""
    asked = [explanations_asset(study)] if study.explanations else []
    return dg.Definitions(assets=[interpretability_sanity, *asked])
