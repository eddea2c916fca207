"""Syntax tree → the configuration keys that code looks up, the defaults it has, and where it loads configurations.

A key is a path of names: ``config["model"]["units"]``, ``config.get("model", {}).get("units")`` and
``config.model.units`` all read ("model", "units").
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from golden_core.legacy.facts.ast_facts import constant_text, dotted_name, last_name, nodes_of
from golden_core.legacy.facts.values import NOTHING, Key, literal

_CONFIGURATION = re.compile(r"(?i)(config|cfg|setting|param|hyper|option|opts|^conf$|_conf$|^conf_)")
_ABOUT_A_FILE = re.compile(r"(?i)(path|file|folder|dir|name|parser)s?$")
_LOOKUPS = frozenset({"get", "pop", "setdefault"})
_JSON_LOADERS = frozenset({("json", "load"), ("json", "loads")})
_CONFIGURATION_LOADERS = frozenset(
    {(module, verb) for module in ("yaml", "toml", "tomllib", "tomli", "OmegaConf") for verb in ("load", "loads")}
    | {("yaml", verb) for verb in ("safe_load", "full_load", "unsafe_load", "load_all", "safe_load_all")}
)


@dataclass(frozen=True)
class Lookup:
    """A key that code looks up. ``named`` tells whether what it looks in is called like a configuration."""

    key: Key
    line: int
    named: bool
    default: Any = NOTHING


@dataclass(frozen=True)
class Default:
    """A literal that code falls back on, under a name: a parameter, a field, a constant, a table of defaults."""

    key: Key
    value: Any
    line: int


def is_configuration_name(name: str) -> bool:
    """Tell whether a variable of that name holds settings."""
    return _CONFIGURATION.search(name) is not None and _ABOUT_A_FILE.search(name) is None


def lookups(nodes: list[ast.AST]) -> Iterator[Lookup]:
    """Yield every key that is read, each chain once and whole; ``**config`` reads the key ().

    ``nodes`` must hold a chain before its parts, as :func:`nodes_of` returns them.
    """
    seen: set[int] = set()
    modules = {
        alias.asname or alias.name.split(".")[0] for n in nodes if isinstance(n, ast.Import) for alias in n.names
    }
    for node in nodes:
        if isinstance(node, ast.keyword) and node.arg is None and is_configuration_name(last_name(node.value)):
            yield Lookup((), node.value.lineno, named=True)
        if id(node) in seen or isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
            continue
        if isinstance(node, ast.Subscript | ast.Call):
            yield from _lookup(node, seen, modules)
        elif isinstance(node, ast.Attribute):
            path = _attributes(node, seen, modules)
            if path:
                yield Lookup(path, node.lineno, named=True)


def defaults(tree: ast.Module, nodes: list[ast.AST]) -> Iterator[Default]:
    """Yield the literals that code falls back on."""
    bodies: list[ast.Module | ast.ClassDef] = [tree, *(node for node in nodes if isinstance(node, ast.ClassDef))]
    for body in bodies:
        for statement in body.body:
            yield from _assigned(statement)
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _parameter_defaults(node.args)
        elif isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or) and len(node.values) == 2:
            name = last_name(node.values[0])
            yield from _default(name, node.values[1]) if name else ()
        elif isinstance(node, ast.Assign) and _names_defaults(node.targets):
            yield from _table((), node.value)


def parameters(nodes: list[ast.AST]) -> Iterator[str]:
    """Yield the names of all parameters and annotated fields: what a section may be unpacked into."""
    for node in nodes:
        if isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def configuration_loads(nodes: list[ast.AST]) -> Iterator[int]:
    """Yield the lines that load a configuration.

    JSON holds anything, so ``json.load`` counts only in a function that speaks of a configuration, by a name or a
    parameter; or outside any function.
    """
    loads = {id(node): node for node in nodes if isinstance(node, ast.Call)}
    json_loads = {key: call for key, call in loads.items() if _loader(call) in _JSON_LOADERS}
    yield from (call.lineno for call in loads.values() if _loader(call) in _CONFIGURATION_LOADERS)
    for node in nodes if json_loads else []:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inside = nodes_of(node)
            mine = [json_loads.pop(id(part)) for part in inside if id(part) in json_loads]
            if mine and any(map(is_configuration_name, _names_in(inside))):
                yield from (call.lineno for call in mine)
    yield from (call.lineno for call in json_loads.values())


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
        key = _key(node)
        if isinstance(node, ast.Subscript):
            inner = node.value
        elif key is not None and isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            seen.add(id(node.func))
            inner = node.func.value
        else:
            return tuple(reversed(keys)), node
        keys += [key] if key is not None else []
        seen.add(id(node))
        node = inner


def _key(node: ast.expr) -> str | None:
    """Return the constant key of ``x["key"]`` and of ``x.get("key", …)``."""
    if isinstance(node, ast.Subscript):
        return constant_text(node.slice)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _LOOKUPS and node.args:
        return constant_text(node.args[0])
    return None


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
    return literal(node.args[1]) if isinstance(node, ast.Call) and _key(node) and len(node.args) > 1 else NOTHING


def _assigned(statement: ast.stmt) -> Iterator[Default]:
    """Yield the default of ``NAME = literal`` and ``name: type = literal``."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name):
        yield from _default(statement.targets[0].id, statement.value)
    elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
        yield from _default(statement.target.id, statement.value)


def _parameter_defaults(arguments: ast.arguments) -> Iterator[Default]:
    positional = [*arguments.posonlyargs, *arguments.args]
    pairs = [*zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True)]
    pairs += [(name, value) for name, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if value]
    for name, value in pairs:
        yield from _default(name.arg, value)


def _default(name: str, node: ast.expr) -> Iterator[Default]:
    """Yield a literal under a name. None and containers of settings say nothing about one setting."""
    if isinstance(node, ast.Call) and last_name(node.func) in ("Field", "field"):
        given = [keyword.value for keyword in node.keywords if keyword.arg == "default"]
        node = (given or node.args or [node])[0]
    value = literal(node)
    if value is not NOTHING and value is not None and not isinstance(value, dict):
        yield Default((name,), value, node.lineno)


def _names_defaults(targets: list[ast.expr]) -> bool:
    names = [last_name(target) for target in targets]
    return any("default" in name.lower() or is_configuration_name(name) for name in names)


def _table(prefix: Key, node: ast.expr) -> Iterator[Default]:
    """Yield the literal entries of a table of settings, section by section."""
    if isinstance(node, ast.Dict):
        for name, value in zip(map(_constant_key, node.keys), node.values, strict=True):
            if name and isinstance(value, ast.Dict):
                yield from _table((*prefix, name), value)
            elif name:
                yield from (Default((*prefix, name), one.value, one.line) for one in _default(name, value))


def _constant_key(key: ast.expr | None) -> str | None:
    return constant_text(key) if key else None


def _loader(call: ast.Call) -> tuple[str, ...]:
    """Return module and verb of a call: ("json", "load"); a ``YAML(…)`` object counts as yaml."""
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Call):
        return ("yaml", call.func.attr) if last_name(call.func.value.func) == "YAML" else ()
    return dotted_name(call.func)[-2:]


def _names_in(nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Name | ast.Attribute):
            yield last_name(node)
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
