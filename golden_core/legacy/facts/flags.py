"""Syntax tree → how a script is started: entry points, and the flags of argparse and click."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from golden_core.legacy.facts.ast_facts import constant_text, dotted_name, last_name
from golden_core.legacy.facts.values import NOTHING, literal
from golden_core.legacy.inventory import EntryKind


@dataclass(frozen=True)
class FlagFact:
    """A flag and its default: a literal, ``NOTHING`` for a computed one or none; ``has_default`` tells which.

    Code finds the value under the name ``destination``.
    """

    names: tuple[str, ...]
    default: Any
    has_default: bool
    parser: Literal["argparse", "click"]
    destination: str
    line: int


def flags(nodes: list[ast.AST]) -> Iterator[FlagFact]:
    """Yield every ``add_argument(…)`` of argparse, and every ``option`` and ``argument`` decorator of click."""
    clicked = _click_names(nodes)
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument":
            yield from _flag(node, "argparse")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and _click_name(decorator, clicked) in ("option", "argument"):
                    yield from _flag(decorator, "click")


def entry_points(tree: ast.Module, nodes: list[ast.AST]) -> Iterator[tuple[EntryKind, int]]:
    """Yield how a module is started, with lines."""
    guarded = [node for node in tree.body if _is_main_guard(node)]
    yield from (("__main__", node.lineno) for node in guarded)
    clicked = _click_names(nodes)
    for node in nodes:
        if isinstance(node, ast.Call) and last_name(node.func) == "ArgumentParser":
            yield "argparse", node.lineno
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names = {_click_name(decorator, clicked) for decorator in node.decorator_list}
            if names & {"command", "group"}:
                yield "click", node.lineno
    acting = [node.lineno for node in tree.body if node not in guarded and _acts(node)]
    if acting:
        yield "runs on import", acting[0]


def _flag(call: ast.Call, parser: Literal["argparse", "click"]) -> Iterator[FlagFact]:
    names = tuple(text for text in map(constant_text, call.args) if text)
    if names:
        keywords = {keyword.arg: keyword.value for keyword in call.keywords}
        action = constant_text(keywords["action"]) if "action" in keywords else None
        default = keywords.get("default")
        value = literal(default)
        if default is None and action in ("store_true", "store_false"):
            value = action == "store_false"
        stored = constant_text(keywords["dest"]) if "dest" in keywords else None
        yield FlagFact(
            names, value, value is not NOTHING or default is not None, parser, stored or _stored(names), call.lineno
        )


def _stored(names: tuple[str, ...]) -> str:
    """Return the name of a value: one without hyphens if there is one, else the first long flag, else the first."""
    best = sorted(names, key=lambda name: 0 if not name.startswith("-") else 1 if name.startswith("--") else 2)[0]
    return best.split("/")[0].lstrip("-").replace("-", "_")


def _click_names(nodes: list[ast.AST]) -> dict[str, str]:
    """Return what ``from click import …`` binds: local name → name in click."""
    return {
        alias.asname or alias.name: alias.name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module == "click"
        for alias in node.names
    }


def _click_name(decorator: ast.expr, clicked: dict[str, str]) -> str:
    """Return the click name of a decorator: ``command`` for ``@click.command()`` and for a group's ``@cli.command``."""
    name = dotted_name(decorator.func if isinstance(decorator, ast.Call) else decorator)
    if len(name) == 1:
        return clicked.get(name[0], "")
    return name[-1] if name[:1] == ("click",) or name[-1:] in (("command",), ("group",)) else ""


def _is_main_guard(node: ast.stmt) -> bool:
    if not (isinstance(node, ast.If) and isinstance(node.test, ast.Compare)):
        return False
    sides = [node.test.left, *node.test.comparators]
    return {last_name(side) or constant_text(side) for side in sides} == {"__name__", "__main__"}


def _acts(node: ast.stmt) -> bool:
    """Tell whether a top-level statement does something by itself: a call, a loop, a block."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call | ast.Await)
    return isinstance(node, ast.For | ast.While | ast.With)
