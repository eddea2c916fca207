"""What a tree holds: files, links, and what is not read. Names and kinds only; no file is opened here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from golden_core.legacy.inventory import ODD_NAME

# A version-control store holds its own history, not files of the tree.
STORES = frozenset({".git", ".hg", ".svn"})


@dataclass(frozen=True)
class Entry:
    """An entry with its path from the root; what a link says, or why an entry is not read."""

    path: str
    kind: Literal["file", "folder", "link", "unread"]
    said: str = ""


def walk(root: Path) -> Iterator[Entry]:
    """Yield every entry under a folder, in the order of names within each folder. No link is followed."""
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(root / folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            yield Entry(folder or ".", "unread", f"folder cannot be listed: {error.strerror}")
            continue
        for entry in entries:
            found = _entry(entry, f"{folder}/{entry.name}".removeprefix("/"))
            if found.kind == "folder":
                waiting.append(found.path)
            yield found


def _entry(entry: os.DirEntry[str], path: str) -> Entry:
    # Such a name would break a table, and sha256sum takes a hyphen for standard input.
    if not entry.name.isprintable() or "\\" in entry.name or entry.name == "-":
        return Entry(ascii(path)[1:-1], "unread", ODD_NAME)
    if entry.is_symlink():
        return Entry(path, "link", str(Path(entry.path).readlink()))
    if entry.is_dir(follow_symlinks=False):
        if entry.name in STORES:
            return Entry(path, "unread", "version-control store, left out")
        return Entry(path, "folder")
    if entry.is_file(follow_symlinks=False):
        return Entry(path, "file")
    return Entry(path, "unread", "neither a file nor a folder (pipe, socket or device), not opened")
