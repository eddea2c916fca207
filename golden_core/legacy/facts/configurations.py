"""Configuration files → flat settings. JSON, YAML and TOML are read as plain data; nothing in them is constructed."""

from __future__ import annotations

import json
import re
import tomllib
import warnings
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.tag import Tag

from golden_core.legacy.facts.syntax import Key

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
