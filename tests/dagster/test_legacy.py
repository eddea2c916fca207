"""The legacy assets: from the frozen facts without a tree, verified against it with one."""

from functools import partial

import dagster as dg
import polars as pl
import pytest

from golden_core.checks import platform
from golden_core.legacy.audit.auditing import audit_table
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import PROJECT_ROOT, Home
from golden_dagster.definitions import resources
from golden_dagster.defs.legacy import forensics, legacy_snapshot, legacy_tree_unchanged, published_audit
from golden_dagster.lib.checks import asset_check

FACTS = PROJECT_ROOT / "data" / "legacy"
AUDIT = "golden_core.legacy.reproduction.published.published_audit"
CHECKS = {check.name: check for check in platform.PLATFORM_CHECKS}
v01_explained_by_its_split = asset_check(CHECKS["v01_explained_by_its_split"])
every_risk_is_shown = asset_check(CHECKS["every_risk_is_shown"])


def run(*definitions, **options):
    """Run some legacy assets and checks and return the result."""
    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize(
            list(definitions), resources=resources(), instance=instance, raise_on_error=False, **options
        )


def evaluations(result):
    return {e.check_name: e for e in result.get_asset_check_evaluations()}


@pytest.fixture
def tree(tmp_path, monkeypatch):
    (tmp_path / "v_01").mkdir()
    (tmp_path / "v_01" / "Run.py").write_text("print('not the legacy code')\n")
    (tmp_path / "v_01" / "new.py").write_text("")
    monkeypatch.setenv("GOLDEN_LEGACY_TREE", str(tmp_path))


def test_a_snapshot_of_the_frozen_facts():
    result = run(legacy_snapshot)
    assert result.success
    metadata = result.asset_materializations_for_node("legacy__snapshot")[0].metadata
    found = {record.data["version"]: record.data["files"] for record in metadata["versions"].records}
    assert len(found) == 10
    assert found["v_08"] == 11
    assert metadata["dagster/row_count"].value == sum(found.values()) == len(metadata["files"].records)
    assert metadata["source"].value == "frozen facts"


def test_without_a_tree_a_warning_says_so():
    result = run(legacy_snapshot, legacy_tree_unchanged)
    (found,) = evaluations(result).values()
    assert result.success
    assert not found.passed
    assert found.severity == dg.AssetCheckSeverity.WARN
    assert found.metadata["examined"].value == 0


def test_another_tree_is_refused_file_by_file(tree):
    result = run(legacy_snapshot, legacy_tree_unchanged)
    found = evaluations(result)
    assert not result.success
    findings = [record.data["finding"] for record in found["legacy_tree_unchanged"].metadata["findings"].records]
    assert "v_01/Run.py: changed" in findings
    assert "v_01/new.py: extra" in findings
    assert "v_01/DataLoader.py: missing" in findings


def test_the_audit_and_the_forensics_write_their_files_and_are_checked():
    """One run, for drawing and probing take their time: files, checks, then a probe that is made to say nothing."""
    result = run(published_audit, forensics, v01_explained_by_its_split, every_risk_is_shown)
    assert result.success
    assert {name: e.passed for name, e in evaluations(result).items()} == {
        "v01_explained_by_its_split": True,
        "every_risk_is_shown": True,
    }
    folder = Home.from_environment().root / "legacy"
    assert "The splits explain the table: 94/3/3 (2829 targets; v\\_01)" in (folder / "published_audit.md").read_text()
    assert len(list((folder / "flow").glob("*.svg"))) == 10
    path = folder / "leakage_register.csv"
    register = pl.read_csv(path, infer_schema=False)
    assert register.height > 20
    risk = register.filter(shown="yes").row(0, named=True)["risk"]
    decide = partial(CHECKS["every_risk_is_shown"].decide, Home.from_environment(), load_study("smoke"))
    for told in ("no", None):  # None: nobody said
        changed = pl.when(pl.col("risk") == risk).then(pl.lit(told, pl.String)).otherwise("shown")
        register.with_columns(shown=changed).write_csv(path)
        assert decide().findings == [f"{risk}: not as stated"]
    # A probe that shows nothing of the mistake that a sound practice avoids could not have shown it.
    sound = register.filter(status="sound").row(0, named=True)["risk"]
    blind = pl.when(pl.col("risk") == sound).then(pl.lit("0")).otherwise("value_alternative").alias("value_alternative")
    register.with_columns(blind).write_csv(path)
    assert decide().findings == [f"{sound}: not as stated"]
    register.filter(pl.col("risk") != risk).write_csv(path)  # as of the day before a risk was added
    assert decide().findings == [f"{risk}: not in the register"]
    path.unlink()
    assert decide().findings == ["unmeasured: no register was written in this home"]
    assert decide().severity == "warn"


def test_an_audit_without_its_splits_fails(monkeypatch):
    monkeypatch.setattr(AUDIT, lambda: audit_table(FACTS / "published_results.csv"))
    (found,) = evaluations(run(published_audit, v01_explained_by_its_split)).values()
    assert (found.passed, found.description) == (False, "no split explains the table")


def test_another_table_fails(monkeypatch, tmp_path):
    table = pl.read_csv(FACTS / "published_results.csv", infer_schema=False)
    table.filter(pl.col("variant") != "v_01").write_csv(tmp_path / "table.csv")
    monkeypatch.setattr(AUDIT, lambda: audit_table(tmp_path / "table.csv"))
    (found,) = evaluations(run(published_audit, v01_explained_by_its_split)).values()
    assert found.description == "rows on other test sets are none, not v_01"
