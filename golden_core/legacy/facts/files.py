"""What a tree holds: each file by hash, size, lines and kind, the text that is looked into, what imports find there."""

from __future__ import annotations

import hashlib
import os
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from golden_core.legacy.facts.scripts import ImportedModule
from golden_core.legacy.inventory import File, Imports, Kind, Link, Problem, version_of
from golden_core.store.lake import shipped

# A version-control store holds its own history, not files of the tree.
STORES = frozenset({".git", ".hg", ".svn"})
LARGEST = 1 << 20  # bytes that are parsed; more is hashed and counted only
_BLOCK = 1 << 20
_KINDS: dict[str, Kind] = {
    **dict.fromkeys((".py", ".pyw"), "script"),
    **dict.fromkeys((".yaml", ".yml", ".json"), "configuration"),
}


@dataclass(frozen=True)
class Content:
    """A file and its text, which is empty where nobody reads it; ``problem`` says why a script or setting is not."""

    file: File
    text: bytes
    problem: str | None


def walk(root: Path) -> Iterator[Content | Link | Problem]:
    """Yield what a folder holds, in the order of paths. No link is followed, and only files are opened."""
    problems: list[Problem] = []

    def unlisted(error: OSError) -> None:
        problems.append(Problem(Path(error.filename).relative_to(root).as_posix(), f"not listed: {error.strerror}"))

    paths = []
    for folder, folders, names in os.walk(root, onerror=unlisted):
        paths += [Path(folder, name) for name in names]
        paths += [Path(folder, name) for name in folders if Path(folder, name).is_symlink()]
        problems += [
            Problem(Path(folder, name).relative_to(root).as_posix(), "version-control store, left out")
            for name in STORES.intersection(folders)
        ]
        folders[:] = [name for name in folders if name not in STORES]
    for path in sorted(paths, key=lambda path: path.relative_to(root).as_posix()):
        yield _found(path, path.relative_to(root).as_posix())
    yield from problems


def _found(path: Path, name: str) -> Content | Link | Problem:
    if not name.isprintable() or "\\" in name:  # would break a table and a list of checksums
        return Problem(ascii(name)[1:-1], "not read: its name holds a backslash or what cannot be printed")
    if path.is_symlink():
        return Link(name, str(path.readlink()))
    if not path.is_file():
        return Problem(name, "neither a file nor a folder, not opened")
    try:
        return _content(path, name)
    except OSError as error:
        return Problem(name, f"cannot be read: {error.strerror}")


def _content(path: Path, name: str) -> Content:
    digest, size, lines, last, head = hashlib.sha256(), 0, 0, b"\n", b""
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            head = head or block
            size, lines, last = size + len(block), lines + block.count(b"\n"), block[-1:]
    kind: Kind = _KINDS.get(path.suffix.lower(), "text")
    problem = None
    if b"\0" in head[:8192]:
        problem = None if kind == "text" else "not parsed: it holds null bytes"
        kind = "binary"
    elif size > LARGEST:
        problem = f"hashed but not parsed: {size} bytes, more than {LARGEST}"
    text = b"" if kind == "binary" or problem else head
    file = File(name, digest.hexdigest(), size, lines + (last != b"\n"), version_of(name), kind)
    return Content(file, text, problem)


# ---------------------------------------------------------------------------------------------- what imports find there

Origin = Literal["standard", "third_party", "local", "missing"]

# A list, because what is installed here says nothing about where the code once ran.
_LISTED = shipped("legacy", "third_party_modules.txt").read_text(encoding="utf-8").lower().splitlines()
KNOWN_MODULES = frozenset(line for line in _LISTED if line and not line.startswith("#"))  # in lower case


def with_folders(files: Collection[str]) -> frozenset[str]:
    """Return the files of a tree and the folders that they lie in: what an import can find."""
    return frozenset(files) | {path.rsplit("/", depth)[0] for path in files for depth in range(1, path.count("/") + 1)}


def classify(path: str, modules: Iterable[ImportedModule], around: Collection[str]) -> Imports:
    """Sort the imports of a script by origin; ``around`` are the files and folders of the tree.

    A module is looked for where Python would look if the script ran in its folder, in its version folder, or at the
    root of the tree. A module or package beside the script hides the standard library, a bare folder does not.
    """

    def holds(folder: str, module: str, endings: tuple[str, ...] = (".py", "/__init__.py", "")) -> bool:
        stem = "/".join(part for part in (folder, module.replace(".", "/")) if part)
        return any(stem + ending in around for ending in endings)

    found: defaultdict[Origin, set[str]] = defaultdict(set)
    for module in modules:
        top, folders = module.name.partition(".")[0], search_path(path)
        here = next((folder for folder in folders if holds(folder, top, (".py", "/__init__.py"))), None)
        if module.level:
            folder = folders[min(module.level, len(folders)) - 1]
            for name in [module.name] if module.name else module.names:
                found["local" if holds(folder, name) else "missing"].add("." * module.level + name)
        elif here != folders[0] and top in sys.stdlib_module_names:
            found["standard"].add(top)
        elif here is None and top.lower() in KNOWN_MODULES:
            found["third_party"].add(top)
        else:
            local = any(holds(folder, module.name) for folder in folders)
            found["local" if local else "missing"].add(module.name)
    return Imports(**{origin: tuple(sorted(names)) for origin, names in found.items()})


def search_path(path: str) -> list[str]:
    """Return where a script looks: its folder, those above it up to its top folder, and the root."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:count]) for count in range(len(parts), -1, -1)]
