"""Which source files a piece of science depends on, and their hash. Static: nothing is imported or run."""

from __future__ import annotations

import functools
import importlib.util
import site
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from golden_core.store.lake import hash_bytes
from golden_core.trials.syntax import Imported, sources

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
    files, read = sorted(source_files(modules).items()), sources()
    text = "\n".join(f"{name} {read.read(path)[0]}" for name, path in files)
    read.remember()
    return hash_bytes(text.encode())


@functools.cache
def own_hash(modules: tuple[str, ...]) -> str:
    """Return the hash of the sources of some modules, and of nothing that they import."""
    files = [path for name in modules if (path := _file(name))]
    return hash_bytes("\n".join(sources().read(path)[0] for path in files).encode())


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
        imported = _names(sources().read(path)[1], package)
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


def _names(imports: Iterable[Imported], package: str) -> list[str]:
    names: list[str] = []
    for module, *members in imports:
        base = importlib.util.resolve_name(module, package)
        names += [base, *(f"{base}.{member}" for member in members)]
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
