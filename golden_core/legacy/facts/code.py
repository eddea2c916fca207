"""What the code of a version says about settings, found by the name of a setting."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from golden_core.legacy.facts.configurations import names
from golden_core.legacy.facts.defaults import without_mark
from golden_core.legacy.facts.scripts import ScriptFacts
from golden_core.legacy.facts.values import NOTHING, Key, equal, spell

LISTED_PLACES = 20

# As the last name of a key these say nothing by themselves: `name` in the code is rarely `optimizer.name` of the file.
_GENERIC = frozenset(
    {"name", "type", "kind", "class", "id", "key", "value", "values", "default", "args", "kwargs", "size", "mode"}
    | {"path", "file", "filename", "format", "version", "description", "enabled", "verbose", "debug", "level"}
)


@dataclass(frozen=True)
class Code:
    """The lookups, defaults, parameters and loads of some scripts, and the names of files that they spell out.

    ``whole`` are sections that are read all at once by something whose parameters cannot be looked at. Defaults are
    grouped by name and value. Of the places of a fact the first few are kept: common names have thousands, and files of
    settings may be as many.
    """

    lookups: dict[Key, tuple[str, ...]]
    whole: dict[Key, tuple[str, ...]]
    defaults: dict[str, tuple[tuple[Any, tuple[str, ...]], ...]]
    parameters: frozenset[str]
    loads: tuple[str, ...]
    file_names: dict[str, tuple[str, ...]]


def code_of(scripts: Sequence[ScriptFacts]) -> Code:
    """Put the facts of some scripts together."""
    defined = frozenset[str]().union(*(script.definitions for script in scripts))
    lookups: defaultdict[Key, set[str]] = defaultdict(set)
    whole: defaultdict[Key, set[str]] = defaultdict(set)
    file_names: defaultdict[str, set[str]] = defaultdict(set)
    for script in scripts:
        for lookup, where in script.lookups:
            lookups[lookup.key].add(where)
            if lookup.handed_to is not None and lookup.handed_to not in defined:
                whole[lookup.key].add(where)
        for text, where in script.texts:
            file_names[re.split(r"[/\\]", text)[-1]].add(where)
    return Code(
        lookups={key: _first(places) for key, places in lookups.items()},
        whole={key: _first(places) for key, places in whole.items()},
        defaults=_defaults(scripts),
        parameters=frozenset(_normal(name) for script in scripts for name in script.parameters),
        loads=_first({place for script in scripts for place in script.loads}),
        file_names={name: _first(places) for name, places in file_names.items()},
    )


def read_at(key: Key, code: Code) -> tuple[str, ...]:
    """Return where a setting is read: looked up by name, handed to a parameter of that name, or with its section."""
    path = names(key)
    found = {where for start in range(len(path)) for where in code.lookups.get(path[start:], ())}
    if not found and path:
        sections = [path[start:stop] for stop in range(len(path)) for start in range(stop + 1)]
        reading = code.lookups if _normal(path[-1]) in code.parameters else code.whole
        found = {where for section in sections for where in reading.get(section, ())}
    return _first(found)


def contradicting_defaults(key: Key, value: Any, code: Code) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """Yield each default of the code that differs from a configured value, and its places."""
    for spelling in _spellings(names(key)):
        for default, places in code.defaults.get(spelling, ()):
            if not equal(value, default):
                yield default, places


def _defaults(scripts: Sequence[ScriptFacts]) -> dict[str, tuple[tuple[Any, tuple[str, ...]], ...]]:
    found: defaultdict[str, dict[str, tuple[Any, set[str]]]] = defaultdict(dict)
    for script in scripts:
        fallbacks = [(one.key, one.default, where) for one, where in script.lookups if not _says_nothing(one.default)]
        for key, value, where in [*((one.key, one.value, where) for one, where in script.defaults), *fallbacks]:
            found[_normal("_".join(key))].setdefault(spell(value), (value, set()))[1].add(where)
    return {name: tuple((value, _first(at)) for value, at in values.values()) for name, values in found.items()}


def _says_nothing(default: Any) -> bool:
    return default is NOTHING or default is None or isinstance(default, dict)


def _first(places: set[str]) -> tuple[str, ...]:
    return tuple(sorted(places, key=_position)[:LISTED_PLACES])


def _position(place: str) -> tuple[str, int]:
    path, _, line = place.rpartition(":")
    return path, int(line)


def _spellings(path: Key) -> list[str]:
    """Return the names code may give a setting: units, lstm_units, model_lstm_units for ("model", "lstm", "units")."""
    shortest = 2 if len(path) > 1 and _normal(path[-1]) in _GENERIC else 1
    return [_normal("_".join(path[-length:])) for length in range(shortest, len(path) + 1)]


def _normal(name: str) -> str:
    return without_mark(name.lower().replace("-", "_"))
