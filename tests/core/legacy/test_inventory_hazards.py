"""Trees that are broken or hostile: each hazard is handled, reported, and does not stop the scan."""

import os
import time
from pathlib import Path

import pytest

from golden_core.legacy.facts.contents import read_contents
from golden_core.legacy.inventory import ODD_NAME, Imports, Inventory
from golden_core.legacy.inventory_pages import inventory_json, inventory_markdown
from golden_core.legacy.scanning import scan_tree
from golden_core.legacy.verification import verify_tree


def scan(root: Path, files: dict[str, str | bytes]) -> Inventory:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    inventory = scan_tree(root)
    inventory_json(inventory).encode()  # whatever the tree holds, it can be written as UTF-8
    inventory_markdown(inventory).encode()
    return inventory


def reasons(inventory: Inventory) -> dict[str, str]:
    return {problem.path: problem.reason for problem in inventory.problems}


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("def f(:\n", "not parsed: syntax error at line 1"),
        ('print "hello"\n', "not parsed: syntax error at line 1"),
        ("x = 1\n  y = 2\n", "not parsed: syntax error at line 2"),
        ("(" * 100_000, "not parsed: syntax error at line 1"),
        ("x = " + "-" * 300_000 + "1", "not parsed: nested too deeply"),
        ("x = " + "+".join("1" * 100_000), "not parsed: nested too deeply"),
        (b"x = '\xff'\n", "not parsed: syntax error"),
        (b"# coding: no-such-codec\n", "not parsed: syntax error"),
        ("x = 1\n" * 2000 + "\0", "not parsed: syntax error"),
    ],
)
def test_source_that_cannot_be_parsed_is_reported_and_hashed(tmp_path, source, reason):
    inventory = scan(tmp_path, {"v/bad.py": source})
    assert reasons(inventory)["v/bad.py"].startswith(reason)
    assert [(script.path, script.imports) for script in inventory.scripts] == [("v/bad.py", Imports())]
    assert len(inventory.files) == 1


def test_warnings_about_somebodys_source_are_not_ours(tmp_path):
    inventory = scan(tmp_path, {"v/a.py": "x = '\\d'\nassert (1, 'x')\nif x is 1: pass\n"})
    assert inventory.problems == ()


def test_latin_1_source_with_a_declaration_is_parsed(tmp_path):
    inventory = scan(tmp_path, {"v/a.py": "# -*- coding: latin-1 -*-\nimport os\nx = 'é'\n".encode("latin-1")})
    assert inventory.scripts[0].imports.standard == ("os",)
    assert inventory.problems == ()


ALIASES = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [", "not read: ParserError at line"),
        ("a: 1\na: 2\n", "not read: DuplicateKeyError at line 2"),
        ("a: !!python/object/apply:os.system [x]\n", "not read: ConstructorError at line 1"),
        ("a: *b\n", "not read: ComposerError at line 1"),
        ("a: &a [*a, {b: 1}]\n", "not read: nested more than 20 deep"),
        (ALIASES, "not read: more than 10000 settings"),
        ("s: &s " + "x" * 100_000 + "\n" + "".join(f"k{i}: *s\n" for i in range(9000)), "not read: more than"),
        ("[" * 10_000, "not read: RecursionError"),
        ("a: 2020-13-45\n", "not read: ValueError"),
        (b"a: \xff\n", "not read: UnicodeDecodeError"),
        ("a: 1\n---\nb: 2\n", "not read: ComposerError"),
        ("# " + "x" * 300_000, "hashed but not parsed: 300002 bytes"),
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
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "private.py").write_text("import os\n")
    tree = tmp_path / "tree"
    (tree / "v_01" / "deep").mkdir(parents=True)
    (tree / "v_01" / "a.py").write_text("")
    links = {
        "v_01/deep/up": "../..",
        "v_01/self": "self",
        "v_01/out": str(outside),
        "v_01/out.py": "../../outside/private.py",
        "v_01/in.py": "a.py",
        "v_01/gone": "nothing",
        "v_02": "v_01",
        "above": "../..",
    }
    for name, target in links.items():
        (tree / name).symlink_to(target)
    inventory = scan_tree(tree)
    assert [file.path for file in inventory.files] == ["v_01/a.py"]
    assert inventory.versions == ("v_01",)  # v_02 is a link
    assert {(link.path, link.target) for link in inventory.links} == set(links.items())


def test_a_tree_that_is_given_through_a_link_is_scanned(tmp_path):
    (tmp_path / "tree" / "v").mkdir(parents=True)
    (tmp_path / "tree" / "v" / "a.py").write_text("")
    (tmp_path / "link").symlink_to("tree")
    assert scan_tree(tmp_path / "link") == scan_tree(tmp_path / "tree")


def test_pipes_are_not_opened(tmp_path):
    (tmp_path / "v").mkdir()
    os.mkfifo(tmp_path / "v" / "pipe.py")
    inventory = scan_tree(tmp_path)
    assert "not opened" in reasons(inventory)["v/pipe.py"]
    assert inventory.files == ()


def test_version_control_is_left_out_and_said_so(tmp_path):
    inventory = scan(tmp_path, {".git/objects/x": "x", "v/.git": "gitdir: elsewhere", "v/.hidden": "x"})
    assert [file.path for file in inventory.files] == ["v/.git", "v/.hidden"]
    assert ".git" in reasons(inventory)


