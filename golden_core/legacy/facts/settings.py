"""Configuration files against the code of their version, and against those of other versions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from golden_core.legacy.facts.code import Code, code_of, contradicting_defaults, read_at
from golden_core.legacy.facts.configurations import dotted, names
from golden_core.legacy.facts.credentials import REDACTED, names_credential
from golden_core.legacy.facts.scripts import ScriptFacts
from golden_core.legacy.facts.values import Key, spell
from golden_core.legacy.inventory import Configuration, Contradiction, Difference, KeyRead, Mention, version_of

Documents = Mapping[str, Mapping[Key, Any]]  # path → settings


def configurations(documents: Documents, scripts: Sequence[ScriptFacts]) -> Iterator[Configuration]:
    """Yield what the code of its version does with every configuration file.

    A load of a configuration whose path is not spelled out counts as opening a file only in a version whose code
    spells out none.
    """
    for version, paths in _by_version(documents).items():
        code = _code(version, scripts)
        named = {path: code.file_names.get(path.rsplit("/", 1)[-1], ()) for path in paths}
        loads = () if any(named.values()) else code.loads
        for path in paths:
            yield _configuration(path, documents[path], code, named[path] or loads)


def undefined_keys(documents: Documents, scripts: Sequence[ScriptFacts]) -> Iterator[Mention]:
    """Yield each key that code looks up in something called a configuration, and that no file of its version sets."""
    paths = _by_version(documents)
    for version in sorted({version_of(script.path) for script in scripts}):
        known = _known_keys(documents[path] for path in paths.get(version, []) + (paths.get("", []) if version else []))
        for script in scripts:
            if version_of(script.path) == version:
                for lookup, where in script.lookups:
                    if lookup.named and lookup.key and lookup.key not in known:
                        yield Mention(".".join(lookup.key), where)


def differences(documents: Documents) -> Iterator[Difference]:
    """Yield the settings that differ between versions, file by file: the rows of the difference matrix."""
    files: defaultdict[str, dict[str, Mapping[Key, Any]]] = defaultdict(dict)
    for path, settings in documents.items():
        version, _, file = path.partition("/")
        if file:
            files[file][version] = settings
    for file, versions in sorted(files.items()):
        for key in dict.fromkeys(key for settings in versions.values() for key in settings):
            values = {version: settings.get(key, _ABSENT) for version, settings in versions.items()}
            spelled = {v: None if value is _ABSENT else spell_setting(key, value) for v, value in values.items()}
            if len({None if value is _ABSENT else spell(value) for value in values.values()}) > 1:
                yield Difference(file, dotted(key), spelled)


def spell_setting(key: Key, value: Any) -> str:
    """Return a value as JSON text, or a mark in place of one that stands under the name of a credential."""
    hidden = any(map(names_credential, key)) and value is not None and not isinstance(value, bool)
    return REDACTED if hidden else spell(value)


_ABSENT = object()


def _configuration(path: str, settings: Mapping[Key, Any], code: Code, opened: tuple[str, ...]) -> Configuration:
    read = {key: read_at(key, code) if opened else () for key in settings}
    return Configuration(
        path=path,
        settings={dotted(key): spell_setting(key, value) for key, value in settings.items()},
        opened_at=opened,
        read=tuple(KeyRead(dotted(key), places) for key, places in read.items() if places),
        unused=tuple(dotted(key) for key, places in read.items() if not places),
        contradictions=tuple(
            Contradiction(dotted(key), spell_setting(key, value), spell_setting(key, default), places)
            for key, value in settings.items()
            for default, places in contradicting_defaults(key, value, code)
        ),
    )


def _by_version(documents: Documents) -> dict[str, list[str]]:
    paths: defaultdict[str, list[str]] = defaultdict(list)
    for path in documents:
        paths[version_of(path)].append(path)
    return dict(paths)


def _code(version: str, scripts: Sequence[ScriptFacts]) -> Code:
    """Return the code that may read the files of a version: its own and that at the root; at the root, all."""
    return code_of([script for script in scripts if not version or version_of(script.path) in ("", version)])


def _known_keys(documents: Iterator[Mapping[Key, Any]]) -> set[Key]:
    """Return every run of names within every key: any of them may be what code looks up."""
    paths = {names(key) for settings in documents for key in settings}
    return {path[i:j] for path in paths for i in range(len(path)) for j in range(i + 1, len(path) + 1)}
