"""Syntax tree → the literals that code falls back on, by the name of the setting that they stand in for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from golden_core.legacy.facts.ast_facts import constant_text, last_name
from golden_core.legacy.facts.keys import is_configuration_name, looked_up
from golden_core.legacy.facts.values import NOTHING, Key, literal

_MARK = re.compile(r"(?i)^defaults?_|_defaults?$")


@dataclass(frozen=True)
class Default:
    """A literal that code falls back on, under a name: a parameter, a field, a constant, a table of defaults."""

    key: Key
    value: Any
    line: int


def defaults(tree: ast.Module, nodes: list[ast.AST]) -> Iterator[Default]:
    """Yield the literals that code falls back on."""
    bodies: list[ast.Module | ast.ClassDef] = [tree, *(node for node in nodes if isinstance(node, ast.ClassDef))]
    for body in bodies:
        for statement in body.body:
            yield from _assigned(statement)
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _parameter_defaults(node.args)
        elif isinstance(node, ast.BoolOp | ast.IfExp):
            yield from _alternative(node)
        elif isinstance(node, ast.Assign) and _names_defaults(node.targets):
            yield from _table((), node.value)
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            yield from _called_default(node.targets if isinstance(node, ast.Assign) else [node.target], node.value)


def without_mark(name: str) -> str:
    """Return the name of the setting that a default is for: ``epochs`` of ``default_epochs`` and ``EPOCHS_DEFAULT``."""
    return _MARK.sub("", name) or name


def _assigned(statement: ast.stmt) -> Iterator[Default]:
    """Yield the default of ``NAME = literal`` and ``name: type = literal``."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name):
        yield from _default(statement.targets[0].id, statement.value)
    elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
        yield from _default(statement.target.id, statement.value)


def _called_default(targets: list[ast.expr], value: ast.expr) -> Iterator[Default]:
    """Yield the literal of ``default_epochs = 60``, wherever it is assigned."""
    for name in map(last_name, targets):
        if without_mark(name) != name:
            yield from _default(name, value)


def _alternative(node: ast.BoolOp | ast.IfExp) -> Iterator[Default]:
    """Yield the literal that takes the place of a value which is not there.

    That is ``args.epochs or 60``, ``args.epochs if args.epochs is not None else 60``, ``60 if epochs is None else
    epochs``, ``c["x"] if "x" in c else 1``; not ``rate if training else 0``, whose condition is about something else.
    """
    if isinstance(node, ast.BoolOp):
        if isinstance(node.op, ast.Or) and len(node.values) == 2:
            yield from _default(_setting(node.values[0]), node.values[1])
        return
    asked = {last_name(part) or constant_text(part) for part in ast.walk(node.test)}
    for value, fallback in ((node.body, node.orelse), (node.orelse, node.body)):
        if _setting(value) in asked:
            yield from _default(_setting(value), fallback)


def _setting(value: ast.expr) -> str:
    """Return the name under which a value is looked up, "" where there is none."""
    return last_name(value) or looked_up(value) or ""


def _parameter_defaults(arguments: ast.arguments) -> Iterator[Default]:
    positional = [*arguments.posonlyargs, *arguments.args]
    pairs = [*zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True)]
    pairs += [(name, value) for name, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if value]
    for name, value in pairs:
        yield from _default(name.arg, value)


def _default(name: str, node: ast.expr) -> Iterator[Default]:
    """Yield a literal under a name. None and containers of settings say nothing about one setting."""
    if not name:
        return
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
