"""Windows: views without copies, no NaN, and a past that ends at its own cutoff."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_core.inputs.windows import Examples, Target, cut_windows

T, L, F = 50, 5, 3
RETURN = Target("log_return", 0.0, 1.0)


def _inputs(length=T):
    """Return a matrix whose entry says where it stands, closes, and times."""
    return {
        "matrix": (np.arange(length)[:, None] * 10 + np.arange(F)).astype(np.float32),
        "closes": 1.0 + np.arange(length) / 100,
        "available_at": np.datetime64("2024-01-01T16", "us") + np.arange(length) * np.timedelta64(1, "D"),
    }


def _cut(rows, **changes):
    given = _inputs() | {"rows": rows, "context_length": L, "horizon": 1, "target": RETURN} | changes
    return cut_windows(**given)


class TestCutting:
    def test_each_window_ends_at_its_own_row(self):
        windows = _cut(range(10, 20))
        assert windows.X.shape == (10, L, F)
        for index, row in enumerate(range(10, 20)):
            assert np.array_equal(windows.X[index], _inputs()["matrix"][row - L + 1 : row + 1])
            assert windows.cutoffs[index] == _inputs()["available_at"][row]
            assert windows.last_close[index] == _inputs()["closes"][row]

    def test_nothing_is_copied_and_nothing_can_be_written(self):
        given = _inputs()
        windows = _cut(range(10, 20), **given)
        assert np.shares_memory(windows.X, given["matrix"])
        assert np.shares_memory(windows.past(9), given["closes"])
        with pytest.raises(ValueError, match=r"read-only"):
            windows.X[0, 0, 0] = 1.0
        with pytest.raises(ValueError, match=r"read-only"):
            windows.past(0)[0] = 1.0

    def test_rows_with_gaps_give_the_windows_of_those_rows(self):
        rows = np.array([10, 11, 15, 19])
        some, all_ = _cut(rows), _cut(range(10, 20))
        assert np.array_equal(some.X, all_.X[rows - 10])
        assert np.array_equal(some.cutoffs, all_.cutoffs[rows - 10])
        assert np.array_equal(some.last_close, all_.last_close[rows - 10])
        assert some.positions.tolist() == rows.tolist()
        assert np.array_equal(some.past(2), all_.past(5))
        assert np.array_equal(some.recent_closes(4), all_.recent_closes(4)[rows - 10])
        assert len(some._closes) == 20

    def test_nothing_of_rows_with_gaps_can_be_written_either(self):
        rows = np.array([10, 12])
        windows = _cut(rows)
        rows[0] = 5  # the caller's array is its own
        assert windows.positions.tolist() == [10, 12]
        for array in (windows.X, windows.positions):
            with pytest.raises(ValueError, match=r"read-only"):
                array[0] = 1

    @pytest.mark.parametrize("rows", [[11, 10], [10, 10]])
    def test_rows_out_of_order_or_twice_are_refused(self, rows):
        with pytest.raises(ValueError, match=r"in the order of time, each once"):
            _cut(np.array(rows))

    @pytest.mark.parametrize("rows", [range(L - 2, 10), range(10)])
    def test_too_short_a_history_is_refused(self, rows):
        with pytest.raises(ValueError, match=rf"row {rows[0]} has {rows[0] + 1} bars behind it, a window needs 5"):
            _cut(rows)
        assert len(_cut(range(L - 1, 10))) == 10 - L + 1  # and the first possible row is not

    def test_no_rows_are_refused(self):
        with pytest.raises(ValueError, match=r"there are no rows"):
            _cut(range(10, 10))

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_a_value_that_is_not_finite_is_refused_with_its_place(self, bad):
        given = _inputs()
        given["matrix"][12, 1] = bad
        with pytest.raises(ValueError, match=r"feature 1 is not finite at cutoff 2024-01-13T16.*, 0 bars back"):
            _cut(range(10, 20), **given)
        _cut(range(12 + L, 20), **given)  # out of every window, it does not matter

    @pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0, -1.0])
    def test_a_close_that_is_no_price_is_refused(self, bad):
        given = _inputs()
        given["closes"][3] = bad
        with pytest.raises(ValueError, match=r"a close up to the last cutoff is not a positive number"):
            _cut(range(10, 20), **given)


class TestThePast:
    def test_it_ends_at_the_cutoff(self):
        windows = _cut(range(10, 20))
        for index in range(len(windows)):
            assert np.array_equal(windows.past(index), _inputs()["closes"][: 11 + index])
        assert len(windows._closes) == 20  # no close after the last cutoff is anywhere in the object

    def test_the_future_changes_nothing(self):
        given = _inputs()
        given["matrix"][20:], given["closes"][20:] = np.nan, np.nan
        before, after = _cut(range(10, 20)), _cut(range(10, 20), **given)
        assert np.array_equal(before.X, after.X)
        assert np.array_equal(before.past(9), after.past(9))

    def test_recent_closes(self):
        windows = _cut(range(10, 20))
        found = windows.recent_closes(11)
        assert found.shape == (10, 11)
        for index in range(10):
            assert np.array_equal(found[index], windows.past(index)[-11:])
        with pytest.raises(ValueError, match=r"needs 12 closes before the first cutoff, there are 11"):
            windows.recent_closes(12)


class TestTarget:
    @given(
        name=st.sampled_from(["log_return", "close"]),
        mean=st.floats(-1, 1),
        scale=st.floats(0.01, 10),
        log_return=st.floats(-0.2, 0.2),
        close=st.floats(0.5, 2),
    )
    def test_round_trip(self, name, mean, scale, log_return, close):
        target = Target(name, mean, scale)
        returns, closes = np.array([log_return]), np.array([close])
        standardised = target.standardise(returns, closes)
        assert standardised.dtype == np.float32
        # float32 holds 24 bits of (raw − mean) / scale, and the level divides by a close of at least a half.
        tolerance = 4 * (abs(float(standardised[0])) * scale + 1) * 2.0**-24 / (0.5 * np.exp(-0.2))
        assert target.log_return(standardised, closes) == pytest.approx(returns, abs=tolerance)

    def test_a_zero_forecast_of_standardised_returns_is_the_mean(self):
        assert Target("log_return", 0.25, 2.0).log_return(np.zeros(3), np.ones(3)).tolist() == [0.25] * 3

    def test_a_forecast_level_that_is_not_positive_is_refused(self):
        with pytest.raises(ValueError, match=r"1 forecast prices are not positive; the lowest is -0.5"):
            Target("close", 0.5, 1.0).log_return(np.array([0.0, -1.0]), np.ones(2))


class TestExamples:
    def test_labels_are_standardised_as_the_target_says(self):
        windows = _cut(range(10, 13), target=Target("log_return", 0.5, 2.0))
        assert Examples(windows, np.array([0.5, 2.5, -1.5])).standardised.tolist() == [0.0, 1.0, -1.0]

    def test_one_label_per_window(self):
        with pytest.raises(ValueError, match=r"3 windows but 2 labels"):
            Examples(_cut(range(10, 13)), np.zeros(2))

    def test_a_label_that_is_not_finite_is_refused(self):
        with pytest.raises(ValueError, match=r"label at cutoff 2024-01-12T16.* is not finite"):
            Examples(_cut(range(10, 13)), np.array([0.0, np.nan, 0.0]))
