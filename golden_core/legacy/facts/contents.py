"""The bytes of one file, read once and streamed: hash, size, lines, whether it is binary, credentials. No parsing."""

from __future__ import annotations

import codecs
import hashlib
import os
import re
import stat
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

from golden_core.legacy.facts.credentials import Finding, find_credentials
from golden_core.legacy.inventory import Credential, Kind

Bytes = bytes  # in a class with a field of that name

BLOCK = 1 << 20
# Files above these sizes are hashed, counted and searched for credentials, but not parsed. A parser needs up to a
# thousand times the memory of its source.
LARGEST: dict[Kind, int] = {
    "script": 1 << 19,
    "notebook": 1 << 26,
    "configuration": 1 << 18,
    "text": 1 << 20,
    "data": 0,
    "binary": 0,
}
LISTED_LINES = 20
OVERLAP = 4096  # of a line that is longer than a block
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # as PowerShell writes what it redirects

_KINDS: dict[str, Kind] = {
    **dict.fromkeys((".py", ".pyw"), "script"),
    **dict.fromkeys((".ipynb",), "notebook"),
    **dict.fromkeys((".yaml", ".yml", ".json", ".toml"), "configuration"),
    **dict.fromkeys((".csv", ".tsv", ".jsonl", ".ndjson", ".log"), "data"),
}


@dataclass(frozen=True)
class Contents:
    """What reading a file's bytes tells.

    ``text`` holds the bytes of a text that is small enough to parse, one of UTF-16 in UTF-8, and null otherwise.
    ``secrets`` never leave the scan: they serve to redact.
    """

    kind: Kind
    sha256: str
    bytes: int
    lines: int
    text: Bytes | None
    credentials: tuple[Credential, ...]
    secrets: frozenset[Bytes]
    utf_16: bool = False


def read_contents(path: str, name: str) -> Contents:
    """Read a regular file without following a link in its last step.

    Parameters
    ----------
    path : str
        Where the file is.
    name : str
        Its path from the root of the tree, printable; the suffix tells the kind of a text.

    Raises
    ------
    OSError
        If the file cannot be read, or is no longer a regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb", buffering=0) as stream:  # noqa: PTH123 (a descriptor, opened without following links)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "no longer a regular file")
        return _digest(stream, name)


def _digest(stream: BinaryIO, name: str) -> Contents:
    kind: Kind = "text"
    digest, size, lines, last = hashlib.sha256(), 0, 0, b"\n"
    kept: list[bytes] = []
    places: defaultdict[str, list[int]] = defaultdict(list)
    secrets: set[bytes] = set()
    tail, utf_16 = b"", False
    for block in _blocks(stream):
        kind, utf_16 = (kind, utf_16) if size else (_kind(name, block), _is_utf_16(block))
        for found, line in _search(tail, block, kind):
            places[found.kind].append(lines + line)
            secrets.add(found.secret)
        tail = b"" if block.endswith(b"\n") else block[-OVERLAP:]
        digest.update(block)
        size, lines, last = size + len(block), lines + block.count(b"\n"), block[-1:]
        kept = [*kept, block] if size <= LARGEST[kind] else []
    return Contents(
        kind=kind if size else _kind(name, b""),
        sha256=digest.hexdigest(),
        bytes=size,
        lines=lines + (last != b"\n"),
        text=_in_utf_8(b"".join(kept)) if size <= LARGEST[kind] else None,
        credentials=tuple(_credential(name, what, where) for what, where in sorted(places.items())),
        secrets=frozenset(secrets),
        utf_16=utf_16,
    )


def named_kind(name: str) -> Kind:
    """Return what the suffix of a name promises."""
    return _KINDS.get(PurePosixPath(name).suffix.lower(), "text")


def _kind(name: str, head: bytes) -> Kind:
    if b"\0" in head[:8192] and not _is_utf_16(head):
        return "binary"
    if head.startswith(b"#!") and b"python" in head.split(b"\n", 1)[0]:
        return "script"
    return named_kind(name)


def _is_utf_16(head: bytes) -> bool:
    """Tell whether a text begins as one of UTF-16; one of UTF-32 begins alike, with NULs behind."""
    return head.startswith(_UTF_16) and head[2:4] != b"\0\0"


def _in_utf_8(text: bytes) -> bytes:
    return text.decode("utf-16", "replace").encode() if _is_utf_16(text) else text


def _search(tail: bytes, block: bytes, kind: Kind) -> Iterator[tuple[Finding, int]]:
    """Yield each credential that ends in a block, with its line counted from 1; the line may begin in ``tail``."""
    if kind == "binary":
        return
    tail, block = tail.replace(b"\0", b""), block.replace(b"\0", b"")  # which stand between the letters of UTF-16
    if kind == "notebook":  # code in JSON has escaped quotation marks
        tail, block = tail.replace(b'\\"', b'"'), block.replace(b'\\"', b'"')
    text = tail + block
    every = find_credentials(text, bare=kind != "script")
    # Two patterns may find one credential.
    found = {(one.kind, one.offset): one for one in every if one.offset + len(one.secret) > len(tail)}
    ends = [match.start() for match in re.finditer(rb"\n", text)] if found else []
    for finding in found.values():
        yield finding, 1 + bisect_left(ends, finding.offset)


def _credential(name: str, what: str, lines: list[int]) -> Credential:
    return Credential(name, what, len(lines), tuple(sorted(set(lines))[:LISTED_LINES]))


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the file in blocks that end with a line, where a line ends within a block."""
    rest = b""
    while block := stream.read(BLOCK):
        end = block.rfind(b"\n") + 1
        if end:
            yield rest + block[:end]
            rest = block[end:]
        else:
            yield rest + block
            rest = b""
    if rest:
        yield rest
