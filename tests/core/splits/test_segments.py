"""Segments: the fewest ranges, and back."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_core.splits.segments import positions, segments, size


@given(st.sets(st.integers(0, 60)))
def test_round_trip_in_the_fewest_ranges(rows):
    runs = segments(sorted(rows))
    assert positions(runs).tolist() == sorted(rows)
    assert size(runs) == len(rows)
    assert all(len(run) and run.step == 1 for run in runs)
    assert all(earlier.stop < later.start for earlier, later in itertools.pairwise(runs))


def test_by_hand():
    assert segments([3, 4, 5, 9, 11, 12]) == (range(3, 6), range(9, 10), range(11, 13))
    assert segments([]) == ()
    assert positions(()).tolist() == []


@pytest.mark.parametrize("rows", [[1, 1], [2, 1], [1, 2, 2]])
def test_rows_that_do_not_increase_are_refused(rows):
    with pytest.raises(ValueError, match=r"rows must increase, row [12] does not"):
        segments(rows)
