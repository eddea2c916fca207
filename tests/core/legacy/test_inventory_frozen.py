"""The frozen facts, a tree against their checksums, and the pages of an inventory."""

import csv
import dataclasses
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from support.trees import plant, scan

from golden_core.legacy.frozen import FACTS, frozen_checksums, frozen_inventory, verify_tree
from golden_core.legacy.inventory_pages import inventory_json, inventory_markdown, sha256sums
from golden_core.legacy.scanning import scan_tree


def test_the_frozen_tree_has_ten_versions_of_eleven_files_with_54_contents():
    inventory = frozen_inventory()
    assert inventory.versions == tuple(f"v_{number:02d}" for number in range(1, 11))
    assert len(inventory.files) == 110
    assert len({file.sha256 for file in inventory.files}) == 54


def test_contents_that_versions_of_the_frozen_tree_share():
    """Contents per file name, counted by hand from the list of checksums."""
    contents: dict[str, set[str]] = {}
    for file in frozen_inventory().files:
        contents.setdefault(file.path.split("/")[1], set()).add(file.sha256)
    same = {"DataLoader.py": 1, "Trainer.py": 1, "HistoryManager.py": 1, "VisualPredictions.py": 1}
    some = {"ModelManager.py": 2, "Evaluator.py": 3, "MainClass.py": 5}
    each = dict.fromkeys(("Run.py", "ModelBuilder.py", "default_config.yaml", "dependencies.py"), 10)
    assert {name: len(hashes) for name, hashes in contents.items()} == same | some | each
    assert "| Evaluator.py in v_01–v_05, v_07 |" in inventory_markdown(frozen_inventory())


def test_known_facts_of_the_scripts():
    scripts = {script.path: script for script in frozen_inventory().scripts}
    assert len(scripts) == 100
    assert scripts["v_08/dependencies.py"].imports.missing == ("src.core.orchestrator", "src.core.versioning")
    assert scripts["v_08/Run.py"].imports.local == ("MainClass",)
    assert [point.kind for point in scripts["v_06/ModelManager.py"].entry_points] == ["__main__"]
    assert scripts["v_07/ModelManager.py"].entry_points == ()


def test_no_frozen_configuration_is_opened_and_one_contradicts():
    configurations = frozen_inventory().configurations
    assert len(configurations) == 10
    assert all(one.opened_at == () and "runtime.seed" in one.unused for one in configurations)
    found = [(one.path, c.configured, c.default, c.where) for one in configurations for c in one.contradictions]
    assert found == [("v_06/default_config.yaml", "60", "30", ("v_06/MainClass.py:65",))]


def test_pages_of_frozen_facts_say_that_no_tree_was_read():
    inventory = frozen_inventory()
    assert "no tree was read, and none was verified" in inventory_markdown(inventory)
    assert json.loads(inventory_json(inventory))["source"] == "frozen facts"
    assert sha256sums(inventory).count("\n") == 110


def test_published_results_are_there_for_every_variant():
    with (FACTS / "published_results.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["variant"] for row in rows] == [f"v_{number:02d}" for number in range(1, 11)]
    assert all(int(r["trainable_params"]) + int(r["non_trainable_params"]) == int(r["total_params"]) for r in rows)


def test_every_frozen_file_is_missing_from_an_empty_tree(tmp_path):
    assert len(verify_tree(scan_tree(tmp_path), frozen_checksums()).missing) == 110


@pytest.mark.shared
def test_frozen_tables_are_the_recorded_ones():
    recorded = Path(__file__).parents[3] / "../shared/legacy"
    if not recorded.is_dir():
        pytest.skip("the developers' folder ../shared is absent")
    for name in ("checksums.csv", "published_results.csv"):
        assert (FACTS / name).read_bytes() == (recorded / name).read_bytes()


NAMES = ["plain.py", "two words.py", "café", " lead", "trail ", "*star", "#x", "|bar"]


def check(tree, sums):
    listing = tree.parent / "checksums"
    listing.write_text(sums)
    return subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", str(listing)], cwd=tree, capture_output=True, check=False
    )


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="the program sha256sum is not installed")
def test_sha256sum_accepts_the_list_whatever_the_names(tmp_path):
    sums = sha256sums(scan(tmp_path / "tree", {f"{folder}{n}": f"x{n}" for n in NAMES for folder in ("", "v_01/")}))
    assert sums.count("\n") == 2 * len(NAMES)
    result = check(tmp_path / "tree", sums)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")
    (tmp_path / "tree" / "v_01" / "plain.py").write_bytes(b"y")
    result = check(tmp_path / "tree", sums)
    assert (result.returncode, b"v_01/plain.py: FAILED" in result.stdout) == (1, True)


