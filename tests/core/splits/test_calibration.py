"""Rows that calibrate lie last, are counted right, and nothing that remains touches their labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_core.splits.calibration import set_apart
from golden_core.splits.segments import positions

DAYS = np.datetime64("2024-01-01", "us") + np.arange(200) * np.timedelta64(1, "D")


@given(st.integers(20, 120), st.floats(0.01, 0.6), st.integers(1, 5), st.integers(0, 3))
def test_the_last_rows_calibrate_and_no_other_label_touches_theirs(count, share, horizon, embargo):
    validation = (range(10, 10 + count // 2), range(15 + count // 2, 15 + count))
    every = positions(validation)
    try:
        kept, apart = (positions(part) for part in set_apart(validation, share, DAYS, horizon=horizon, embargo=embargo))
    except ValueError:
        assert len(every) - np.ceil(share * len(every) - 1e-9) <= horizon + embargo
        return
    assert np.array_equal(apart, every[len(every) - int(np.ceil(share * len(every) - 1e-9)) :])
    assert (kept + horizon + embargo < apart[0]).all()
    dropped = np.setdiff1d(every, np.concatenate([kept, apart]))
    assert (dropped + horizon + embargo >= apart[0]).all()


@pytest.mark.parametrize(("share", "count", "expected"), [(0.28, 25, 7), (0.07, 100, 7), (0.28, 26, 8), (0.01, 20, 1)])
def test_a_share_is_that_of_the_decimals_which_a_study_states(share, count, expected):
    """0.28 × 25 is 7.000000000000001 in floating point: eight rows would be set apart."""
    _, apart = set_apart((range(count),), share, DAYS, horizon=1, embargo=0)
    assert len(positions(apart)) == expected


def test_nothing_left_is_refused_with_the_fix():
    with pytest.raises(ValueError, match=r"beside 9 of 10 .* lower quantiles\.calibration\.share"):
        set_apart((range(10, 20),), 0.9, DAYS, horizon=1, embargo=0)
