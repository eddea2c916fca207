"""A scanned tree against frozen checksums: what changed, what is missing, what is extra."""

from __future__ import annotations

import posixpath
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from golden_core.legacy.inventory import ODD_NAME, Checksum, Inventory


@dataclass(frozen=True)
class Change:
    """A file whose bytes are not the frozen ones.

    ``line_ends`` tells that it is as many bytes longer or shorter as it has lines, as if their ends had been converted.
    """

    path: str
    expected_sha256: str
    found_sha256: str
    line_ends: bool = False

    def __str__(self) -> str:
        """Name the file and both hashes."""
        converted = ", as if line ends had been converted" if self.line_ends else ""
        return f"changed: {self.path} (expected {self.expected_sha256}, found {self.found_sha256}{converted})"


@dataclass(frozen=True)
class TreeVerification:
    """Every file of a tree or of the frozen checksums is equal, changed, missing or extra.

    ``moved`` holds each missing path for which an extra one has the same bytes, with that path. If the wrong folder was
    given, ``folder_below`` is where the tree lies in it, or ``folder_itself`` which of the tree's folders it is.
    """

    equal: tuple[str, ...]
    changed: tuple[Change, ...]
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    moved: tuple[tuple[str, str], ...] = ()
    folder_below: str = ""
    folder_itself: str = ""

    @property
    def exact(self) -> bool:
        """Whether the tree is the frozen one: nothing changed, missing or extra."""
        return not (self.changed or self.missing or self.extra)

    def describe(self) -> str:
        """Name everything that differs, one line each, under a line of counts."""
        counts = {"equal": self.equal, "changed": self.changed, "missing": self.missing, "extra": self.extra}
        summary = ", ".join(f"{len(paths)} {kind}" for kind, paths in counts.items())
        places = {path: f" (its bytes are at {place})" for path, place in self.moved}
        missing = [f"missing: {path}{places.get(path, '')}" for path in self.missing]
        extra = [f"extra: {path}" for path in self.extra]
        return "\n".join([summary, *self.advice(), *map(str, self.changed), *missing, *extra])

    def advice(self) -> list[str]:
        """Say which mistake would explain the differences, if one would: the wrong folder, converted line ends."""
        if self.folder_below:
            return [f"the tree lies further down: give its folder {self.folder_below}"]
        if self.folder_itself:
            return [f"this is the folder {self.folder_itself} of the tree: give the folder above it"]
        if self.changed and all(change.line_ends for change in self.changed):
            return ["every changed file differs by one byte a line: check out with core.autocrlf=false"]
        return []


def verify_tree(inventory: Inventory, checksums: Iterable[Checksum]) -> TreeVerification:
    """Compare a scanned tree with frozen checksums; what could not be read, or is a link, counts as missing.

    Raises
    ------
    ValueError
        If the inventory was made from frozen facts: comparing those with themselves proves nothing.
    """
    if inventory.source != "tree":
        raise ValueError("the inventory comes from frozen facts, so there is no tree to verify; scan one first")
    found: dict[str, Checksum] = {file.path: file for file in inventory.files}
    expected = {checksum.path: checksum for checksum in checksums}
    both = sorted(found.keys() & expected.keys())
    missing = [expected[path] for path in sorted(expected.keys() - found.keys())]
    extra = [found[path] for path in sorted(found.keys() - expected.keys())]
    return TreeVerification(
        equal=tuple(path for path in both if found[path].sha256 == expected[path].sha256),
        changed=tuple(
            Change(path, expected[path].sha256, found[path].sha256, _line_ends(expected[path], found[path]))
            for path in both
            if found[path].sha256 != expected[path].sha256
        ),
        missing=tuple(file.path for file in missing),
        extra=(*(file.path for file in extra), *(p.path for p in inventory.problems if p.reason == ODD_NAME)),
        moved=tuple(_moved(missing, extra)),
        folder_below="" if both else _folder(missing, extra),
        folder_itself="" if both else _folder(extra, missing),
    )


def _line_ends(expected: Checksum, found: Checksum) -> bool:
    """Tell whether the sizes differ by one byte a line (the last of which may have no end)."""
    difference = abs(found.bytes - expected.bytes)
    return found.lines == expected.lines and difference > 0 and difference in (expected.lines, expected.lines - 1)


def _moved(missing: list[Checksum], extra: list[Checksum]) -> Iterator[tuple[str, str]]:
    """Yield each missing path with the extra one of the same bytes whose name is most like it."""
    by_hash = _paths_by_hash(extra)
    for file in missing:
        if alike := by_hash[file.sha256]:
            yield file.path, max((_common_end(path, file.path), path) for path in alike)[1]


def _folder(inner: list[Checksum], outer: list[Checksum]) -> str:
    """Return the folder of ``outer`` in which most files of ``inner`` stand, with the same bytes, or ""."""
    by_hash = _paths_by_hash(outer)
    folders = Counter(
        path.removesuffix("/" + file.path)
        for file in inner
        for path in by_hash[file.sha256]
        if path.endswith("/" + file.path)
    )
    folder, count = folders.most_common(1)[0] if folders else ("", 0)
    return folder if 2 * count > len(inner) else ""


def _paths_by_hash(files: list[Checksum]) -> defaultdict[str, list[str]]:
    paths: defaultdict[str, list[str]] = defaultdict(list)
    for file in files:
        paths[file.sha256].append(file.path)
    return paths


def _common_end(one: str, other: str) -> int:
    return len(posixpath.commonprefix((one[::-1].lower(), other[::-1].lower())))
