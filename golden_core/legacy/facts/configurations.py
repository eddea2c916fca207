"""Configuration files → flat settings, held against the code of their version and against those of other versions.

JSON, YAML and TOML are read as plain data; nothing in them is constructed.
"""

from __future__ import annotations

import json
import re
import tomllib
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.tag import Tag

from golden_core.legacy.facts.credentials import spell_setting
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

LARGEST = 10_000  # settings; more is data, or a few aliases that stand for millions of values
DEEPEST = 20
_PYYAML_TRUTH = re.compile("yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF")


def read_configuration(path: str, text: bytes) -> dict[Key, Any] | str:
    """Return settings by their path of names (list positions as ``[i]``), or why there are none.

    The reason never quotes the file, which may hold a credential.
    """
    try:
        settings: dict[Key, Any] = {}
        for key, value in _flat((), _tree(path, text.decode("utf-8-sig"))):
            settings[key] = value
            if len(settings) > LARGEST:
                return f"not read: more than {LARGEST} settings"
    except MarkedYAMLError as error:
        line = f" at line {error.problem_mark.line + 1}" if error.problem_mark else ""
        return f"not read: {type(error).__name__}{line}"
    except (YAMLError, ValueError, RecursionError, AttributeError, TypeError) as error:
        return f"not read: {type(error).__name__}"
    return settings


def _tree(path: str, source: str) -> Any:
    """Parse a document; JSON is tried first under a YAML name, for there are such files."""
    suffix = path.rsplit(".", 1)[-1].lower()
    if suffix == "toml":
        return tomllib.loads(source)
    if suffix == "json":
        return json.loads(source)
    if source.lstrip().startswith("{"):
        try:
            return json.loads(source)
        except ValueError:
            pass  # a YAML flow mapping also starts with a brace
    reader = YAML(typ="safe", pure=True)
    reader.Resolver = _Resolver
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a warning quotes the file
        return reader.load(source)


class _Resolver(VersionedResolver):
    """Takes yes and off for truth values, as PyYAML does, with which such code reads its files."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        if kind is ScalarNode and implicit[0] and _PYYAML_TRUTH.fullmatch(value):
            return Tag(suffix="tag:yaml.org,2002:bool")
        return super().resolve(kind, value, implicit)


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


def names(key: Key) -> Key:
    """Return a key without positions in lists."""
    return tuple(part for part in key if not part.startswith("["))


# ----------------------------------------------------------------------------------------------------- against the code

Documents = Mapping[str, Mapping[Key, Any]]  # path → settings

LISTED_PLACES = 20  # common names have thousands, and files of settings may be as many
# As the last name of a key these say nothing by themselves: `name` in the code is rarely `optimizer.name` of the file.
_GENERIC = frozenset(
    {"name", "type", "kind", "class", "id", "key", "value", "values", "default", "args", "kwargs", "size", "mode"}
    | {"path", "file", "filename", "format", "version", "description", "enabled", "verbose", "debug", "level"}
)
_ABSENT = object()


class _Code:
    """What some scripts say about settings, each fact with its places."""

    def __init__(self, scripts: Sequence[ScriptFacts]) -> None:
        self.lookups: defaultdict[Key, set[str]] = defaultdict(set)
        self.whole: defaultdict[Key, set[str]] = defaultdict(set)  # sections that are read all at once
        self.file_names: defaultdict[str, set[str]] = defaultdict(set)
        self.loads = {script.at(line) for script in scripts for line in script.loads}
        self.defaults: defaultdict[str, dict[str, tuple[Any, set[str]]]] = defaultdict(dict)  # by name and value
        for script in scripts:
            for lookup in script.lookups:
                (self.whole if lookup.whole else self.lookups)[lookup.key].add(script.at(lookup.line))
            for text in script.texts:
                self.file_names[re.split(r"[/\\]", text.text)[-1]].add(text.where)
            for key, value, line in (*script.defaults, *((o.key, o.default, o.line) for o in script.lookups)):
                if value is not NOTHING and value is not None and not isinstance(value, dict):
                    of_name = self.defaults[_normal("_".join(key))]
                    of_name.setdefault(spell(value), (value, set()))[1].add(script.at(line))

    def reads(self, key: Key) -> set[str]:
        """Return where a setting is read: looked up by name, or with all of a section that it stands in."""
        path = names(key)
        found = {where for start in range(len(path)) for where in self.lookups.get(path[start:], ())}
        sections = [path[start:stop] for stop in range(len(path) + 1) for start in range(min(stop + 1, len(path)))]
        return found or {where for section in sections for where in self.whole.get(section, ())}


def configurations(documents: Documents, scripts: Sequence[ScriptFacts]) -> Iterator[Configuration]:
    """Yield what the code of its version does with every configuration file.

    A load of a configuration whose path is not spelled out counts as opening a file only in a version whose code
    spells out none.
    """
    for folder, paths in _by_folder(documents).items():
        # The code that may read the files of a folder: its own and that at the root; at the root, all.
        code = _Code([script for script in scripts if not folder or top_folder(script.path) in ("", folder)])
        named = {path: code.file_names.get(path.rsplit("/", 1)[-1], set()) for path in paths}
        loads = set() if any(named.values()) else code.loads
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


def _by_folder(documents: Documents) -> dict[str, list[str]]:
    paths: defaultdict[str, list[str]] = defaultdict(list)
    for path in documents:
        paths[top_folder(path)].append(path)
    return dict(paths)


def _configuration(path: str, settings: Mapping[Key, Any], code: _Code, opened: set[str]) -> Configuration:
    read = {key: code.reads(key) if opened else () for key in settings}
    return Configuration(
        path=path,
        settings={dotted(key): spell_setting(key, value) for key, value in settings.items()},
        opened_at=_first(opened),
        read=tuple(KeyRead(dotted(key), _first(places)) for key, places in read.items() if places),
        unused=tuple(dotted(key) for key, places in read.items() if not places),
        contradictions=tuple(
            Contradiction(dotted(key), spell_setting(key, value), spell_setting(key, default), _first(places))
            for key, value in settings.items()
            for spelling in _spellings(names(key))
            for default, places in code.defaults.get(spelling, {}).values()
            if not equal(value, default)
        ),
    )


def _first(places: Iterable[str]) -> tuple[str, ...]:
    ordered = sorted(places, key=lambda place: (place.rpartition(":")[0], int(place.rpartition(":")[2])))
    return tuple(ordered[:LISTED_PLACES])


def _spellings(path: Key) -> list[str]:
    """Return the names code may give a setting: units, lstm_units, model_lstm_units for ("model", "lstm", "units")."""
    shortest = 2 if len(path) > 1 and _normal(path[-1]) in _GENERIC else 1
    return [_normal("_".join(path[-length:])) for length in range(shortest, len(path) + 1)]


def _normal(name: str) -> str:
    return without_mark(name.lower().replace("-", "_"))
