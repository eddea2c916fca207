"""Python source → syntax tree, its nodes, names and literals. Nothing is compiled further, imported or executed."""

from __future__ import annotations

import ast
import json
import warnings
from typing import Any

Key = tuple[str, ...]  # path of names to a setting
COMPUTED = "(computed)"
_MARKS = ast.expr_context | ast.operator | ast.unaryop | ast.boolop | ast.cmpop
_ANNOTATIONS = frozenset({"annotation", "returns"})


class _Nothing:
    """The absence of a literal, which is not the literal None."""


NOTHING = _Nothing()


def parse(source: bytes) -> ast.Module | str:
    """Return the tree, or the reason without any of the source in it (a message may quote what stands there)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" in somebody's string is no concern of ours
            return ast.parse(source)
    except SyntaxError as error:
        return f"not parsed: syntax error at line {error.lineno}" if error.lineno else "not parsed: syntax error"
    except (RecursionError, MemoryError):
        return "not parsed: nested too deeply"
    except ValueError:
        return "not parsed: not text that Python reads"


def nodes_of(tree: ast.AST) -> list[ast.AST]:
    """Return the nodes of a tree, a node before its parts; marks of operators and hints of types are left out.

    A hint reads nothing: ``Optional[name]`` looks like a lookup and is none.
    """
    nodes = [tree]
    for node in nodes:  # the list grows under the loop
        for field in node._fields:
            part = None if field in _ANNOTATIONS else getattr(node, field, None)
            parts = part if isinstance(part, list) else [part]
            nodes += [item for item in parts if isinstance(item, ast.AST) and not isinstance(item, _MARKS)]
    return nodes


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


def constant_text(node: ast.AST | None) -> str | None:
    """Return the value of a string constant."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def literal(node: ast.AST | None) -> Any:
    """Return the value of a literal expression, ``NOTHING`` where the expression is none."""
    if node is None or isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript):
        return NOTHING
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError, MemoryError):
        return NOTHING


def spell(value: Any) -> str:
    """Return a value as JSON text; what JSON lacks is spelled as a string."""
    return COMPUTED if value is NOTHING else json.dumps(_plain(value), ensure_ascii=False, sort_keys=True)


def equal(left: Any, right: Any) -> bool:
    """Compare as a reader would: 60 equals 60.0, a list equals a tuple, True is not 1, "0.1" is not 0.1."""
    return _as_floats(left) == _as_floats(right)


def _plain(value: Any) -> Any:
    """Return a value in JSON's types; what JSON lacks as text."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    return value if value is None or isinstance(value, int | float | str) else str(value)


def _as_floats(value: Any) -> str:
    return repr(json.loads(spell(value), parse_int=float))
