"""A tree of version folders → its inventory. Files are read here and nowhere imported, executed or followed."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from golden_core.legacy.facts.configurations import configurations, dotted, read_configuration
from golden_core.legacy.facts.credentials import NAMED, find_credentials, is_credential, redacted
from golden_core.legacy.facts.files import Content, classify, search_path, walk, with_folders
from golden_core.legacy.facts.scripts import ScriptFacts, script_facts
from golden_core.legacy.facts.syntax import Key, absolute_paths, data_file, parse
from golden_core.legacy.inventory import (
    Credential,
    DataFile,
    File,
    Inventory,
    Link,
    Mention,
    Problem,
    Script,
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
    absolute_paths: list[Mention] = field(default_factory=list)
    credentials: list[Credential] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)
    links: list[Link] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def scan_tree(path: Path) -> Inventory:
    """Take the inventory of a tree of version folders; credentials are redacted in all of it.

    A folder directly under ``path`` that is called like a version (v_01, v1, …) is one; the files of others are listed
    and belong to none. Nothing of the tree is imported or executed, no symbolic link is followed. What cannot be read
    or parsed is among the problems; a ``path`` that is no folder is a ``LegacyTreeError``.
    """
    if not path.is_dir():
        raise LegacyTreeError(
            f"{path}: {'not a folder' if path.exists() else 'no such folder'}; give the folder of v_01 …"
        )
    found = _Found()
    for entry in walk(path):
        if isinstance(entry, Problem):
            found.problems.append(entry)
        elif isinstance(entry, Link):
            found.links.append(entry)
        else:
            _look_into(entry, found)
    inventory: Inventory = redacted(_assemble(found), found.secrets)
    return inventory


def _look_into(content: Content, found: _Found) -> None:
    """Add what one file tells by itself."""
    name, kind = content.file.path, content.file.kind
    script, settings, reason = ScriptFacts(name), None, content.problem
    if kind == "script":
        tree = parse(content.text)
        script, reason = (script, reason or tree) if isinstance(tree, str) else (script_facts(name, tree), reason)
        found.scripts.append(script)
    elif kind == "configuration" and reason is None:
        read = read_configuration(content.text)
        settings, reason = (None, read) if isinstance(read, str) else (read, None)
    if settings is not None:
        found.documents[name] = settings
    if reason:
        found.problems.append(Problem(name, reason))
    text = content.text.decode("utf-8", "replace")
    found.files.append(content.file)
    found.absolute_paths += _absolute_paths(name, text, script, settings)
    _credentials(name, text, script if kind == "script" else None, settings or {}, found)


def _absolute_paths(name: str, text: str, script: ScriptFacts, settings: dict[Key, Any] | None) -> Iterator[Mention]:
    """Yield the absolute paths that code or settings hold; of a text without either, those in its lines."""
    if script.parsed:
        texts = [(text.text, text.where) for text in script.texts]
    elif settings is not None:
        texts = [(value, f"{name}:{dotted(key)}") for key, value in settings.items() if isinstance(value, str)]
    else:
        texts = [(line, f"{name}:{number}") for number, line in enumerate(text.split("\n"), 1)]
    yield from (Mention(path, where) for value, where in texts for path in absolute_paths(value))


def _credentials(name: str, text: str, script: ScriptFacts | None, settings: dict[Key, Any], found: _Found) -> None:
    """Add what the text of a file gives away, and what only its parsed values do: a flag's default, joined texts."""
    found_in = find_credentials(text, bare=not script)
    seen = [(kind, text.count("\n", 0, offset) + 1, secret) for kind, offset, secret in found_in]
    values = [(key, value, 0) for key, value in settings.items()]
    values += [(one.key, one.value, one.line) for one in script.defaults] if script else []
    known = {secret for _, _, secret in seen}
    for key, value, line in values:
        if any(is_credential(part, value) for part in key) and value not in known:
            seen.append((NAMED, line, value))
    found.secrets.update(secret for _, _, secret in seen)
    for kind in sorted({kind for kind, _, _ in seen}):
        lines = [line for other, line, _ in seen if other == kind]
        found.credentials.append(Credential(name, kind, len(lines), tuple(sorted({*lines} - {0})[:LISTED_LINES])))


def _assemble(found: _Found) -> Inventory:
    around = with_folders([file.path for file in found.files])
    return Inventory(
        source="tree",
        versions=tuple(sorted({file.version for file in found.files} - {""})),
        files=tuple(found.files),
        scripts=tuple(
            Script(one.path, classify(one.path, one.modules, around), one.entry_points, one.flags)
            for one in found.scripts
        ),
        configurations=tuple(configurations(found.documents, found.scripts)),
        data_files=tuple(named for script in found.scripts for named in _data_files(script, around)),
        absolute_paths=tuple(found.absolute_paths),
        credentials=tuple(found.credentials),
        links=tuple(found.links),
        problems=tuple(sorted(found.problems, key=lambda problem: (problem.path, problem.reason))),
    )


def _data_files(script: ScriptFacts, around: Collection[str]) -> Iterator[DataFile]:
    """Yield the data files that a script names, and whether the tree has them where the script would look."""
    folders = search_path(script.path)
    for text in script.texts:
        if name := data_file(text.text):
            spellings = (posixpath.normpath(posixpath.join(folder, name.replace("\\", "/"))) for folder in folders)
            computed = any(mark in name for mark in "%{*")
            yield DataFile(name, text.where, None if computed else any(path in around for path in spellings))
