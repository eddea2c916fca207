"""The bytes of one file, read once: hash, size, lines, kind, and its text where that is small enough to look into."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from golden_core.legacy.inventory import Kind

Bytes = bytes  # in a class with a field of that name

BLOCK = 1 << 20
# Larger files are hashed and counted only. A parser needs up to a thousand times the memory of its source.
LARGEST: dict[Kind, int] = {"script": 1 << 19, "configuration": 1 << 18, "text": 1 << 20, "data": 0, "binary": 0}
_KINDS: dict[str, Kind] = {
    **dict.fromkeys((".py", ".pyw"), "script"),
    **dict.fromkeys((".yaml", ".yml", ".json", ".toml"), "configuration"),
    **dict.fromkeys((".csv", ".tsv", ".jsonl", ".ndjson", ".log"), "data"),
}


@dataclass(frozen=True)
class Contents:
    """What reading a file's bytes tells; ``text`` is null where it is too large or binary."""

    kind: Kind
    sha256: str
    bytes: int
    lines: int
    text: Bytes | None
    problem: str | None


def read_contents(path: Path) -> Contents:
    """Read a regular file without following a link in its last step; its suffix tells the kind of a text.

    Raises
    ------
    OSError
        If the file cannot be read, or is no longer a regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    digest, size, lines, last, kept = hashlib.sha256(), 0, 0, b"\n", b""
    with open(descriptor, "rb", buffering=0) as stream:  # noqa: PTH123 (a descriptor, opened without following links)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "no longer a regular file")
        while block := stream.read(BLOCK):
            digest.update(block)
            kept += block if size <= max(LARGEST.values()) else b""
            size, lines, last = size + len(block), lines + block.count(b"\n"), block[-1:]
    promised = _KINDS.get(path.suffix.lower(), "text")
    kind = _kind(promised, kept)
    return Contents(
        kind=kind,
        sha256=digest.hexdigest(),
        bytes=size,
        lines=lines + (last != b"\n"),
        text=kept if size <= LARGEST[kind] else None,
        problem=_problem(promised, kind, size),
    )


def _kind(promised: Kind, head: bytes) -> Kind:
    if b"\0" in head[:8192]:
        return "binary"
    return "script" if head.startswith(b"#!") and b"python" in head.split(b"\n", 1)[0] else promised


def _problem(promised: Kind, kind: Kind, size: int) -> str | None:
    """Say why a file that should be looked into is not."""
    if kind == "binary" and promised in ("script", "configuration"):
        return "not parsed: it holds null bytes"
    if kind in ("script", "configuration", "text") and size > LARGEST[kind]:
        return f"hashed but not parsed: {size} bytes, more than {LARGEST[kind]}"
    return None
