"""What the ledger says of a study; apart from it, for who makes claims needs the answer and not the file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Standing:
    """Whether a study's protocol was there first, and how much was tried on its rates."""

    registered: bool
    tried: int
