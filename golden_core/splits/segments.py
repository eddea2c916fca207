"""Rows as sorted runs: ranges in the order of time, with a gap between any two. What a row is for is said elsewhere."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from golden_core.inputs.windows import IntArray

Segments = tuple[range, ...]


def positions(segments: Iterable[range]) -> IntArray:
    """Return the rows of the segments [N], in their order."""
    rows = [np.arange(run.start, run.stop, dtype=np.int64) for run in segments]
    return np.concatenate([np.empty(0, dtype=np.int64), *rows])


def segments(rows: npt.ArrayLike) -> Segments:
    """Return strictly increasing rows [N] as the fewest ranges: the inverse of :func:`positions`.

    Raises
    ------
    ValueError
        If a row does not come after the one before it.
    """
    sorted_rows = np.asarray(rows, dtype=np.int64)
    steps = np.diff(sorted_rows)
    if (steps < 1).any():
        raise ValueError(f"rows must increase, row {sorted_rows[1:][steps < 1][0]} does not")
    runs = np.split(sorted_rows, np.flatnonzero(steps > 1) + 1)
    return tuple(range(int(run[0]), int(run[-1]) + 1) for run in runs if len(run))


def size(segments: Iterable[range]) -> int:
    """Return how many rows the segments hold."""
    return sum(map(len, segments))
