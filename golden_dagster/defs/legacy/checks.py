"""Checks on the legacy assets: the tree is the frozen one, the audit, the register, and the alignment."""

import dagster as dg
import polars as pl

from golden_core.legacy.forensics.published import published_audit
from golden_core.legacy.frozen import frozen_checksums
from golden_core.legacy.reproduction import published_window, rows_unlike_the_random_walk
from golden_core.legacy.verification import verify_tree
from golden_core.store.lake import Home
from golden_dagster.defs.legacy.assets import ALIGNMENT_KEY, SNAPSHOT
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
        return verdict([], examined=len(checksums), unit="frozen checksums, no tree")
    verification = verify_tree(legacy.inventory(), checksums)
    findings = [
        *(f"{change.path}: changed" for change in verification.changed),
        *(f"{path}: extra" for path in verification.extra),
        *(f"{path}: missing" for path in verification.missing),
    ]
    return verdict(findings, examined=len(checksums), unit="files")


@dg.asset_check(
    asset=SNAPSHOT, description="A legacy tree was given, so that the frozen facts were verified against it."
)
def legacy_tree_given(legacy: LegacyResource) -> dg.AssetCheckResult:
    """Warn when the assets rest on the frozen facts alone."""
    findings = [] if legacy.tree else ["no tree was verified: set GOLDEN_LEGACY_TREE to the folder of v_01 … v_10"]
    return verdict(findings, examined=1, unit="tree", severity=dg.AssetCheckSeverity.WARN)


@dg.asset_check(
    asset=dg.AssetKey(["legacy", "published_audit"]),
    description="The audit singles out v_01 in the published table; its split explains it; no row is wrong in itself.",
)
def v01_explained_by_its_split() -> dg.AssetCheckResult:
    """Audit the published table again."""
    audit = published_audit()
    findings = [finding.sentence for finding in audit.found("certainly_wrong")]
    apart = sorted({row for finding in audit.found("different_test_sets") for row in finding.rows})
    findings += [] if apart == ["v_01"] else [f"rows on other test sets are {', '.join(apart) or 'none'}, not v_01"]
    if audit.explanation is None or not (audit.explanation.holds and audit.explanation.needed):
        findings.append("no split explains the table")
    return verdict(findings, examined=len(audit.rows), unit="published rows")


@dg.asset_check(
    asset=dg.AssetKey(["legacy", "forensics"]),
    description="Every risk of the leakage register is shown on data by its probe; a sound practice shows none.",
)
def every_risk_is_shown() -> dg.AssetCheckResult:
    """Read what the probes of the register said."""
    path = Home.from_environment().root / "legacy" / "leakage_register.csv"
    if not path.exists():
        return _unmeasured("register", "no register was written in this home")
    register = pl.read_csv(path, infer_schema=False)
    silent = register.filter((pl.col("shown") == "yes") == (pl.col("status") == "sound"))
    return verdict([f"{name}: not as stated" for name in silent[:, 0]], examined=register.height, unit="risks")


@dg.asset_check(
    asset=ALIGNMENT_KEY,
    description="The published test windows are found in the aligned bars by number and variance of their targets.",
)
def published_window_recovered() -> dg.AssetCheckResult:
    """Look for the windows again in the bars that were aligned."""
    bars = _stored("bars")
    if bars is None:
        return _unmeasured()
    window = published_window(bars)
    return verdict([] if window.recovered else [window.verdict], examined=len(window.splits), unit="splits")


@dg.asset_check(
    asset=ALIGNMENT_KEY,
    blocking=True,
    description="Every aligned trial was scored on exactly the rows of the random walk.",
)
def random_walk_on_the_same_rows() -> dg.AssetCheckResult:
    """Compare the rows of every trial with those of the random walk."""
    forecasts = _stored("forecasts")
    if forecasts is None:
        return _unmeasured()
    return verdict(rows_unlike_the_random_walk(forecasts), examined=forecasts.height, unit="forecasts")


def _stored(name: str) -> pl.DataFrame | None:
    path = Home.from_environment().root / "legacy" / "alignment" / f"{name}.parquet"
    return pl.read_parquet(path) if path.exists() else None


def _unmeasured(unit: str = "alignment", why: str = "nothing has been aligned in this home") -> dg.AssetCheckResult:
    """Return neither success nor failure: nobody has looked yet."""
    return verdict([f"unmeasured: {why}"], examined=0, unit=unit, severity=dg.AssetCheckSeverity.WARN)
