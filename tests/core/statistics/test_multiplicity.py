"""Adjustments by hand, against statsmodels, and their promise about false rejections."""

import gc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from golden_core.statistics import benjamini_hochberg, holm
from golden_core.store.randomness import Stream

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=30).map(np.array)


@pytest.fixture(scope="module", autouse=True)
def _what_other_tests_left_is_no_garbage():
    """Statsmodels collects it for every table of p-values: half a minute of it, late in a session."""
    gc.collect()
    gc.freeze()


def test_by_hand():
    # sorted .01 .03 .04 → 3 × .01, 2 × .03, and 1 × .04 raised to the .06 before it
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03])), [0.03, 0.06, 0.06], rtol=1e-15)


@pytest.mark.parametrize(("adjust", "method"), [(holm, "holm"), (benjamini_hochberg, "fdr_bh")])
@given(P_VALUES)
def test_agrees_with_statsmodels(adjust, method, p_values):
    np.testing.assert_allclose(adjust(p_values), multipletests(p_values, method=method)[1], rtol=1e-12)


@given(P_VALUES, st.randoms())
def test_order_does_not_matter_and_p_values_never_shrink(p_values, chance):
    order = list(range(len(p_values)))
    chance.shuffle(order)
    np.testing.assert_array_equal(holm(p_values[order]), holm(p_values)[order])
    assert (holm(p_values) >= p_values).all()
    assert (holm(p_values) <= 1).all()


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
@given(P_VALUES)
def test_undefined_tests_count_as_one(adjust, p_values):
    gaps = np.full(2 * len(p_values), np.nan)
    gaps[::2] = p_values
    adjusted = adjust(gaps)
    assert np.isnan(adjusted[1::2]).all()
    np.testing.assert_array_equal(adjusted[::2], adjust(np.where(np.isnan(gaps), 1.0, gaps))[::2])
    assert (adjusted[::2] >= adjust(p_values)).all()


def test_nothing_to_adjust():
    assert holm(np.array([])).shape == (0,)
    assert np.isnan(holm(np.array([np.nan, np.nan]))).all()


@pytest.mark.parametrize("bad", [-0.1, 1.1])
def test_numbers_that_are_no_p_values_are_refused(bad):
    with pytest.raises(ValueError, match="lie in"):
        holm(np.array([0.5, bad]))


def test_any_false_rejection_stays_rare():
    p_values = Stream(1).child("holm").generator().uniform(size=(2000, 20))
    adjusted = np.apply_along_axis(holm, 1, p_values)
    assert 0.037 <= np.mean((adjusted <= 0.05).any(axis=1)) <= 0.063
