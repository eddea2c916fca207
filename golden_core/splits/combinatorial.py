"""Combinatorial purged cross-validation: which rows it lays, and how its test parts join into paths.

Training rows may follow test rows: what such folds show is how a method fares over many histories, never skill in time.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import polars as pl

from golden_core.inputs.windows import IntArray
from golden_core.splits.folds import Layout, RowClock, settle
from golden_core.splits.segments import Segments, positions, segments
from golden_core.study import CombinatorialSection


def combinatorial(usable: range, splits: CombinatorialSection, clock: RowClock) -> Layout:
    """Lay one fold for every choice of ``test_groups`` of the ``groups`` that the usable rows are cut into.

    Folds come in lexicographic order of the groups they test. The last ``validation`` rows that a fold does not test
    are its validation part, the others train. Purge, embargo and closures are those of every scheme, on both sides of
    a test block. With one test group, the last fold is a walk-forward fold with an expanding window.

    Parameters
    ----------
    usable : range
        Rows with a full window and a label, as :func:`~golden_core.splits.folds.usable_rows` returns them.
    splits : CombinatorialSection
    clock : RowClock
        Of the bars that the rows are positions in.

    Returns
    -------
    Layout
        C(groups, test_groups) folds. Every row is tested in :func:`count_paths` of them; none is unused.

    Raises
    ------
    ValueError
        If nothing is left of a part, or a group has no rows.

    Notes
    -----
    Against ``skfolio.model_selection.CombinatorialPurgedCV`` 1.12 with ``purged_size`` = horizon and ``embargo_size`` =
    embargo: groups, test parts, the order of splits, the purge on both sides, the embargo behind a test block and the
    paths are the same. What differs: skfolio has no embargo before a test block, for López de Prado has none; here it
    is the same on both sides, as in walk-forward folds. skfolio has no validation part, and wants three groups and two
    test groups at least. skfolio counts samples, here labels are held apart by the clock; with bars in the order of
    time that is the same.

    References
    ----------
    López de Prado (2018), Advances in Financial Machine Learning, sections 7.4 and 12.4.
    """
    groups = cut_groups(usable, splits.groups)
    folds = []
    for index, chosen in enumerate(chosen_groups(splits.groups, splits.test_groups)):
        test = segments(positions(groups[group] for group in chosen))
        others = positions(block for group, block in enumerate(groups) if group not in chosen)
        fold = settle(
            index,
            train=segments(others[: -splits.validation]),
            validation=segments(others[-splits.validation :]),
            test=test,
            clock=clock,
            embargo=splits.embargo,
            closures=splits.closures,
        )
        folds.append(fold)
    return Layout(tuple(folds), unused_rows=0)


def cut_groups(usable: range, groups: int) -> Segments:
    """Return groups of ``len(usable) // groups`` consecutive rows; the last takes the remainder as well.

    Raises
    ------
    ValueError
        If there are fewer rows than groups.
    """
    length = len(usable) // groups
    if not length:
        raise ValueError(f"{len(usable)} usable rows make no {groups} groups: lower splits.groups, or give more bars")
    starts = [usable.start + group * length for group in range(groups)]
    return tuple(itertools.starmap(range, itertools.pairwise([*starts, usable.stop])))


def chosen_groups(groups: int, test_groups: int) -> list[tuple[int, ...]]:
    """Return the groups that each fold tests, in the order of the folds."""
    return list(itertools.combinations(range(groups), test_groups))


def count_paths(groups: int, test_groups: int) -> int:
    """Return φ, the number of folds that test one row, and so of paths: k / N · C(N, k) = C(N − 1, k − 1)."""
    return math.comb(groups - 1, test_groups - 1)


def path_folds(groups: int, test_groups: int) -> IntArray:
    """Return which fold forecasts each group on each path [φ, groups].

    Path p takes, for every group, the p-th of the folds that test it: so a path has every row once, and every fold
    gives each of its test groups to exactly one path.

    Examples
    --------
    >>> path_folds(4, 2)
    array([[0, 0, 1, 2],
           [1, 3, 3, 4],
           [2, 4, 5, 5]])
    """
    choices = chosen_groups(groups, test_groups)
    testing = [[fold for fold, chosen in enumerate(choices) if group in chosen] for group in range(groups)]
    return np.array(testing, dtype=np.int64).T


def with_paths(forecasts: pl.DataFrame) -> pl.DataFrame:
    """Add a column ``path`` to the forecasts of a combinatorial study, counted from 0.

    A row's path is the rank of its fold among the folds that forecast its cutoff, which is :func:`path_folds` read from
    the forecasts themselves. Within a trial and path every cutoff is there once: evaluate paths one by one, for pooled
    they hold every outcome φ times.

    Parameters
    ----------
    forecasts : DataFrame
        ``fold``, ``cutoff`` and any columns of ``forecaster``, ``pair``, ``horizon`` and ``seed``.
    """
    trial = [name for name in ("study", "forecaster", "pair", "horizon", "seed") if name in forecasts.columns]
    rank = pl.col("fold").rank("dense").over(*trial, "cutoff")
    return forecasts.with_columns(path=(rank - 1).cast(pl.Int32))
