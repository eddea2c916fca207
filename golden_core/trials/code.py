"""Which source files a piece of science depends on, and their hash. Static: nothing is imported or run."""

from __future__ import annotations

import ast
import functools
import importlib.util
from collections.abc import Iterable
from pathlib import Path

from golden_core.store.lake import hash_bytes

# Plumbing whose changes cannot change a forecast: what it feeds in is hashed as data instead.
PLUMBING = frozenset(
    f"golden_core.{name}"
    for name in ("study", "store.lake", "store.schema", "store.provenance", "store.warehouse", "preparation", "trials")
)


@functools.cache
def code_hash(modules: tuple[str, ...]) -> str:
    """Return the hash of the sources of some modules and of all they import from their own packages.

    Another statement in a forecaster, in the trainer it uses or in a block of its network gives another hash; one in
    a forecaster that it does not import does not, and neither do comments, docstrings and layout anywhere.
    """
    files = sorted(source_files(modules).items())
    return hash_bytes("\n".join(f"{name} {syntax_hash(path.read_bytes())}" for name, path in files).encode())


def syntax_hash(source: bytes) -> str:
    """Return the hash of what a module does: its syntax tree without docstrings, comments and positions.

    Annotations stay in: pydantic and dataclasses read them. A release of Python may name its nodes in another way,
    so hashes are compared only between runs of one; the version of Python is part of every trial's provenance.
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and _documented(node):
            node.body = node.body[1:]
    return hash_bytes(ast.dump(tree).encode())


def _documented(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    match node.body[:1]:
        case [ast.Expr(value=ast.Constant(value=str()))]:
            return True
    return False


def source_files(modules: Iterable[str]) -> dict[str, Path]:
    """Return module name → file for the modules and their imports, within their own top-level packages."""
    roots = {module.partition(".")[0] for module in modules}
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in found or name in PLUMBING or name.startswith(tuple(f"{p}." for p in PLUMBING)):
            continue
        path = _file(name)
        if path is None:
            continue
        found[name] = path
        if path.name == "__init__.py" and name not in modules:
            continue  # a registry lists its siblings; naming one of them is not depending on all of them
        waiting += [imported for imported in _imports(path, name) if imported.partition(".")[0] in roots]
    return found


def _imports(path: Path, module: str) -> list[str]:
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return names


@functools.cache
def _file(module: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, AttributeError, ValueError):
        return None  # `from package import function` also asks for package.function
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return Path(spec.origin)
