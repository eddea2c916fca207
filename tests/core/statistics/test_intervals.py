"""Hand-derived and enumerated intervals, scipy as the oracle, and the coverage that the docstrings promise."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from golden_core.statistics import bootstrap_interval, t_interval
from golden_core.store.randomness import Stream

VALUES = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=8).map(np.array)


def generator(*names):
    return Stream(1).child("intervals", *names).generator()


def test_t_interval_by_hand():
    # mean 2, standard deviation 1, t(0.975; 2) = 4.302653 from tables
    low, high = t_interval(np.array([1.0, 2.0, 3.0]), 0.95)
    assert (low, high) == pytest.approx((2 - 4.302653 / np.sqrt(3), 2 + 4.302653 / np.sqrt(3)), abs=1e-6)


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_t_interval_agrees_with_scipy(confidence):
    values = generator("scipy").standard_normal((6, 5))
    low, high = t_interval(values, confidence)
    for row in range(6):
        expected = stats.ttest_1samp(values[row], 0.0).confidence_interval(confidence)
        assert (low[row], high[row]) == pytest.approx((expected.low, expected.high), rel=1e-12)


def test_equal_values_have_intervals_of_no_width():
    values = np.full((2, 5), 0.25)
    for low, high in (t_interval(values, 0.95), bootstrap_interval(values, 0.95, 200, generator("equal"))):
        assert (low == 0.25).all()
        assert (high == 0.25).all()


def test_bootstrap_agrees_with_all_resamples():
    values = np.array([0.0, 1.0, 3.0, 7.0, 20.0])
    means = [np.mean(resample) for resample in itertools.product(values, repeat=5)]  # 3125, equally likely
    expected = np.quantile(means, [0.05, 0.95])
    found = bootstrap_interval(values, 0.9, 20_000, generator("enumerated"))
    assert found == pytest.approx(expected, abs=0.2)  # the support steps by 0.2 near both ends


@given(VALUES, st.floats(-100, 100))
def test_bootstrap_stays_within_the_values_and_moves_with_them(values, shift):
    low, high = bootstrap_interval(values, 0.95, 100, generator("moves"))
    moved_low, moved_high = bootstrap_interval(values + shift, 0.95, 100, generator("moves"))
    assert values.min() - 1e-9 <= low <= high + 1e-9 <= values.max() + 2e-9  # interpolation rounds
    assert (moved_low, moved_high) == pytest.approx((low + shift, high + shift), abs=1e-9)


def test_a_further_row_changes_no_other():
    values = generator("rows").standard_normal((30, 5))
    few = bootstrap_interval(values[:3], 0.95, 2500, generator("rows", "draws"))
    many = bootstrap_interval(values, 0.95, 2500, generator("rows", "draws"))
    for short, long in zip(few, many, strict=True):
        np.testing.assert_array_equal(short, long[:3])


def test_the_stream_decides_the_bootstrap():
    values = generator("stream").standard_normal(5)
    first, again, other = (bootstrap_interval(values, 0.95, 200, generator(name)) for name in ("a", "a", "b"))
    assert first == again
    assert first != other


@pytest.mark.parametrize("interval", [t_interval, lambda v, c: bootstrap_interval(v, c, 100, generator("bad"))])
@pytest.mark.parametrize(("values", "message"), [([1.0], "two values"), ([], "two values"), ([1.0, np.nan], "finite")])
def test_bad_values_are_refused(interval, values, message):
    with pytest.raises(ValueError, match=message):
        interval(np.array(values), 0.95)


def coverage(interval, size, simulations=2000):
    low, high = interval(generator("coverage", size).standard_normal((simulations, size)))
    return float(np.mean((low <= 0) & (high >= 0)))


@pytest.mark.parametrize("size", [5, 50])
def test_t_interval_covers_as_promised(size):
    assert 0.937 <= coverage(lambda values: t_interval(values, 0.95), size) <= 0.963


@pytest.mark.parametrize(("size", "expected"), [(5, 0.83), (50, 0.94)])
def test_bootstrap_covers_as_its_notes_say(size, expected):
    found = coverage(lambda values: bootstrap_interval(values, 0.95, 1000, generator("resamples")), size)
    assert found == pytest.approx(expected, abs=0.02)
