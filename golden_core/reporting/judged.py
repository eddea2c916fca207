"""What the checks said when a page was written. Whoever keeps their results hands them in: reporting runs no check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

VERDICTS = ("failed", "warned", "not run", "passed")  # in the order of a reader's interest
_CHECKS = {"verdict": pl.String, "name": pl.String, "asset": pl.String, "blocks": pl.Boolean, "found": pl.String}
_PROBES = {"check": pl.String, "examined": pl.String, "poison": pl.String, "rows": pl.Int64}


@dataclass(frozen=True, eq=False)
class Judged:
    """The results of the checks of a study, and what its leakage probes compared."""

    checks: pl.DataFrame
    probes: pl.DataFrame

    @classmethod
    def of(
        cls, checks: Iterable[tuple[str, str, str, bool, str]] = (), probes: Iterable[tuple[str, str, str, int]] = ()
    ) -> Judged:
        """Return verdict, name, asset, whether it blocks and what it found of every check, the faulty ones first.

        And of every probe the check, what was examined, with which poison and how many rows were compared.
        """
        ordered = sorted(checks, key=lambda row: (VERDICTS.index(row[0]), row[2], row[1]))
        return cls(
            pl.DataFrame(ordered, schema=_CHECKS, orient="row"),
            pl.DataFrame(list(probes), schema=_PROBES, orient="row"),
        )

    @classmethod
    def read(cls, checks: str, probes: str) -> Judged:
        """Return what was written as CSV."""
        return cls(pl.read_csv(checks.encode(), schema=_CHECKS), pl.read_csv(probes.encode(), schema=_PROBES))

    def __str__(self) -> str:
        counts = Counter(self.checks["verdict"])
        return ", ".join(f"{counts[verdict]} {verdict}" for verdict in reversed(VERDICTS) if counts[verdict])
