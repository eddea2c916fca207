"""What is known of the legacy without its tree: the facts frozen in data/legacy, and how a scanned tree differs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import polars as pl
from ruamel.yaml import YAML

from golden_core.legacy.inventory import (
    Checksum,
    Configuration,
    Contradiction,
    DataFile,
    EntryPoint,
    File,
    Flag,
    Imports,
    Inventory,
    Mention,
    Script,
    version_of,
)
from golden_core.store.lake import shipped

FACTS = shipped("legacy")


def frozen_checksums() -> tuple[Checksum, ...]:
    """Return the checksum of every file of v_01 … v_10."""
    return tuple(Checksum(*row) for row in pl.read_csv(FACTS / "checksums.csv").rows())


def frozen_inventory() -> Inventory:
    """Return the inventory of v_01 … v_10 from the frozen facts: no tree was seen, and ``source`` says so."""
    facts = YAML(typ="safe", pure=True).load(FACTS / "inventory.yaml")
    flags = [Flag(tuple(one["names"]), one["default"], one["where"]) for one in facts["flags"]]
    files = tuple(
        File(**vars(c), version=version_of(c.path), kind="script" if c.path.endswith(".py") else "configuration")
        for c in frozen_checksums()
    )
    scripts = [(file, facts["scripts"][Path(file.path).name]) for file in files if file.kind == "script"]
    return Inventory(
        source="frozen facts",
        versions=tuple(sorted({file.version for file in files})),
        files=files,
        scripts=tuple(_script(file, fact, flags) for file, fact in scripts),
        configurations=tuple(_configuration(file, facts["configuration"]) for file in files if file.kind != "script"),
        data_files=tuple(DataFile(**one) for one in facts["data_files"]),
        absolute_paths=tuple(
            Mention(text, file.path) for file, fact in scripts for text in fact.get("absolute_paths", ())
        ),
    )


def _script(file: File, fact: Mapping[str, Sequence[Any]], flags: Iterable[Flag]) -> Script:
    """Return what is known of a script of that name, in every version that has it."""
    kinds = () if file.version in fact.get("without_entry_points", ()) else fact.get("entry_points", ())
    return Script(
        path=file.path,
        imports=Imports(*(tuple(fact.get(field.name, ())) for field in fields(Imports))),
        entry_points=tuple(EntryPoint(kind, file.path) for kind in kinds),
        flags=tuple(flag for flag in flags if flag.where == file.path),
    )


def _configuration(file: File, fact: Mapping[str, Any]) -> Configuration:
    unused = tuple(sorted({*fact["unused_in_all"], *fact["unused"][file.version]}))
    contradictions = tuple(
        Contradiction(one["key"], one["configured"], one["default"], (one["where"],))
        for one in fact["contradictions"]
        if one["version"] == file.version
    )
    return Configuration(file.path, {}, (), unused, contradictions)


# ----------------------------------------------------------------------------------------------------- a tree beside it


@dataclass(frozen=True)
class TreeVerification:
    """Every file of a tree or of the frozen checksums is equal, changed, missing or extra."""

    equal: tuple[str, ...]
    changed: tuple[tuple[Checksum, Checksum], ...]  # as frozen, and as found
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
        # The last line of a file may have no end.
        converted = (abs(was.bytes - now.bytes) in {was.lines, was.lines - 1} - {0} for was, now in self.changed)
        if self.changed and all(converted) and all(was.lines == now.lines for was, now in self.changed):
            lines.append("every changed file differs by one byte a line: check out with core.autocrlf=false")
        lines += [f"changed: {was.path} (expected {was.sha256}, found {now.sha256})" for was, now in self.changed]
        lines += [f"missing: {path}" for path in self.missing]
        return "\n".join([*lines, *(f"extra: {path}" for path in self.extra)])


def verify_tree(inventory: Inventory, checksums: Iterable[Checksum]) -> TreeVerification:
    """Compare a scanned tree with frozen checksums; what could not be read, or is a link, counts as missing."""
    found: dict[str, Checksum] = {file.path: file for file in inventory.files}
    expected = {checksum.path: checksum for checksum in checksums}
    pairs = [(expected[path], found[path]) for path in sorted(found.keys() & expected.keys())]
    return TreeVerification(
        equal=tuple(was.path for was, now in pairs if was.sha256 == now.sha256),
        changed=tuple((was, now) for was, now in pairs if was.sha256 != now.sha256),
        missing=tuple(sorted(expected.keys() - found.keys())),
        extra=tuple(sorted(found.keys() - expected.keys())),
    )
