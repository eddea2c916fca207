"""What a source file does and what it imports: parsed once, and remembered while the file stays as it is."""

from __future__ import annotations

import ast
import contextlib
import functools
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from golden_core.store.lake import Home, LayoutError, hash_bytes, hash_file, stored_json, write_json

MEMORY = "sources_read.json"
# A file written just now may be written again within one tick of its file system's clock, and look the same.
_SETTLED = 2_000_000_000

# What an import names: a module, with a dot for every level up, and what is taken from it, as written: "ar as model".
Imported = list[str]


class Sources:
    """Source files by path; those whose size, times and inode are as remembered are not read again.

    The hash of a file is of what it does: its syntax tree without docstrings, comments and positions. Annotations stay
    in: pydantic and dataclasses read them. A release of Python may name its nodes in another way, so hashes are
    compared only between runs of one; the version of Python is part of every trial's provenance.

    Every process that asks for versions would else parse all modules of the project. What is remembered lies in the
    home, for one release of Python.
    """

    def __init__(self, memory: Path | None) -> None:
        self._memory, self._by = memory, hash_bytes(f"{sys.version} {hash_file(Path(__file__))}".encode())
        stored = stored_json(memory, by=str, files=dict) if memory else {}
        self._files: dict[str, Any] = stored["files"] if stored.get("by") == self._by else {}
        self._new: dict[str, Any] = {}

    def read(self, path: Path) -> tuple[str, list[Imported]]:
        """Return a file's hash and its imports."""
        state, known = _state(path), self._files.get(str(path))
        if isinstance(known, dict) and known.get("state") == state:
            return known["hash"], known["imports"]
        found, imports = _parsed(path.read_bytes())
        if time.time_ns() - max(state[1:3]) > _SETTLED:
            self._new[str(path)] = self._files[str(path)] = {"state": state, "hash": found, "imports": imports}
        return found, imports

    def remember(self) -> None:
        """Write down what was parsed, where there is a home to write to."""
        if self._new and self._memory and self._memory.parent.is_dir():
            still = {name: entry for name, entry in self._files.items() if Path(name).exists()}
            with contextlib.suppress(OSError):  # one that cannot be written to: every process parses anew
                write_json({"by": self._by, "files": still}, self._memory)
            self._new = {}


def sources() -> Sources:
    """Return the source files as the home in use remembers them."""
    try:
        return _of(Home.from_environment().root / MEMORY)
    except LayoutError:  # said where somebody opens it
        return _of(None)


@functools.cache
def _of(memory: Path | None) -> Sources:
    return Sources(memory)


def _state(path: Path) -> list[int]:
    """Return what tells a file from its changed self; nobody can set the time of the last change of its inode."""
    found = path.stat()
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


@functools.cache
def _parsed(source: bytes) -> tuple[str, list[Imported]]:
    tree = ast.parse(source)
    imports: list[Imported] = []
    for node in (tree, *_statements(tree)):
        if isinstance(node, ast.Import):
            imports += [[ast.unparse(alias)] for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imports.append(["." * node.level + (node.module or ""), *map(ast.unparse, node.names)])
        elif isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and _documented(node):
            node.body = node.body[1:]
    return hash_bytes(ast.dump(tree).encode()), imports


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the statements within a node, at any depth; expressions hold neither docstrings nor imports."""
    for part in ("body", "handlers", "cases", "orelse", "finalbody"):
        for child in getattr(node, part, ()):
            yield child
            yield from _statements(child)


def _documented(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    match node.body[:1]:
        case [ast.Expr(value=ast.Constant(value=str()))]:
            return True
    return False
