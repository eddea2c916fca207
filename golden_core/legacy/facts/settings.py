"""Configuration files against the code of their version, and against those of other versions."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from golden_core.legacy.facts.configurations import dotted, names
from golden_core.legacy.facts.credentials import REDACTED, names_credential
from golden_core.legacy.facts.scripts import ScriptFacts, without_mark
from golden_core.legacy.facts.syntax import NOTHING, Key, equal, spell
from golden_core.legacy.inventory import (
    Configuration,
    Contradiction,
    Difference,
    KeyRead,
    Mention,
    top_folder,
    version_of,
)

Documents = Mapping[str, Mapping[Key, Any]]  # path → settings
Places = tuple[str, ...]

LISTED_PLACES = 20  # common names have thousands, and files of settings may be as many
# As the last name of a key these say nothing by themselves: `name` in the code is rarely `optimizer.name` of the file.
_GENERIC = frozenset(
    {"name", "type", "kind", "class", "id", "key", "value", "values", "default", "args", "kwargs", "size", "mode"}
    | {"path", "file", "filename", "format", "version", "description", "enabled", "verbose", "debug", "level"}
)
_ABSENT = object()


@dataclass(frozen=True)
class _Code:
    """What some scripts say about settings, each fact with its first places.

    ``whole`` are sections that are read all at once. Defaults are grouped by name and value.
    """

    lookups: dict[Key, Places]
    whole: dict[Key, Places]
    defaults: dict[str, list[tuple[Any, Places]]]
    loads: Places
    file_names: dict[str, Places]


def configurations(documents: Documents, scripts: Sequence[ScriptFacts]) -> Iterator[Configuration]:
    """Yield what the code of its version does with every configuration file.

    A load of a configuration whose path is not spelled out counts as opening a file only in a version whose code
    spells out none.
    """
    for folder, paths in _by_folder(documents).items():
        # The code that may read the files of a folder: its own and that at the root; at the root, all.
        code = _code_of([script for script in scripts if not folder or top_folder(script.path) in ("", folder)])
        named = {path: code.file_names.get(path.rsplit("/", 1)[-1], ()) for path in paths}
        loads = () if any(named.values()) else code.loads
        for path in paths:
            yield _configuration(path, documents[path], code, named[path] or loads)


def undefined_keys(documents: Documents, scripts: Sequence[ScriptFacts]) -> Iterator[Mention]:
    """Yield each key that code looks up in something called a configuration, and that no file of its version sets."""
    paths = _by_folder(documents)
    for folder in sorted({top_folder(script.path) for script in scripts}):
        files = paths.get(folder, []) + (paths.get("", []) if folder else [])
        keys = {names(key) for path in files for key in documents[path]}
        # Any run of names within a key may be what code looks up.
        known = {key[i:j] for key in keys for i in range(len(key)) for j in range(i + 1, len(key) + 1)}
        for script in scripts:
            if top_folder(script.path) == folder:
                for lookup in script.lookups:
                    if lookup.named and lookup.key and lookup.key not in known:
                        yield Mention(".".join(lookup.key), script.at(lookup.line))


def differences(documents: Documents) -> Iterator[Difference]:
    """Yield the settings that differ between versions, file by file: the rows of the difference matrix."""
    files: defaultdict[str, dict[str, Mapping[Key, Any]]] = defaultdict(dict)
    for path, settings in documents.items():
        if version := version_of(path):
            files[path.removeprefix(f"{version}/")][version] = settings
    for file, versions in sorted(files.items()):
        for key in dict.fromkeys(key for settings in versions.values() for key in settings):
            values = {version: settings.get(key, _ABSENT) for version, settings in versions.items()}
            if len({None if value is _ABSENT else spell(value) for value in values.values()}) > 1:
                spelled = {v: None if value is _ABSENT else spell_setting(key, value) for v, value in values.items()}
                yield Difference(file, dotted(key), spelled)


def spell_setting(key: Key, value: Any) -> str:
    """Return a value as JSON text, or a mark in place of one that stands under the name of a credential."""
    hidden = any(map(names_credential, key)) and value is not None and not isinstance(value, bool)
    return REDACTED if hidden else spell(value)


def _by_folder(documents: Documents) -> dict[str, list[str]]:
    paths: defaultdict[str, list[str]] = defaultdict(list)
    for path in documents:
        paths[top_folder(path)].append(path)
    return dict(paths)


def _configuration(path: str, settings: Mapping[Key, Any], code: _Code, opened: Places) -> Configuration:
    read = {key: _read_at(key, code) if opened else () for key in settings}
    return Configuration(
        path=path,
        settings={dotted(key): spell_setting(key, value) for key, value in settings.items()},
        opened_at=opened,
        read=tuple(KeyRead(dotted(key), places) for key, places in read.items() if places),
        unused=tuple(dotted(key) for key, places in read.items() if not places),
        contradictions=tuple(
            Contradiction(dotted(key), spell_setting(key, value), spell_setting(key, default), places)
            for key, value in settings.items()
            for spelling in _spellings(names(key))
            for default, places in code.defaults.get(spelling, ())
            if not equal(value, default)
        ),
    )


def _code_of(scripts: Sequence[ScriptFacts]) -> _Code:
    """Put the facts of some scripts together."""
    lookups: defaultdict[Key, set[str]] = defaultdict(set)
    whole: defaultdict[Key, set[str]] = defaultdict(set)
    file_names: defaultdict[str, set[str]] = defaultdict(set)
    for script in scripts:
        for lookup in script.lookups:
            lookups[lookup.key].add(script.at(lookup.line))
            if lookup.whole:
                whole[lookup.key].add(script.at(lookup.line))
        for text, line in script.texts:
            file_names[re.split(r"[/\\]", text)[-1]].add(script.at(line))
    return _Code(
        lookups={key: _first(places) for key, places in lookups.items()},
        whole={key: _first(places) for key, places in whole.items()},
        defaults=_defaults(scripts),
        loads=_first({script.at(line) for script in scripts for line in script.loads}),
        file_names={name: _first(places) for name, places in file_names.items()},
    )


def _defaults(scripts: Sequence[ScriptFacts]) -> dict[str, list[tuple[Any, Places]]]:
    found: defaultdict[str, dict[str, tuple[Any, set[str]]]] = defaultdict(dict)
    for script in scripts:
        said = [(one.key, one.value, one.line) for one in script.defaults]
        said += [
            (one.key, one.default, one.line)
            for one in script.lookups
            if one.default is not NOTHING and one.default is not None and not isinstance(one.default, dict)
        ]
        for key, value, line in said:
            found[_normal("_".join(key))].setdefault(spell(value), (value, set()))[1].add(script.at(line))
    return {name: [(value, _first(places)) for value, places in values.values()] for name, values in found.items()}


def _read_at(key: Key, code: _Code) -> Places:
    """Return where a setting is read: looked up by name, or with all of a section that it stands in."""
    path = names(key)
    found = {where for start in range(len(path)) for where in code.lookups.get(path[start:], ())}
    if not found and path:
        sections = [path[start:stop] for stop in range(len(path)) for start in range(stop + 1)]
        found = {where for section in sections for where in code.whole.get(section, ())}
    return _first(found)


def _first(places: set[str]) -> Places:
    return tuple(sorted(places, key=lambda place: (place.rpartition(":")[0], int(place.rpartition(":")[2]))))[
        :LISTED_PLACES
    ]


def _spellings(path: Key) -> list[str]:
    """Return the names code may give a setting: units, lstm_units, model_lstm_units for ("model", "lstm", "units")."""
    shortest = 2 if len(path) > 1 and _normal(path[-1]) in _GENERIC else 1
    return [_normal("_".join(path[-length:])) for length in range(shortest, len(path) + 1)]


def _normal(name: str) -> str:
    return without_mark(name.lower().replace("-", "_"))
