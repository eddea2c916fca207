"""From pydantic's errors to sentences: which setting, what it must be, what was given, and what may have been meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from golden_core.study.anatomy import description_at, keys_at
from golden_core.study.faults import KeyPath, nearest, show

SAID = "said"  # type of the errors whose message a section has written in full
BROKEN_RULE = "broken_rule"  # type of the errors of rules across fields, which the reader looks at by itself

_BOUNDS = {
    "greater_than_equal": "≥ {ge}",
    "greater_than": "> {gt}",
    "less_than_equal": "≤ {le}",
    "less_than": "< {lt}",
    "multiple_of": "a multiple of {multiple_of}",
}
_NOUNS = {
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "text",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
}
_QUOTED = {"int_type": r"[-+]?[0-9]+", "float_type": r"[-+]?[0-9.]+(e[-+]?[0-9]+)?", "bool_type": "true|false"}


def explain(error: ValidationError, model: type[BaseModel], values: Any) -> list[tuple[KeyPath, str]]:
    """Return path and message of every error of one validation.

    A misspelt key is one fault, not two: the key that it was taken for is not reported as missing as well.
    """
    found: list[tuple[KeyPath, str]] = []
    missing: list[KeyPath] = []
    meant: set[KeyPath] = set()
    for detail in error.errors(include_url=False):
        path = _path(detail, values)
        if detail["type"] == "missing":
            missing.append(path)
        elif detail["type"] == "extra_forbidden":
            known = keys_at(model, path[:-1], values)
            match = nearest(str(path[-1]), known)
            meant |= {(*path[:-1], match)} if match else set()
            found.append((path, _unknown_key(match, known)))
        elif detail["type"] == "union_tag_not_found":
            found.append(_without_tag(path, detail["input"], keys_at(model, path[:-1], values)))
        elif detail["type"] != BROKEN_RULE and not _is_echo(detail):
            message = _message(detail, description_at(model, path, values))
            found.append((path, " ".join(message.split())))  # other people's messages may have several lines
    lacking = [(path, description_at(model, path, values)) for path in missing if path not in meant]
    return found + [(path, f"is required: {said}" if said else "is required") for path, said in lacking]


def _is_echo(detail: ErrorDetails) -> bool:
    """Whether a list is called too short only because pydantic does not count its faulty entries."""
    return detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]


def _path(detail: ErrorDetails, values: Any) -> KeyPath:
    """Return the part of pydantic's location that exists in the values: it also names variants of unions."""
    path: KeyPath = ()
    for part in detail["loc"]:
        inside = isinstance(values, Mapping) and part in values
        if inside or (isinstance(values, list) and isinstance(part, int) and part < len(values)):
            path, values = (*path, part), values[part]
    if detail["type"] == "missing":
        return (*path, detail["loc"][-1])
    if detail["type"].startswith("union_tag"):
        return (*path, _discriminator(detail))
    return path


def _discriminator(detail: ErrorDetails) -> str:
    return str(detail["ctx"]["discriminator"]).strip("'")


def _message(detail: ErrorDetails, description: str) -> str:
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == SAID:
        return detail["msg"]
    if kind in _BOUNDS:
        bound = {name: f"{value:g}" if isinstance(value, float) else value for name, value in context.items()}
        return f"must be {_BOUNDS[kind].format(**bound)}, got {show(given)}"
    if kind in _NOUNS:
        return f"must be {_NOUNS[kind]}, got {show(given)}{_cure(kind, given)}"
    if kind in {"literal_error", "union_tag_invalid"}:
        expected = context.get("expected") or " or ".join(context["expected_tags"].rsplit(", ", 1))
        return _not_among(expected, given if "expected" in context else given[_discriminator(detail)])
    if kind == "string_pattern_mismatch":
        return f"must match {context['pattern']}{f' ({description})' if description else ''}, got {show(given)}"
    if kind in {"too_short", "string_too_short"}:
        least, noun = context["min_length"], "characters" if kind == "string_too_short" else "entries"
        return "must not be empty" if least == 1 else f"must have at least {least} {noun}"
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return f"{message[:1].lower()}{message[1:]}" + ("" if isinstance(given, Mapping) else f", got {show(given)}")


def _without_tag(path: KeyPath, given: Mapping[str, Any], known: list[str]) -> tuple[KeyPath, str]:
    """Blame a misspelt key for the missing one that tells the variants of a section apart."""
    misspelt = nearest(str(path[-1]), [key for key in given if key not in known])
    return ((*path[:-1], misspelt), _unknown_key(str(path[-1]), known)) if misspelt else (path, "is required")


def _cure(kind: str, given: Any) -> str:
    if kind == "dict_type" and given is None:
        return "; write {} for one without entries"
    quoted = isinstance(given, str) and re.fullmatch(_QUOTED.get(kind, "(?!)"), given)
    return "; remove the quotes" if quoted else ""


def _not_among(expected: str, given: Any) -> str:
    match = nearest(given, re.findall(r"'([^']*)'", expected)) if isinstance(given, str) else None
    return f"must be {expected}, got {show(given)}" + (f"; did you mean {match!r}?" if match else "")


def _unknown_key(match: str | None, known: list[str]) -> str:
    if match:
        return f"unknown key; did you mean {match!r}?"
    return f"unknown key; known: {', '.join(known)}" if known else "unknown key; nothing can be set here"
