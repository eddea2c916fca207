"""Syntax tree → the flags of a script, by the library that parses them. Those of typer are in typer_flags.py."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from golden_core.legacy.facts.ast_facts import constant_text, dotted_name, last_name
from golden_core.legacy.facts.values import NOTHING, literal
from golden_core.legacy.inventory import ParserKind


@dataclass(frozen=True)
class FlagFact:
    """A flag and its default: a literal, ``NOTHING`` for a computed one or none; ``has_default`` tells which.

    Code finds the value under the name ``destination``.
    """

    names: tuple[str, ...]
    default: Any
    has_default: bool
    parser: ParserKind
    destination: str
    line: int


def flags(nodes: list[ast.AST]) -> Iterator[FlagFact]:
    """Yield the flags of argparse, optparse and absl where they are added, and of click where they decorate."""
    clicked = click_names(nodes)
    for node in nodes:
        if isinstance(node, ast.Call):
            yield from _added(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and click_name(decorator, clicked) in ("option", "argument"):
                    yield from _flag(decorator, "click")


def _added(call: ast.Call) -> Iterator[FlagFact]:
    """Yield the flag of ``parser.add_argument(…)``, ``parser.add_option(…)`` and ``flags.DEFINE_…(…)``."""
    if isinstance(call.func, ast.Attribute):
        owner = last_name(call.func.value).lower()
        if call.func.attr == "add_argument" and "option" not in owner:  # a browser's options have such a method too
            yield from _flag(call, "argparse")
        elif call.func.attr == "add_option" and "parser" in owner:
            yield from _flag(call, "optparse")
    if last_name(call.func).startswith("DEFINE_") and call.args:
        name = constant_text(call.args[0])
        given = [*call.args[1:2], *(keyword.value for keyword in call.keywords if keyword.arg == "default")]
        if name:
            yield FlagFact(
                (f"--{name}",), literal(given[0]) if given else NOTHING, bool(given), "absl", name, call.lineno
            )


def _flag(call: ast.Call, parser: ParserKind) -> Iterator[FlagFact]:
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


def imports_package(nodes: list[ast.AST], package: str) -> bool:
    """Tell whether a script imports a package, or something from it."""
    return any(
        (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == package and not node.level)
        or (isinstance(node, ast.Import) and any(alias.name.split(".")[0] == package for alias in node.names))
        for node in nodes
    )


def click_names(nodes: list[ast.AST]) -> dict[str, str]:
    """Return what ``from click import …`` binds: local name → name in click."""
    return {
        alias.asname or alias.name: alias.name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module == "click"
        for alias in node.names
    }


def click_name(decorator: ast.expr, clicked: dict[str, str]) -> str:
    """Return the click name of a decorator: ``command`` for ``@click.command()`` and for a group's ``@cli.command``."""
    name = dotted_name(decorator.func if isinstance(decorator, ast.Call) else decorator)
    if len(name) == 1:
        return clicked.get(name[0], "")
    return name[-1] if name[:1] == ("click",) or name[-1:] in (("command",), ("group",)) else ""
