"""Trees that are broken: each hazard is reported, does not stop the scan, and nothing outside the tree is read."""

import os

import pytest
from support.trees import plant, scan

from golden_core.legacy.frozen import verify_tree
from golden_core.legacy.inventory import Imports
from golden_core.legacy.inventory_pages import inventory_json, inventory_markdown
from golden_core.legacy.scanning import LegacyTreeError, scan_tree


def reasons(inventory):
    return {problem.path: problem.reason for problem in inventory.problems}


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("def f(:\n", "not parsed: syntax error at line 1"),
        ('print "hello"\n', "not parsed: syntax error at line 1"),
        ("x = " + "-" * 300_000 + "1", "not parsed: nested too deeply"),
        (b"x = '\xff'\n", "not parsed: syntax error"),
        ("x = 1\n\0", "not parsed: it holds null bytes"),
        ("x = 1\n" * 300_000, "hashed but not parsed: 1800000 bytes"),
    ],
)
def test_source_that_cannot_be_parsed_is_reported_and_hashed(tmp_path, source, reason):
    inventory = scan(tmp_path, {"v/bad.py": source})
    assert reasons(inventory)["v/bad.py"].startswith(reason)
    assert all(script.imports == Imports() for script in inventory.scripts)
    assert len(inventory.files) == 1


def test_numbers_longer_than_python_writes_are_spelled(tmp_path):
    number = "0x" + "f" * 5000
    code = f"import argparse\nargparse.ArgumentParser().add_argument('--seed', default={number})\n"
    inventory = scan(tmp_path, {"v_1/a.py": code, "v_1/b.yaml": f"seed: {number}\n"})
    assert inventory.scripts[0].flags[0].default.startswith('"0xff')
    assert inventory.configurations[0].settings["seed"].startswith('"0xff')


def test_one_is_no_plural(tmp_path):
    assert "\n1 file with 1 distinct contents in 1 version. Read" in inventory_markdown(
        scan(tmp_path, {"v_1/a.py": ""})
    )


def test_what_lies_in_no_version_is_told_beside_what_does(tmp_path):
    code = "DATA = '/home/x/a.csv'\n"
    page = inventory_markdown(scan(tmp_path, {"a.py": code, "v_1/a.py": code, "v_2/a.py": code}))
    assert "| /home/x/a.csv | a.py:1 in (no version), v_1, v_2 |" in page


def test_source_that_python_reads_is_no_problem(tmp_path):
    sources = {"v/a.py": "x = '\\d'\nif x is 1: pass\n", "v/b.py": "# coding: latin-1\nx = 'é'\n".encode("latin-1")}
    assert scan(tmp_path, sources).problems == ()


ALIASES = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [", "not read: ParserError at line"),
        ("a: 1\na: 2\n", "not read: DuplicateKeyError at line 2"),
        ("a: !!python/object/apply:os.system [x]\n", "not read: ConstructorError at line 1"),
        ("a: &a [*a, {b: 1}]\n", "not read: RecursionError"),
        (ALIASES, "not read: more than 10000 settings"),
        (b"a: \xff\n", "not read: UnicodeDecodeError"),
    ],
)
def test_broken_configurations_are_reported(tmp_path, text, reason):
    inventory = scan(tmp_path, {"v/c.yaml": text})
    assert reasons(inventory)["v/c.yaml"].startswith(reason)
    assert inventory.configurations == ()


@pytest.mark.parametrize("text", ["", "3", "[]", "null", "just text"])
def test_configurations_without_settings_are_no_problem(tmp_path, text):
    inventory = scan(tmp_path, {"v/c.yaml": text})
    assert inventory.problems == ()
    assert inventory.configurations[0].settings == {}


def test_symbolic_links_are_listed_and_never_followed(tmp_path):
    plant(tmp_path, {"outside/private.py": "import os\n", "tree/v_01/a.py": ""})
    links = {"v_01/out": str(tmp_path / "outside"), "v_01/out.py": "../../outside/private.py", "v_02": "v_01"}
    for name, target in links.items():
        (tmp_path / "tree" / name).symlink_to(target)
    inventory = scan_tree(tmp_path / "tree")
    assert [file.path for file in inventory.files] == ["v_01/a.py"]
    assert inventory.versions == ("v_01",)
    assert {(link.path, link.target) for link in inventory.links} == set(links.items())


