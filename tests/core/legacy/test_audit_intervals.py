"""Intervals: printed numbers hold what was rounded; overlaps and points against brute force."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_core.legacy.audit.intervals import Interval, between, common, fewest_points, largest_overlap
from golden_core.legacy.audit.printed import parse

ENDS = st.integers(0, 12)
INTERVALS = st.lists(
    st.tuples(ENDS, ENDS | st.none()).map(
        lambda ends: Interval(Fraction(ends[0]), None if ends[1] is None else Fraction(max(ends)))
    ),
    min_size=1,
    max_size=7,
).map(lambda listed: {str(i): interval for i, interval in enumerate(listed)})


@given(st.decimals("-1e6", "1e6", places=9), st.integers(0, 8))
def test_a_printed_number_holds_what_was_rounded(value, places):
    step = Decimal(1).scaleb(-places)
    for rounding in (ROUND_HALF_EVEN, ROUND_HALF_UP):
        found = parse(f"{value.quantize(step, rounding):f}", decimal_comma=False)
        assert found is not None
        assert Fraction(value) in found.interval()
        assert Fraction(value) in found.interval("twice")
    cut = parse(f"{value.quantize(step, ROUND_DOWN):f}", decimal_comma=False)
    assert cut is not None
    assert Fraction(value) in cut.interval("cut_off")
    twice = value.quantize(step / 10, ROUND_HALF_UP).quantize(step, ROUND_HALF_UP)
    found = parse(f"{twice:f}", decimal_comma=False)
    assert found is not None
    assert Fraction(value) in found.interval("twice")


@given(INTERVALS)
def test_the_largest_overlap_is_the_largest(intervals):
    sizes = [
        [subset for subset in combinations(intervals, size) if common(intervals[name] for name in subset)]
        for size in range(1, len(intervals) + 1)
    ]
    largest = max((subsets for subsets in sizes if subsets), key=lambda subsets: len(subsets[0]))
    found, unique = largest_overlap(intervals)
    assert found in largest
    assert unique == (len(largest) == 1)


@given(INTERVALS)
def test_the_fewest_points_are_the_fewest(intervals):
    found = fewest_points(intervals)
    assert sorted(name for names in found for name in names) == sorted(intervals)
    assert all(common(intervals[name] for name in names) for names in found)
    points = [Fraction(point) for point in range(13)]
    assert not any(
        all(any(point in interval for point in chosen) for interval in intervals.values())
        for chosen in combinations(points, len(found) - 1)
    )


@given(st.fractions(-(10**6), 10**6), st.fractions(0, 10**6))
def test_written_intervals_hold_the_true_ones(low, width):
    text = between(Interval(low, low + width))
    first, second = text.strip("[]").split(", ")
    assert Fraction(first) <= low
    assert Fraction(second) >= low + width


def test_written_intervals_without_an_end():
    assert between(Interval(Fraction(1, 3), None)) == "[0.333, ∞]"


@pytest.mark.parametrize(
    ("above", "low", "high"), [((0, 1), 2, 4), ((0, 2), 2, None), ((0, 0), None, None), ((2, 4), Fraction(1, 2), 2)]
)
def test_quotients(above, low, high):
    divisor = Interval(Fraction(above[0]), Fraction(above[1]))
    found = Interval(Fraction(2), Fraction(4)).divided(divisor)
    if low is None:
        assert found is None
    else:
        assert found is not None
        assert found.low == (Fraction(2) / above[1])
        assert found.high == (None if above[0] == 0 else Fraction(4) / above[0])
