"""What a tree holds, and what identifies each file: hash, size, lines, kind, and the text that is looked into."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from golden_core.legacy.inventory import File, Kind, Link, Problem, version_of

# A version-control store holds its own history, not files of the tree.
STORES = frozenset({".git", ".hg", ".svn"})
LARGEST = 1 << 20  # bytes that are parsed; more is hashed and counted only
_BLOCK = 1 << 20
_KINDS: dict[str, Kind] = {
    **dict.fromkeys((".py", ".pyw"), "script"),
    **dict.fromkeys((".yaml", ".yml", ".json", ".toml"), "configuration"),
    **dict.fromkeys((".csv", ".tsv", ".jsonl", ".ndjson", ".log"), "data"),
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
        problem = None if kind in ("data", "text") else "not parsed: it holds null bytes"
        kind = "binary"
    elif head.startswith(b"#!") and b"python" in head.split(b"\n", 1)[0]:
        kind = "script"
    if size > LARGEST and kind not in ("data", "binary"):
        problem = f"hashed but not parsed: {size} bytes, more than {LARGEST}"
    text = b"" if kind in ("data", "binary") or problem else head
    file = File(name, digest.hexdigest(), size, lines + (last != b"\n"), version_of(name), kind)
    return Content(file, text, problem)
