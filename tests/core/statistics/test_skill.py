"""Skill in size and in direction: two tests by hand, their level where only one would lose it, and what they find."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import fft, stats

from golden_core.statistics import worlds
from golden_core.statistics.moments import predicts
from golden_core.statistics.skill import in_direction, skill, smallest_skill
from golden_core.store.randomness import Stream

N = 250


def chance(*names):
    return Stream(5).child("skill", *names).generator()


def by_hand(g):
    df = int(min(0.4 * len(g) ** (2 / 3), len(g) / 2))
    error = np.sqrt(np.square(fft.dct(g, norm="ortho")[1 : df + 1]).mean() / len(g))
    return stats.t.sf(g.mean() / error, df), error, df


def test_the_larger_of_two_p_values_by_hand():
    y, forecast = chance("hand").standard_normal((2, 40, N))
    p_values = skill(predicts(y, forecast), in_direction(y, forecast), horizon=1).p_value
    own, turned = ([by_hand(g)[0] for g in moments] for moments in (2 * y * forecast, y * np.sign(forecast)))
    np.testing.assert_allclose(p_values, np.maximum(own, turned), rtol=1e-9)
    assert 0 < np.less(own, turned).sum() < 40  # each decides somewhere


def test_the_smallest_skill_by_hand():
    y, forecast = chance("smallest").standard_normal((2, N))
    found = smallest_skill(predicts(y, forecast), in_direction(y, forecast, weight=2), horizon=1, alpha=0.01)
    _, error, df = by_hand(y * np.sign(forecast))
    # A slope that the direction finds four times of five, and twice the square of the forecast for each of it.
    slope = found / (2 * np.square(forecast).mean())
    needed = slope * np.abs(forecast).mean() / error
    assert stats.nct.sf(stats.t.ppf(0.99, df), df, needed) == pytest.approx(0.8, abs=1e-5)
    assert found > 1.2 * smallest_skill(predicts(y, forecast), in_direction(y, np.sign(forecast), weight=2), horizon=1)


def test_a_cost_lowers_what_the_direction_needs():
    y, forecast = chance("cost").standard_normal((2, N))
    g = 1e-6 * y * forecast  # found at once, so that the direction decides
    free, costly = (smallest_skill(g, in_direction(y, forecast, cost=cost), horizon=1) for cost in (0.0, 0.05))
    assert costly == pytest.approx(free - 0.05, rel=1e-12)
    assert smallest_skill(g, in_direction(y, forecast, weight=2), horizon=1) == pytest.approx(2 * free, rel=1e-12)


def test_what_is_there_is_found_as_often_as_promised():
    noise, forecast = chance("there").standard_normal((2, 4000, N))
    known = in_direction(noise, forecast, weight=2)
    smallest = smallest_skill(predicts(noise, forecast), known, horizon=1)
    slope = np.sqrt(np.square(smallest).mean()) / 2  # of forecasts of unit variance
    y = noise + slope * forecast
    found = skill(predicts(y, forecast), in_direction(y, forecast, weight=2), horizon=1).p_value <= 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.03)


def test_who_forecasts_nothing_has_no_direction():
    y = chance("none").standard_normal(N)
    nothing = np.zeros(N)
    assert np.isnan(skill(predicts(y, nothing), in_direction(y, nothing), horizon=1).p_value)
    assert np.isnan(smallest_skill(predicts(y, nothing), in_direction(y, nothing), horizon=1))


def test_a_direction_lasts_until_another_is_given():
    given = in_direction(np.arange(1.0, 9.0), np.array([0.0, 0.0, 2.0, 0.0, 0.0, -0.1, 0.0, 3.0]))
    assert given.moment.tolist() == [0, 0, 3, 4, 5, -6, -7, 8]
    assert given.one == pytest.approx(5.1 / 8)


@pytest.mark.parametrize("silent", ["once ahead", "near the start"])
def test_who_is_silent_when_the_price_says_so_is_no_more_often_right(silent):
    """Signs that are zero then are right too often; what comes while nothing is forecast counts for what was said."""
    returns, _ = worlds.garch(chance("stops"), (4000, 1000))
    risen = (np.cumsum(returns, axis=1) - returns) / np.sqrt(1000)
    ahead = np.maximum.accumulate(risen > 1, axis=1)
    forecast = np.where(ahead, 0.0, 1.0) if silent == "once ahead" else np.where(np.abs(risen) > 0.5, -risen, 0.0)
    direction = in_direction(returns, forecast, weight=2)
    zeros = replace(direction, moment=returns * np.sign(forecast))
    kept, lost = (skill(predicts(returns, forecast), one, horizon=1).p_value <= 0.05 for one in (direction, zeros))
    assert kept.mean() <= 0.05 < 0.07 < lost.mean()
