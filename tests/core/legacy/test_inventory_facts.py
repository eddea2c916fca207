"""What a scan finds in ordinary files: bytes, imports, entry points, flags, data files, paths."""

import hashlib

import pytest
from support.trees import scan

from golden_core.legacy.inventory import EntryPoint
from golden_core.legacy.inventory_pages import inventory_markdown


def script(inventory, path):
    return next(script for script in inventory.scripts if script.path == path)


@pytest.mark.parametrize(
    ("content", "lines"),
    [(b"", 0), (b"\n", 1), (b"a", 1), (b"a\n", 1), (b"a\nb", 2), (b"a\r\nb\r\n", 2), (b"\0\n\0", 2)],
)
def test_bytes_lines_and_hash_of_a_file(tmp_path, content, lines):
    (file,) = scan(tmp_path, {"v_01/a.txt": content}).files
    assert (file.path, file.version) == ("v_01/a.txt", "v_01")
    assert (file.bytes, file.lines) == (len(content), lines)
    assert file.sha256 == hashlib.sha256(content).hexdigest()


def test_a_top_folder_called_like_a_version_is_one_and_no_other_is(tmp_path):
    others = ("README", "docs/v_03/a.py", "tools/Run.py", "__pycache__/x.pyc", "vendor2/a.py", "v/a.py")
    versions = {"v_01/a.py": "v_01", "V2/deep/er/b.py": "V2", "version-3/a.py": "version-3", "v10/a.py": "v10"}
    inventory = scan(tmp_path, dict.fromkeys((*others, *versions), "x"))
    assert inventory.versions == ("V2", "v10", "v_01", "version-3")
    assert {file.path: file.version for file in inventory.files} == versions | dict.fromkeys(others, "")


def test_kinds_of_files(tmp_path):
    kinds = {
        "v/a.py": ("x = 1", "script"),
        "v/c.yaml": ("a: 1", "configuration"),
        "v/d.csv": ("a,b\n", "text"),
        "v/e.md": ("# e", "text"),
        "v/f.py": (b"\0\0", "binary"),
    }
    inventory = scan(tmp_path, {path: content for path, (content, _) in kinds.items()})
    assert {file.path: file.kind for file in inventory.files} == {path: kind for path, (_, kind) in kinds.items()}


def test_imports_by_origin(tmp_path):
    source = """
import os, json as j, numpy.linalg
import importlib
from helpers import f
from package.part import g
from package.lost import h
from src.core.orchestrator import Orchestrator
from . import helpers, nothing
from .package import part
from ..v_02 import other
import bare.module
import sklearn.metrics, gone
"""
    beside = ("v_01/helpers.py", "v_01/package/__init__.py", "v_01/package/part.py", "v_01/bare/module.py")
    inventory = scan(tmp_path, {"v_01/Run.py": source, **dict.fromkeys((*beside, "v_02/other.py"), "")})
    imports = script(inventory, "v_01/Run.py").imports
    assert imports.standard == ("importlib", "json", "os")
    assert imports.third_party == ("numpy", "sklearn")
    assert imports.local == ("..v_02", ".helpers", ".package", "bare.module", "helpers", "package.part")
    assert imports.missing == (".nothing", "gone", "package.lost", "src.core.orchestrator")


def test_a_module_beside_the_script_hides_the_standard_library_and_a_bare_folder_does_not(tmp_path):
    files = {"v/Run.py": "import json, logging\n", "v/json.py": "", "v/logging/notes.txt": ""}
    imports = script(scan(tmp_path, files), "v/Run.py").imports
    assert (imports.standard, imports.local) == (("logging",), ("json",))


def test_entry_points(tmp_path):
    run = """
import argparse
parser = argparse.ArgumentParser()
if "__main__" == __name__:
    print(1)
def train(): ...
for i in range(3):
    print(i)
"""
    points = script(scan(tmp_path, {"v/Run.py": run}), "v/Run.py").entry_points
    lines = {"__main__": 4, "argparse": 3, "runs on import": 7}
    assert set(points) == {EntryPoint(kind, f"v/Run.py:{line}") for kind, line in lines.items()}


def test_a_module_of_definitions_is_no_entry_point(tmp_path):
    source = '"""Text."""\nimport os\nX = 1\nif os.name == "nt":\n    Y = 2\ndef f(): print(1)\nclass A:\n    pass\n'
    assert script(scan(tmp_path, {"v/a.py": source}), "v/a.py").entry_points == ()


def test_flags_of_argparse(tmp_path):
    source = """
import argparse
SIZE = 3
p = argparse.ArgumentParser()
p.add_argument("--batch-size", "-b", type=int, default=5000, help="rows")
p.add_argument("data")
p.add_argument("--mixed", action="store_true")
p.add_argument("--size", default=SIZE * 2)
p.add_argument(
    "--units",
    default=[200, -1],
)
s = p.add_subparsers()
s.add_parser("t").add_argument("--a", default=1)
"""
    flags = script(scan(tmp_path, {"v/Run.py": source}), "v/Run.py").flags
    assert {(flag.names, flag.default, flag.where) for flag in flags} == {
        (("--batch-size", "-b"), "5000", "v/Run.py:5"),
        (("data",), None, "v/Run.py:6"),
        (("--mixed",), "false", "v/Run.py:7"),
        (("--size",), "(computed)", "v/Run.py:8"),
        (("--units",), "[200, -1]", "v/Run.py:9"),
        (("--a",), "1", "v/Run.py:14"),
    }


