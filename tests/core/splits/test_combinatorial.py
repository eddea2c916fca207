"""Combinatorial folds: López de Prado's counts, skfolio's splitter, paths, and walk-forward as the special case."""

import doctest
import importlib
import itertools
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skfolio.model_selection import CombinatorialPurgedCV
from support.folds import combinatorial_section, daily, even_clock, walk_forward_section

from golden_core.splits.combinatorial import (
    chosen_groups,
    combinatorial,
    count_paths,
    cut_groups,
    path_folds,
    with_paths,
)
from golden_core.splits.purging import purge
from golden_core.splits.schemes import lay_folds
from golden_core.splits.segments import positions, segments
from golden_core.splits.walk_forward import walk_forward


@st.composite
def designs(draw, most_groups=7):
    groups = draw(st.integers(2, most_groups))
    return groups, draw(st.integers(1, groups - 1))


@st.composite
def layouts(draw):
    """Groups long enough that the purge leaves something of every part."""
    groups, tested = draw(designs(6))
    horizon, embargo, validation = draw(st.integers(1, 12)), draw(st.integers(0, 8)), draw(st.integers(21, 40))
    # Every block that is not tested may lose 2 · (horizon + embargo) rows, and the validation part comes out of one.
    length = 2 * (horizon + embargo) + validation + draw(st.integers(41, 60))
    start = draw(st.integers(0, 30))
    usable = range(start, start + groups * length + draw(st.integers(0, groups - 1)))
    section = combinatorial_section(groups=groups, test_groups=tested, validation=validation, embargo=embargo)
    return usable, section, even_clock(usable.stop + horizon, horizon)


def rows(part):
    return set(positions(part.rows).tolist())


def labels(part, horizon):
    return {read for row in rows(part) for read in range(row, row + horizon + 1)}


def test_six_groups_two_tested_give_fifteen_splits_and_five_paths():
    # López de Prado (2018), section 12.4.1 and figure 12.1: N = 6, k = 2 give 15 splits and φ[6, 2] = 5 paths.
    folds = combinatorial(range(20, 620), combinatorial_section(), even_clock(700, 3)).folds
    assert len(folds) == len(chosen_groups(6, 2)) == 15
    assert count_paths(6, 2) == 5
    assert [fold.index for fold in folds] == list(range(15))
    tested = np.bincount(np.concatenate([positions(fold.test.rows) for fold in folds]), minlength=620)
    assert tested[20:].tolist() == [5] * 600
    # The assignment of figure 12.2: on path 1 groups 1 and 2 come from split 1, group 3 from split 2, and so on.
    assert path_folds(6, 2)[0].tolist() == [0, 0, 1, 2, 3, 4]
    assert path_folds(6, 2)[4].tolist() == [4, 8, 11, 13, 14, 14]


@given(designs())
def test_counts_are_those_of_the_formula(design):
    groups, tested = design
    splits = len(chosen_groups(groups, tested))
    assert splits == math.comb(groups, tested)
    assert count_paths(groups, tested) * groups == tested * splits


@given(designs())
def test_paths_take_every_group_once_and_every_test_group_of_every_fold_once(design):
    groups, tested = design
    paths, choices = path_folds(groups, tested), chosen_groups(groups, tested)
    assert paths.shape == (count_paths(groups, tested), groups)
    used = [(fold, group) for path in paths.tolist() for group, fold in enumerate(path)]
    assert len(used) == len(set(used)) == len(choices) * tested
    assert all(group in choices[fold] for fold, group in used)


