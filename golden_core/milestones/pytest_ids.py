"""Whether a test exists, by its pytest id. Test files are parsed, never imported or run."""

from __future__ import annotations

import ast
from pathlib import Path

_Body = list[ast.stmt]


def is_test(repository: Path, identity: str) -> bool:
    """Whether a file of tests defines what an id names.

    Parameters
    ----------
    repository : Path
        Root of the checkout.
    identity : str
        ``tests/…/test_x.py``, with ``::test_y`` or ``::TestZ::test_y`` behind it; parameters in brackets are ignored.
        A file alone exists if it defines a test.
    """
    file, *names = identity.partition("[")[0].split("::")
    path = repository / file
    if not path.is_file():
        return False
    body: _Body | None = ast.parse(path.read_bytes()).body
    if not names:
        return bool(body) and any(_is_test(node) for node in ast.walk(ast.Module(body=body or [], type_ignores=[])))
    for name in names:
        body = _inside(body or [], name)
    return body is not None and names[-1].startswith("test")


def _inside(body: _Body, name: str) -> _Body | None:
    """Return the body of a function or class of that name, or nothing."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == name:
            return node.body
    return None


def _is_test(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test")
