"""From the study's section to folds, whatever the scheme. The schemes themselves have files of their own."""

from __future__ import annotations

from golden_core.splits.combinatorial import combinatorial
from golden_core.splits.folds import Layout, RowClock
from golden_core.splits.walk_forward import walk_forward
from golden_core.study import CombinatorialSection, SplitsSection


def lay_folds(usable: range, splits: SplitsSection, clock: RowClock) -> Layout:
    """Lay the folds that a study asks for over the usable rows of one series.

    Raises
    ------
    ValueError
        If the rows cannot carry the folds; says what to change.
    """
    if isinstance(splits, CombinatorialSection):
        return combinatorial(usable, splits, clock)
    return walk_forward(usable, splits, clock)
