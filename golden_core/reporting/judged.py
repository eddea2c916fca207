"""What the checks said when a page was written. Whoever keeps their results hands them in: reporting runs no check."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import polars as pl

VERDICTS = ("failed", "warned", "not run", "passed")  # in the order of a reader's interest
_CHECKS = {"verdict": pl.String, "name": pl.String, "asset": pl.String, "blocks": pl.Boolean, "found": pl.String}
_PROBES = {"check": pl.String, "examined": pl.String, "poison": pl.String, "rows": pl.Int64}


def checks_frame(rows: list[tuple[str, str, str, bool, str]]) -> pl.DataFrame:
    """Return verdict, name, asset, whether it blocks and what it found of every check, the faulty ones first."""
    rows = sorted(rows, key=lambda row: (VERDICTS.index(row[0]), row[2], row[1]))
    return pl.DataFrame(rows, schema=_CHECKS, orient="row")


def probes_frame(rows: list[tuple[str, str, str, int]]) -> pl.DataFrame:
    """Return the check, what was examined, with which poison and how many rows were compared, of every probe."""
    return pl.DataFrame(rows, schema=_PROBES, orient="row")


def checks_from_csv(text: str) -> pl.DataFrame:
    """Return the table of checks that was written as CSV."""
    return pl.read_csv(text.encode(), schema=_CHECKS)


def probes_from_csv(text: str) -> pl.DataFrame:
    """Return the table of probes that was written as CSV."""
    return pl.read_csv(text.encode(), schema=_PROBES)


@dataclass(frozen=True, eq=False)
class Judged:
    """The results of the checks of a study, and what its leakage probes compared."""

    checks: pl.DataFrame = field(default_factory=lambda: checks_frame([]))
    probes: pl.DataFrame = field(default_factory=lambda: probes_frame([]))

    def __str__(self) -> str:
        counts = Counter(self.checks["verdict"])
        return ", ".join(f"{counts[verdict]} {verdict}" for verdict in reversed(VERDICTS) if counts[verdict])
