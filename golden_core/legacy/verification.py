"""A scanned tree against frozen checksums: what changed, what is missing, what is extra."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from golden_core.legacy.inventory import Checksum, Inventory


@dataclass(frozen=True)
class Change:
    """A file whose bytes are not the frozen ones."""

    path: str
    expected_sha256: str
    found_sha256: str


@dataclass(frozen=True)
class TreeVerification:
    """Every file of a tree or of the frozen checksums is in exactly one of these."""

    equal: tuple[str, ...]
    changed: tuple[Change, ...]
    missing: tuple[str, ...]
    extra: tuple[str, ...]

    @property
    def exact(self) -> bool:
        """Whether the tree is the frozen one: nothing changed, missing or extra."""
        return not (self.changed or self.missing or self.extra)

    def describe(self) -> str:
        """Name everything that differs, one line each, under a line of counts."""
        counts = {"equal": self.equal, "changed": self.changed, "missing": self.missing, "extra": self.extra}
        changed = [
            f"changed: {change.path} (expected {change.expected_sha256}, found {change.found_sha256})"
            for change in self.changed
        ]
        summary = ", ".join(f"{len(paths)} {kind}" for kind, paths in counts.items())
        missing = [f"missing: {path}" for path in self.missing]
        return "\n".join([summary, *changed, *missing, *(f"extra: {path}" for path in self.extra)])


def verify_tree(inventory: Inventory, checksums: Iterable[Checksum]) -> TreeVerification:
    """Compare a scanned tree with frozen checksums, file by file.

    Parameters
    ----------
    inventory : Inventory
        Of a scanned tree.
    checksums : iterable of Checksum
        What the tree must hold, by path.

    Returns
    -------
    TreeVerification
        A file that could not be read, or that is a symbolic link, counts as missing.

    Raises
    ------
    ValueError
        If the inventory was made from frozen facts: comparing those with themselves proves nothing.
    """
    if inventory.source != "tree":
        raise ValueError("the inventory comes from frozen facts, so there is no tree to verify; scan one first")
    found = {file.path: file.sha256 for file in inventory.files}
    expected = {checksum.path: checksum.sha256 for checksum in checksums}
    both = sorted(found.keys() & expected.keys())
    return TreeVerification(
        equal=tuple(path for path in both if found[path] == expected[path]),
        changed=tuple(Change(path, expected[path], found[path]) for path in both if found[path] != expected[path]),
        missing=tuple(sorted(expected.keys() - found.keys())),
        extra=tuple(sorted(found.keys() - expected.keys())),
    )
