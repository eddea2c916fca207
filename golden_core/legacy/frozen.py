"""What is known of the legacy without its tree: the facts frozen in data/legacy, and how a scanned tree differs."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from golden_core.legacy.inventory import (
    Checksum,
    Configuration,
    Contradiction,
    DataFile,
    EntryKind,
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
from golden_core.study.sections import Section

FACTS = shipped("legacy")
_COLUMNS = ["path", "sha256", "bytes", "lines"]


class FactsError(ValueError):
    """A file of facts is not what it must be; names the file, the line or entry, and what was expected."""


class ScriptFact(Section):
    """What is known of a script of that name, in every version that has it."""

    standard: tuple[str, ...] = ()
    third_party: tuple[str, ...] = ()
    local: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    entry_points: tuple[EntryKind, ...] = ()
    without_entry_points: tuple[str, ...] = ()
    absolute_paths: tuple[str, ...] = ()


class ContradictionFact(Section):
    """A configured value and a different default in the code of a version."""

    version: str
    key: str
    configured: str
    default: str
    where: str


class ConfigurationFact(Section):
    """What is known of the configuration file of each version."""

    file: str
    unused_in_all: tuple[str, ...]
    unused: dict[str, tuple[str, ...]]
    contradictions: tuple[ContradictionFact, ...]


class InventoryFacts(Section):
    """The content of inventory.yaml."""

    scripts: dict[str, ScriptFact]
    data_files: tuple[DataFile, ...]
    flags: tuple[Flag, ...]
    configuration: ConfigurationFact


def frozen_checksums(path: Path = FACTS / "checksums.csv") -> tuple[Checksum, ...]:
    """Read a CSV file with the columns path, sha256, bytes, lines; each path once, or a ``FactsError``."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    if not rows or rows[0] != _COLUMNS:
        raise FactsError(f"{path}:1: the columns must be {', '.join(_COLUMNS)}")
    checksums: dict[str, Checksum] = {}
    for line, row in enumerate(rows[1:], 2):
        checksum = _checksum(row, f"{path}:{line}")
        if checksum.path in checksums:
            raise FactsError(f"{path}:{line}: {checksum.path} stands there twice; keep one row")
        checksums[checksum.path] = checksum
    return tuple(checksums.values())


def frozen_inventory(folder: Path = FACTS) -> Inventory:
    """Return the inventory of v_01 … v_10 from the frozen facts: no tree was seen, and ``source`` says so."""
    path = folder / "inventory.yaml"
    try:
        facts = InventoryFacts.model_validate(YAML(typ="safe", pure=True).load(path), strict=False)
    except (YAMLError, ValidationError) as error:
        raise FactsError(f"{path}: {error}") from error
    files = tuple(
        File(**vars(c), version=version_of(c.path), kind="script" if c.path.endswith(".py") else "configuration")
        for c in frozen_checksums(folder / "checksums.csv")
    )
    scripts = [(file, facts.scripts[Path(file.path).name]) for file in files if file.kind == "script"]
    return Inventory(
        source="frozen facts",
        versions=tuple(sorted({file.version for file in files})),
        files=files,
        scripts=tuple(_script(file, fact, facts.flags) for file, fact in scripts),
        configurations=tuple(_configuration(file, facts.configuration) for file in files if file.kind != "script"),
        data_files=facts.data_files,
        absolute_paths=tuple(Mention(text, file.path) for file, fact in scripts for text in fact.absolute_paths),
    )


def _checksum(row: list[str], where: str) -> Checksum:
    if len(row) != 4 or not row[0] or not re.fullmatch("[0-9a-f]{64}", row[1]):
        raise FactsError(f"{where}: expected path, 64 hexadecimal digits, bytes and lines")
    if not (re.fullmatch("[0-9]+", row[2]) and re.fullmatch("[0-9]+", row[3])):
        raise FactsError(f"{where}: bytes and lines must be whole numbers, got {row[2]!r} and {row[3]!r}")
    return Checksum(row[0], row[1], int(row[2]), int(row[3]))


def _script(file: File, fact: ScriptFact, flags: Iterable[Flag]) -> Script:
    kinds = () if file.version in fact.without_entry_points else fact.entry_points
    return Script(
        path=file.path,
        imports=Imports(fact.standard, fact.third_party, fact.local, fact.missing),
        entry_points=tuple(EntryPoint(kind, file.path) for kind in kinds),
        flags=tuple(flag for flag in flags if flag.where == file.path),
    )


def _configuration(file: File, fact: ConfigurationFact) -> Configuration:
    unused = tuple(sorted({*fact.unused_in_all, *fact.unused[file.version]}))
    found = [one for one in fact.contradictions if one.version == file.version]
    contradictions = tuple(Contradiction(one.key, one.configured, one.default, (one.where,)) for one in found)
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
        if self.changed and all(_line_ends(was, now) for was, now in self.changed):
            lines.append("every changed file differs by one byte a line: check out with core.autocrlf=false")
        lines += [f"changed: {was.path} (expected {was.sha256}, found {now.sha256})" for was, now in self.changed]
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
        equal=tuple(was.path for was, now in pairs if was.sha256 == now.sha256),
        changed=tuple((was, now) for was, now in pairs if was.sha256 != now.sha256),
        missing=tuple(sorted(expected.keys() - found.keys())),
        extra=tuple(sorted(found.keys() - expected.keys())),
    )


def _line_ends(expected: Checksum, found: Checksum) -> bool:
    """Tell whether the sizes differ by one byte a line (the last of which may have no end), as if converted."""
    difference = abs(found.bytes - expected.bytes)
    return found.lines == expected.lines and difference > 0 and difference in (expected.lines, expected.lines - 1)
