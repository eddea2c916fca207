"""The engine against cosines that are written out and closed forms, what it leaves undefined, and what it promises."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import fft, stats

from golden_core.statistics import equivalence, long_run, minimum_detectable
from golden_core.statistics.long_run import CONSTANT, NOT_FINITE, TOO_SHORT, coefficients
from golden_core.statistics.moments import accuracy, covers, predicts
from golden_core.store.randomness import Stream


def draw(*names, shape):
    return Stream(1).child("long_run", *names).generator().standard_normal(shape)


@pytest.mark.parametrize(
    ("n", "horizon", "count"),
    [(250, 1, 15), (250, 24, 5), (1888, 1, 61), (1888, 24, 39), (1000, 1, 40), (8000, 1, 160)],
)
def test_coefficients_by_hand(n, horizon, count):
    # 0.4 · 250^⅔ = 15.87, 250/48 = 5.2, 0.4 · 1888^⅔ = 61.1, 1888/48 = 39.3, and whole numbers at cubes
    assert coefficients(n, horizon) == count


@pytest.mark.parametrize("horizon", [1, 4, 24])
def test_agrees_with_cosines_that_are_written_out(horizon):
    g = draw("cosines", shape=(7, 301)) + 0.1
    count = coefficients(301, horizon)
    phases = np.pi * np.outer(np.arange(301) + 0.5, np.arange(1, count + 1)) / 301
    variance = (2 / 301) * np.square(g @ np.cos(phases)).mean(axis=-1)
    statistic = np.sqrt(301) * g.mean(axis=-1) / np.sqrt(variance)
    found = long_run(g, horizon=horizon)
    np.testing.assert_allclose(found.statistic, statistic, rtol=1e-11)
    np.testing.assert_allclose(found.p_value, 2 * stats.t.sf(abs(statistic), count), rtol=1e-10)
    np.testing.assert_allclose(found.high - found.low, 2 * stats.t.ppf(0.975, count) * np.sqrt(variance / 301))
    assert (found.df, found.n) == (count, 301)


def test_by_hand():
    # A single cosine of frequency 2 under a mean of 3: one Λ is √(T/2), the others vanish, so the variance is T/2B.
    n = 100
    g = 3 + np.cos(2 * np.pi * (np.arange(n) + 0.5) / n)
    count = coefficients(n, 1)
    assert long_run(g, horizon=1).statistic == pytest.approx(3 * np.sqrt(2 * count), rel=1e-12)


def test_sides():
    g = draw("sides", shape=200) + 0.2
    two, greater, less = (long_run(g, horizon=1, alternative=side).p_value for side in ("two-sided", "greater", "less"))
    assert greater + less == pytest.approx(1, abs=1e-14)
    assert two == pytest.approx(2 * greater, rel=1e-12)


@pytest.mark.parametrize(
    ("g", "horizon", "reason"),
    [
        (np.zeros(100), 1, CONSTANT),
        (np.full(100, 0.1), 1, CONSTANT),
        (np.r_[np.nan, np.arange(99.0)], 1, NOT_FINITE),
        (np.r_[np.inf, np.arange(99.0)], 1, NOT_FINITE),
        (np.arange(31.0), 1, TOO_SHORT),  # 0.4 · 31^⅔ = 3.9
        (np.arange(191.0), 24, TOO_SHORT),  # 191 / 48 = 3.98
        (np.arange(2.0), 1, TOO_SHORT),
        (np.arange(0.0), 1, TOO_SHORT),
    ],
)
def test_undefined_is_not_a_number_and_says_why(g, horizon, reason):
    found = long_run(g, horizon=horizon)
    assert np.isnan([found.statistic, found.p_value, found.low, found.high]).all()
    assert found.reason == reason
    assert np.isnan(minimum_detectable(g, horizon=horizon))
    assert np.isnan(equivalence(g, margin=1.0, horizon=horizon))


def test_one_bad_series_leaves_the_others_alone():
    g = draw("bad", shape=(3, 100))
    alone = long_run(g[::2], horizon=2)
    g[1, 50] = np.nan
    together = long_run(g, horizon=2)
    np.testing.assert_array_equal(together.p_value[::2], alone.p_value)
    assert together.reason.tolist() == ["", NOT_FINITE, ""]


def test_losses_that_differ_by_rounding_are_the_same():
    a = draw("ulp", shape=500) ** 2
    assert long_run(accuracy(a, np.nextafter(a, 9)), horizon=1).reason == CONSTANT
    assert long_run(accuracy(a, a * (1 + 1e-15)), horizon=1).reason == CONSTANT
    level, y = 1.1, 1.1 + 1e-3 * draw("price", shape=500)
    shifted = np.nextafter(level, 2)
    assert long_run(accuracy((y - level) ** 2, (y - shifted) ** 2), horizon=1).reason == CONSTANT
    assert long_run(accuracy(a, a + 1e-6 * draw("real", shape=500)), horizon=1).reason == ""


@given(st.integers(-12, 12), st.integers(1, 24))
def test_the_unit_of_losses_does_not_matter(exponent, horizon):
    a, b = draw("scale", shape=(2, 300)) ** 2
    plain, scaled = (long_run(accuracy(u * a, u * b), horizon=horizon).p_value for u in (1.0, 10.0**exponent))
    assert scaled == pytest.approx(plain, rel=1e-9)


def test_predicts_is_the_moment_of_clark_and_west():
    y, forecast, benchmark = draw("cw", shape=(3, 50))
    adjusted = (y - benchmark) ** 2 - ((y - forecast) ** 2 - (benchmark - forecast) ** 2)
    np.testing.assert_allclose(predicts(y, forecast, benchmark), adjusted, atol=1e-13)
    assert not predicts(y, benchmark, np.nextafter(benchmark, 9)).any()


def test_coverage_counts_infinite_bounds_and_not_missing_ones():
    y = np.array([0.0, 1.0, 2.0, np.nan])
    low, high = np.array([-np.inf, 1.0, 0.0, 0.0]), np.array([0.0, np.inf, 1.0, 1.0])
    np.testing.assert_allclose(covers(y, low, high, 0.9), [0.1, 0.1, -0.9, np.nan])


def test_equivalence_by_hand_and_with_a_margin_of_its_own():
    g = draw("margin", shape=400) * 0.1
    one_sided = [long_run(g + s * 0.02, horizon=1, alternative=a).p_value for s, a in ((-1, "less"), (1, "greater"))]
    assert equivalence(g, margin=0.02, horizon=1) == max(one_sided)
    assert equivalence(g, margin=np.full(400, 0.02), horizon=1) == pytest.approx(max(one_sided), rel=1e-12)
    assert equivalence(g, margin=0.0, horizon=1) >= 0.5
    with pytest.raises(ValueError, match="never negative"):
        equivalence(g, margin=-0.1, horizon=1)


def test_the_smallest_effect_is_found_as_often_as_it_says():
    g = draw("power", shape=(4000, 250))
    effect = np.sqrt(np.square(minimum_detectable(g, horizon=1)).mean())  # unbiased is the variance, not its root
    found = long_run(g + effect, horizon=1, alternative="greater").p_value <= 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.02)
    critical = stats.t.ppf(0.95, 15)
    noncentrality = effect / np.sqrt(np.square(fft.dct(g, norm="ortho")[:, 1:16]).mean() / 250)
    assert stats.nct.sf(critical, 15, noncentrality) == pytest.approx(0.8, abs=1e-5)


def test_a_horizon_is_a_count_of_bars():
    with pytest.raises(ValueError, match="at least 1"):
        long_run(np.arange(100.0), horizon=0)


@pytest.mark.parametrize("rows", [[0], slice(None)])
def test_an_infinite_loss_is_not_taken_for_an_identical_one(rows):
    finite, infinite = np.ones(100), np.ones(100)
    infinite[rows] = np.inf
    for pair in ((finite, infinite), (infinite, finite)):
        assert long_run(accuracy(*pair), horizon=1).reason == NOT_FINITE
