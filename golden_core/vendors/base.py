"""What every reader of a vendor's format gives, and how it claims a file. No format belongs here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl

SIDES = ("bid", "ask", "mid")
FROM_END = "the rows run from the newest to the oldest: they are read from the end"


class VendorError(ValueError):
    """A file is not what its reader expected; the message says where (line, byte), what was expected, and the fix."""


@dataclass(frozen=True)
class Claim:
    """A reader's statement that a file is of its format, and why. Two claims of one file are two readings of it."""

    format: str
    because: str


@dataclass(frozen=True, eq=False)
class VendorTable:
    """What a file holds, before anybody believes its clock.

    ``bars`` has ``timestamp`` (open; naive microseconds as written, or UTC where each row carries its offset), prices
    and volume as written, perhaps ``complete``, and ``line`` from 1; nothing is removed. ``clock`` and ``bar`` (such as
    ``1m``) are what the file states, ``side`` is bid, ask or mid; None where it is silent. ``notes`` are its decisions.
    """

    bars: pl.DataFrame
    format: str
    clock: str | None
    bar: str | None
    side: str | None
    notes: Sequence[str]


class Reader(Protocol):
    """One format, as users name it, and how such a file begins or what its path looks like (``example``)."""

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def example(self) -> str: ...  # noqa: D102

    @property
    def choices(self) -> Sequence[str]:
        """What the user may choose where a file can be read in several ways: ``oanda_json:bid``."""
        return ()

    def chosen(self, choice: str) -> Reader:  # noqa: ARG002
        """Return the reader that takes one of the choices."""
        return self

    def sniff(self, path: Path) -> Claim | None:
        """Say whether the file is of this format, from its name and its first bytes; None if not."""
        ...

    def read(self, path: Path, pair: str) -> VendorTable:
        """Read the whole file; a malformed row is a :class:`VendorError`, for nothing is skipped."""
        ...


def side_in_name(path: Path) -> str | None:
    """Return ``bid`` or ``ask`` where exactly one of them is a word of the file's name: a hint, never a proof."""
    words = set(re.split(r"[^a-z]+", path.name.lower()))
    found = [side for side in ("bid", "ask") if side in words]
    return found[0] if len(found) == 1 else None


def runs_back(times: pl.Series) -> bool:
    """Say whether more rows come before the one above them than after it."""
    return bool(times.diff().dt.total_microseconds().sign().sum() < 0)


def told(bars: pl.DataFrame, odd: pl.Series, said: str, then: str = "") -> tuple[str, ...]:
    """Say of how many bars, or rows, something is odd, and which line is the first; nothing where it is of none."""
    lines = bars["line"].filter(odd)
    return (f"{len(lines)} of {bars.height} {said} (first: line {lines[0]}){then}",) if len(lines) else ()
