"""Syntax tree → the flags of typer, which are the parameters of its commands."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from golden_core.legacy.facts.ast_facts import constant_text, last_name
from golden_core.legacy.facts.flags import FlagFact, imports_package
from golden_core.legacy.facts.values import NOTHING, literal

_DECORATORS = frozenset({"command", "callback"})
_DECLARED = frozenset({"Option", "Argument"})


def typer_flags(nodes: list[ast.AST]) -> Iterator[FlagFact]:
    """Yield every parameter of a command: an argument where it has no default and is no ``Option``, else a flag."""
    if not imports_package(nodes, "typer"):
        return
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(map(_is_command, node.decorator_list)):
            given = node.args
            positional = [*given.posonlyargs, *given.args]
            defaults = [*[None] * (len(positional) - len(given.defaults)), *given.defaults, *given.kw_defaults]
            for parameter, default in zip([*positional, *given.kwonlyargs], defaults, strict=True):
                yield _flag(parameter, default)


def _is_command(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(called, ast.Attribute) and called.attr in _DECORATORS


def _flag(parameter: ast.arg, default: ast.expr | None) -> FlagFact:
    annotated = parameter.annotation.slice if isinstance(parameter.annotation, ast.Subscript) else None
    parts = annotated.elts if isinstance(annotated, ast.Tuple) else []
    declared = next(filter(None, map(_declaration, (default, *parts))), None)
    texts = [text for text in map(constant_text, declared.args if declared else []) if text and text.startswith("-")]
    if declared is not None and declared is default:
        default = next((value for value in declared.args if constant_text(value) not in texts), None)
    if default is not None and literal(default) is Ellipsis:
        default = None
    is_argument = last_name(declared.func) == "Argument" if declared else default is None
    spelled = parameter.arg if is_argument else "--" + parameter.arg.replace("_", "-")
    value = NOTHING if default is None else literal(default)
    return FlagFact(tuple(texts) or (spelled,), value, default is not None, "typer", parameter.arg, parameter.lineno)


def _declaration(node: ast.expr | None) -> ast.Call | None:
    return node if isinstance(node, ast.Call) and last_name(node.func) in _DECLARED else None
