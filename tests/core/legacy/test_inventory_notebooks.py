"""Notebooks in the wild, and texts that PowerShell wrote."""

import json
from pathlib import Path

import pytest

from golden_core.legacy.inventory import Inventory
from golden_core.legacy.inventory_pages import inventory_json, inventory_markdown
from golden_core.legacy.scanning import scan_tree


def scan(root: Path, files: dict[str, bytes]) -> Inventory:
    (root / "v").mkdir()
    for name, content in files.items():
        (root / "v" / name).write_bytes(content)
    return scan_tree(root)


def notebook(*cells: str, **metadata: object) -> bytes:
    code = [{"cell_type": "code", "source": cell, "outputs": []} for cell in cells]
    return json.dumps({"cells": code, "metadata": metadata}).encode()


@pytest.mark.parametrize(
    "cell",
    [
        "%%time\nimport os\n",
        "\n%%capture out\nimport os\n%matplotlib inline\n",
        "%%timeit -n 3\n!ls\nimport os\n",
        "files = !ls *.csv\nimport os\n",
        "a, b = %time f()\nimport os\n",
        "frame.head?\n?frame\nimport os\n",
        "x = f(  # is it?\n    1)\nimport os\n",
        "print('a = %d' % 3)\nimport os\n",
    ],
)
def test_python_among_magics_is_read(tmp_path, cell):
    inventory = scan(tmp_path, {"n.ipynb": notebook(cell)})
    assert (inventory.scripts[0].imports.standard, inventory.problems) == (("os",), ())


@pytest.mark.parametrize("magic", ["%%bash", "%%writefile run.py", "%%html", "%%R", "%%timeline"])
def test_a_cell_for_something_else_is_left_out(tmp_path, magic):
    inventory = scan(tmp_path, {"n.ipynb": notebook(f"{magic}\nimport os\n")})
    assert (inventory.scripts[0].imports.standard, inventory.problems) == ((), ())


@pytest.mark.parametrize(
    "metadata", [{"kernelspec": {"language": "R", "name": "ir"}}, {"language_info": {"name": "julia"}}]
)
def test_a_notebook_in_another_language_is_not_taken_for_python(tmp_path, metadata):
    inventory = scan(tmp_path, {"n.ipynb": notebook("x <- 5", **metadata)})
    assert inventory.scripts[0].language == "not parsed"
    assert [p.reason.rpartition(" ")[0] for p in inventory.problems] == ["notebook not parsed: its language is"]


def test_a_notebook_of_python_may_say_so(tmp_path):
    inventory = scan(tmp_path, {"n.ipynb": notebook("import os", kernelspec={"language": "python"})})
    assert (inventory.scripts[0].language, inventory.problems) == ("Python 3", ())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf_16_is_read(tmp_path, encoding):
    def written(text: str) -> bytes:
        return ("" if encoding == "utf-16" else "\ufeff").encode("utf-16-be") + text.encode(encoding)

    inventory = scan(
        tmp_path,
        {
            "Run.py": written("import os\nimport helper_lib\nconfig['units']\n"),
            "config.yaml": written("units: 64\n"),
            "requirements.txt": written("helper-lib==1.0\n"),
            "secrets.env": written("# mine\nPASSWORD=" + "hunter22\n"),
            "notes.txt": written("hunter22 is in /home/me/x\n"),
        },
    )
    assert {file.path: file.kind for file in inventory.files} == {
        "v/Run.py": "script",
        "v/config.yaml": "configuration",
        "v/notes.txt": "text",
        "v/requirements.txt": "text",
        "v/secrets.env": "text",
    }
    assert inventory.scripts[0].imports.third_party == ("helper_lib",)
    assert inventory.configurations[0].settings == {"units": "64"}
    assert [(one.path, one.lines) for one in inventory.credentials] == [("v/secrets.env", (2,))]
    assert [problem.path for problem in inventory.problems] == ["v/Run.py"]
    assert "hunter22" not in inventory_json(inventory) + inventory_markdown(inventory)


@pytest.mark.parametrize("name", ["a.py", "a.yaml", "a.ipynb"])
@pytest.mark.parametrize("content", [b"x = 1\n\0\n", "x = 1\n".encode("utf-32")])
def test_null_bytes_where_a_name_promises_text_are_reported(tmp_path, name, content):
    inventory = scan(tmp_path, {name: content, "a.h5": content})
    assert [(p.path, p.reason) for p in inventory.problems] == [(f"v/{name}", "not parsed: it holds null bytes")]
