"""A tree of version folders → its inventory. Files are read here and nowhere imported, executed or followed."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import Path

from golden_core.legacy.facts.credentials import redactor
from golden_core.legacy.facts.imports import Surroundings, classify, search_path
from golden_core.legacy.facts.names import printable
from golden_core.legacy.facts.packages import known_modules
from golden_core.legacy.facts.paths import data_file, is_computed
from golden_core.legacy.facts.redaction import redacted
from golden_core.legacy.facts.reports import Report, report
from golden_core.legacy.facts.scripts import ScriptFacts
from golden_core.legacy.facts.settings import configurations, differences, spell_setting, undefined_keys
from golden_core.legacy.facts.values import Key
from golden_core.legacy.facts.walking import Entry, Folder, Regular, Symlink, Unread, walk
from golden_core.legacy.inventory import (
    DataFile,
    Flag,
    Inventory,
    Link,
    Problem,
    Script,
    clusters_of,
)


class LegacyTreeError(ValueError):
    """What was given as a legacy tree is not a folder that can be scanned."""


def scan_tree(path: Path) -> Inventory:
    """Take the inventory of a tree of version folders.

    Every folder directly under ``path`` is a version, whatever its name. Nothing of the tree is imported or executed,
    no symbolic link is followed, large files are streamed. What cannot be read or parsed is among the problems.

    Parameters
    ----------
    path : Path
        The folder that holds the version folders.

    Returns
    -------
    Inventory
        The same for the same tree; credentials are redacted in all of it.

    Raises
    ------
    LegacyTreeError
        If ``path`` is not a folder.
    """
    if not path.is_dir():
        raise LegacyTreeError(
            f"{path}: {'not a folder' if path.exists() else 'no such folder'}; give the folder of v_01 …"
        )
    entries = sorted(walk(path), key=lambda entry: entry.path)
    reports, problems = _read(path, entries)
    problems += [Problem(printable(entry.path), entry.reason) for entry in entries if isinstance(entry, Unread)]
    problems += [problem for one in reports for problem in one.problems]
    secrets = frozenset[bytes]().union(*(one.secrets for one in reports))
    return redacted(_assemble(entries, reports, problems), redactor(secrets))


def _read(root: Path, entries: list[Entry]) -> tuple[list[Report], list[Problem]]:
    """Report on every regular file; a file that cannot be read is a problem, not the end of the scan."""
    reports, problems = [], []
    for entry in entries:
        if isinstance(entry, Regular):
            name = printable(entry.path)
            try:
                reports.append(report(root, name))
            except OSError as error:
                problems.append(Problem(name, f"cannot be read: {error.strerror}"))
    return reports, problems


def _assemble(entries: list[Entry], reports: list[Report], problems: list[Problem]) -> Inventory:
    around = _surroundings(entries, reports)
    scripts = [one.script for one in reports if one.script]
    documents: dict[str, dict[Key, object]] = {
        one.file.path: one.document.settings for one in reports if one.document and not one.document.reason
    }
    files = tuple(one.file for one in reports)
    return Inventory(
        source="tree",
        versions=tuple(sorted({folder for folder in around.folders if "/" not in folder})),
        files=files,
        scripts=tuple(_script(script, around) for script in scripts),
        configurations=tuple(configurations(documents, scripts)),
        undefined_keys=tuple(undefined_keys(documents, scripts)),
        differences=tuple(differences(documents)),
        clusters=clusters_of(files),
        data_files=tuple(found for script in scripts for found in _data_files(script, around)),
        absolute_paths=tuple(mention for one in reports for mention in one.absolute_paths),
        credentials=tuple(credential for one in reports for credential in one.credentials),
        links=tuple(
            Link(printable(entry.path), printable(entry.target), entry.leads)
            for entry in entries
            if isinstance(entry, Symlink)
        ),
        problems=tuple(sorted(problems, key=lambda problem: (problem.path, problem.reason))),
    )


def _surroundings(entries: list[Entry], reports: list[Report]) -> Surroundings:
    return Surroundings(
        files=frozenset(printable(entry.path) for entry in entries if isinstance(entry, Regular)),
        folders=frozenset(printable(entry.path) for entry in entries if isinstance(entry, Folder)),
        packages=known_modules().union(*(one.packages for one in reports)),
    )


def _script(script: ScriptFacts, around: Surroundings) -> Script:
    flags = tuple(
        Flag(
            flag.names,
            spell_setting((flag.destination,), flag.default) if flag.has_default else None,
            flag.parser,
            where,
        )
        for flag, where in script.flags
    )
    return Script(
        script.path, script.language, classify(script.path, script.modules, around), script.entry_points, flags
    )


def _data_files(script: ScriptFacts, around: Surroundings) -> Iterator[DataFile]:
    """Yield the data files that a script names, and whether the tree has them where the script would look."""
    folders = search_path(script.path)
    for text, where in script.texts:
        name = data_file(text)
        if name:
            spellings = (posixpath.normpath(posixpath.join(folder, name.replace("\\", "/"))) for folder in folders)
            yield DataFile(name, where, None if is_computed(name) else any(path in around.files for path in spellings))
