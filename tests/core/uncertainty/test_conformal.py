"""Split conformal against the law of its coverage, adaptive conformal inference against its bound on hostile series."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from golden_core.store.randomness import Stream
from golden_core.uncertainty.conformal import adaptive_thresholds, conformal_rank, conformal_threshold, exceeded
from golden_core.uncertainty.rearrangement import rearranged


def generator(*names):
    return Stream(1).child("conformal", *names).generator()


@pytest.mark.parametrize("percent", [1, 5, 10, 20, 25, 50])
def test_the_rank_is_exact_and_only_infinity_is_valid_below_it(percent):
    alpha = Fraction(percent, 100)
    for count in range(300):
        rank = conformal_rank(count, percent / 100)
        assert rank == math.ceil((count + 1) * (1 - alpha))
        threshold = conformal_threshold(np.arange(1.0, count + 1), percent / 100)
        assert np.isposinf(threshold) == (count < math.ceil(1 / alpha) - 1)
        assert threshold in (rank, np.inf)


def test_coverage_follows_its_beta_law():
    """n = 1000, α = .1: 95 % of calibration sets cover between .8808 and .9179 (Angelopoulos & Bates 2023)."""
    law = stats.beta(901, 100)
    assert law.ppf([0.025, 0.975]) == pytest.approx([0.8808, 0.9179], abs=1e-4)
    uniform = generator("beta").uniform(size=(1000, 2000))  # of uniform scores the threshold is the coverage
    coverage = conformal_threshold(uniform, 0.1)
    assert stats.kstest(coverage, law.cdf).pvalue > 0.01
    without = np.sort(uniform, axis=0)[899]  # the rank without (m + 1)
    assert stats.kstest(without, law.cdf).pvalue < 1e-4


def test_each_kind_of_score_has_its_own_level():
    scores = np.column_stack([np.arange(9.0), 10 * np.arange(9.0)])
    assert conformal_threshold(scores, np.array([0.5, 0.1])).tolist() == [4.0, 80.0]
    assert conformal_threshold(scores, np.array([0.05, 1.0])).tolist() == [np.inf, -np.inf]


def verify_bound(thresholds, scores, known, alpha, step):
    """The bound at every T, from first principles: errors counted, divided, compared."""
    delay = int((np.arange(len(known)) + 1 - known).max())
    counted = np.arange(1, known[-1] + 1)
    share = np.cumsum(exceeded(scores, thresholds), axis=0)[: known[-1]] / counted[:, None]
    bound = (np.maximum(alpha, 1 - alpha) + delay * step) / (counted[:, None] * step)
    assert (np.abs(share - alpha) <= bound + 1e-12).all()


HOSTILE = {
    "growing": lambda T: np.exp(np.arange(T) / 20.0),
    "falling": lambda T: -np.exp(np.arange(T) / 20.0),
    "alternating": lambda T: np.where(np.arange(T) // 150 % 2, 1e6, -1e6) + np.arange(T),
    "ties": np.zeros,
}


@pytest.mark.parametrize("delay", [1, 5])
@pytest.mark.parametrize("name", HOSTILE)
def test_the_bound_holds_at_every_time_on_hostile_series(name, delay):
    T, alpha, step = 600, np.array([0.02, 0.1, 0.5]), 0.05
    scores = np.repeat(HOSTILE[name](T)[:, None], 3, axis=1)
    known = np.maximum(np.arange(T) + 1 - delay, 0)
    thresholds = adaptive_thresholds(np.zeros((20, 3)), scores, known, alpha, step)
    verify_bound(thresholds, scores, known, alpha, step)
    if name in ("growing", "falling"):  # only an infinite threshold can be right, or wrong, there
        assert np.isinf(thresholds).any()


def test_an_opponent_who_sees_the_threshold_cannot_break_the_bound():
    """Every finite threshold is exceeded here: only the infinite ones, which clipping would forbid, hold the share."""
    T, alpha, step = 100, np.array([0.1]), 0.1
    scores, known = np.zeros((T, 1)), np.arange(T)
    for row in range(T):
        issued = adaptive_thresholds(np.zeros((10, 1)), scores[: row + 1], known[: row + 1], alpha, step)[row, 0]
        scores[row] = issued + 1 if np.isfinite(issued) else row
    thresholds = adaptive_thresholds(np.zeros((10, 1)), scores, known, alpha, step)
    verify_bound(thresholds, scores, known, alpha, step)
    assert exceeded(scores, thresholds).mean() == pytest.approx(0.1, abs=0.05)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.floats(0.01, 0.99), st.floats(0.001, 2.0))
def test_the_bound_holds_for_any_series(values, alpha, step):
    scores, known = np.array(values)[:, None], np.arange(len(values))
    level = np.array([alpha])
    thresholds = adaptive_thresholds(np.zeros((3, 1)), scores, known, level, step)
    if len(values) > 1:
        verify_bound(thresholds, scores, known, level, step)


def test_thresholds_know_nothing_of_scores_to_come():
    scores = generator("future").standard_normal((80, 2))
    known = np.maximum(np.arange(80) - 2, 0)
    alpha = np.array([0.1, 0.5])
    thresholds = adaptive_thresholds(scores[:20], scores, known, alpha, 0.05)
    later = np.where(np.arange(80)[:, None] < 40, scores, np.nan)
    assert np.array_equal(adaptive_thresholds(scores[:20], later, np.minimum(known, 40), alpha, 0.05)[:43],
                          thresholds[:43])  # fmt: skip


def test_without_a_step_it_is_split_conformal_on_a_rolling_window():
    scores = generator("rolling").standard_normal((50, 1))
    thresholds = adaptive_thresholds(scores[:19], scores[19:], np.arange(31), np.array([0.1]), 0.0)
    expected = [conformal_threshold(scores[t : t + 19], np.array([0.1])) for t in range(31)]
    assert np.array_equal(thresholds, expected)


def test_knowing_too_early_and_unknown_scores_are_refused():
    scores = np.zeros((3, 1))
    with pytest.raises(ValueError, match="scores of rows before t"):
        adaptive_thresholds(scores, scores, np.array([0, 2, 2]), np.array([0.1]), 0.1)
    with pytest.raises(ValueError, match="a score that is known is NaN"):
        adaptive_thresholds(scores, np.full((3, 1), np.nan), np.arange(3), np.array([0.1]), 0.1)
    with pytest.raises(ValueError, match="1 calibration scores are NaN"):
        conformal_threshold(np.array([np.nan]), 0.1)


def test_crossing_quantiles_are_sorted_and_counted():
    quantiles, crossed = rearranged(np.array([[1.0, 2.0, 2.0], [3.0, 1.0, np.inf], [-np.inf, 0.0, -1.0]]))
    assert quantiles.tolist() == [[1.0, 2.0, 2.0], [1.0, 3.0, np.inf], [-np.inf, -1.0, 0.0]]
    assert crossed.tolist() == [False, True, True]
    with pytest.raises(ValueError, match="1 of 2 quantiles are NaN"):
        rearranged(np.array([[np.nan, 1.0]]))


def test_rearranging_brings_quantiles_closer_to_the_truth():
    levels = np.linspace(0.05, 0.95, 19)
    truth = stats.norm.ppf(levels)
    crossing = truth + 0.5 * generator("crossing").standard_normal((200, 19))
    repaired, crossed = rearranged(crossing)
    for power in (1, 2):
        before, after = ((np.abs(q - truth) ** power).sum(axis=1) for q in (crossing, repaired))
        assert (after <= before + 1e-12).all()
        assert (after[crossed] < before[crossed]).any()
