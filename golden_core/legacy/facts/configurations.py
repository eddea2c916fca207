"""Configuration files → flat settings, held against the code of their version. Nothing in them is constructed."""

from __future__ import annotations

import json
import re
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from golden_core.legacy.facts.credentials import spell_setting
from golden_core.legacy.facts.scripts import ScriptFacts, without_mark
from golden_core.legacy.facts.syntax import Key, equal, spell
from golden_core.legacy.inventory import Configuration, Contradiction, top_folder

LARGEST = 10_000  # settings; more is data, or a few aliases that stand for millions of values
DEEPEST = 20


def read_configuration(text: bytes) -> dict[Key, Any] | str:
    """Return settings by their path of names (list positions as ``[i]``), or why there are none.

    The reason never quotes the file, which may hold a credential.
    """
    try:
        settings: dict[Key, Any] = {}
        for key, value in _flat((), _tree(text.decode("utf-8-sig"))):
            settings[key] = value
            if len(settings) > LARGEST:
                return f"not read: more than {LARGEST} settings"
    except MarkedYAMLError as error:
        line = f" at line {error.problem_mark.line + 1}" if error.problem_mark else ""
        return f"not read: {type(error).__name__}{line}"
    except (YAMLError, ValueError, RecursionError, AttributeError, TypeError) as error:
        return f"not read: {type(error).__name__}"
    return settings


def _tree(source: str) -> Any:
    """Parse JSON, whatever the file is called, or YAML."""
    try:
        return json.loads(source)
    except ValueError:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a warning quotes the file
            return YAML(typ="safe", pure=True).load(source)


def _flat(key: Key, value: Any) -> Iterator[tuple[Key, Any]]:
    """Yield every leaf with its path; a list without mappings is one leaf, an empty mapping too."""
    if len(key) > DEEPEST:
        raise RecursionError
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _flat((*key, str(name)), item)
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for position, item in enumerate(value):
            yield from _flat((*key, f"[{position}]"), item)
    elif key:
        yield key, value


def dotted(key: Key) -> str:
    """Return a key as people write it: ``blocks[0].filters``."""
    return "".join(part if part.startswith("[") else f".{part}" for part in key).removeprefix(".")


# ----------------------------------------------------------------------------------------------------- against the code

LISTED_PLACES = 20  # common names have thousands
# As the last name of a key these say nothing by themselves: `name` in the code is rarely `optimizer.name` of the file.
_GENERIC = frozenset(
    {"name", "type", "kind", "class", "id", "key", "value", "values", "default", "args", "kwargs", "size", "mode"}
    | {"path", "file", "filename", "format", "version", "description", "enabled", "verbose", "debug", "level"}
)
_Defaults = Mapping[str, Mapping[str, tuple[Any, set[str]]]]  # by name, and by value as text: the value and its places


def configurations(
    documents: Mapping[str, Mapping[Key, Any]], scripts: Sequence[ScriptFacts]
) -> Iterator[Configuration]:
    """Yield what the code of its version does with every configuration file; ``documents``: path → settings."""
    code: dict[str, tuple[list[ScriptFacts], _Defaults]] = {}
    for path, settings in documents.items():
        folder = top_folder(path)
        if folder not in code:
            # The code that may read the files of a folder: its own and that at the root; at the root, all.
            own = [script for script in scripts if not folder or top_folder(script.path) in ("", folder)]
            code[folder] = own, _defaults(own)
        yield _configuration(path, settings, *code[folder])


def _defaults(scripts: Iterable[ScriptFacts]) -> _Defaults:
    found: defaultdict[str, dict[str, tuple[Any, set[str]]]] = defaultdict(dict)
    for script in scripts:
        for key, value, line in script.defaults:
            _, places = found[_normal("_".join(key))].setdefault(spell(value), (value, set()))
            places.add(script.at(line))
    return found


def _configuration(
    path: str, settings: Mapping[Key, Any], code: Sequence[ScriptFacts], defaults: _Defaults
) -> Configuration:
    file = path.rpartition("/")[2]
    opened = {text.where for script in code for text in script.texts if re.split(r"[/\\]", text.text)[-1] == file}
    held = frozenset[str]().union(*(script.names for script in code)) if opened else frozenset[str]()
    return Configuration(
        path=path,
        settings={dotted(key): spell_setting(key, value) for key, value in settings.items()},
        opened_at=_first(opened),
        unused=tuple(dotted(key) for key in settings if _names(key)[-1] not in held),
        contradictions=tuple(
            Contradiction(dotted(key), spell_setting(key, value), spell_setting(key, default), _first(places))
            for key, value in settings.items()
            for spelling in _spellings(_names(key))
            for default, places in defaults.get(spelling, {}).values()
            if not equal(value, default)
        ),
    )


def _names(key: Key) -> Key:
    """Return a key without positions in lists; of a list at the top of a file, the position is all there is."""
    return tuple(part for part in key if not part.startswith("[")) or key


def _first(places: Iterable[str]) -> tuple[str, ...]:
    ordered = sorted(places, key=lambda place: (place.rpartition(":")[0], int(place.rpartition(":")[2])))
    return tuple(ordered[:LISTED_PLACES])


def _spellings(path: Key) -> list[str]:
    """Return the names code may give a setting: units, lstm_units, model_lstm_units for ("model", "lstm", "units")."""
    shortest = 2 if len(path) > 1 and _normal(path[-1]) in _GENERIC else 1
    return [_normal("_".join(path[-length:])) for length in range(shortest, len(path) + 1)]


def _normal(name: str) -> str:
    return without_mark(name.lower().replace("-", "_"))
