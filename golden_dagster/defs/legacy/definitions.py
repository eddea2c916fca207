"""The legacy domain; the same for every study."""

import dagster as dg

from golden_core.study import Study
from golden_dagster.defs.legacy.assets import alignment, forensics, legacy_snapshot, published_audit
from golden_dagster.defs.legacy.checks import (
    every_risk_is_shown,
    legacy_tree_given,
    legacy_tree_unchanged,
    published_window_recovered,
    random_walk_on_the_same_rows,
    v01_explained_by_its_split,
)


def definitions(_study: Study) -> dg.Definitions:
    """Return the legacy assets and their checks."""
    return dg.Definitions(
        assets=[legacy_snapshot, published_audit, forensics, alignment],
        asset_checks=[
            legacy_tree_unchanged,
            legacy_tree_given,
            published_window_recovered,
            random_walk_on_the_same_rows,
            v01_explained_by_its_split,
            every_risk_is_shown,
        ],
    )
