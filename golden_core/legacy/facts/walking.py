"""What a tree holds: files, links, and what cannot be read. Names and kinds only; no file is opened here."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from golden_core.legacy.inventory import Leads

# A version-control store holds its own history, not files of the tree.
STORES = frozenset({b".git", b".hg", b".svn"})


@dataclass(frozen=True)
class Entry:
    """An entry, its path from the root in bytes; what a link says and where that leads, or why it is unread."""

    path: bytes
    kind: Literal["file", "folder", "link", "unread"]
    target: bytes = b""
    leads: Leads = "nowhere"
    reason: str = ""


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
            yield Entry(folder or b".", "unread", reason=f"folder cannot be listed: {error.strerror}")
            continue
        for entry in entries:
            path = folder + b"/" + entry.name if folder else entry.name
            found = _entry(entry, path, base)
            if found.kind == "folder":
                waiting.append(path)
            yield found


def _entry(entry: os.DirEntry[bytes], path: bytes, base: bytes) -> Entry:
    if entry.is_symlink():
        target = os.readlink(entry.path)  # noqa: PTH115 (bytes)
        return Entry(path, "link", target=target, leads=_leads(entry.path, base))
    if entry.is_dir(follow_symlinks=False):
        if entry.name in STORES:
            return Entry(path, "unread", reason="version-control store, left out")
        return Entry(path, "folder")
    if entry.is_file(follow_symlinks=False):
        return Entry(path, "file")
    return Entry(path, "unread", reason="neither a file nor a folder (pipe, socket or device), not opened")


def _leads(link: bytes, base: bytes) -> Leads:
    """Tell where a link ends, from the names alone."""
    try:
        target = os.path.realpath(link, strict=True)
    except OSError as error:
        return "loop" if error.errno == errno.ELOOP else "nowhere"
    if not (target + b"/").startswith(base.rstrip(b"/") + b"/"):
        return "outside"
    return "loop" if link.startswith(target.rstrip(b"/") + b"/") else "inside"
