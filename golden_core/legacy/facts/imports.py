"""Imported modules → standard, third-party, local or missing, from the names in the tree alone."""

from __future__ import annotations

import posixpath
import re
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable
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

    paths: frozenset[str]
    packages: frozenset[str]

    @classmethod
    def of(cls, files: Collection[str], packages: Collection[str] = ()) -> Surroundings:
        """Return what a tree of files offers, beside the packages given."""
        folders = {path.rsplit("/", depth)[0] for path in files for depth in range(1, path.count("/") + 1)}
        return cls(frozenset(files) | folders, frozenset(packages))

    def holds(self, folder: str, module: str, endings: tuple[str, ...] = (".py", "/__init__.py", "")) -> bool:
        """Tell whether a folder has a module, a package or a bare folder of that name."""
        stem = "/".join(part for part in (folder, module.replace(".", "/")) if part)
        return any(stem + ending in self.paths for ending in endings)


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
    root of the tree. A module or package beside the script hides the standard library, a bare folder does not.
    """
    found: defaultdict[Origin, set[str]] = defaultdict(set)
    for module in modules:
        top, folders = module.name.partition(".")[0], search_path(path)
        here = next((folder for folder in folders if around.holds(folder, top, (".py", "/__init__.py"))), None)
        if module.level:
            folder = folders[min(module.level, len(folders)) - 1]
            for name in [module.name] if module.name else module.names:
                found["local" if around.holds(folder, name) else "missing"].add("." * module.level + name)
        elif here != folders[0] and top in sys.stdlib_module_names:
            found["standard"].add(top)
        elif here is None and top.lower() in around.packages:
            found["third_party"].add(top)
        else:
            local = any(around.holds(folder, module.name) for folder in folders)
            found["local" if local else "missing"].add(module.name)
    return Imports(**{origin: tuple(sorted(names)) for origin, names in found.items()})


def search_path(path: str) -> list[str]:
    """Return where a script looks: its folder, those above it up to its top folder, and the root."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:count]) for count in range(len(parts), -1, -1)]
