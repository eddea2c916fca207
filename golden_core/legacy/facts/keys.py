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
from typing import Any, TypeGuard

from golden_core.legacy.facts.syntax import NOTHING, Key, constant_text, dotted_name, last_name, literal, nodes_of

# A name is about its last noun: `train_config` holds settings, as does `config_dict`; `params_history` is a history,
# `config_path` leads to settings, `Optional` and `configure` are other words.
_CONFIGURATION = re.compile(r".*(config(uration)?s?|cfgs?|conf|settings?|params|hyperparameters|options|opts)")
_WORDS = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+")
_PREPOSITIONS = frozenset({"from", "for", "of", "by", "with", "to", "in"})
_CARRIERS = frozenset({"dict", "data", "json", "yaml", "obj"})
_FILES = frozenset({"path", "paths", "file", "files", "filename", "folder", "dir", "name", "parser"})
_NAMESPACES = frozenset({"vars", "__dict__"})
_LOOKUPS = frozenset({"get", "pop", "setdefault"})
_JSON_LOADERS = frozenset({("json", "load"), ("json", "loads")})
_CONFIGURATION_LOADERS = frozenset(
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


def is_configuration_name(name: str, carriers: frozenset[str] = _CARRIERS) -> bool:
    """Tell whether a variable of that name holds settings."""
    words = [word.lower() for word in _WORDS.findall(name) if len(word) > 1]
    phrase = takewhile(lambda word: word not in _PREPOSITIONS, words)
    nouns = [word for word in phrase if word not in carriers]
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
        if isinstance(node, ast.Call | ast.Subscript):
            yield from _whole_sections(node, modules)
        if id(node) in seen or isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
            continue
        if isinstance(node, ast.Subscript | ast.Call):
            yield from _lookup(node, seen, modules)
        elif isinstance(node, ast.Attribute):
            path = _attributes(node, seen, modules)
            if path:
                yield Lookup(path, node.lineno, named=True)


def configuration_loads(nodes: list[ast.AST]) -> Iterator[int]:
    """Yield the lines that load a configuration.

    JSON holds anything, so ``json.load`` counts only where its function, its file, the file that is open around it or
    the variable that takes its value is called like a configuration.
    """
    calls = {id(node): node for node in nodes if isinstance(node, ast.Call)}
    yield from (call.lineno for call in calls.values() if _loader(call) in _CONFIGURATION_LOADERS)
    waiting = {key: call.lineno for key, call in calls.items() if _loader(call) in _JSON_LOADERS}
    for node in nodes if waiting else []:
        if any(is_configuration_name(name, _CARRIERS | _FILES) for name in _names_about(node)):
            inside = (id(part) for part in nodes_of(node))
            yield from [waiting.pop(key) for key in inside if key in waiting]


def _names_about(node: ast.AST) -> list[str]:
    """Return the names by which a statement or a call says what a load in it is about."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            # A parameter `config_path` is for loading; one called `config` is loaded already.
            given = [part.arg for part in ast.walk(node.args) if isinstance(part, ast.arg)]
            return [node.name, *(name for name in given if not is_configuration_name(name))]
        case ast.Assign():
            return [last_name(target) for target in node.targets]
        case ast.AnnAssign():
            return [last_name(node.target)]
        case ast.With():
            return [last_name(part) for item in node.items for part in ast.walk(item.context_expr)]
        case ast.Call() if _loader(node) in _JSON_LOADERS:
            return [last_name(part) for argument in node.args for part in ast.walk(argument)]
    return []


def _whole_sections(node: ast.Call | ast.Subscript, modules: set[str]) -> Iterator[Lookup]:
    """Yield the sections of ``f(**x)``, ``x.items()``, ``vars(y).update(x)``, ``getattr(x, name)`` and ``x[name]``."""
    given: list[ast.expr] = []
    if isinstance(node, ast.Subscript):
        given += [node.value] if isinstance(node.ctx, ast.Load) and isinstance(node.slice, ast.Name) else []
    else:
        given += [keyword.value for keyword in node.keywords if keyword.arg is None]
        given += [node.args[0]] if _is_getattr(node) and isinstance(node.args[1], ast.Name) else []
        if isinstance(node.func, ast.Attribute):
            owner, verb = node.func.value, node.func.attr
            if verb in ("items", "values") and not node.args:
                given.append(owner)
            elif verb == "update" and last_name(owner.func if isinstance(owner, ast.Call) else owner) in _NAMESPACES:
                given += node.args
    for section in given:
        if (path := _section(section, modules)) is not None:
            yield Lookup(path, node.lineno, named=False, whole=True)


def _section(node: ast.expr, modules: set[str]) -> Key | None:
    """Return the key of a section of a configuration, () for all of it, null for anything else."""
    if isinstance(node, ast.Call) and _loader(node) in _CONFIGURATION_LOADERS | _JSON_LOADERS:
        return ()
    keys, base = _chain(node, set())
    path = _attributes(base, set(), modules)
    return path + keys if path or keys or is_configuration_name(last_name(base)) else None


def looked_up(node: ast.expr) -> str | None:
    """Return the constant key of ``x["key"]``, of ``x.get("key", …)`` and of ``getattr(x, "key", …)``."""
    if isinstance(node, ast.Subscript):
        return constant_text(node.slice)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _LOOKUPS and node.args:
        return constant_text(node.args[0])
    return constant_text(node.args[1]) if _is_getattr(node) else None


def _is_getattr(node: ast.expr) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and last_name(node.func) == "getattr" and len(node.args) > 1


def _lookup(node: ast.Subscript | ast.Call, seen: set[int], modules: set[str]) -> Iterator[Lookup]:
    keys, base = _chain(node, seen)
    if not keys and isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        seen.add(id(node.func))  # in `config.model.items()` the last name is a method, not a key
        base = node.func.value
    named = is_configuration_name(last_name(base.func if isinstance(base, ast.Call) else base))
    path = _attributes(base, seen, modules) if isinstance(base, ast.Attribute) else ()
    if path or keys:
        yield Lookup(path + keys, node.lineno, named or bool(path), _fallback(node))


def _chain(node: ast.expr, seen: set[int]) -> tuple[Key, ast.expr]:
    """Follow subscripts and lookups inwards; return the keys, outermost section first, and what they start from."""
    keys: list[str] = []
    while True:
        key = looked_up(node)
        if isinstance(node, ast.Subscript):
            inner = node.value
        elif key is not None and isinstance(node, ast.Call):
            seen.add(id(node.func))
            inner = node.func.value if isinstance(node.func, ast.Attribute) else node.args[0]
        else:
            return tuple(reversed(keys)), node
        keys += [key] if key is not None else []
        seen.add(id(node))
        node = inner


def _attributes(node: ast.expr, seen: set[int], modules: set[str]) -> Key:
    """Return the attributes after the name of a configuration; () for those of a module, and where there is none."""
    names = dotted_name(node)
    inner = node
    while isinstance(inner, ast.Attribute):
        seen.add(id(inner))
        inner = inner.value
    first = next((position for position, name in enumerate(names) if is_configuration_name(name)), None)
    return () if first is None or names[0] in modules else names[first + 1 :]


def _fallback(node: ast.Subscript | ast.Call) -> Any:
    if not (isinstance(node, ast.Call) and looked_up(node)):
        return NOTHING
    given = node.args[2 if _is_getattr(node) else 1 :]
    return literal(given[0]) if given else NOTHING


def _loader(call: ast.Call) -> tuple[str, ...]:
    """Return module and verb of a call: ("json", "load"); a ``YAML(…)`` object counts as yaml."""
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Call):
        return ("yaml", call.func.attr) if last_name(call.func.value.func) == "YAML" else ()
    return dotted_name(call.func)[-2:]