def test_what_is_not_opened_is_said(tmp_path, monkeypatch):
    plant(tmp_path, {".git/objects/x": "x", "v/.hidden": "x", "v/locked/a.py": "x", b"v/back\\slash.py".decode(): "x"})
    os.mkfifo(tmp_path / "v" / "pipe.py")
    scandir = os.scandir

    def deny(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", deny)  # the tests may run as a user whom no permission stops
    inventory = scan_tree(tmp_path)
    assert [file.path for file in inventory.files] == ["v/.hidden"]
    said = {".git": "left out", "v/pipe.py": "not opened", "v/locked": "not listed", "v/back\\\\slash.py": "its name"}
    assert reasons(inventory).keys() == said.keys()
    assert all(words in reasons(inventory)[path] for path, words in said.items())


def test_a_file_whose_name_is_no_text_is_reported(tmp_path):
    (tmp_path / "v").mkdir()
    with open(os.fsencode(tmp_path) + b"/v/caf\xe9.py", "wb"):  # noqa: PTH123
        pass
    inventory = scan_tree(tmp_path)
    assert len(inventory.problems) == 1
    (inventory_json(inventory) + inventory_markdown(inventory)).encode()


def test_surrogates_and_endless_texts_from_files_are_made_harmless(tmp_path):
    source = "x = '\\ud800/data.csv'\nimport argparse\np.add_argument('--x', default='" + "y" * 100_000 + "')\n"
    inventory = scan(tmp_path, {"v/a.py": source, "v/c.json": '{"k": "\\ud800"}'})
    assert inventory.data_files[0].name == "\\ud800/data.csv"
    assert len(inventory.scripts[0].flags[0].default or "") < 400


@pytest.mark.parametrize("text", [
    "password" * 20_000, "password" + " " * 200_000 + "x", "-----BEGIN PRIVATE KEY-----" * 5_000,
    "'password=" * 10_000, "a" * 200_000 + "://",
])  # fmt: skip
def test_no_text_makes_the_search_for_credentials_endless(tmp_path, text):
    """An expression that looks back over all of a text would not end before the test's time is over."""
    assert len(scan(tmp_path, {"v/a.txt": text}).files) == 1


def test_nothing_is_imported_or_executed(tmp_path):
    trap = f"open({str(tmp_path / 'sprung')!r}, 'w').write('x')\n"
    scan(tmp_path / "tree", dict.fromkeys(("v/Run.py", "v/conftest.py", "v/__init__.py", "v/sitecustomize.py"), trap))
    assert not (tmp_path / "sprung").exists()


def test_what_is_not_a_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for name, words in (("absent", "no such folder"), ("file", "not a folder")):
        with pytest.raises(LegacyTreeError, match=words):
            scan_tree(tmp_path / name)


TREE = {
    f"v_{number:02d}/{name}": f"import os\n# {name}\nVERSION = {number}\n"
    for number in (1, 2)
    for name in ("Run.py", "Trainer.py")
}


def test_verification_names_each_changed_missing_and_extra_file(tmp_path):
    frozen = scan(tmp_path, TREE).files
    verification = verify_tree(scan_tree(tmp_path), frozen)
    assert (verification.exact, verification.describe()) == (True, "4 equal, 0 changed, 0 missing, 0 extra")
    plant(tmp_path, {"v_01/Run.py": "2000", "v_03/extra.py": "5"})
    (tmp_path / "v_01" / "Trainer.py").unlink()
    (tmp_path / "v_02" / "Run.py").rename(tmp_path / "v_03" / "target.py")
    (tmp_path / "v_02" / "Run.py").symlink_to("../v_03/target.py")
    found = scan_tree(tmp_path)
    old, new = ({file.path: file.sha256 for file in files}["v_01/Run.py"] for files in (frozen, found.files))
    assert verify_tree(found, frozen).describe().splitlines() == [
        "1 equal, 1 changed, 2 missing, 2 extra", f"changed: v_01/Run.py (expected {old}, found {new})",
        "missing: v_01/Trainer.py", "missing: v_02/Run.py", "extra: v_03/extra.py", "extra: v_03/target.py",
    ]  # fmt: skip


def test_the_wrong_folder_and_converted_line_ends_are_recognised(tmp_path):
    frozen = scan(tmp_path / "tree", TREE).files
    for folder in (tmp_path, tmp_path / "tree" / "v_01"):
        assert verify_tree(scan_tree(folder), frozen).describe().splitlines()[1].startswith("no file is where it")
    for path in (tmp_path / "tree" / "v_01").iterdir():
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert "core.autocrlf=false" in verify_tree(scan_tree(tmp_path / "tree"), frozen).describe()
    plant(tmp_path / "tree", {"v_02/Run.py": "import os\n# Run.py\nVERSION = 9\n"})
    assert "core.autocrlf" not in verify_tree(scan_tree(tmp_path / "tree"), frozen).describe()
