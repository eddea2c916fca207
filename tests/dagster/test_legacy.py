"""The legacy assets: from the frozen facts without a tree, verified against it with one."""

import dagster as dg
import pytest

from golden_core.lake import Home
from golden_dagster.definitions import resources
from golden_dagster.defs.legacy.assets import forensics, legacy_snapshot, published_audit
from golden_dagster.defs.legacy.checks import legacy_tree_given, legacy_tree_unchanged

ASSETS = [legacy_snapshot, published_audit, forensics]


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
    result = run(legacy_snapshot, partition_key="v08")
    assert result.success
    metadata = result.asset_materializations_for_node("legacy__snapshot")[0].metadata
    assert metadata["dagster/row_count"].value == 11
    assert metadata["source"].value == "frozen facts"


def test_without_a_tree_a_warning_says_so():
    found = evaluations(run(legacy_snapshot, legacy_tree_unchanged, legacy_tree_given, partition_key="v01"))
    assert found["legacy_tree_unchanged"].passed
    assert not found["legacy_tree_given"].passed
    assert found["legacy_tree_given"].severity == dg.AssetCheckSeverity.WARN


def test_another_tree_is_refused_file_by_file(tree):
    result = run(legacy_snapshot, legacy_tree_unchanged, legacy_tree_given, partition_key="v01")
    found = evaluations(result)
    assert not result.success
    assert found["legacy_tree_given"].passed
    findings = [record.data["finding"] for record in found["legacy_tree_unchanged"].metadata["findings"].records]
    assert "v_01/Run.py: changed" in findings
    assert "v_01/new.py: extra" in findings
    assert "v_01/DataLoader.py: missing" in findings


def test_the_audit_and_the_forensics_write_their_files():
    assert run(published_audit, forensics).success
    folder = Home.from_environment().root / "legacy"
    page = (folder / "published_audit.md").read_text()
    assert "The splits explain the table: 94/3/3 (2829 targets; v\\_01)" in page
    assert (folder / "leakage_register.csv").read_text().count("\n") > 20
    assert len(list((folder / "flow").glob("*.svg"))) == 10
