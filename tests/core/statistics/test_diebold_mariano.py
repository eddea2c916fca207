"""Hand-derived values, an oracle in statsmodels, the undefined cases, and the size of the test."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view
from scipy import stats
from statsmodels.regression.linear_model import OLS

from golden_core.statistics import diebold_mariano, harvey_leybourne_newbold
from golden_core.store.randomness import Stream

SIMULATIONS = 2000
SIZE = (0.037, 0.063)  # 95 % binomial band and some, at a nominal 5 %


def draw(*names, shape):
    return Stream(1).child("diebold_mariano", *names).generator().standard_normal(shape)


@pytest.mark.parametrize(("horizon", "squared"), [(1, 15), (2, 5)])
def test_hand_derivation(horizon, squared):
    # d = 1, 2, 3, 4: mean 2.5, autocovariances 1.25 and 0.3125, so long-run variances 1.25 and 1.875;
    # the correction squared is (T − h)(T − h + 1)/T² = 12/16 for h = 1 and 6/16 for h = 2.
    result = diebold_mariano(np.array([2.0, 4.0, 6.0, 8.0]), np.arange(1.0, 5.0), horizon=horizon)
    assert result.statistic == pytest.approx(np.sqrt(squared), rel=1e-14)
    assert result.p_value == pytest.approx(2 * stats.t.sf(np.sqrt(squared), 3), rel=1e-13)
    assert (result.mean_difference, result.n, result.lags) == (2.5, 4, horizon - 1)


@pytest.mark.parametrize("horizon", [2, 5])
def test_rectangular_agrees_with_a_uniform_kernel_regression(horizon):
    d = np.cumsum(draw("uniform", shape=400))[3:] * 0.1 + draw("noise", shape=397)
    fit = OLS(d, np.ones_like(d)).fit(cov_type="HAC", cov_kwds={"maxlags": horizon - 1, "kernel": "uniform"})
    n = len(d)
    corrected = fit.tvalues[0] * np.sqrt((n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n)
    assert diebold_mariano(d, np.zeros(n), horizon=horizon).statistic == pytest.approx(corrected, rel=1e-10)


def test_one_step_ahead_is_the_t_test():
    a, b = draw("t", shape=(2, 50)) ** 2
    expected = stats.ttest_rel(a, b)
    result = diebold_mariano(a, b, horizon=1)
    assert result.statistic == pytest.approx(expected.statistic, rel=1e-12)
    assert result.p_value == pytest.approx(expected.pvalue, rel=1e-12)


@given(st.integers(0, 10**6), st.integers(1, 6), st.floats(1e-6, 1e6))
def test_swapping_changes_the_sign_and_units_do_not_matter(seed, horizon, unit):
    a, b = draw("swap", seed, shape=(2, 40)) ** 2
    there, back = diebold_mariano(a, b, horizon=horizon), diebold_mariano(b, a, horizon=horizon)
    scaled = diebold_mariano(a * unit, b * unit, horizon=horizon)
    if there.statistic is None:
        assert back.statistic is None
        return
    assert back.statistic == -there.statistic
    assert back.p_value == there.p_value
    assert scaled.statistic == pytest.approx(there.statistic, rel=1e-6)


def test_many_at_once_are_the_same_as_one_by_one():
    differences = draw("many", shape=(3, 4, 60))
    together = harvey_leybourne_newbold(differences, horizon=3)
    assert together.shape == (3, 4)
    for index in np.ndindex(3, 4):
        alone = diebold_mariano(differences[index], np.zeros(60), horizon=3).statistic
        assert together[index] == pytest.approx(alone, rel=1e-12)


@pytest.mark.parametrize(
    ("a", "b", "horizon", "mean"),
    [
        pytest.param([0.1, 0.2, 0.7], [0.1, 0.2, 0.7], 1, 0.0, id="identical losses"),
        pytest.param([0.1] * 7, [0.0] * 7, 1, 0.1, id="a constant difference"),
        pytest.param([1.0, 2.0], [0.0, 0.0], 2, 1.5, id="no more forecasts than bars ahead"),
        pytest.param([1.0], [0.0], 1, 1.0, id="one forecast"),
        pytest.param([1.0, 0.0] * 20, [0.0, 1.0] * 20, 2, 0.0, id="negative long-run variance"),
    ],
)
def test_undefined_is_none(a, b, horizon, mean):
    result = diebold_mariano(np.array(a), np.array(b), horizon=horizon)
    assert result.statistic is None
    assert result.p_value is None
    assert result.mean_difference == pytest.approx(mean)


def test_losses_that_differ_by_rounding_alone_are_undefined():
    losses = draw("rounding", shape=250) ** 2
    # One unit in the last place, another order of operations, and a constant that rounding makes uneven.
    for other in (np.nextafter(losses, 9), losses * (1 + 1e-12), losses + 1):
        found = diebold_mariano(losses, other, horizon=1)
        assert (found.statistic, found.p_value) == (None, None)
    assert diebold_mariano(losses, losses * 1.001, horizon=1).p_value is not None


@pytest.mark.parametrize(("a", "b", "horizon", "message"), [
    ([1.0, 2.0], [1.0], 1, "one length"), ([], [], 1, "one length"), ([[1.0]], [[1.0]], 1, "one length"),
    ([1.0, np.nan], [1.0, 2.0], 1, "not finite"), ([1.0, 2.0], [1.0, np.inf], 1, "not finite"),
    ([1.0, 2.0], [2.0, 1.0], 0, "at least 1"),
])  # fmt: skip
def test_bad_losses_are_refused(a, b, horizon, message):
    with pytest.raises(ValueError, match=message):
        diebold_mariano(np.array(a), np.array(b), horizon=horizon)


def overlapping(horizon, length):
    """Differences [SIMULATIONS, length] with true mean 0 that overlap fully, as h-bar returns do: MA(h − 1)."""
    noise = draw("size", horizon, length, shape=(SIMULATIONS, length + horizon - 1))
    return sliding_window_view(noise, horizon, axis=-1).sum(axis=-1)


def rejections(differences, horizon):
    statistics = harvey_leybourne_newbold(differences, horizon=horizon)
    critical = stats.t.ppf(0.975, df=differences.shape[-1] - 1)
    return float(np.mean(np.abs(statistics) > critical))  # NaN counts as not rejected


@pytest.mark.parametrize("horizon", [1, 5])
def test_size(horizon):
    low, high = SIZE
    assert low <= rejections(overlapping(horizon, 500), horizon) <= high


def test_power_grows_with_the_difference():
    differences = overlapping(1, 500)
    found = [rejections(differences + shift, 1) for shift in (0.0, 0.1, 0.2)]
    assert found[0] < 0.1 < found[1] < 0.9 < found[2]