def sample(root):
    files = {
        "v_01/Run.py": "import os, gone, argparse\nargparse.ArgumentParser().add_argument('a|b', default='`x`|<b>')\n",
        "v_01/c.json": '{"a|b": "x\\ny", "__all__": 1, "z": "](http://x)"}',
        "v_02/c.json": '{"a|b": "<script>", "__all__": 2, "z": "*"}',
        "v_02/Run.py": "print 'x'\n",
        "v_02/copy.json": '{"a|b": "<script>", "__all__": 2, "z": "*"}',
    }
    plant(root, files)
    (root / "v_02" / "link").symlink_to("nowhere")
    return scan_tree(root)


def test_json_holds_every_fact_and_reads_back(tmp_path):
    inventory = sample(tmp_path)
    read = json.loads(inventory_json(inventory))
    assert read == json.loads(json.dumps(dataclasses.asdict(inventory)))
    assert read["files"][0]["path"] == "v_01/Run.py"
    assert read["scripts"][0]["imports"]["missing"] == ["gone"]


def test_output_depends_on_the_tree_alone(tmp_path):
    first = sample(tmp_path / "one")
    copy = tmp_path / "elsewhere" / "two"
    shutil.copytree(tmp_path / "one", copy, symlinks=True)
    for path in copy.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)
    second = scan_tree(copy)
    assert inventory_json(first) == inventory_json(second)
    assert inventory_markdown(first) == inventory_markdown(second)
    assert str(tmp_path) not in inventory_json(first) + inventory_markdown(first)


def test_markdown_names_what_was_found_and_stays_in_its_cells(tmp_path):
    page = inventory_markdown(sample(tmp_path))
    for text in ("Run.py in v_01", "gone", "not parsed: syntax error", "nowhere", "copy.json in v_02", r"\<b>"):
        assert text in page
    tables = [block.splitlines() for block in page.split("\n\n") if block.startswith("| ")]
    assert len(tables) > 8
    for header, *rows in tables:
        columns = header.count("|")
        assert all(row.replace("\\\\", "").replace("\\|", "").count("|") == columns for row in rows)


def test_markdown_of_an_empty_tree_says_none(tmp_path):
    page = inventory_markdown(scan_tree(tmp_path))
    assert "0 files with 0 distinct contents in 0 versions." in page
    assert page.count("None.") > 10


def test_what_is_the_same_in_several_versions_is_one_row(tmp_path):
    """Ten versions with one contradiction used to repeat it ten times."""
    same = {"c.json": '{"patience": 60, "other": 1}'}
    same["Run.py"] = "import json\nc = open('c.json')\ndef stop(patience=30): ...\n"
    numbers = (1, 2, 3, 5, 6, 7, 8, 9, 10, 11)
    page = inventory_markdown(scan(tmp_path, {f"v_{n:02d}/{name}": same[name] for n in numbers for name in same}))
    versions = "v_01–v_03, v_05–v_11"
    for row in (
        f"| c.json | patience | 60 | 30 | Run.py:3 in {versions} |",
        f"| other | c.json in {versions} |",
        f"|  | json |  |  |  | Run.py in {versions} |",
    ):
        assert page.splitlines().count(row) == 1
    assert page.count("patience") == 1
    assert len(page) < 2500
