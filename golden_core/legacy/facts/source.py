"""Python source → syntax tree, or the reason why there is none. Nothing is compiled further, imported or executed."""

from __future__ import annotations

import ast
import json
import re
import warnings
from dataclasses import dataclass
from typing import Any

from golden_core.legacy.inventory import Language

# Read only where Python 3 has refused the source, so that a pattern in a string of valid code means nothing.
_PYTHON_2 = re.compile(
    rb"""(?mx)
    ^[ \t]*print[ \t]+[\w"'%]                       # print statement
    | ^[ \t]*exec[ \t]+[\w"']                       # exec statement
    | ^[ \t]*except[ \t]+[\w.(), \t]{1,200},[ \t]*\w+[ \t]*:
    | ^[ \t]*raise[ \t]+[\w.]{1,100}[ \t]*,
    | \b(?:0[0-7]+|[0-9]+[lL]|0[xX][0-9a-fA-F]+[lL])\b
    | <> | `\w[^`\n]{0,100}`
    | \b[uU][rR]["']
    | \bdef[ \t]+\w{1,100}[ \t]*\([^()\n]{0,200}\(  # parameters in parentheses
    """
)


# Magics that run the rest of their cell as Python; any other %% magic hands it to something else.
_PYTHON_MAGICS = ("%%time", "%%timeit", "%%capture", "%%prun", "%%python", "%%python3")
_ASSIGNED_MAGIC = re.compile(r"([ \t]*[\w., \t]{1,200}=[ \t]*)[!%]")  # files = !ls
_HELP = re.compile(r"\?{0,2}[\w.]{1,200}\?{1,2}\s*")  # frame.head?


@dataclass(frozen=True)
class Unit:
    """A piece of source with its own line numbers: a script ("path") or a cell of a notebook ("path:cell k")."""

    place: str
    tree: ast.Module


@dataclass(frozen=True)
class Source:
    """What became of a file of source: its syntax trees, and why something has none."""

    language: Language
    units: tuple[Unit, ...]
    reasons: tuple[str, ...]


def parse_script(path: str, text: bytes) -> Source:
    """Parse a script as Python 3."""
    tree = _parse(text)
    if isinstance(tree, ast.Module):
        return Source("Python 3", (Unit(path, tree),), ())
    if _PYTHON_2.search(text):
        return Source("Python 2", (), (f"Python 2, not parsed ({tree})",))
    return Source("not parsed", (), (f"not parsed: {tree}",))


def parse_notebook(path: str, text: bytes) -> Source:
    """Parse the code cells of a notebook (format 3 or 4), cell by cell; cells are counted from 1."""
    try:
        cells = _code_cells(json.loads(text.decode("utf-8-sig")))
    except (ValueError, RecursionError, _NotANotebookError) as error:
        reason = str(error) if isinstance(error, _NotANotebookError) else "not valid JSON"
        return Source("not parsed", (), (f"notebook not parsed: {reason}",))
    parsed = [(number, _parse(_without_magics(cell))) for number, cell in cells]
    units = tuple(Unit(f"{path}:cell {number}", tree) for number, tree in parsed if isinstance(tree, ast.Module))
    reasons = tuple(f"cell {number} not parsed: {fault}" for number, fault in parsed if isinstance(fault, str))
    return Source("Python 3" if units or not reasons else "not parsed", units, reasons)


def _parse(text: bytes | str) -> ast.Module | str:
    """Return the tree, or the reason without any of the source in it (a message may quote what stands there)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" in somebody's string is no concern of ours
            return ast.parse(text)
    except SyntaxError as error:
        return f"syntax error at line {error.lineno}" if error.lineno else "syntax error"
    except (RecursionError, MemoryError):
        return "nested too deeply"
    except ValueError:
        return "not text that Python reads"


class _NotANotebookError(Exception):
    """Valid JSON, but not a notebook; the message says why."""


def _code_cells(notebook: Any) -> list[tuple[int, str]]:
    """Return number and source of every code cell."""
    if not isinstance(notebook, dict):
        raise _NotANotebookError("the document is not an object")
    language = _language(notebook.get("metadata"))
    if language not in ("", "python", "ipython"):
        raise _NotANotebookError(f"its language is {language}")
    sheets = notebook.get("worksheets", [notebook])
    if not isinstance(sheets, list) or not all(isinstance(sheet, dict) for sheet in sheets):
        raise _NotANotebookError("worksheets is not a list of objects")
    cells = [cell for sheet in sheets for cell in _list(sheet.get("cells"))]
    return [
        (number, _joined(cell.get("source", cell.get("input"))))
        for number, cell in enumerate(cells, 1)
        if isinstance(cell, dict) and cell.get("cell_type") == "code"
    ]


def _language(metadata: Any) -> str:
    """Return the language of a notebook's kernel, "" where none is told."""
    for section, name in (("kernelspec", "language"), ("language_info", "name")):
        told = metadata.get(section) if isinstance(metadata, dict) else None
        if isinstance(told, dict) and isinstance(told.get(name), str):
            return str(told[name]).lower()[:40]
    return ""


def _list(cells: Any) -> list[Any]:
    if not isinstance(cells, list):
        raise _NotANotebookError("it has no list of cells")
    return cells


def _joined(source: Any) -> str:
    if isinstance(source, str):
        return source
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        return "".join(source)
    raise _NotANotebookError("the source of a cell is not text")


def _without_magics(cell: str) -> str:
    """Blank out what is for the notebook and not for Python; line numbers stay."""
    first, _, rest = cell.lstrip().partition("\n")
    if first.startswith("%%"):
        above = cell[: len(cell) - len(cell.lstrip())]
        return f"{above}\n{_without_magics(rest)}" if first.split()[0] in _PYTHON_MAGICS else ""
    return "\n".join(_plain(line) for line in cell.split("\n"))


def _plain(line: str) -> str:
    code = line.lstrip()
    if code.startswith(("%", "!", "?")) or _HELP.fullmatch(code):
        return line[: len(line) - len(code)] + "pass"  # keeps a block such as `if colab: !pip …` valid
    assigned = _ASSIGNED_MAGIC.match(line)
    return assigned[1] + "None" if assigned else line