def test_data_files_named_in_code(tmp_path):
    source = '''
"""Reads documented.csv."""
import os, logging
from pathlib import Path
import pandas as pd
pd.read_csv("data/present.csv")
pd.read_csv("absent 1 Hour.csv")
a = os.path.join("data", "present.csv")
b = Path("data") / "present.csv"
c = os.path.join(folder, "model.keras")
d = f"run_{seed}.h5"
e = folder + "/weights.npz"
logging.info("written to log.csv")
raise ValueError("no such file: raised.csv")
f = "https://example.org/remote.csv"
g = ".csv"
'''
    inventory = scan(tmp_path, {"v/Run.py": source, "v/data/present.csv": "a\n"})
    found = [(one.name, one.where.removeprefix("v/Run.py:"), one.present) for one in inventory.data_files]
    assert sorted(found, key=lambda one: int(one[1])) == [
        ("data/present.csv", "6", True), ("absent 1 Hour.csv", "7", False), ("data/present.csv", "8", True),
        ("data/present.csv", "9", True), ("{}/model.keras", "10", None), ("run_{}.h5", "11", None),
        ("{}/weights.npz", "12", None),
    ]  # fmt: skip


def test_identical_files_across_versions_are_one_row(tmp_path):
    inventory = scan(tmp_path, {"v_01/a.py": "x", "v_02/a.py": "x", "v_03/b.py": "x", "v_03/c.py": "y"})
    same, other = (f"| script | 1 | 1 | {hashlib.sha256(text).hexdigest()} |" for text in (b"x", b"y"))
    page = inventory_markdown(inventory)
    assert f"{same} a.py in v_01, v_02; b.py in v_03 |" in page
    assert f"{other} c.py in v_03 |" in page


@pytest.mark.parametrize(("condition", "kinds"), [
    ("__name__ == '__main__' and True", ["__main__"]), ("not __name__ != '__main__'", ["__main__"]),
    ("__name__ == 'x'", []),
])  # fmt: skip
def test_conditions_on_the_name_of_the_module(tmp_path, condition, kinds):
    found = script(scan(tmp_path, {"v/Run.py": f"if {condition}:\n    f()\n"}), "v/Run.py")
    assert [point.kind for point in found.entry_points] == kinds


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("', '.join(names)", []),
        ("'a' + '/' + 'b' + '.csv'", ["a/b.csv"]),
        ("base / 'a' / 'b.csv'", ["{}/a/b.csv"]),
        ("Path('a').joinpath('b').joinpath('c.csv')", ["a/b/c.csv"]),
        ("'out/' + read('b.csv') + '.txt'", ["out/{}.txt", "b.csv"]),
        ("os.path.join(read('x.csv'), 'y.csv')", ["{}/y.csv", "x.csv"]),
        ("f\"{read('a.csv')}/b.csv\"", ["{}/b.csv", "a.csv"]),
        ("print('wrote ' + 'a.csv')", []),
    ],
)
def test_a_joined_name_is_named_once(tmp_path, expression, names):
    assert [one.name for one in scan(tmp_path, {"v/Run.py": f"x = {expression}\n"}).data_files] == names


def test_a_chain_of_thousands_does_not_end_the_scan(tmp_path):
    inventory = scan(tmp_path, {"v/Run.py": "import os\nx = 'a'" + "+'b'" * 300 + "\nopen('c.csv')\n"})
    assert (inventory.scripts[0].imports.standard, inventory.data_files[-1].name) == (("os",), "c.csv")


@pytest.mark.parametrize(
    ("file", "text", "paths"),
    [
        (
            "Run.py",
            "a = 'C:/Users/me/EURUSD 1 Hour.csv'\nb = r'D:\\data\\x.csv'\n",
            ["C:/Users/me/EURUSD 1 Hour.csv", "D:\\data\\x.csv"],
        ),
        (
            "Run.py",
            "a = '/home/me/x.csv'\nb = 'cp /mnt/disk/x y'\nc = '~/models'\n",
            ["/home/me/x.csv", "/mnt/disk/x", "~/models"],
        ),
        ("Run.py", "a = 'relative/path.csv'\nb = 'https://host/home/x.csv'\nc = '/'\nd = base + '/checkpoint'\n", []),
        ("Run.py", "a = f'{base}/data/x.parquet'\nb = base + '/home/x'\nc = '// and nothing'\n", []),
        (
            "Run.py",
            "a = '//server/share/z.csv'\nb = '//comment about /home/me/x'\n",
            ["//server/share/z.csv", "/home/me/x"],
        ),
        ("config.json", '{"data": {"path": "/var/data/x.csv"}}', ["/var/data/x.csv"]),
        ("README.md", "It lies in /home/me/data. Or in C:\\fx\\x.csv.\n", ["/home/me/data", "C:\\fx\\x.csv"]),
    ],
)
def test_absolute_paths_in_code_settings_and_texts(tmp_path, file, text, paths):
    assert [one.text for one in scan(tmp_path, {f"v/{file}": text}).absolute_paths] == paths


def test_the_place_of_an_absolute_path_is_named(tmp_path):
    inventory = scan(
        tmp_path, {"v/Run.py": "\na = '/home/me/x'\n", "v/c.json": '{"data": {"path": "/var/data/x.csv"}}'}
    )
    assert [one.where for one in inventory.absolute_paths] == ["v/Run.py:2", "v/c.json:data.path"]
