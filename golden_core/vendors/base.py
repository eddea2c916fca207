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

    Parameters
    ----------
    bars : pl.DataFrame
        ``timestamp`` (open of the bar; naive microseconds as written, or UTC where the file gives each row's offset),
        those of ``open``, ``high``, ``low``, ``close`` and ``volume`` that the file has, as written; perhaps
        ``complete`` (Boolean); and ``line`` (1-based line or record). In the order of the file, nothing removed.
    format : str
        Name of the reader.
    clock : str or None
        The zone that the file itself states, or ``UTC`` where each row carried its offset; None where it is silent.
    bar : str or None
        Length of a bar that the format fixes, such as ``1m``, or None where it follows from the rows.
    side : str or None
        ``bid``, ``ask`` or ``mid``, where the file or its name says so.
    notes : sequence of str
        What was decided on the way, and why, one sentence each.
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
