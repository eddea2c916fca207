"""Syntax tree → the literals that code falls back on, by the name of the setting that they stand in for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from golden_core.legacy.facts.keys import is_configuration_name, looked_up
from golden_core.legacy.facts.syntax import NOTHING, Key, constant_text, last_name, literal

_MARK = re.compile(r"(?i)^defaults?_|_defaults?$")


@dataclass(frozen=True)
class Default:
    """A literal that code falls back on, under a name: a parameter, a field, a constant, a table of defaults."""

    key: Key
    value: Any
    line: int


def without_mark(name: str) -> str:
    """Return the name of the setting that a default is for: ``epochs`` of ``default_epochs`` and ``EPOCHS_DEFAULT``."""
    return _MARK.sub("", name) or name


def defaults(tree: ast.Module, nodes: list[ast.AST]) -> Iterator[Default]:
    """Yield the literals that code falls back on."""
    bodies = [tree.body, *(node.body for node in nodes if isinstance(node, ast.ClassDef))]
    declared = {id(statement) for body in bodies for statement in body}  # constants and fields, not local variables
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _of_parameters(node.args)
        elif isinstance(node, ast.BoolOp | ast.IfExp):
            yield from _alternative(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                name = last_name(target)
                if id(node) in declared or without_mark(name) != name:
                    yield from _default(name, node.value)
                if "default" in name.lower() or is_configuration_name(name):
                    yield from _table((), node.value)


def _of_parameters(arguments: ast.arguments) -> Iterator[Default]:
    positional = [*arguments.posonlyargs, *arguments.args]
    pairs = [*zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True)]
    pairs += [(name, value) for name, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if value]
    for name, value in pairs:
        yield from _default(name.arg, value)


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


def _default(name: str, node: ast.expr) -> Iterator[Default]:
    """Yield a literal under a name. None and containers of settings say nothing about one setting."""
    value = literal(node)
    if name and value is not NOTHING and value is not None and not isinstance(value, dict):
        yield Default((name,), value, node.lineno)


def _table(prefix: Key, node: ast.expr) -> Iterator[Default]:
    """Yield the literal entries of a table of settings, section by section."""
    if isinstance(node, ast.Dict):
        for name, value in zip(map(constant_text, node.keys), node.values, strict=True):
            if name and isinstance(value, ast.Dict):
                yield from _table((*prefix, name), value)
            elif name:
                yield from (Default((*prefix, name), one.value, one.line) for one in _default(name, value))
