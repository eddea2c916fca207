"""Every score against quadrature, another closed form or a property; values of N(0, 1) as published."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from golden_core.store.randomness import Stream
from golden_core.uncertainty import scores

UNEVEN = np.array([0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99])
Y = np.array([-3.0, -0.4, 0.0, 0.3, 1.0, 7.0])


def generator(*names):
    return Stream(1).child("scores", *names).generator()


def integrated(cdf, y, low=-40.0, high=40.0):
    """The definition: the integral of (F(x) − 1{x ≥ y})²."""
    below = integrate.quad(lambda x: cdf(x) ** 2, low, y, epsabs=1e-12, limit=200)[0]
    return below + integrate.quad(lambda x: (1 - cdf(x)) ** 2, y, high, epsabs=1e-12, limit=200)[0]


def test_crps_of_quantiles_is_the_integral_of_the_rule():
    """Linear between levels, constant beyond them: pinball losses by quadrature, kink and corners given."""
    quantiles = np.array([-2.0, -1.5, -1.5, -0.2, 0.1, 0.9, 1.0, 1.0, 4.0])
    edges, values = np.concatenate([[0], UNEVEN, [1]]), np.pad(quantiles, 1, mode="edge")

    def loss(level, y):
        error = y - np.interp(level, edges, values)
        return 2 * max(level * error, (level - 1) * error)

    for y in (-5.0, -2.0, -1.5, 0.0, 0.95, 3.0, 9.0):
        kink = np.interp(y, *zip(*sorted({v: e for e, v in zip(edges, values, strict=True)}.items()), strict=True))
        parts = sorted({*edges, float(kink)})
        expected = sum(integrate.quad(loss, a, b, args=(y,))[0] for a, b in itertools.pairwise(parts))
        assert scores.crps_quantiles(np.array([y]), quantiles[None], UNEVEN)[0] == pytest.approx(expected, rel=1e-7)


def test_nine_uneven_levels_score_as_the_distribution_they_come_from():
    """The mean CRPS of N(0, 1) is 1/√π = .564; a mean of pinball losses says .36, a trapezoid .54: both below truth."""
    y = stats.norm.ppf((np.arange(4000) + 0.5) / 4000)
    quantiles = np.tile(stats.norm.ppf(UNEVEN), (len(y), 1))
    truth = 1 / np.sqrt(np.pi)
    ours = scores.crps_quantiles(y, quantiles, UNEVEN).mean()
    assert truth - 1e-4 < ours < truth + 0.005
    losses = scores.pinball(y, quantiles, UNEVEN)
    assert 2 * losses.mean() == pytest.approx(0.36, abs=0.01)
    assert 2 * np.trapezoid(losses, UNEVEN, axis=1).mean() == pytest.approx(0.54, abs=0.01)


def test_many_levels_come_to_the_integral_of_the_normal():
    levels = (np.arange(999) + 1) / 1000
    quantiles = np.tile(stats.norm.ppf(levels), (len(Y), 1))
    expected = [integrated(stats.norm.cdf, y) for y in Y]
    assert scores.crps_quantiles(Y, quantiles, levels) == pytest.approx(expected, rel=2e-3)


@given(st.lists(st.floats(-10, 10).map(lambda x: round(x, 3)), min_size=3, max_size=3), st.floats(-20, 20))
def test_no_score_of_quantiles_is_negative_and_a_sure_forecast_scores_its_error(values, y):
    levels, quantiles = np.array([0.1, 0.5, 0.6]), np.sort(values)[None]
    assert scores.crps_quantiles(np.array([y]), quantiles, levels)[0] >= -1e-12
    sure = np.full((1, 3), values[0])
    assert scores.crps_quantiles(np.array([y]), sure, levels)[0] == pytest.approx(abs(y - values[0]), abs=1e-9)


def test_pinball_is_least_at_the_quantile_of_the_level():
    y = generator("pinball").standard_normal(999)
    for level in (0.1, 0.5, 0.9):
        candidates = np.sort(y)
        losses = scores.pinball(y, np.tile(candidates[:, None, None], (1, 999, 1)), np.array([level])).mean(axis=(1, 2))
        assert (candidates <= candidates[losses.argmin()]).mean() == pytest.approx(level, abs=2e-3)


def test_weighted_interval_score_is_twice_the_mean_pinball_loss():
    """Bracher et al. (2021), section 2.2: the same number from interval scores and from pinball losses."""
    quantiles = np.sort(generator("wis").standard_normal((len(Y), len(UNEVEN))), axis=1)
    expected = 2 * scores.pinball(Y, quantiles, UNEVEN).mean(axis=1)
    assert scores.weighted_interval_score(Y, quantiles, UNEVEN) == pytest.approx(expected, rel=1e-12)


def test_interval_score_by_hand():
    y, low, high = np.array([0.0, -2.0, 1.5]), np.full(3, -1.0), np.full(3, 1.0)
    assert scores.interval_score(y, low, high, 0.9) == pytest.approx([2.0, 2 + 20 * 1.0, 2 + 20 * 0.5])
    assert scores.covered(y, low, high).tolist() == [True, False, False]
    assert scores.covered(np.array([-1.0, 1.0]), np.full(2, -1.0), np.full(2, 1.0)).all()


def test_infinite_bounds_cover_and_score_infinitely():
    low, high, y = np.array([-np.inf, -1.0, -np.inf]), np.array([1.0, np.inf, np.inf]), np.array([0.0, 5.0, 9.0])
    assert scores.covered(y, low, high).all()
    assert not scores.covered(np.array([2.0]), low[:1], high[:1]).any()
    levels, quantiles = np.array([0.1, 0.5, 0.9]), np.column_stack([low, np.zeros(3), high])
    for score in (
        scores.width(low, high),
        scores.interval_score(y, low, high, 0.8),
        scores.weighted_interval_score(y, quantiles, levels),
        scores.crps_quantiles(y, quantiles, levels),
        scores.pinball(y, quantiles, levels).max(axis=1),
    ):
        assert np.isposinf(score).all()


def test_what_has_no_score_is_refused():
    levels = np.array([0.1, 0.5, 0.9])
    with pytest.raises(ValueError, match="quantiles cross"):
        scores.crps_quantiles(np.zeros(1), np.array([[1.0, 0.0, 2.0]]), levels)
    with pytest.raises(ValueError, match="1 of 1 values are NaN"):
        scores.pinball(np.array([np.nan]), np.zeros((1, 3)), levels)
    with pytest.raises(ValueError, match="3 levels need 3 quantiles"):
        scores.crps_quantiles(np.zeros(1), np.zeros((1, 2)), levels)
    with pytest.raises(ValueError, match="increase strictly between 0 and 1"):
        scores.pinball(np.zeros(1), np.zeros((1, 2)), np.array([0.5, 0.5]))
    with pytest.raises(ValueError, match=r"symmetric about 0\.5"):
        scores.weighted_interval_score(np.zeros(1), np.zeros((1, 2)), np.array([0.1, 0.5]))
    with pytest.raises(ValueError, match="ends before it begins"):
        scores.interval_score(np.zeros(1), np.ones(1), np.zeros(1), 0.9)
