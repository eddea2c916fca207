"""Syntax tree → the configuration keys that code looks up, and where it loads configurations.

A key is a path of names: ``config["model"]["units"]``, ``config.get("model", {}).get("units")`` and
``config.model.units`` all read ("model", "units").
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from golden_core.legacy.facts.syntax import NOTHING, Key, constant_text, dotted_name, last_name, literal

# A name is about its last noun: `train_config` holds settings, as does `config_dict`; `params_history` is a history,
# `config_path` leads to settings, `Optional` and `configure` are other words.
_CONFIGURATION = re.compile(r".*(config(uration)?s?|cfgs?|conf|settings?|params|hyperparameters|options|opts)")
_WORDS = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+")
_PREPOSITIONS = frozenset({"from", "for", "of", "by", "with", "to", "in"})
_CARRIERS = frozenset({"dict", "data", "json", "yaml", "obj"})
_LOOKUPS = frozenset({"get", "pop", "setdefault"})
# JSON holds anything: where code loads some, only the name of the file tells that it is a configuration.
_LOADERS = frozenset(
    {(module, verb) for module in ("yaml", "toml", "tomllib", "OmegaConf") for verb in ("load", "loads")}
    | {("yaml", verb) for verb in ("safe_load", "full_load", "unsafe_load")}
)


@dataclass(frozen=True)
class Lookup:
    """A key that code looks up. ``named`` tells whether what it looks in is called like a configuration.

    ``whole``: all under the key is read at once, or any of it may be, as by ``build(**config)`` and ``config.items()``.
    """

    key: Key
    line: int
    named: bool
    default: Any = NOTHING
    whole: bool = False


def is_configuration_name(name: str) -> bool:
    """Tell whether a variable of that name holds settings."""
    words = [word.lower() for word in _WORDS.findall(name) if len(word) > 1]
    phrase = takewhile(lambda word: word not in _PREPOSITIONS, words)
    nouns = [word for word in phrase if word not in _CARRIERS]
    return bool(nouns) and _CONFIGURATION.fullmatch(nouns[-1]) is not None


def lookups(nodes: list[ast.AST]) -> Iterator[Lookup]:
    """Yield every key that is read, each chain once and whole; ``**config`` and ``config.items()`` read the key ().

    ``nodes`` must hold a chain before its parts, as :func:`nodes_of` returns them.
    """
    seen: set[int] = set()
    modules = {
        alias.asname or alias.name.split(".")[0] for n in nodes if isinstance(n, ast.Import) for alias in n.names
    }
    for node in nodes:
        for section in _taken_whole(node):
            key, named = _path(section, set(), modules)
            if key or named or (isinstance(section, ast.Call) and _is_load(section)):
                yield Lookup(key, section.lineno, named=False, whole=True)
        if id(node) in seen or isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
            continue
        if isinstance(node, ast.Call) and looked_up(node) is None:
            seen.add(id(node.func))  # in `config.model.items()` the last name is a method, not a key
        elif isinstance(node, ast.Call | ast.Subscript | ast.Attribute):
            key, named = _path(node, seen, modules)
            if key:
                yield Lookup(key, node.lineno, named, _fallback(node))


def configuration_loads(nodes: list[ast.AST]) -> Iterator[int]:
    """Yield the lines that load a configuration whose file they do not have to name."""
    yield from (node.lineno for node in nodes if isinstance(node, ast.Call) and _is_load(node))


def looked_up(node: ast.AST) -> str | None:
    """Return the constant key of ``x["key"]``, of ``x.get("key", …)`` and of ``getattr(x, "key", …)``."""
    match node:
        case ast.Subscript():
            return constant_text(node.slice)
        case ast.Call(func=ast.Attribute(attr=verb), args=[key, *_]) if verb in _LOOKUPS:
            return constant_text(key)
        case ast.Call(func=ast.Name(id="getattr"), args=[_, key, *_]):
            return constant_text(key)
    return None


def _taken_whole(node: ast.AST) -> list[ast.expr]:
    """Return what is read as a whole: x of ``f(**x)``, ``x.items()``, ``vars(y).update(x)`` and ``x[name]``."""
    unpacked = [one.value for one in node.keywords if one.arg is None] if isinstance(node, ast.Call) else []
    match node:
        case ast.Subscript(value=owner, slice=ast.Name(), ctx=ast.Load()):
            return [owner]
        case ast.Call(func=ast.Name(id="getattr"), args=[owner, ast.Name(), *_]):
            return [owner]
        case ast.Call(func=ast.Attribute(value=owner, attr="items" | "values"), args=[]):
            return [owner, *unpacked]
        case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="vars")), attr="update")):
            return [*node.args, *unpacked]
        case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="__dict__"), attr="update")):
            return [*node.args, *unpacked]
    return unpacked


def _path(node: ast.expr, seen: set[int], modules: set[str]) -> tuple[Key, bool]:
    """Follow a chain inwards; return the key it reads, and whether what it starts from is called a configuration.

    The key is all behind the name of a configuration; where there is none, the constant keys at the end of the chain.
    """
    names: list[tuple[str, bool]] = []  # outermost first, and whether it is a constant key
    while True:
        seen.add(id(node))
        key = looked_up(node)
        names += [(key, True)] if key is not None else []
        if isinstance(node, ast.Call) and key is not None:
            seen.add(id(node.func))
            node = node.func.value if isinstance(node.func, ast.Attribute) else node.args[0]
        elif isinstance(node, ast.Attribute):
            names.append((node.attr, False))
            node = node.value
        elif isinstance(node, ast.Subscript):
            node = node.value
        else:
            names.append((last_name(node.func if isinstance(node, ast.Call) else node), False))
            break
    called = [place for place, (name, is_key) in enumerate(names) if not is_key and is_configuration_name(name)]
    if called and names[-1][0] not in modules:
        return tuple(name for name, _ in reversed(names[: called[-1]])), True
    constant = takewhile(lambda one: one[1], names)
    return tuple(reversed([name for name, _ in constant])), False


def _fallback(node: ast.expr) -> Any:
    """Return the literal that stands in for a key that is not there."""
    match node:
        case ast.Call(func=ast.Name(id="getattr"), args=[_, _, given]) | ast.Call(args=[_, given]):
            return literal(given)
    return NOTHING


def _is_load(call: ast.Call) -> bool:
    """Whether a call loads YAML or TOML: ``yaml.safe_load(…)``, ``YAML(…).load(…)``."""
    match call.func:
        case ast.Attribute(value=ast.Call(func=maker), attr="load"):
            return last_name(maker) == "YAML"
    return dotted_name(call.func)[-2:] in _LOADERS
