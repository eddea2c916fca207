"""purge: agreement with the definition, spelled out in sets of rows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_core.splits.purging import purge

horizons = st.integers(1, 30)
embargoes = st.integers(0, 20)


def purge_by_sets(rows, boundary, horizon, embargo):
    """The definition: a row goes when its own place, its label or the gap behind it touches the next part."""
    next_part = set(range(boundary, boundary + len(rows) + horizon + embargo + 300))
    kept = []
    for row in rows:
        label = set(range(row + 1, row + horizon + 1))
        gap = set(range(row + horizon + 1, row + horizon + embargo + 1))
        if not ({row} | label | gap) & next_part:
            kept.append(row)
    return kept


@given(st.integers(0, 300), st.integers(0, 200), st.integers(-60, 60), horizons, embargoes)
def test_agrees_with_the_definition(start, length, shift, horizon, embargo):
    rows = range(start, start + length)
    boundary = max(0, rows.stop + shift)
    kept = purge(rows, boundary, horizon=horizon, embargo=embargo)
    assert list(kept) == purge_by_sets(rows, boundary, horizon, embargo)


@given(st.integers(0, 300), st.integers(1, 200), horizons, embargoes)
def test_drops_exactly_horizon_plus_embargo_rows_before_an_adjacent_part(start, length, horizon, embargo):
    rows = range(start, start + length)
    kept = purge(rows, rows.stop, horizon=horizon, embargo=embargo)
    assert len(kept) == max(0, length - horizon - embargo)
    assert list(kept) == list(rows)[: len(kept)]


def test_by_hand():
    # Label of row 6 reads rows 7 and 8, the gap is row 9, the next part starts at row 10.
    assert purge(range(10), 10, horizon=2, embargo=1) == range(7)


@pytest.mark.parametrize(("horizon", "embargo"), [(0, 0), (-1, 3), (1, -1)])
def test_refuses_what_would_leak(horizon, embargo):
    with pytest.raises(ValueError, match=f"got horizon {horizon} and embargo {embargo}"):
        purge(range(10), 10, horizon=horizon, embargo=embargo)
