"""What a tree that is not the frozen one is told: where it differs, and the one mistake that explains it."""

import shutil
from pathlib import Path

import pytest

from golden_core.legacy.inventory import File
from golden_core.legacy.scanning import scan_tree
from golden_core.legacy.verification import TreeVerification, verify_tree


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a tree whose versions share most of their files, as the legacy versions do."""
    for version in ("v_01", "v_02", "v_03"):
        folder = tmp_path / "tree" / version
        folder.mkdir(parents=True)
        for name in ("DataLoader.py", "Trainer.py", "Evaluator.py"):
            (folder / name).write_bytes(f"import os\n# {name}\n".encode())
        (folder / "Run.py").write_bytes(f"VERSION = {version!r}\nprint(VERSION)".encode())
    return tmp_path / "tree"


@pytest.fixture
def frozen(tree: Path) -> tuple[File, ...]:
    return scan_tree(tree).files


def told(verification: TreeVerification) -> list[str]:
    return verification.describe().splitlines()


def test_a_renamed_file_is_named_with_its_new_place(tree, frozen):
    (tree / "v_01" / "Run.py").rename(tree / "v_01" / "run.py")
    (tree / "v_02" / "Trainer.py").rename(tree / "v_02" / "old.py")
    lines = told(verify_tree(scan_tree(tree), frozen))
    assert lines == [
        "10 equal, 0 changed, 2 missing, 2 extra",
        "missing: v_01/Run.py (its bytes are at v_01/run.py)",
        "missing: v_02/Trainer.py (its bytes are at v_02/old.py)",
        "extra: v_01/run.py",
        "extra: v_02/old.py",
    ]


def test_a_version_folder_of_another_name_is_told_file_by_file(tree, frozen):
    (tree / "v_02").rename(tree / "V2")
    lines = told(verify_tree(scan_tree(tree), frozen))
    assert lines[0] == "8 equal, 0 changed, 4 missing, 4 extra"
    assert "missing: v_02/DataLoader.py (its bytes are at V2/DataLoader.py)" in lines


def test_a_version_that_is_not_there(tree, frozen):
    shutil.rmtree(tree / "v_03")
    verification = verify_tree(scan_tree(tree), frozen)
    assert verification.missing == tuple(f"v_03/{name}.py" for name in ("DataLoader", "Evaluator", "Run", "Trainer"))
    assert verification.moved == ()


@pytest.mark.parametrize("above", ["", "src"])
def test_the_folder_above_is_recognised(tree, frozen, above):
    root = tree.parent
    if above:
        (root / "all").mkdir()
        (root / above).mkdir()
        tree.rename(root / above / "tree")
        (root / "README.md").write_text("x")
    lines = told(verify_tree(scan_tree(root), frozen))
    assert lines[1] == f"the tree lies further down: give its folder {'src/tree' if above else 'tree'}"


@pytest.mark.parametrize("version", ["v_01", "v_03"])
def test_a_version_folder_alone_is_recognised(tree, frozen, version):
    lines = told(verify_tree(scan_tree(tree / version), frozen))
    assert lines[1] == f"this is the folder {version} of the tree: give the folder above it"


def test_another_tree_gets_no_advice(tree, frozen, tmp_path):
    (tmp_path / "other" / "v_01").mkdir(parents=True)
    (tmp_path / "other" / "v_01" / "x.py").write_text("x")
    assert verify_tree(scan_tree(tmp_path / "other"), frozen).advice() == []
    assert verify_tree(scan_tree(tree), frozen).advice() == []


@pytest.mark.parametrize("versions", [("v_01",), ("v_01", "v_02", "v_03")])
def test_converted_line_ends_are_recognised(tree, frozen, versions):
    for version in versions:
        for path in (tree / version).iterdir():
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    verification = verify_tree(scan_tree(tree), frozen)
    assert len(verification.changed) == 4 * len(versions)
    assert all(change.line_ends for change in verification.changed)
    assert verification.advice() == [
        "every changed file differs by one byte a line: check out with core.autocrlf=false"
    ]


def test_line_ends_do_not_explain_another_change(tree, frozen):
    (tree / "v_01" / "Run.py").write_bytes(b"VERSION = 'v_01'\r\nprint(VERSION)")
    (tree / "v_02" / "Run.py").write_bytes(b"VERSION = 'v_99'\nprint(VERSION)")
    verification = verify_tree(scan_tree(tree), frozen)
    assert [change.line_ends for change in verification.changed] == [True, False]
    assert verification.advice() == []
