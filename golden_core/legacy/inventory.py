"""The types of an inventory: what is known about a tree of version folders. No reading and no rendering here.

A place is spelled ``path:line``. Values of settings and defaults are JSON text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["script", "configuration", "text", "binary"]
EntryKind = Literal["__main__", "argparse", "runs on import"]

_VERSION = re.compile(r"(?i)v(er(sion)?)?[ ._-]?\d+")


@dataclass(frozen=True)
class Checksum:
    """What identifies one file: its path from the root of the tree, the hash of its bytes and its size."""

    path: str
    sha256: str
    bytes: int
    lines: int


@dataclass(frozen=True)
class File(Checksum):
    """A regular file. ``version`` is its top folder, "" where that is no version."""

    version: str
    kind: Kind


@dataclass(frozen=True)
class Link:
    """A symbolic link, which is listed and never followed."""

    path: str
    target: str


@dataclass(frozen=True)
class Problem:
    """Something in the tree that could not be read, or was read only in part, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Mention:
    """A piece of text and where it stands."""

    text: str
    where: str


@dataclass(frozen=True)
class Imports:
    """Modules by where they come from; ``missing``: not in the tree, not Python's, and no declared or known package."""

    standard: tuple[str, ...] = ()
    third_party: tuple[str, ...] = ()
    local: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Flag:
    """An argument of argparse. ``default`` is JSON text, ``(computed)``, or null where none is given."""

    names: tuple[str, ...]
    default: str | None
    where: str


@dataclass(frozen=True)
class EntryPoint:
    """A way to start a script, or the fact that importing it already does something."""

    kind: EntryKind
    where: str


@dataclass(frozen=True)
class Script:
    """A Python script, from its syntax tree; empty where it has none, as the problems say."""

    path: str
    imports: Imports
    entry_points: tuple[EntryPoint, ...]
    flags: tuple[Flag, ...]


@dataclass(frozen=True)
class DataFile:
    """A data, model or configuration file that code names; ``present`` is null for a name computed at run time."""

    name: str
    where: str
    present: bool | None


@dataclass(frozen=True)
class Credential:
    """Something that looks like a credential: what kind and where, never the thing itself."""

    path: str
    kind: str
    count: int
    lines: tuple[int, ...]


@dataclass(frozen=True)
class Contradiction:
    """A configured value and a different default for it in the code; of many places, the first."""

    key: str
    configured: str
    default: str
    where: tuple[str, ...]


@dataclass(frozen=True)
class Configuration:
    """A configuration file and what the code of its version does with it.

    ``settings`` maps dotted keys to values. ``opened_at`` is where code names the file; without such a place every key
    is unused, else those whose last name that code does not hold in any form.
    """

    path: str
    settings: dict[str, str]
    opened_at: tuple[str, ...]
    unused: tuple[str, ...]
    contradictions: tuple[Contradiction, ...]


@dataclass(frozen=True)
class Inventory:
    """Everything known about a tree, in a fixed order; equal trees have equal inventories.

    ``source`` tells whether a tree was scanned or the facts frozen in the project were read.
    """

    source: Literal["tree", "frozen facts"]
    versions: tuple[str, ...]
    files: tuple[File, ...]
    scripts: tuple[Script, ...]
    configurations: tuple[Configuration, ...]
    data_files: tuple[DataFile, ...]
    absolute_paths: tuple[Mention, ...]
    credentials: tuple[Credential, ...] = ()
    links: tuple[Link, ...] = ()
    problems: tuple[Problem, ...] = ()


def top_folder(path: str) -> str:
    """Return the first folder of a path, or "" for a file at the root."""
    return path.split("/", 1)[0] if "/" in path else ""


def version_of(path: str) -> str:
    """Return the version that a path belongs to, or "": a top folder called v_01, v1 or version-3, and no other."""
    top = top_folder(path)
    return top if _VERSION.fullmatch(top) else ""
