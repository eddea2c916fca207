"""Which rows must go so that no label touches a held-out part. The purge lives here, once; laying folds does not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from golden_core.inputs.windows import BoolArray, IntArray, TimeArray
from golden_core.splits.segments import Segments, positions, segments


@dataclass(frozen=True)
class Purged:
    """The rows that stay, and how many went to the purge and, beyond it, to the embargo."""

    rows: Segments
    purged: int
    embargoed: int


def purge(rows: Segments, held_out: Segments, available_at: TimeArray, *, horizon: int, embargo: int) -> Purged:
    """Drop the rows whose labels touch the labels of a held-out part, and those within the embargo of one.

    The label of row i spans the time from its cutoff to the moment when it is known, both included:
    ``available_at[i]`` to ``available_at[i + horizon]``. So a row before a held-out block must know its label before
    the block's first cutoff, and a row behind a block must have its cutoff after the block's last label is known. The
    embargo asks for that many more bars on either side: López de Prado's lies behind the block alone, for he lets
    training rows before it touch its windows; walk-forward folds have nothing but rows before it.

    Rows are positions in the pair's T bars; ``held_out`` blocks come in any order, an empty one holds nothing out.

    Raises
    ------
    ValueError
        If ``horizon`` is less than 1, ``embargo`` is negative, or a label reaches beyond the last bar.

    References
    ----------
    López de Prado (2018), Advances in Financial Machine Learning, sections 7.4.1 and 7.4.2.

    Examples
    --------
    Horizon 2 and embargo 1 around the test rows 10 … 14, whose labels read up to row 16:

    >>> days = np.datetime64("2024-01-01", "us") + np.arange(30) * np.timedelta64(1, "D")
    >>> purge((range(10), range(15, 28)), (range(10, 15),), days, horizon=2, embargo=1)
    Purged(rows=(range(0, 7), range(18, 28)), purged=4, embargoed=2)
    """
    if horizon < 1 or embargo < 0:
        raise ValueError(f"a purge needs horizon ≥ 1 and embargo ≥ 0, got horizon {horizon} and embargo {embargo}")
    last = max((run.stop - 1 for run in (*rows, *held_out)), default=-1)
    if last + horizon >= len(available_at) and last >= 0:
        raise ValueError(f"the label of row {last} reads {horizon} bars on, there are {len(available_at)} bars")
    candidates, blocks = positions(rows), tuple(block for block in held_out if block)
    overlapping = _touches(candidates, blocks, available_at, horizon, 0)
    near = _touches(candidates, blocks, available_at, horizon, embargo)
    return Purged(segments(candidates[~near]), int(overlapping.sum()), int((near & ~overlapping).sum()))


def _touches(rows: IntArray, blocks: Segments, available_at: TimeArray, horizon: int, gap: int) -> BoolArray:
    """Return which rows [N] have a label that, widened by ``gap`` bars on both sides, touches the labels of a block."""
    start = available_at[np.maximum(rows - gap, 0)]
    end = available_at[np.minimum(rows + horizon + gap, len(available_at) - 1)]
    found = np.zeros(len(rows), dtype=np.bool_)
    for block in blocks:
        found |= (start <= available_at[block.stop - 1 + horizon]) & (end >= available_at[block.start])
    return found
