"""walk_forward: what must hold for any lengths and horizons, and what is refused."""

import doctest
import importlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.folds import Ranges, walk_forward
from support.folds import walk_forward_section as splits_section

from golden_core.splits.folds import usable_rows

NO_GAP, SOME_GAP = st.just(0), st.integers(0, 50)


@st.composite
def layouts(draw, gaps=SOME_GAP):
    """Any lengths of which the purge leaves something, any horizon, and rows for one to a few folds."""
    horizon, embargo = draw(st.integers(1, 30)), draw(st.integers(0, 20))
    shortest = horizon + embargo + 1
    test = draw(st.integers(1, 200))
    splits = splits_section(
        window=draw(st.sampled_from(["rolling", "expanding"])),
        train=draw(st.integers(shortest, 200)),
        validation=draw(st.integers(shortest, 200)),
        test=test,
        step=test + draw(gaps),
        embargo=embargo,
    )
    needed = splits.train + splits.validation + splits.test
    start = draw(st.integers(0, 100))
    return range(start, start + needed + draw(st.integers(0, 4 * splits.step))), splits, horizon


def labels(rows, horizon):
    return {read for row in rows for read in range(row + 1, row + horizon + 1)}


@given(layouts())
def test_parts_are_usable_and_in_order_and_no_label_comes_nearer_to_a_later_one_than_the_embargo(layout):
    usable, splits, horizon = layout
    folds = walk_forward(usable, splits, horizon).folds
    for fold in folds:
        train, validation, test = (set(rows) for rows in fold.parts.values())
        assert train
        assert validation
        assert len(test) == splits.test
        assert max(train) < min(validation) <= max(validation) < min(test)
        assert train | validation | test <= set(usable)
        # Not the rows of the later parts, and so not their labels either, which lie further on.
        later = {"train": validation | test, "validation": test}
        for part, held_out in later.items():
            assert not labels(fold.parts[part], horizon) & (held_out | labels(held_out, horizon))
            assert min(held_out) - 1 - max(labels(fold.parts[part], horizon)) == splits.embargo
    tested = [row for fold in folds for row in fold.test]
    assert len(tested) == len(set(tested))


@given(layouts(gaps=NO_GAP))
def test_adjacent_test_parts_use_every_row_once(layout):
    usable, splits, horizon = layout
    result = walk_forward(usable, splits, horizon)
    tested = [row for fold in result.folds for row in fold.test]
    first = usable.start + splits.train + splits.validation
    assert tested == list(range(first, usable.stop - result.unused_rows))
    assert 0 <= result.unused_rows < splits.test


@given(layouts())
def test_only_full_test_parts_form_folds_and_the_rest_is_reported(layout):
    usable, splits, horizon = layout
    result = walk_forward(usable, splits, horizon)
    last = result.folds[-1].test
    assert result.unused_rows == usable.stop - last.stop >= 0
    assert last.stop + splits.step > usable.stop  # one more fold would not have fitted


@given(layouts(), st.integers(0, 500))
def test_appended_bars_change_no_fold(layout, appended):
    usable, splits, horizon = layout
    before = walk_forward(usable, splits, horizon).folds
    after = walk_forward(range(usable.start, usable.stop + appended), splits, horizon).folds
    assert after[: len(before)] == before


@given(layouts())
def test_windows_roll_or_expand(layout):
    usable, splits, horizon = layout
    first, *others = walk_forward(usable, splits, horizon).folds
    assert first.train.start == usable.start
    for fold in others:
        shift = fold.index * splits.step
        assert fold.test.start == first.test.start + shift
        assert fold.validation.start == first.validation.start + shift
        assert fold.train.stop == first.train.stop + shift
        assert fold.train.start == usable.start + (shift if splits.window == "rolling" else 0)


@given(
    st.integers(0, 700),
    st.integers(1, 200),
    st.integers(1, 200),
    st.integers(1, 200),
    st.integers(1, 30),
    st.integers(0, 20),
)
def test_refuses_exactly_what_does_not_fit(n, train, validation, test, horizon, embargo):
    splits = splits_section(train=train, validation=validation, test=test, step=test, embargo=embargo)
    fits = train + validation + test <= n and min(train, validation) > horizon + embargo
    if fits:
        assert walk_forward(range(n), splits, horizon).folds
    else:
        with pytest.raises(ValueError, match=r"one fold needs|nothing is left of"):
            walk_forward(range(n), splits, horizon)


def test_by_hand():
    # Rows 5 … 34; parts of 10, 8 and 5; horizon 2 and embargo 1 take three rows from the first two.
    splits = splits_section(window="expanding", train=10, validation=8, test=5, step=6, embargo=1)
    result = walk_forward(range(5, 35), splits, 2)
    assert result.folds == (
        Ranges(0, range(5, 12), range(15, 20), range(23, 28)),
        Ranges(1, range(5, 18), range(21, 26), range(29, 34)),
    )
    assert result.unused_rows == 1


@pytest.mark.parametrize("part", ["train", "validation"])
def test_an_empty_part_is_named_with_its_lengths_and_the_fix(part):
    with pytest.raises(ValueError, match="nothing is left of") as caught:
        walk_forward(range(1000), splits_section(**{part: 12}), 10)
    for words in (f"the {part} part", f"splits.{part} is 12 rows", "10 (the horizon)", "embargo 2", "at least 13"):
        assert words in str(caught.value)
    walk_forward(range(1000), splits_section(**{part: 13}), 10)  # the fix that the message names works


def test_too_few_rows_are_named():
    with pytest.raises(ValueError, match=r"needs 90 usable rows .* horizon 5 has 89"):
        walk_forward(range(7, 96), splits_section(), 5)
    assert len(walk_forward(range(7, 97), splits_section(), 5).folds) == 1


def test_a_pair_shorter_than_its_warm_up_has_too_few_rows():
    with pytest.raises(ValueError, match="has 0"):
        walk_forward(usable_rows(30, warm_up=20, context_length=60, horizon=5), splits_section(), 5)


@given(st.integers(0, 50), st.integers(1, 50), st.integers(1, 30), st.integers(0, 200))
def test_usable_rows_have_a_full_window_and_a_label(warm_up, context_length, horizon, n_bars):
    def usable(row):
        window = range(row - context_length + 1, row + 1)
        return window.start >= warm_up and row + horizon <= n_bars - 1

    rows = usable_rows(n_bars, warm_up=warm_up, context_length=context_length, horizon=horizon)
    assert list(rows) == [row for row in range(n_bars) if usable(row)]


@pytest.mark.parametrize("name", ["calibration", "purging", "walk_forward"])
def test_examples_of_docstrings(name):
    results = doctest.testmod(importlib.import_module(f"golden_core.splits.{name}"))
    assert results.attempted > 0
    assert results.failed == 0
