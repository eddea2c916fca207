"""A tree of version folders → its inventory. Files are read here and nowhere imported, executed or followed."""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from golden_core.legacy.facts.configurations import dotted, read_configuration
from golden_core.legacy.facts.contents import Contents, read_contents
from golden_core.legacy.facts.credentials import NAMED, find_credentials, is_credential, redacted, redactor
from golden_core.legacy.facts.imports import Surroundings, classify, known_modules, required, search_path
from golden_core.legacy.facts.scripts import ScriptFacts, script_facts
from golden_core.legacy.facts.settings import configurations, differences, spell_setting, undefined_keys
from golden_core.legacy.facts.syntax import Key, parse
from golden_core.legacy.facts.texts import absolute_paths, data_file, is_computed
from golden_core.legacy.facts.walking import walk
from golden_core.legacy.inventory import (
    Credential,
    DataFile,
    EntryPoint,
    File,
    Flag,
    Inventory,
    Link,
    Mention,
    Problem,
    Script,
    version_of,
)

LISTED_LINES = 20


class LegacyTreeError(ValueError):
    """What was given as a legacy tree is not a folder that can be scanned."""


@dataclass
class _Found:
    """What the files told so far, in the order of their paths. ``secrets`` serve to redact and go no further."""

    files: list[File] = field(default_factory=list)
    scripts: list[ScriptFacts] = field(default_factory=list)
    documents: dict[str, dict[Key, Any]] = field(default_factory=dict)
    packages: set[str] = field(default_factory=set)
    absolute_paths: list[Mention] = field(default_factory=list)
    credentials: list[Credential] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)


def scan_tree(path: Path) -> Inventory:
    """Take the inventory of a tree of version folders.

    A folder directly under ``path`` that is called like a version (v_01, v1, …) is one; the files of others are listed
    and belong to none. Nothing of the tree is imported or executed, no symbolic link is followed, large files are
    streamed. What cannot be read or parsed is among the problems.

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
    entries, found = sorted(walk(path), key=lambda entry: entry.path), _Found()
    for entry in entries:
        if entry.kind == "unread":
            found.problems.append(Problem(entry.path, entry.said))
        elif entry.kind == "file":
            try:
                _look_into(entry.path, read_contents(path / entry.path), found)
            except OSError as error:
                found.problems.append(Problem(entry.path, f"cannot be read: {error.strerror}"))
    around = Surroundings(
        files=frozenset(entry.path for entry in entries if entry.kind == "file"),
        folders=frozenset(entry.path for entry in entries if entry.kind == "folder"),
        packages=known_modules() | found.packages,
    )
    links = tuple(Link(entry.path, entry.said) for entry in entries if entry.kind == "link")
    return redacted(_assemble(found, around, links), redactor(found.secrets))


def _look_into(name: str, contents: Contents, found: _Found) -> None:
    """Add what one file tells by itself."""
    version = version_of(name)
    found.files.append(File(name, contents.sha256, contents.bytes, contents.lines, version, contents.kind))
    script, settings, reason = ScriptFacts(name), None, contents.problem
    if contents.text is not None and contents.kind == "script":
        tree = parse(contents.text)
        script, reason = (script, tree) if isinstance(tree, str) else (script_facts(name, tree), None)
    elif contents.text is not None and contents.kind == "configuration":
        document = read_configuration(name, contents.text)
        settings, reason = (None, document.reason) if document.reason else (document.settings, None)
    if contents.kind == "script":
        found.scripts.append(script)
    if settings is not None:
        found.documents[name] = settings
    if reason:
        found.problems.append(Problem(name, reason))
    text = (contents.text or b"").decode("utf-8", "replace")
    found.packages |= required(name, contents.text or b"")
    found.absolute_paths += _absolute_paths(name, text, script, settings)
    _credentials(name, text, script if contents.kind == "script" else None, settings or {}, found)


def _absolute_paths(name: str, text: str, script: ScriptFacts, settings: dict[Key, Any] | None) -> Iterator[Mention]:
    """Yield the absolute paths that code or settings hold; of a text without either, those in its lines."""
    if script.parsed:
        texts = [(value, script.at(line)) for value, line in script.texts]
    elif settings is not None:
        texts = [(value, f"{name}:{dotted(key)}") for key, value in settings.items() if isinstance(value, str)]
    else:
        texts = [(line, f"{name}:{number}") for number, line in enumerate(text.split("\n"), 1)]
    yield from (Mention(path, where) for value, where in texts for path in absolute_paths(value))


def _credentials(name: str, text: str, script: ScriptFacts | None, settings: dict[Key, Any], found: _Found) -> None:
    """Add what the text of a file gives away, and what only its parsed values do: flags' defaults, joined texts."""
    ends = [match.start() for match in re.finditer("\n", text)]
    offsets = sorted(find_credentials(text, bare=script is None), key=lambda one: one.offset)
    seen = [(one.kind, 1 + bisect_left(ends, one.offset), one.secret) for one in offsets]
    values = [(key, value, 0) for key, value in settings.items()]
    values += [(one.key, one.value, one.line) for one in script.defaults] if script else []
    parsed = [(NAMED, line, value) for key, value, line in values if any(is_credential(part, value) for part in key)]
    for value, line in script.texts if script else ():
        parsed += [(one.kind, line, one.secret) for one in find_credentials(value, bare=True)]
    known = {secret for _, _, secret in seen}
    seen += [one for one in dict.fromkeys(parsed) if one[2] not in known]
    found.secrets |= {secret for _, _, secret in seen}
    for kind in sorted({kind for kind, _, _ in seen}):
        lines = [line for other, line, _ in seen if other == kind]
        found.credentials.append(Credential(name, kind, len(lines), tuple(sorted({*lines} - {0})[:LISTED_LINES])))


def _assemble(found: _Found, around: Surroundings, links: tuple[Link, ...]) -> Inventory:
    files = tuple(found.files)
    return Inventory(
        source="tree",
        versions=tuple(sorted({folder for folder in around.folders if version_of(f"{folder}/") == folder})),
        files=files,
        scripts=tuple(_script(script, around) for script in found.scripts),
        configurations=tuple(configurations(found.documents, found.scripts)),
        undefined_keys=tuple(undefined_keys(found.documents, found.scripts)),
        differences=tuple(differences(found.documents)),
        data_files=tuple(named for script in found.scripts for named in _data_files(script, around)),
        absolute_paths=tuple(found.absolute_paths),
        credentials=tuple(found.credentials),
        links=links,
        problems=tuple(sorted(found.problems, key=lambda problem: (problem.path, problem.reason))),
    )


def _script(script: ScriptFacts, around: Surroundings) -> Script:
    return Script(
        path=script.path,
        imports=classify(script.path, script.modules, around),
        entry_points=tuple(EntryPoint(kind, script.at(line)) for kind, line in script.entry_points),
        flags=tuple(
            Flag(
                flag.names,
                spell_setting((flag.destination,), flag.default) if flag.has_default else None,
                script.at(flag.line),
            )
            for flag in script.flags
        ),
    )


def _data_files(script: ScriptFacts, around: Surroundings) -> Iterator[DataFile]:
    """Yield the data files that a script names, and whether the tree has them where the script would look."""
    folders = search_path(script.path)
    for text, line in script.texts:
        name = data_file(text)
        if name:
            spellings = (posixpath.normpath(posixpath.join(folder, name.replace("\\", "/"))) for folder in folders)
            present = None if is_computed(name) else any(path in around.files for path in spellings)
            yield DataFile(name, script.at(line), present)
