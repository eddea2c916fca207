"""Overrides: settings given on the command line or by a launcher instead of in the file. Applied before validation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from golden_core.study.document import MAX_DEPTH, NOWHERE, Document, TextError, compose, read_document
from golden_core.study.faults import Fault, KeyPath, dotted, show

ORIGIN = "--set"  # what stands where other faults name a file

_KEY = r"[^.\[\]=\s]+(\.[^.\[\]=\s]+|\[[0-9]+\])*"


class _OverrideError(ValueError):
    """An override that cannot be applied: where, and why."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path


def apply_overrides(document: Document, overrides: Sequence[str]) -> list[Fault]:
    """Put overrides into a document, in the order given, and return the faults of those that cannot be applied.

    Whether a key exists and its value is right is left to the validation, which then blames ``--set``.

    The document is changed in place. ``["training.epochs=2"]`` has a YAML 1.2 value behind the first ``=``; a key is
    spelt as faults spell it. ``horizons[0]`` (or ``horizons.0``) names an existing entry of a list; its length changes
    only as a whole: ``horizons=[1, 5]``. A section that is missing or null is made.
    """
    faults = []
    for text in overrides:
        try:
            _assign(document, *_read(text))
        except _OverrideError as error:
            faults.append(Fault(ORIGIN, 0, 0, error.path, str(error)))
    return faults


def _read(text: str) -> tuple[list[str], Document]:
    key, equals, value = text.partition("=")
    if not equals:
        raise _OverrideError("", f"{show(text)} must look like section.key=value")
    keys = _keys(key.strip())
    try:
        return keys, read_document(compose(value))
    except TextError as error:
        raise _OverrideError(key.strip(), f"the value {show(value)} {error.message}") from None


def _keys(key: str) -> list[str]:
    if not re.fullmatch(_KEY, key):
        raise _OverrideError("", f"{show(key)} must look like section.key, such as training.epochs")
    keys = re.sub(r"\[([0-9]+)\]", r".\1", key).split(".")
    if len(keys) > MAX_DEPTH:
        raise _OverrideError("", f"{show(key)} is nested more than {MAX_DEPTH} deep")
    return keys


def _assign(document: Document, keys: list[str], given: Document) -> None:
    target: Any = document.values
    path: KeyPath = ()
    for key in keys[:-1]:
        part = _part(target, key, path)
        path = (*path, part)
        if isinstance(target, dict) and target.get(part) is None:
            target[part] = {}
            document.places[path] = NOWHERE
        target = target[part]
    part = _part(target, keys[-1], path)
    path = (*path, part)
    target[part] = given.values
    if isinstance(target, list):
        document.places[path[:-1]] = NOWHERE  # a list with another entry is another list
    kept = {known: place for known, place in document.places.items() if known[: len(path)] != path}
    document.places = kept | {(*path, *below): NOWHERE for below in given.places}
    faults = [(known, message) for known, message in document.faults if known[: len(path)] != path]
    document.faults = faults + [((*path, *below), message) for below, message in given.faults]


def _part(target: Any, key: str, path: KeyPath) -> Any:
    """Return what selects ``key`` within a section or a list."""
    if isinstance(target, dict):
        return key
    if isinstance(target, list):
        if key.isdecimal() and int(key) < len(target):
            return int(key)
        message = f"is a list of {len(target)}; its entries are numbered from 0, and none is {show(key)}"
        raise _OverrideError(dotted(path), message)
    raise _OverrideError(dotted(path), f"is {show(target)}, not a section, so {show(key)} cannot be set in it")
