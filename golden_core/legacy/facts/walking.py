"""What a tree holds: files, links, and what cannot be read. Names and kinds only; no file is opened here."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from golden_core.legacy.inventory import Leads

# A version-control store holds its own history, not files of the tree.
STORES = frozenset({b".git", b".hg", b".svn"})


@dataclass(frozen=True)
class Regular:
    """A regular file: its path from the root, in bytes."""

    path: bytes


@dataclass(frozen=True)
class Folder:
    """A folder that was listed."""

    path: bytes


@dataclass(frozen=True)
class Symlink:
    """A symbolic link, what it says and where that leads."""

    path: bytes
    target: bytes
    leads: Leads


@dataclass(frozen=True)
class Unread:
    """An entry that is not read, and why."""

    path: bytes
    reason: str


Entry = Regular | Folder | Symlink | Unread


def walk(root: Path) -> Iterator[Entry]:
    """Yield every entry under a folder, in the order of its bytes within each folder. No link is followed."""
    base = os.fsencode(root.resolve())
    waiting = [b""]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(os.path.join(base, folder)) as listing:  # noqa: PTH118 (pathlib has no bytes)
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            yield Unread(folder or b".", f"folder cannot be listed: {error.strerror}")
            continue
        for entry in entries:
            path = folder + b"/" + entry.name if folder else entry.name
            found = _entry(entry, path, base)
            if isinstance(found, Folder):
                waiting.append(path)
            yield found


def _entry(entry: os.DirEntry[bytes], path: bytes, base: bytes) -> Entry:
    if entry.is_symlink():
        return Symlink(path, os.readlink(entry.path), _leads(entry.path, base))  # noqa: PTH115 (bytes)
    if entry.is_dir(follow_symlinks=False):
        if entry.name in STORES:
            return Unread(path, "version-control store, left out")
        return Folder(path)
    if entry.is_file(follow_symlinks=False):
        return Regular(path)
    return Unread(path, "neither a file nor a folder (pipe, socket or device), not opened")


def _leads(link: bytes, base: bytes) -> Leads:
    """Tell where a link ends, from the names alone."""
    try:
        target = os.path.realpath(link, strict=True)
    except OSError as error:
        return "loop" if error.errno == errno.ELOOP else "nowhere"
    if not (target + b"/").startswith(base.rstrip(b"/") + b"/"):
        return "outside"
    return "loop" if link.startswith(target.rstrip(b"/") + b"/") else "inside"
