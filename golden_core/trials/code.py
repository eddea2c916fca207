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

_Taken = tuple[str, str]  # a module, and a name in it
_ALL = "*"


@functools.cache
def code_hash(modules: tuple[str, ...], without: tuple[str, ...] = ()) -> str:
    """Return the hash of the sources of some modules and of all they import from their own packages.

    Modules ``without`` which what is asked about runs, and what only they import, do not count: a registry names them.

    Another statement in a forecaster, in the trainer it uses or in a block of its network gives another hash; one in
    a forecaster that it does not import does not, and neither do comments, docstrings and layout anywhere.
    """
    files, read = sorted(source_files(modules, without).items()), sources()
    text = "\n".join(f"{name} {read.read(path)[0]}" for name, path in files)
    read.remember()
    return hash_bytes(text.encode())


@functools.cache
def own_hash(modules: tuple[str, ...]) -> str:
    """Return the hash of the sources of some modules, and of nothing that they import."""
    files = [path for name in modules if (path := _file(name))]
    return hash_bytes("\n".join(sources().read(path)[0] for path in files).encode())


def source_files(modules: Iterable[str], without: Iterable[str] = ()) -> dict[str, Path]:
    """Return module name → file for the modules and their imports, within their own top-level packages.

    What lies beside a package that is not installed, as a module does beside another in one's own folder, is its own.

    Of a package, what is taken from it counts: a name that its own file imports leads on to where that comes from, a
    name that it defines to all that it imports, and a module in it to that module alone. A registry lists its
    siblings; naming one of them is not depending on all of them.
    """
    modules = list(modules)
    roots = {module.partition(".")[0] for module in modules}
    folders = frozenset(folder for root in roots if (folder := _folder(root)))
    found: dict[str, Path] = {}
    waiting: list[_Taken] = [(module, _ALL) for module in modules]
    followed: set[_Taken] = set()
    apart = {*PLUMBING, *without}
    while waiting:
        name, member = one = waiting.pop()
        path = None if one in followed or _is_within(name, apart) else _file(name)
        if path is None:
            continue
        followed.add(one)
        is_package = path.name == "__init__.py"
        if name in found and not is_package:
            continue
        found[name] = path
        imports = sources().read(path)[1]
        if is_package and member != _ALL:
            passed = _passed_on(imports, member)
            imports = passed if passed or _file(f"{name}.{member}") else imports
        imported = _taken(imports, name if is_package else name.rpartition(".")[0])
        waiting += [one for one in imported if (top := one[0].partition(".")[0]) in roots or _folder(top) in folders]
    return found


def _is_within(name: str, places: Iterable[str]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in places)


@functools.cache
def _folder(top: str) -> Path | None:
    """Return the folder in which a top-level module or package lies, where that is nobody's place for installations."""
    path = _file(top)
    if path is None:
        return None
    folder = path.parent.parent if path.name == "__init__.py" else path.parent
    installed = {Path(place) for place in (*sysconfig.get_paths().values(), *site.getsitepackages())}
    return None if folder in installed or "site-packages" in folder.parts else folder


def _taken(imports: Iterable[Imported], package: str) -> list[_Taken]:
    """Return what a package's file or module imports: from where, and which name; that may be a module there, too."""
    found: list[_Taken] = []
    for module, *members in imports:
        base = importlib.util.resolve_name(_given(module), package)
        names = [_given(member) for member in members]
        found += [(base, name) for name in names or [_ALL]]
        found += [(f"{base}.{name}", _ALL) for name in names]
    return found


def _passed_on(imports: Iterable[Imported], name: str) -> list[Imported]:
    """Return the imports that give a package's file a name; a star may give any."""
    found: list[Imported] = []
    for module, *members in imports:
        given = [name if one == _ALL else _given(one) for one in members if _bound(one) in (name, _ALL)]
        if given or (not members and _bound(module) == name):
            found.append([module, *given])
    return found


def _given(name: str) -> str:
    return name.partition(" as ")[0]


def _bound(name: str) -> str:
    given, _, other = name.partition(" as ")
    return other or given.partition(".")[0]


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
