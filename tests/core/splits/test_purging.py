"""purge: agreement with the definition, spelled out in sets of rows and in spans of time."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.folds import daily

from golden_core.splits.purging import Purged, purge
from golden_core.splits.segments import positions, segments, size

HORIZONS = st.integers(1, 20)
EMBARGOES = st.integers(0, 15)
BARS = 260


@st.composite
def choices(draw):
    """Candidate rows and held-out rows, disjoint, each in any number of runs."""
    last = BARS - 20
    edges = sorted(draw(st.lists(st.integers(0, last), min_size=9, max_size=9)))
    blocks = list(itertools.starmap(range, itertools.pairwise(edges)))
    kinds = draw(st.lists(st.sampled_from(["candidate", "held out", "neither"]), min_size=8, max_size=8))
    chosen = ("candidate", "held out")
    return [segments(positions(b for b, k in zip(blocks, kinds, strict=True) if k == kind)) for kind in chosen]


def clock_with_closures(generator):
    """Bars that follow each other after anything from an hour to four days."""
    hours = generator.integers(1, 96, size=BARS)
    return np.datetime64("2020-01-01", "us") + np.cumsum(hours) * np.timedelta64(1, "h")


@given(choices(), HORIZONS, EMBARGOES)
def test_agrees_with_the_definition_in_rows(choice, horizon, embargo):
    candidates, held_out = choice
    found = purge(candidates, held_out, daily(BARS), horizon=horizon, embargo=embargo)

    def span(row, gap):
        return set(range(row - gap, row + horizon + gap + 1))

    forbidden = set().union(*(span(row, 0) for row in positions(held_out).tolist()), set())
    rows = positions(candidates).tolist()
    clear = [row for row in rows if not span(row, 0) & forbidden]
    assert positions(found.rows).tolist() == [row for row in clear if not span(row, embargo) & forbidden]
    assert found.purged == len(rows) - len(clear)
    assert found.embargoed == len(clear) - size(found.rows)


@given(choices(), HORIZONS, EMBARGOES, st.integers(0, 2**32 - 1))
def test_kept_and_held_out_labels_share_no_moment(choice, horizon, embargo, seed):
    """By the clock, whatever lies between two bars."""
    candidates, held_out = choice
    known = clock_with_closures(np.random.default_rng(seed))
    kept = positions(purge(candidates, held_out, known, horizon=horizon, embargo=embargo).rows)
    others = positions(held_out)
    start, end = known[kept][:, None], known[kept + horizon][:, None]
    assert ((end < known[others]) | (start > known[others + horizon])).all()


@given(choices(), HORIZONS, EMBARGOES)
def test_the_clock_decides_as_the_rows_do_where_bars_are_in_order(choice, horizon, embargo):
    candidates, held_out = choice
    even = purge(candidates, held_out, daily(BARS), horizon=horizon, embargo=embargo)
    uneven = clock_with_closures(np.random.default_rng(horizon))
    assert purge(candidates, held_out, uneven, horizon=horizon, embargo=embargo) == even


def test_two_bars_known_at_once_are_not_apart():
    # A label that is known at the moment of the first held-out cutoff is not known before it.
    known = daily(30)
    assert purge((range(10),), (range(10, 15),), known, horizon=1, embargo=0).rows == (range(9),)
    known[9] = known[10]
    assert purge((range(10),), (range(10, 15),), known, horizon=1, embargo=0).rows == (range(8),)


@pytest.mark.parametrize(
    ("rows", "held_out", "kept"),
    [
        # Label of row 6 reads rows 7 and 8, the gap is row 9, the held-out part starts at row 10.
        (range(10), range(10, 20), (range(7),)),
        # The label of row 19 is known with row 21; row 22 is the gap, row 23 the first that may train.
        (range(20, 30), range(10, 20), (range(23, 30),)),
        (range(10, 13), range(8, 10), ()),
    ],
    ids=["before", "behind", "all rows"],
)
def test_by_hand(rows, held_out, kept):
    assert purge((rows,), (held_out,), daily(40), horizon=2, embargo=1) == Purged(kept, 2, 1)


def test_nothing_held_out_drops_nothing():
    for held_out in ((), (range(10, 10),)):
        assert purge((range(5), range(7, 9)), held_out, daily(20), horizon=3, embargo=4).rows == (range(5), range(7, 9))


@pytest.mark.parametrize(("horizon", "embargo"), [(0, 0), (-1, 3), (1, -1)])
def test_refuses_what_would_leak(horizon, embargo):
    with pytest.raises(ValueError, match=f"got horizon {horizon} and embargo {embargo}"):
        purge((range(10),), (range(10, 12),), daily(20), horizon=horizon, embargo=embargo)


def test_refuses_a_label_beyond_the_last_bar():
    with pytest.raises(ValueError, match="the label of row 9 reads 2 bars on, there are 11 bars"):
        purge((range(5),), (range(8, 10),), daily(11), horizon=2, embargo=0)
    assert purge((range(5),), (range(8, 10),), daily(12), horizon=2, embargo=0)
