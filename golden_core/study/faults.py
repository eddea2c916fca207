"""What is wrong with a study: where it is written, which setting it is, and the fix. No checking is done here."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

KeyPath = tuple[str | int, ...]

MAX_SHOWN = 60  # characters of a value that a message quotes


@dataclass(frozen=True, order=True)
class Fault:
    """One fault: where it is in the file and in the study, and what to do about it.

    Line and column are those of the key (or of the list entry), counted from 1. Line 0 means that the fault has no
    place in a file: the setting came from an override, or the file could not be read at all.
    """

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{where} {self.path}: {self.message}" if self.path else f"{where}: {self.message}"


class StudyError(ValueError):
    """A study is not valid. ``faults`` holds every fault that was found, in file order; ``str`` is a line each."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = sorted(set(faults))
        super().__init__("\n".join(str(fault) for fault in self.faults))


def dotted(path: KeyPath) -> str:
    """Return ``splits.embargo`` or ``horizons[1]`` for a path of keys and indices."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = part if part.isprintable() and 0 < len(part) <= MAX_SHOWN else show(part)
            text += f".{name}" if text else name
    return text


def show(value: Any) -> str:
    """Return a value as a message quotes it: short, printable, in the words of YAML rather than of Python."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def closest(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` for the nearest known name, or nothing."""
    match = nearest(name, known)
    return f"; did you mean {match!r}?" if match else ""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like ``name``, capitals aside, or None where nothing comes close."""
    folded = {entry.casefold(): entry for entry in sorted(known)}
    matches = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return folded[matches[0]] if matches else None


def plural(count: int, noun: str) -> str:
    """Return a count with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