def test_unreadable_entries_are_reported(tmp_path, monkeypatch):
    (tmp_path / "v" / "locked").mkdir(parents=True)
    (tmp_path / "v" / "secret.py").write_text("x")
    (tmp_path / "v" / "b.py").write_text("x")
    scandir, open_ = os.scandir, os.open

    def deny(real, path, *rest):
        if os.fsencode(path).endswith((b"locked", b"secret.py")):
            raise PermissionError(13, "Permission denied", path)
        return real(path, *rest)

    # The tests may run as a user whom no permission stops.
    monkeypatch.setattr(os, "scandir", lambda path: deny(scandir, path))
    monkeypatch.setattr(os, "open", lambda path, *rest: deny(open_, path, *rest))
    inventory = scan_tree(tmp_path)
    assert reasons(inventory) == {
        "v/locked": "folder cannot be listed: Permission denied",
        "v/secret.py": "cannot be read: Permission denied",
    }
    assert [file.path for file in inventory.files] == ["v/b.py"]


def test_a_path_longer_than_the_system_allows_is_reported(tmp_path):
    here = Path.cwd()
    try:
        os.chdir(tmp_path)
        for _ in range(30):
            Path("d" * 200).mkdir()
            os.chdir("d" * 200)
        Path("deep.py").write_text("")
    finally:
        os.chdir(here)
    inventory = scan_tree(tmp_path)
    assert list(reasons(inventory).values()) == ["folder cannot be listed: File name too long"]


@pytest.mark.parametrize(
    "name",
    [b"caf\xe9.py", b"back\\slash.py", b"line\nfeed.py", b"tab\t.py", b"bidi\xe2\x80\xae.py", b"-"],
)
def test_a_file_of_an_odd_name_is_reported_and_extra(tmp_path, name):
    (tmp_path / "v").mkdir()
    Path(os.fsdecode(os.fsencode(tmp_path / "v") + b"/" + name)).write_bytes(b"import os\n")
    inventory = scan(tmp_path, {"v/two words, | and é.py": "import os\n"})
    assert [file.path for file in inventory.files] == ["v/two words, | and é.py"]
    (problem,) = inventory.problems
    assert problem.reason == ODD_NAME
    assert verify_tree(inventory, inventory.files).extra == (problem.path,)


def test_surrogates_and_endless_texts_from_files_are_made_harmless(tmp_path):
    source = "x = '\\ud800/data.csv'\nimport argparse\np.add_argument('--x', default='" + "y" * 100_000 + "')\n"
    inventory = scan(tmp_path, {"v/a.py": source, "v/c.json": '{"k": "\\ud800"}'})
    assert inventory.data_files[0].name == "\\ud800/data.csv"
    assert len(inventory.scripts[0].flags[0].default or "") < 400


def test_numbers_too_long_to_write_in_decimal(tmp_path):
    inventory = scan(tmp_path, {"v/a.py": "p.add_argument('--x', default=0x" + "f" * 5000 + ")\n"})
    assert (inventory.scripts[0].flags[0].default or "").startswith('"0xfff')


def test_a_million_lines_are_hashed_and_counted_within_seconds(tmp_path):
    rows = "2010-01-01 00:00:00,1.43283,1.43293,1.43224,1.43293,608600007.1\n" * 1_000_000
    start = time.process_time()
    inventory = scan(
        tmp_path, {"v/big.csv": rows, "v/big.py": "x = 1\n" * 1_000_000, "v/big.json": "[" + "1," * 5_000_000}
    )
    assert time.process_time() - start < 30
    assert {file.path: file.lines for file in inventory.files} == {
        "v/big.csv": 10**6,
        "v/big.py": 10**6,
        "v/big.json": 1,
    }
    assert reasons(inventory)["v/big.py"] == "hashed but not parsed: 6000000 bytes, more than 524288"


def test_ten_thousand_small_files_within_seconds(tmp_path):
    for version in range(10):
        (tmp_path / f"v_{version:02d}").mkdir()
        for number in range(1000):
            (tmp_path / f"v_{version:02d}" / f"m{number}.py").write_text(
                f"import os\n\n\ndef f(a={number % 9}):\n    return a\n"
            )
    start = time.process_time()
    inventory = scan_tree(tmp_path)
    assert time.process_time() - start < 30
    assert (len(inventory.files), len({file.sha256 for file in inventory.files})) == (10_000, 9)


PATHOLOGICAL = {
    "words": "password" * 100_000,
    "spaces": "password" + " " * 1_000_000 + "x",
    "tokens": "eyJ-" * 200_000,
    "keys": "-----BEGIN PRIVATE KEY-----" * 30_000,
    "scheme": "a" * 1_000_000 + "://",
    "quotes": "'password=" * 90_000,
    "calls": "get('" * 150_000 + "token",
    "headers": "bearer " * 120_000,
    "found": "password = 'abcdef12'\n" * 50_000,
}


@pytest.mark.parametrize("name", PATHOLOGICAL)
def test_no_text_makes_the_search_for_credentials_slow(tmp_path, name):
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / "a.txt").write_text(PATHOLOGICAL[name])
    start = time.process_time()
    scan_tree(tmp_path)
    assert time.process_time() - start < 10


def test_a_file_that_became_a_link_is_not_read(tmp_path):
    """Between listing and opening, somebody may put a link in place of a file."""
    (tmp_path / "target").write_text("x")
    (tmp_path / "link.py").symlink_to("target")
    with pytest.raises(OSError, match="symbolic links"):
        read_contents(tmp_path / "link.py")


@pytest.mark.parametrize("name", ["a.py", "a.yaml"])
@pytest.mark.parametrize("content", [b"x = 1\n\0\n", "x = 1\n".encode("utf-16"), "x = 1\n".encode("utf-32")])
def test_null_bytes_where_a_name_promises_text_are_reported(tmp_path, name, content):
    inventory = scan(tmp_path, {f"v/{name}": content, "v/a.h5": content})
    assert reasons(inventory) == {f"v/{name}": "not parsed: it holds null bytes"}
