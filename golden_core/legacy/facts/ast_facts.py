"""Syntax tree → imports and texts. Entry points and flags are in flags.py, configuration keys in keys.py."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

DEEPEST = 100  # calls within calls that a text is joined of
HOLE = "{}"  # stands for what is computed at run time
# Texts for people: what they mention is not what the code opens.
_MESSAGES = frozenset(
    {"print", "debug", "info", "warning", "warn", "error", "exception", "critical", "log"}
    | {"title", "suptitle", "set_title", "xlabel", "ylabel", "label"}
)
_MARKS = ast.expr_context | ast.operator | ast.unaryop | ast.boolop | ast.cmpop
_DESCRIPTIONS = frozenset({"help", "description", "epilog", "usage", "label", "title"})


@dataclass(frozen=True)
class ImportedModule:
    """A module as an import names it; ``level`` counts leading dots, ``names`` is what is taken from it."""

    name: str
    level: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class Text:
    """A string of the code with its line; what is computed is ``{}``."""

    text: str
    line: int


def nodes_of(tree: ast.AST) -> list[ast.AST]:
    """Return the nodes of a tree, a node before its parts; without those that only mark an operator or a context."""
    nodes = [tree]
    for node in nodes:  # the list grows under the loop
        for name in node._fields:
            part = getattr(node, name, None)
            if isinstance(part, list):
                nodes += [item for item in part if isinstance(item, ast.AST) and not isinstance(item, _MARKS)]
            elif isinstance(part, ast.AST) and not isinstance(part, _MARKS):
                nodes.append(part)
    return nodes


def imported_modules(nodes: list[ast.AST]) -> Iterator[ImportedModule]:
    """Yield the modules of import statements, and of ``import_module("…")`` and ``__import__("…")``."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (ImportedModule(alias.name, 0, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield ImportedModule(node.module or "", node.level, tuple(alias.name for alias in node.names))
        elif isinstance(node, ast.Call) and last_name(node.func) in ("import_module", "__import__") and node.args:
            name = constant_text(node.args[0])
            if name and not name.startswith("."):
                yield ImportedModule(name, 0, ())


def texts(nodes: list[ast.AST]) -> Iterator[Text]:
    """Yield the strings that code works with: no documentation, no messages; joined paths as one text.

    ``nodes`` must hold a node before its parts, as :func:`nodes_of` returns them.
    """
    messages: set[int] = set()
    joined: set[int] = set()
    for node in nodes:
        if id(node) in messages:
            messages.update(map(id, ast.iter_child_nodes(node)))
            continue
        messages.update(_for_people(node))
        text = None if id(node) in joined else _spelled(node, joined)
        if text is not None:
            yield Text(text, getattr(node, "lineno", 0))


def _for_people(node: ast.AST) -> list[int]:
    """Return the parts of a node that are documentation or messages."""
    if isinstance(node, ast.Expr) and constant_text(node.value) is not None:
        return [id(node.value)]
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        return [id(argument) for argument in node.exc.args]
    if isinstance(node, ast.Call) and last_name(node.func) in _MESSAGES:
        return [id(argument) for argument in node.args]
    if isinstance(node, ast.keyword) and node.arg in _DESCRIPTIONS:
        return [id(node.value)]
    return []


def last_name(node: ast.AST) -> str:
    """Return the last part of a dotted name: ``get`` of ``self.config.get``; "" where there is none."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def dotted_name(node: ast.AST) -> tuple[str, ...]:
    """Return the parts of a dotted name, () where the expression is none."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return (node.id, *reversed(parts)) if isinstance(node, ast.Name) else ()


def constant_text(node: ast.AST) -> str | None:
    """Return the value of a string constant."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _spelled(node: ast.AST, joined: set[int], depth: int = 0) -> str | None:
    """Return the text that an expression makes, null if no string takes part; marks the parts that went into it."""
    if isinstance(node, ast.Constant) or depth == DEEPEST:
        return constant_text(node)
    parts, between = _parts(node, joined)
    spelled = [_spelled(part, joined, depth + 1) for part in parts]
    if all(text is None for text in spelled):
        return None
    joined.update(id(part) for part, text in zip(parts, spelled, strict=True) if text is not None)
    return between.join(HOLE if text is None else text for text in spelled)


def _parts(node: ast.AST, joined: set[int]) -> tuple[list[ast.expr], str]:
    """Return what an expression joins to a text, and with what between."""
    if isinstance(node, ast.JoinedStr):
        return node.values, ""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Div):
        return _operands(node, joined), "/" if isinstance(node.op, ast.Div) else ""
    if isinstance(node, ast.Call):
        name = dotted_name(node.func)
        if name[-2:] == ("path", "join") or name[-1:] in (("Path",), ("PurePath",)):
            return node.args, "/"
        if isinstance(node.func, ast.Attribute) and node.func.attr == "joinpath":
            return [node.func.value, *node.args], "/"
        separator = _separator(node.func)
        if separator is not None and len(node.args) == 1 and isinstance(node.args[0], ast.List | ast.Tuple):
            return node.args[0].elts, separator
    return [], ""


def _operands(node: ast.BinOp, joined: set[int]) -> list[ast.expr]:
    """Return the operands of a chain of one operator, which may be thousands; marks the operations inside it."""
    operands = [node.right]
    left = node.left
    while isinstance(left, ast.BinOp) and type(left.op) is type(node.op):
        joined.add(id(left))
        operands.append(left.right)
        left = left.left
    return [left, *reversed(operands)]


def _separator(function: ast.expr) -> str | None:
    """Return what ``"/".join`` and ``os.sep.join`` put between texts."""
    if not (isinstance(function, ast.Attribute) and function.attr == "join"):
        return None
    return "/" if last_name(function.value) == "sep" else constant_text(function.value)
