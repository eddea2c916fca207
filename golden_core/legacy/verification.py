"""A scanned tree against frozen checksums: what changed, what is missing, what is extra."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from golden_core.legacy.inventory import Checksum, Inventory


@dataclass(frozen=True)
class Change:
    """A file whose bytes are not the frozen ones; ``line_ends``: longer or shorter by one byte a line, as converted."""

    path: str
    expected_sha256: str
    found_sha256: str
    line_ends: bool

    def __str__(self) -> str:
        """Name the file and both hashes."""
        return f"changed: {self.path} (expected {self.expected_sha256}, found {self.found_sha256})"


@dataclass(frozen=True)
class TreeVerification:
    """Every file of a tree or of the frozen checksums is equal, changed, missing or extra."""

    equal: tuple[str, ...]
    changed: tuple[Change, ...]
    missing: tuple[str, ...]
    extra: tuple[str, ...]

    @property
    def exact(self) -> bool:
        """Whether the tree is the frozen one."""
        return not (self.changed or self.missing or self.extra)

    def describe(self) -> str:
        """Name everything that differs, one line each, under a line of counts and what would explain them."""
        counts = {"equal": self.equal, "changed": self.changed, "missing": self.missing, "extra": self.extra}
        lines = [", ".join(f"{len(paths)} {kind}" for kind, paths in counts.items())]
        if self.missing and not (self.equal or self.changed):
            lines.append("no file is where it should be: give the folder that holds v_01 …")
        if self.changed and all(change.line_ends for change in self.changed):
            lines.append("every changed file differs by one byte a line: check out with core.autocrlf=false")
        lines += [str(change) for change in self.changed]
        lines += [f"missing: {path}" for path in self.missing]
        return "\n".join([*lines, *(f"extra: {path}" for path in self.extra)])


def verify_tree(inventory: Inventory, checksums: Iterable[Checksum]) -> TreeVerification:
    """Compare a scanned tree with frozen checksums; what could not be read, or is a link, counts as missing.

    An inventory of frozen facts is a ``ValueError``: comparing those with themselves proves nothing.
    """
    if inventory.source != "tree":
        raise ValueError("the inventory comes from frozen facts, so there is no tree to verify; scan one first")
    found: dict[str, Checksum] = {file.path: file for file in inventory.files}
    expected = {checksum.path: checksum for checksum in checksums}
    pairs = [(expected[path], found[path]) for path in sorted(found.keys() & expected.keys())]
    return TreeVerification(
        equal=tuple(frozen.path for frozen, file in pairs if file.sha256 == frozen.sha256),
        changed=tuple(
            Change(file.path, frozen.sha256, file.sha256, _line_ends(frozen, file))
            for frozen, file in pairs
            if file.sha256 != frozen.sha256
        ),
        missing=tuple(sorted(expected.keys() - found.keys())),
        extra=tuple(sorted(found.keys() - expected.keys())),
    )


def _line_ends(expected: Checksum, found: Checksum) -> bool:
    """Tell whether the sizes differ by one byte a line (the last of which may have no end)."""
    difference = abs(found.bytes - expected.bytes)
    return found.lines == expected.lines and difference > 0 and difference in (expected.lines, expected.lines - 1)
