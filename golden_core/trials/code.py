"""Which source files a piece of science depends on, and their hash. Static: nothing is imported or run."""

from __future__ import annotations

import ast
import functools
import importlib.util
import site
import sysconfig
from collections.abc import Iterable, Iterator
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
    return _read(source)[0]


@functools.cache
def _read(source: bytes) -> tuple[str, list[ast.Import | ast.ImportFrom]]:
    """Return a module's hash and its imports, of one reading: every start of a campaign reads a hundred modules."""
    tree = ast.parse(source)
    imports = []
    for node in (tree, *_statements(tree)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports.append(node)
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


def source_files(modules: Iterable[str]) -> dict[str, Path]:
    """Return module name → file for the modules and their imports, within their own top-level packages.

    What lies beside a package that is not installed, as a module does beside another in one's own folder, is its own.
    """
    roots = {module.partition(".")[0] for module in modules}
    folders = frozenset(folder for root in roots if (folder := _folder(root)))
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
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        imported = _imports(path.read_bytes(), package)
        waiting += [one for one in imported if (top := one.partition(".")[0]) in roots or _folder(top) in folders]
    return found


@functools.cache
def _folder(top: str) -> Path | None:
    """Return the folder in which a top-level module or package lies, where that is nobody's place for installations."""
    path = _file(top)
    if path is None:
        return None
    folder = path.parent.parent if path.name == "__init__.py" else path.parent
    installed = {Path(place) for place in (*sysconfig.get_paths().values(), *site.getsitepackages())}
    return None if folder in installed or "site-packages" in folder.parts else folder


def _imports(source: bytes, package: str) -> list[str]:
    names: list[str] = []
    for node in _read(source)[1]:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        else:
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return names


@functools.cache
def _file(module: str) -> Path | None:
    """Return the source of a module, or nothing: `from package import function` also asks for package.function."""
    top, *rest = module.split(".")
    spec = importlib.util.find_spec(top)
    for folder in (spec and spec.submodule_search_locations) or ():
        package = Path(folder, *rest)
        for path in (package / "__init__.py", package.parent / f"{package.name}.py"):
            if path.is_file():
                return path
    return Path(spec.origin) if spec and spec.origin and not rest and spec.origin.endswith(".py") else None
