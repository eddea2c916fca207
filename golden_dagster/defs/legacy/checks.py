"""The checks that need the legacy tree of a user who has it; the others are in the registry."""

import dagster as dg

from golden_core.checks import Examined
from golden_core.legacy.frozen import frozen_checksums, verify_tree
from golden_dagster.defs.legacy.assets import SNAPSHOT
from golden_dagster.lib.checks import verdict
from golden_dagster.resources import LegacyResource


@dg.asset_check(
    asset=SNAPSHOT,
    blocking=True,
    description="Every file of the legacy tree has its frozen checksum; none is missing, none is extra.",
)
def legacy_tree_unchanged(legacy: LegacyResource) -> dg.AssetCheckResult:
    """Compare the tree with the frozen checksums; without a tree the frozen facts are all there is."""
    checksums = frozen_checksums()
    if not legacy.tree:
        return verdict(Examined([], len(checksums)), "frozen checksums, no tree")
    verification = verify_tree(legacy.inventory(), checksums)
    findings = [
        *(f"{now.path}: changed" for _, now in verification.changed),
        *(f"{path}: extra" for path in verification.extra),
        *(f"{path}: missing" for path in verification.missing),
    ]
    return verdict(Examined(findings, len(checksums)), "files")


@dg.asset_check(
    asset=SNAPSHOT, description="A legacy tree was given, so that the frozen facts were verified against it."
)
def legacy_tree_given(legacy: LegacyResource) -> dg.AssetCheckResult:
    """Warn when the assets rest on the frozen facts alone."""
    findings = [] if legacy.tree else ["no tree was verified: set GOLDEN_LEGACY_TREE to the folder of v_01 … v_10"]
    return verdict(Examined(findings, 1), "tree", "warn")
