"""What every reader of a vendor's format gives, and how it claims a file. No format belongs here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl


class VendorError(ValueError):
    """A file is not what its reader expected; the message says where (line, byte), what was expected, and the fix."""


@dataclass(frozen=True)
class Claim:
    """A reader's statement that a file is of its format, and why.

    Two readers that both claim a file are two readings of it: detection refuses to choose between them.
    """

    format: str
    because: str


@dataclass(frozen=True, eq=False)
class VendorTable:
    """What a file holds, before anybody believes its clock.

    Parameters
    ----------
    bars : pl.DataFrame
        ``timestamp`` (open of the bar; naive microseconds as written, or UTC where the file gives each row's offset),
        ``open``, ``high``, ``low``, ``close`` as numbers as written, and ``volume`` where the file has one. In the
        order of the file, nothing removed, one more column ``line`` (1-based line, or record of a binary file).
    format : str
        Name of the reader.
    clock : str or None
        The zone that the file itself states: ``UTC``, ``EET``, ``UTC+02:00``, ``America/New_York`` (an IANA name), or
        ``UTC`` where each row carried its offset; None where the file is silent.
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

    name: str

    def sniff(self, path: Path) -> Claim | None:
        """Say whether the file is of this format, from its name and its first bytes; None if not."""
        ...

    def read(self, path: Path, pair: str) -> VendorTable:
        """Read the whole file.

        Raises
        ------
        VendorError
            If a row is malformed: nothing is skipped.
        """
        ...
