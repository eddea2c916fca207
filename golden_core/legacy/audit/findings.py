"""The words of an audit: findings, verdicts, readings, test sets. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from golden_core.legacy.audit.intervals import Interval

# certainly_wrong: no way of rounding or averaging gives these numbers. different_test_sets: right for each row by
# itself, but not for rows scored on one test set. inconsistent: so many rows contradict each other that none can be
# singled out. open: an innocent reading remains that the table cannot exclude.
Verdict = Literal["certainly_wrong", "different_test_sets", "inconsistent", "open"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

# The declared nature of the rows: single runs, or means over seeds of one test set, or means over data sets.
Averaging = Literal["undeclared", "none", "seeds", "datasets"]

Kind = Literal[
    "impossible_value",
    "rmse_squared_above_mse",
    "rmse_squared_below_mse",
    "mae_above_rmse",
    "disguised_column",
    "target_variance",
    "ranking",
]


@dataclass(frozen=True)
class Reading:
    """One innocent way to read a finding, and whether it would do.

    ``explains``: recomputed under this reading, the contradiction is gone. ``excluded``: it is still there, or the
    reading moves the numbers the other way. ``open``: the table cannot tell; the sentence says what it would take.
    """

    name: str
    status: Literal["explains", "excluded", "open"]
    sentence: str


@dataclass(frozen=True)
class Finding:
    """Something that the printed numbers contradict, the rows it is about, and how else it could be read."""

    kind: Kind
    verdict: Verdict
    rows: tuple[str, ...]
    sentence: str
    evidence: tuple[str, ...]
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True)
class RowSet:
    """Rows that can share one test set, and the target variances they can share (squared unit of the target)."""

    name: str  # what the table says; "" where it says nothing
    number: int  # 1 for the largest set of rows under that name
    rows: tuple[str, ...]
    variance: Interval


def settle(readings: Iterable[Reading], otherwise: Verdict) -> Verdict:
    """Return "open" where a reading explains the finding, else the verdict."""
    return "open" if any(reading.status == "explains" for reading in readings) else otherwise
