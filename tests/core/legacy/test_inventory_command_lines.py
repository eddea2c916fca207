"""Ways to start a script other than argparse and click, and packages that a tree declares."""

from pathlib import Path

import pytest

from golden_core.legacy.inventory import Script
from golden_core.legacy.scanning import scan_tree


def script(root: Path, source: str, **others: str) -> Script:
    (root / "v").mkdir()
    (root / "v" / "Run.py").write_text(source)
    for name, content in others.items():
        (root / "v" / name.replace("__", ".")).write_text(content)
    return next(one for one in scan_tree(root).scripts if one.path == "v/Run.py")


@pytest.mark.parametrize(
    ("source", "kinds"),
    [
        ("if __name__ == '__main__' and True:\n    f()\n", ["__main__"]),
        ("if not __name__ != '__main__':\n    f()\n", ["__main__"]),
        ("if __name__ == 'builtins':\n    f()\n", []),
        ("import sys\npath = sys.argv[1]\nn = int(sys.argv[2])\n", ["sys.argv"]),
        ("import fire\nif __name__ == '__main__':\n    fire.Fire(f)\n", ["__main__", "fire"]),
        ("from absl import app\ndef main(): app.run(f)\n", ["absl"]),
        ("import tensorflow as tf\ndef main(): tf.app.run(f)\n", ["absl"]),
        ("from flask import Flask\ndef main(): app.run(f)\n", []),
        ("from optparse import OptionParser\np = OptionParser()\n", ["optparse"]),
        ("import typer\napp = typer.Typer()\n@app.command()\ndef f(): ...\n", ["typer"]),
        ("import typer\ndef g(): typer.run(f)\n", ["typer"]),
    ],
)
def test_how_a_script_is_started(tmp_path, source, kinds):
    assert [point.kind for point in script(tmp_path, source).entry_points] == kinds


@pytest.mark.parametrize(
    ("source", "flags"),
    [
        ("flags.DEFINE_string('data', '/tmp', 'help')", [("--data", '"/tmp"', "absl")]),
        ("tf.app.flags.DEFINE_bool('gpu', default=True, help='')", [("--gpu", "true", "absl")]),
        ("parser.add_option('-f', '--file', default='x')", [("-f", '"x"', "optparse")]),
        ("s = p.add_subparsers()\nt = s.add_parser('t')\nt.add_argument('--a', default=1)", [("--a", "1", "argparse")]),
        ("g = p.add_mutually_exclusive_group()\ng.add_argument('--b')", [("--b", None, "argparse")]),
        ("browser_options.add_argument('--headless')", []),
    ],
)
def test_flags(tmp_path, source, flags):
    found = script(tmp_path, source + "\n").flags
    assert [(flag.names[0], flag.default, flag.parser) for flag in found] == flags


def test_flags_of_typer_are_the_parameters_of_its_commands(tmp_path):
    source = """
import typer
from typing import Annotated
app = typer.Typer()
@app.command()
def train(
    path: str,
    out: str = typer.Argument(...),
    epochs: int = typer.Option(60, "--epochs", "-e"),
    learning_rate: Annotated[float, typer.Option("--lr", help="x")] = 0.01,
    gpu: bool = True,
    *,
    seed: int = typer.Option(...),
): ...
def other(a=1): ...
"""
    flags = script(tmp_path, source).flags
    assert [(flag.names, flag.default) for flag in flags] == [
        (("path",), None),
        (("out",), None),
        (("--epochs", "-e"), "60"),
        (("--lr",), "0.01"),
        (("--gpu",), "true"),
        (("--seed",), None),
    ]
    assert {flag.parser for flag in flags} == {"typer"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("requirements__txt", "MyTrader5==5.0\n"),
        ("environment__yml", "name: fx\ndependencies:\n  - python=3.8\n  - pip:\n    - 'MyTrader5>=5'\n"),
        ("pyproject__toml", '[project]\ndependencies = ["MyTrader5>=5"]\n'),
    ],
)
def test_a_declared_package_is_not_missing(tmp_path, name, content):
    source = "import MyTrader5, undeclared_one\n"
    imports = script(tmp_path, source, **{name: content}).imports
    assert (imports.third_party, imports.missing) == (("MyTrader5",), ("undeclared_one",))


@pytest.mark.parametrize("content", ["[project", "project = 3\n", "[project]\ndependencies = 3\n"])
def test_a_project_file_that_declares_nothing(tmp_path, content):
    assert script(tmp_path, "import undeclared_one\n", pyproject__toml=content).imports.missing == ("undeclared_one",)
