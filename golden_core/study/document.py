"""Text → plain values with the place of every key. Reads YAML 1.2; knows nothing of what a study means.

The node graph is walked here instead of being constructed by the library. So every key keeps its line and column
(merged ones too), all faults are found at once, and no tag can make an object.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from golden_core.study.faults import KeyPath, dotted, show

Place = tuple[int, int]

NOWHERE: Place = (0, 0)  # of values that no file holds: overrides
MAX_ENTRIES = 10_000  # aliases can make a small file stand for a huge tree
MAX_DEPTH = 20

_NULLS = {"", "~", "null", "Null", "NULL"}
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGERS = ((r"[-+]?[0-9]+", 10), (r"0o[0-7]+", 8), (r"0x[0-9a-fA-F]+", 16))
_FLOAT = r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
_TAKEN_FOR_TEXT = r"[-+]?\.[0-9]+[eE][0-9]+"  # of which the library asks for a sign behind the e

_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = {_TAG + kind for kind in ("null", "bool", "int", "float", "str", "timestamp", "merge", "value")}
_NO_TEXT_KEY = "a key must be text; a number or a word such as null needs quotes"
_HINTS = {
    "found character '\\t' that cannot start any token": "a tab cannot indent; use spaces",
    "mapping values are not allowed here": "there is a second ': ' on the line, or the line is indented too far; "
    "text that holds ': ' needs quotes",
}


@dataclass
class Document:
    """Plain values under construction, the place of each, and what could not be read."""

    values: Any = None
    places: dict[KeyPath, Place] = field(default_factory=lambda: {(): (1, 1)})
    faults: list[tuple[KeyPath, str]] = field(default_factory=list)
    visited: int = 0

    def visit(self, path: KeyPath) -> None:
        """Count one more node; stop at a tree that no person wrote."""
        self.visited += 1
        if len(path) > MAX_DEPTH:
            raise TextError(f"{dotted(path[:1])} is nested more than {MAX_DEPTH} deep", self.place(path))
        if self.visited > MAX_ENTRIES:
            raise TextError(f"stands for more than {MAX_ENTRIES} entries", self.place(path[:1]))

    def place(self, path: KeyPath) -> Place:
        """Return the place of a path, or of the nearest section around it that exists."""
        while path not in self.places:
            path = path[:-1]
        return self.places[path]


class TextError(ValueError):
    """Text is not one YAML document, or stands for more than a study can hold."""

    def __init__(self, message: str, place: Place = NOWHERE) -> None:
        super().__init__(message)
        self.message, self.place = message, place


@lru_cache(maxsize=16)  # one run reads its study some fifty times, a tenth of a second each; nothing changes the graph
def compose(text: str) -> Node | None:
    """Parse text into a graph of YAML nodes; None for a text without content.

    Raises
    ------
    TextError
        With the place where parsing stopped.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.composer.warn_double_anchors = False  # legal YAML: the later anchor counts
    try:
        node: Node | None = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        parts = [part.splitlines()[0] for part in (error.context, error.problem) if part]
        raise TextError(
            "is not valid YAML: " + _HINTS.get(parts[-1], ": ".join(parts)),
            (mark.line + 1, mark.column + 1) if mark else NOWHERE,
        ) from None
    except ReaderError as error:
        before = text[: error.position]
        place = (before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
        raise TextError(f"is not text: it holds the character with code {error.character}", place) from None
    except RecursionError:
        raise TextError(f"is nested more than {MAX_DEPTH} deep") from None
    except (YAMLError, ValueError, OverflowError) as error:
        raise TextError(f"is not valid YAML: {str(error).splitlines()[0]}") from None
    return node


def read_document(node: Node | None) -> Document:
    """Turn a graph of nodes into plain values and note where each key stands.

    Raises
    ------
    TextError
        If the graph is nested too deep or, aliases followed, too large.
    """
    document = Document()
    document.values = _plain(node, (), document) if node is not None else None
    return document


def _plain(node: Node, path: KeyPath, document: Document) -> Any:
    document.visit(path)
    if isinstance(node, ScalarNode) and node.tag in _PLAIN_TAGS:
        return _checked(_scalar(node), path, document)
    if isinstance(node, SequenceNode) and node.tag == _TAG + "seq":
        document.places |= {(*path, index): _place(entry) for index, entry in enumerate(node.value)}
        return [_plain(entry, (*path, index), document) for index, entry in enumerate(node.value)]
    if isinstance(node, MappingNode) and node.tag == _TAG + "map":
        entries = _entries(node, path, document)
        document.places |= {(*path, name): _place(key) for name, (key, _) in entries.items()}
        return {name: _plain(value, (*path, name), document) for name, (_, value) in entries.items()}
    tag = re.sub(f"^{_TAG}", "!!", str(node.tag))
    document.faults.append((path, f"has the tag {show(tag)}; a study holds text, numbers, true, false and null"))
    return None


def _entries(node: MappingNode, path: KeyPath, document: Document) -> dict[str, tuple[Node, Node]]:
    """Return name → (key, value) of a mapping, what ``<<`` merges in included; the mapping's own keys win."""
    document.visit(path)
    own: dict[str, tuple[Node, Node]] = {}
    merged: dict[str, tuple[Node, Node]] = {}
    for key, value in node.value:
        if key.tag == _TAG + "merge":
            for source in _merged(value, path, document):
                merged = _entries(source, (*path, "<<"), document) | merged  # the first source wins
            continue
        name = _scalar(key) if isinstance(key, ScalarNode) else None
        name = whole(name) if isinstance(name, str) else None
        if name is None:
            where = (*path, key.value if isinstance(key, ScalarNode) else "?")
            document.places[where] = _place(key)
            document.faults.append((where, _NO_TEXT_KEY))
        elif name in own:
            message = f"is given twice, on lines {_place(own[name][0])[0]} and {_place(key)[0]}"
            document.faults.append(((*path, name), message))
        else:
            own[name] = (key, value)
    return merged | own


def _merged(node: Node, path: KeyPath, document: Document) -> Iterator[MappingNode]:
    for entry in node.value if isinstance(node, SequenceNode) else [node]:
        if isinstance(entry, MappingNode):
            yield entry
        else:
            document.places[(*path, "<<")] = _place(entry)
            document.faults.append(((*path, "<<"), "must merge a mapping, such as *anchor"))


def _place(node: Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _scalar(node: ScalarNode) -> Any:
    text = node.tag == _TAG + "str" and (node.style or not re.fullmatch(_TAKEN_FOR_TEXT, node.value))
    return node.value if text else resolve(node.value)


def _checked(value: Any, path: KeyPath, document: Document) -> Any:
    plain, problem = storable(value)
    if problem:
        document.faults.append((path, problem))
    return plain


def resolve(text: str) -> Any:
    """Return what a scalar without quotes stands for, by the YAML 1.2 core schema (YAML 1.2.2, section 10.3.2)."""
    if text in _NULLS:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    for pattern, base in _INTEGERS:
        if re.fullmatch(pattern, text):
            digits = text.removeprefix("0o").removeprefix("0x")
            return int(digits, base) if len(digits) <= 100 else math.inf  # refused as not finite
    if re.fullmatch(_FLOAT, text):
        return float(re.sub(r"\.(?=[iInN])", "", text))
    return text


def whole(text: str) -> str | None:
    """Return a text with its pairs of surrogates joined, as JSON writes them; None where a half stands alone."""
    try:
        return str(text) if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        return None


def storable(value: Any) -> tuple[Any, str]:
    """Return a scalar as its plain type; or None, and why a study cannot hold it."""
    if value is None or isinstance(value, bool):
        return value, ""
    if isinstance(value, str):
        text = whole(value)
        return text, "" if text is not None else "is not text that can be stored: it holds half of a character"
    if isinstance(value, float) and math.isfinite(value):
        return float(value) + 0.0, ""  # −0 and 0 are equal, so they must not be spelt differently
    if isinstance(value, int) and abs(value) < 2**63:
        return int(value), ""
    return None, f"must be a finite number of at most 64 bits, got {show(value)}"
