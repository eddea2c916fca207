"""What every reader of a vendor's format gives, and how it claims a file. No format belongs here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl

SIDES = ("bid", "ask", "mid")


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
    """One format. Stateless; instances live in a registry by name."""

    @property
    def name(self) -> str:
        """Its name in the registry."""
        ...

    @property
    def example(self) -> str:
        """How such a file begins, or what its path looks like."""
        ...

    @property
    def choices(self) -> Sequence[str]:
        """What the user may choose where a file can be read in several ways: ``oanda_json:bid``."""
        ...

    def chosen(self, choice: str) -> Reader:
        """Return the reader that takes one of the choices."""
        ...

    def sniff(self, path: Path) -> Claim | None:
        """Say whether the file is of this format, from its name and its first bytes; None if not."""
        ...

    def read(self, path: Path, pair: str) -> VendorTable:
        """Read the whole file; a malformed row is a :class:`VendorError`, for nothing is skipped."""
        ...