@given(st.integers(0, 20), st.integers(1, 200), st.integers(1, 12))
def test_groups_cover_the_rows_in_order_with_the_remainder_in_the_last(start, length, groups):
    usable = range(start, start + length)
    if length < groups:
        with pytest.raises(ValueError, match=f"{length} usable rows make no {groups} groups"):
            cut_groups(usable, groups)
        return
    found = cut_groups(usable, groups)
    assert list(itertools.chain(*found)) == list(usable)
    assert {len(group) for group in found[:-1]} <= {length // groups}
    assert len(found[-1]) == length // groups + length % groups


@given(layouts())
def test_parts_are_disjoint_and_with_what_was_dropped_make_up_all_rows(layout):
    usable, section, clock = layout
    for fold in combinatorial(usable, section, clock).folds:
        parts = [rows(part) for part in fold.parts.values()]
        assert all(parts)
        assert sum(map(len, parts)) == len(set.union(*parts))
        assert set.union(*parts) <= set(usable)
        dropped = sum(part.purged + part.embargoed for part in fold.parts.values())
        assert sum(map(len, parts)) + dropped == sum(part.laid for part in fold.parts.values()) == len(usable)


@given(layouts())
def test_no_label_touches_a_held_out_one_and_the_embargo_is_kept(layout):
    usable, section, clock = layout
    for fold in combinatorial(usable, section, clock).folds:
        pairs = ((fold.train, fold.validation), (fold.train, fold.test), (fold.validation, fold.test))
        for part, held_out in pairs:
            forbidden = labels(held_out, clock.horizon)
            mine = labels(part, clock.horizon)
            assert not mine & forbidden
            for step in range(section.embargo + 1):
                assert not {row + step for row in mine} & forbidden
                assert not {row - step for row in mine} & forbidden


@given(layouts())
def test_every_row_is_tested_equally_often(layout):
    usable, section, clock = layout
    folds = combinatorial(usable, section, clock).folds
    tested = np.bincount(np.concatenate([positions(fold.test.rows) for fold in folds]), minlength=usable.stop)
    assert set(tested[usable.start :].tolist()) == {count_paths(section.groups, section.test_groups)}


@given(layouts(), st.integers(0, 2**32 - 1))
def test_paths_of_forecasts_hold_every_cutoff_once(layout, seed):
    usable, section, clock = layout
    folds = combinatorial(usable, section, clock).folds
    frames = [pl.DataFrame({"fold": fold.index, "cutoff": positions(fold.test.rows)}) for fold in folds]
    shuffled = pl.concat(frames).sample(fraction=1.0, shuffle=True, seed=seed)
    found = with_paths(shuffled)
    groups = cut_groups(usable, section.groups)
    for (path,), own in found.group_by("path"):
        assert sorted(own["cutoff"]) == list(usable)
        by_cutoff = dict(own.select("cutoff", "fold").iter_rows())
        from_design = path_folds(section.groups, section.test_groups)[path].tolist()
        for group, fold in zip(groups, from_design, strict=True):
            assert {by_cutoff[row] for row in group} == {fold}
    assert found["path"].n_unique() == count_paths(section.groups, section.test_groups)


def test_paths_are_those_of_a_trial():
    one = pl.DataFrame({"fold": [3, 5], "cutoff": [7, 7]})
    both = pl.concat([one.with_columns(seed=pl.lit(seed)) for seed in (0, 1)])
    assert with_paths(both)["path"].to_list() == [0, 1, 0, 1]


@given(layouts())
def test_the_last_fold_of_one_test_group_is_a_walk_forward_fold(layout):
    usable, section, clock = layout
    section = section.model_copy(update={"test_groups": 1})
    groups = cut_groups(usable, section.groups)
    walk = walk_forward_section(
        window="expanding", train=groups[-1].start - usable.start - section.validation, validation=section.validation,
        test=len(groups[-1]), step=len(groups[-1]), embargo=section.embargo,
    )  # fmt: skip
    (only,) = walk_forward(usable, walk, clock).folds
    last = combinatorial(usable, section, clock).folds[-1]
    assert (last.train, last.validation, last.test) == (only.train, only.validation, only.test)


@given(
    st.sampled_from([(3, 2), (4, 2), (4, 3), (5, 2), (5, 3), (6, 2), (6, 4), (7, 3)]),
    st.integers(1, 6),
    st.integers(0, 6),
    st.integers(14, 30),
    st.integers(0, 2),
)
def test_agrees_with_skfolio(design, horizon, embargo, length, remainder):
    """Groups, tests, order, purge, the embargo behind a block and the paths; no embargo before a block there."""
    groups, tested = design
    usable = range(groups * length + remainder)
    known = daily(len(usable) + horizon)
    theirs = CombinatorialPurgedCV(groups, tested, purged_size=horizon, embargo_size=embargo)
    blocks = cut_groups(usable, groups)
    found = list(theirs.split(np.zeros((len(usable), 1))))
    assert len(found) == theirs.n_splits == len(chosen_groups(groups, tested))
    assert theirs.n_test_paths == count_paths(groups, tested)
    assert theirs.recombined_paths.T.tolist() == path_folds(groups, tested).tolist()
    for chosen, (train, tests) in zip(chosen_groups(groups, tested), found, strict=True):
        assert [test.tolist() for test in tests] == [list(blocks[group]) for group in chosen]
        others = segments(positions(block for group, block in enumerate(blocks) if group not in chosen))
        test = segments(positions(blocks[group] for group in chosen))
        ours = positions(purge(others, test, known, horizon=horizon, embargo=embargo).rows).tolist()
        before = {block.start - horizon - 1 - gap for block in test for gap in range(embargo)}
        assert ours == [row for row in train.tolist() if row not in before]


def test_whole_folds_agree_with_skfolio_apart_from_the_validation_part():
    theirs = CombinatorialPurgedCV(6, 2, purged_size=5, embargo_size=0)
    folds = combinatorial(range(120), combinatorial_section(validation=6, embargo=0), even_clock(125, 5)).folds
    for fold, (train, tests) in zip(folds, theirs.split(np.zeros((120, 1))), strict=True):
        tested = np.concatenate(tests)
        assert rows(fold.test) == set(tested.tolist())
        validation = np.setdiff1d(np.arange(120), tested)[-6:]
        assert rows(fold.validation) == set(validation.tolist()) & set(train.tolist())
        assert rows(fold.train) == {row for row in train.tolist() if row + 5 < validation[0]}


def test_lay_folds_follows_the_scheme():
    usable, clock = range(10, 400), even_clock(410, 3)
    walk, combined = walk_forward_section(), combinatorial_section()
    assert lay_folds(usable, walk, clock) == walk_forward(usable, walk, clock)
    assert lay_folds(usable, combined, clock) == combinatorial(usable, combined, clock)


def test_groups_too_short_for_the_purge_are_refused_with_their_account():
    with pytest.raises(ValueError, match=r"nothing is left of fold 0 train: of 20 rows, the purge dropped"):
        combinatorial(range(60), combinatorial_section(embargo=9), even_clock(70, 10))


def test_docstring_examples():
    results = doctest.testmod(importlib.import_module("golden_core.splits.combinatorial"))
    assert results.attempted > 0
    assert results.failed == 0
