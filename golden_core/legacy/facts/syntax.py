"""Python source → syntax tree, its nodes, names, literals and texts. Nothing is compiled, imported or executed.

Of the texts that code works with: names of data files and absolute paths.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterator
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


def last_name(node: ast.AST | None) -> str:
    """Return the last part of a dotted name: ``get`` of ``self.config.get``; "" where there is none."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


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
    one, other = (repr(json.loads(spell(value), parse_int=float)) for value in (left, right))
    return one == other


def _plain(value: Any) -> Any:
    """Return a value in JSON's types; what JSON lacks as text."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, int) and value.bit_length() > 10_000:  # more digits than Python writes
        return hex(value)
    return value if value is None or isinstance(value, int | float | str) else str(value)


DEEPEST = 100  # operations within operations that a text is joined of
LONGEST = 1024
HOLE = "{}"  # stands for what is computed at run time
# Texts for people: what they mention is not what the code opens.
_MESSAGES = frozenset(
    {"print", "debug", "info", "warning", "warn", "error", "exception", "critical", "log"}
    | {"title", "suptitle", "set_title", "xlabel", "ylabel", "label"}
)
_DESCRIPTIONS = frozenset({"help", "description", "epilog", "usage", "label", "title"})
_WHOLE = re.compile(
    r"(?:[A-Za-z]:[\\/]|\\\\[\w.?-]+\\|//[\w.-]+/[\w.$-]+/|~[\\/]|file://)[^\s][^\n\r]*|/[\w.@+-]+(?:/[^\n\r/]+)*/?"
)
_LONE = re.compile(r"/[^/.]*/?")
_WITHIN = re.compile(
    r"(?<![\w/\\.:}])(?:[A-Za-z]:[\\/](?![\\/])|/(?:home|Users|mnt|media|root|var|opt|tmp|content|data|srv|usr|etc|workspace)/)"
    r"[^\s'\"<>|*?,;)\]}]*[^\s'\"<>|*?,;)\]}.:]"
)
_DATA = re.compile(
    r"[^\n\r]*[^\n\r/\\.]\.(?:csv|tsv|parquet|feather|arrow|xlsx?|json|jsonl|ya?ml|toml|ini|cfg|h5|hdf5|keras|npy|npz|pkl|pickle"
    r"|joblib|pt|pth|ckpt|onnx|safetensors|pb|tflite|mat|rds|db|sqlite3?|duckdb|txt|dat|zip|gz|bz2|xz|7z)",
    re.IGNORECASE,
)


def absolute_paths(text: str) -> list[str]:
    """Return the absolute paths in a text: the text itself, or those inside it.

    A lone ``/name`` counts only if it has a suffix: it is as often a route or a separator.
    """
    if len(text) <= LONGEST and _WHOLE.fullmatch(text) and not _LONE.fullmatch(text):
        return [text]
    return list(dict.fromkeys(match[0] for match in _WITHIN.finditer(text)))


def data_file(text: str) -> str | None:
    """Return the text if it names a data, model or configuration file."""
    bare = text.strip()
    return bare if len(bare) <= LONGEST and "://" not in bare and _DATA.fullmatch(bare) else None


def texts(nodes: list[ast.AST]) -> Iterator[tuple[str, int]]:
    """Yield the strings that code works with, with lines: no documentation, no messages; joined paths as one text.

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
            yield text, getattr(node, "lineno", 0)


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


def _spelled(node: ast.AST, joined: set[int], depth: int = 0) -> str | None:
    """Return the text that an expression makes, null if no string takes part; marks the parts that went into it."""
    if isinstance(node, ast.Constant) or depth == DEEPEST:
        return constant_text(node)
    parts, between = _parts(node)
    spelled = [_spelled(part, joined, depth + 1) for part in parts]
    if all(text is None for text in spelled):
        return None
    joined.update(id(part) for part, text in zip(parts, spelled, strict=True) if text is not None)
    return between.join(HOLE if text is None else text for text in spelled)


def _parts(node: ast.AST) -> tuple[list[ast.expr], str]:
    """Return what an expression joins to a text, and with what between."""
    if isinstance(node, ast.JoinedStr):
        return node.values, ""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Div):
        return [node.left, node.right], "/" if isinstance(node.op, ast.Div) else ""
    if isinstance(node, ast.Call):
        name, owner = last_name(node.func), getattr(node.func, "value", None)
        if name in ("Path", "PurePath") or (name == "join" and last_name(owner) == "path"):
            return node.args, "/"
        if name == "joinpath" and owner:
            return [owner, *node.args], "/"
    return [], ""
