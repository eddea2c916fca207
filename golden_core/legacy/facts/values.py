"""Values that stand in code and in configuration files: literals, their JSON spelling, whether two are equal."""

from __future__ import annotations

import ast
import json
from typing import Any

Key = tuple[str, ...]  # path of names to a setting
COMPUTED = "(computed)"


class _Nothing:
    """The absence of a literal, which is not the literal None."""


NOTHING = _Nothing()


def literal(node: ast.AST | None) -> Any:
    """Return the value of a literal expression, ``NOTHING`` where the expression is none."""
    if node is None or isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript):
        return NOTHING
    if isinstance(node, ast.Constant):
        return node.value
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError, MemoryError):
        return NOTHING


def spell(value: Any) -> str:
    """Return a value as JSON text; what JSON lacks is spelled as a string."""
    if value is NOTHING:
        return COMPUTED
    return json.dumps(_plain(value), ensure_ascii=False, sort_keys=True)


def equal(left: Any, right: Any) -> bool:
    """Compare as a reader would: 60 equals 60.0, a list equals a tuple, True is not 1, "0.1" is not 0.1."""
    return bool(_comparable(left) == _comparable(right))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, int) and value.bit_length() > 1024:
        return hex(value)  # Python refuses to write thousands of decimal digits
    return value if value is None or isinstance(value, int | float | str) else str(value)


def _comparable(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _comparable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_comparable(item) for item in value]
    return ("bool", value) if isinstance(value, bool) else value
