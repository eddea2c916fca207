"""Texts that code joins: names of data files and absolute paths, however they are put together."""

import pytest
from support.trees import scan

from golden_core.legacy.scanning import scan_tree


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


@pytest.mark.parametrize("count", [300, 700, 1000, 2900])
@pytest.mark.parametrize("link", ["+'b'", "/'b'", ".joinpath('b')", ".get('b', {})", "['b']", ".b"])
def test_a_long_chain_does_not_end_the_scan(tmp_path, link, count):
    source = "import os\nx = Path('a')" + link * count + "\nopen('c.csv')\n"
    inventory = scan(tmp_path, {"v/Run.py": source})
    assert inventory.scripts[0].imports.standard == ("os",) or "nested too deeply" in inventory.problems[0].reason
    assert len(inventory.data_files) + len(inventory.problems) == 1


@pytest.mark.parametrize(
    ("expression", "paths"),
    [
        ("f'{base}/data/x.parquet'", []),
        ("base + '/home/x'", []),
        ("'//server/share/z.csv'", ["//server/share/z.csv"]),
        (r"'\\\\?\\C:\\long\\p.csv'", [r"\\?\C:\long\p.csv"]),
        ("'//comment about /home/me/x'", ["/home/me/x"]),
        ("'// and nothing'", []),
    ],
)
def test_absolute_paths(tmp_path, expression, paths):
    assert [one.text for one in scan(tmp_path, {"v/Run.py": f"x = {expression}\n"}).absolute_paths] == paths


def test_a_path_in_prose_ends_before_the_full_stop(tmp_path):
    (tmp_path / "README.md").write_text("It lies in /home/me/data. Or in C:\\fx\\x.csv.\n")
    assert [one.text for one in scan_tree(tmp_path).absolute_paths] == ["/home/me/data", "C:\\fx\\x.csv"]
