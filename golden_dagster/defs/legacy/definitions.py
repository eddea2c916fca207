"""The legacy domain; the same for every study."""

import dagster as dg

from golden_core.study import Study
from golden_dagster.defs.legacy.assets import alignment, forensics, legacy_snapshot, published_audit
from golden_dagster.defs.legacy.checks import legacy_tree_given, legacy_tree_unchanged


def definitions(_study: Study) -> dg.Definitions:
    """Return the legacy assets, and the checks that need the tree."""
    return dg.Definitions(
        assets=[legacy_snapshot, published_audit, forensics, alignment],
        asset_checks=[legacy_tree_unchanged, legacy_tree_given],
    )
