"""Syntax tree → how a script is started, and whether importing it already does something."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from golden_core.legacy.facts.ast_facts import constant_text, dotted_name, last_name
from golden_core.legacy.facts.flags import click_name, click_names, imports_package
from golden_core.legacy.inventory import EntryKind

# The call that hands the command line to a parser, by the last parts of its name.
_STARTERS: dict[tuple[str, ...], EntryKind] = {
    ("ArgumentParser",): "argparse",
    ("OptionParser",): "optparse",
    ("app", "run"): "absl",  # or of flask, which has no command line
    ("fire", "Fire"): "fire",
    ("Fire",): "fire",
    ("typer", "run"): "typer",
}


def entry_points(tree: ast.Module, nodes: list[ast.AST]) -> Iterator[tuple[EntryKind, int]]:
    """Yield how a module is started, with lines."""
    guarded = [node for node in tree.body if _is_main_guard(node)]
    yield from (("__main__", node.lineno) for node in guarded)
    clicked = click_names(nodes)
    decorated: EntryKind = "typer" if imports_package(nodes, "typer") else "click"
    by_hand = [
        node.lineno for node in nodes if isinstance(node, ast.Attribute) and dotted_name(node) == ("sys", "argv")
    ]
    yield from (("sys.argv", line) for line in by_hand[:1])
    absl = imports_package(nodes, "absl") or imports_package(nodes, "tensorflow")
    for node in nodes:
        if isinstance(node, ast.Call):
            name = dotted_name(node.func)
            kind = _STARTERS.get(name[-2:]) or _STARTERS.get(name[-1:])
            if kind and (kind != "absl" or absl):
                yield kind, node.lineno
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names = {click_name(decorator, clicked) for decorator in node.decorator_list}
            if names & {"command", "group", "callback"}:
                yield decorated, node.lineno
    acting = [node.lineno for node in tree.body if node not in guarded and _acts(node)]
    if acting:
        yield "runs on import", acting[0]


def _is_main_guard(node: ast.stmt) -> bool:
    """Tell whether a statement asks for the name of the module, alone or among other conditions."""
    return isinstance(node, ast.If) and any(map(_asks_for_main, ast.walk(node.test)))


def _asks_for_main(node: ast.AST) -> bool:
    if not isinstance(node, ast.Compare):
        return False
    sides = [node.left, *node.comparators]
    return {last_name(side) or constant_text(side) for side in sides} == {"__name__", "__main__"}


def _acts(node: ast.stmt) -> bool:
    """Tell whether a top-level statement does something by itself: a call, a loop, a block."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call | ast.Await)
    return isinstance(node, ast.For | ast.While | ast.With)
