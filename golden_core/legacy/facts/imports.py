"""Imported modules → standard, third-party, local or missing, from the names in the tree alone."""

from __future__ import annotations

import posixpath
import re
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from golden_core.legacy.facts.scripts import ImportedModule
from golden_core.legacy.inventory import Imports
from golden_core.store.lake import shipped

Origin = Literal["standard", "third_party", "local", "missing"]

# A list, because what is installed here says nothing about where the code once ran.
KNOWN_MODULES = shipped("legacy", "third_party_modules.txt")
_REQUIREMENT = re.compile(r"^[ \t]*([A-Za-z0-9][A-Za-z0-9._-]{0,100})", re.MULTILINE)


@dataclass(frozen=True)
class Surroundings:
    """What an import can find: the files and folders of the tree, and the packages (in lower case) it may rely on."""

    files: frozenset[str]
    folders: frozenset[str]
    packages: frozenset[str]

    @classmethod
    def of(cls, files: Collection[str], packages: Collection[str] = ()) -> Surroundings:
        """Return what a tree of files offers, beside the packages given."""
        folders = {path.rsplit("/", depth)[0] for path in files for depth in range(1, path.count("/") + 1)}
        return cls(frozenset(files), frozenset(folders), frozenset(packages))

    def resolves(self, stem: str) -> bool:
        """Tell whether a path without its suffix is a module, a package or a bare folder."""
        return self.holds_module(stem) or stem in self.folders

    def holds_module(self, stem: str) -> bool:
        """Tell whether a path without its suffix is a module or a package in full."""
        return stem + ".py" in self.files or stem + "/__init__.py" in self.files


def known_modules() -> frozenset[str]:
    """Return the names, in lower case, under which known third-party packages are imported."""
    lines = KNOWN_MODULES.read_text(encoding="utf-8").splitlines()
    return frozenset(line.lower() for line in lines if line and not line.startswith("#"))


def required(path: str, text: bytes) -> frozenset[str]:
    """Return the packages that a requirements.txt declares, in lower case as they would be imported."""
    if not re.fullmatch(r"(?i)requirements.*\.(txt|in)", posixpath.basename(path)):
        return frozenset()
    found = _REQUIREMENT.findall(text.decode("utf-8", "replace"))
    return frozenset(package.lower().replace("-", "_").replace(".", "_") for package in found)


def classify(path: str, modules: Iterable[ImportedModule], around: Surroundings) -> Imports:
    """Sort the imports of a script by origin.

    A module is looked for where Python would look if the script ran in its folder, in its version folder, or at the
    root of the tree. A package in full (``__init__.py``) or a module beside the script hides the standard library, a
    bare folder does not.
    """
    found: defaultdict[Origin, set[str]] = defaultdict(set)
    for module in modules:
        for name, origin in (_relative if module.level else _absolute)(path, module, around):
            found[origin].add(name)
    return Imports(**{origin: tuple(sorted(names)) for origin, names in found.items()})


def _absolute(path: str, module: ImportedModule, around: Surroundings) -> Iterator[tuple[str, Origin]]:
    top = module.name.partition(".")[0]
    folders = search_path(path)
    regular = next((folder for folder in folders if around.holds_module(_join(folder, top))), None)
    bare = next((folder for folder in folders if _join(folder, top) in around.folders), None)
    if regular != folders[0] and top in sys.stdlib_module_names:
        yield top, "standard"
    elif regular is None and top.lower() in around.packages:
        yield top, "third_party"
    else:
        home = bare if regular is None else regular
        local = home is not None and around.resolves(_join(home, *module.name.split(".")))
        yield module.name, "local" if local else "missing"


def _relative(path: str, module: ImportedModule, around: Surroundings) -> Iterator[tuple[str, Origin]]:
    folder = posixpath.dirname(path)
    for _ in range(module.level - 1):
        folder = posixpath.dirname(folder)
    # `from . import name`: a module, or whatever the package itself defines.
    package = not module.name and _join(folder, "__init__.py") in around.files
    for name in [module.name] if module.name else module.names:
        local = package or around.resolves(_join(folder, *name.split(".")))
        yield "." * module.level + name, "local" if local else "missing"


def search_path(path: str) -> list[str]:
    """Return where a script looks: its folder, those above it up to its top folder, and the root."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:count]) for count in range(len(parts), -1, -1)]


def _join(*parts: str) -> str:
    return "/".join(part for part in parts if part)
