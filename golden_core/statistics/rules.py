"""Where a test is not made, because it would not keep its size there, as calibration.py measures."""

from __future__ import annotations

from typing import Literal

from golden_core.statistics.long_run import LEAST_COEFFICIENTS as LEAST_COEFFICIENTS
from golden_core.statistics.long_run import TOO_SHORT, coefficients

# The last two are calibrated beside the others and decide nothing.
Kind = Literal[
    "more_accurate", "predicts", "equivalent", "covers", "profitable", "superior", "confidence_set",
    "coverage_interval", "hln_rectangular",
]  # fmt: skip

LEAST_FITTED = 8  # cosine coefficients for moments of fitted forecasts, and for signs of those that wander
LEAST_BLOCKS = 40  # n / 2h for tests of many
LEAST_HALVED = 12  # half the cosine coefficients, for the best of many: at 10 its size is .067 among 20, .071 among 40
LEAST_MISSES = 20  # values expected outside an interval, each counted once in h
LEAST_APART = 24  # n / 2h for claims of skill: below, the few coefficients are those of overlap
OF_SKILL = ("more_accurate", "predicts", "profitable")
OF_MANY = ("superior", "confidence_set")


def refused(kind: Kind, n: int, horizon: int, *, level: float = 0.9) -> str:
    """Return why a test of ``n`` times at this horizon is not made, or "" where it is. ``level`` is an interval's."""
    count = coefficients(n, horizon)
    if count < LEAST_COEFFICIENTS:
        return TOO_SHORT
    if kind in OF_SKILL and count < LEAST_FITTED:
        return f"{count} cosine coefficients: a test of skill needs {LEAST_FITTED}"
    if kind in OF_SKILL and n / (2 * horizon) < LEAST_APART:
        return f"{n} times at horizon {horizon}: a test of skill needs {2 * LEAST_APART * horizon}"
    if kind in OF_MANY and n / (2 * horizon) < LEAST_BLOCKS:
        return f"{n} times at horizon {horizon}: a test of many needs {2 * LEAST_BLOCKS * horizon}"
    if kind == "superior" and count // 2 < LEAST_HALVED:
        return f"{count // 2} halved cosine coefficients: a test of the best of many needs {LEAST_HALVED}"
    misses = n * min(level, 1 - level) / horizon
    if kind == "covers" and misses < LEAST_MISSES:
        return f"{misses:.1f} independent misses expected: a test of coverage needs {LEAST_MISSES}"
    return ""


def rarest(level: float, margin: float) -> float:
    """Return the level of the interval that a test of coverage has to tell its own from: fewest lie outside it, or in.

    Its size is that at the margin, where the rule's number of misses is wanted, not at the level.
    """
    return 0.5 + abs(level - 0.5) + margin
