import numpy as np
import pytest

from golden_core.forecasters.base import FitError
from golden_core.forecasters.naive import Drift, RandomWalk
from golden_core.store.randomness import Stream

STREAM = Stream(1)  # neither of them draws


def test_random_walk_forecasts_no_change(walk, stream):
    market = walk(100)
    forecaster = RandomWalk({}, market.context)
    assert forecaster.fit(market.examples(range(30, 60)), market.examples(range(60, 70)), stream) == []
    assert forecaster.predict(market.windows(range(70, 95))).tolist() == [0.0] * 25


def drift(market, rows, test=range(70, 80)):
    """Forecasts of the test rows by a drift fitted to some rows."""
    forecaster = Drift({}, market.context)
    forecaster.fit(market.examples(rows), market.examples(range(61, 70)), STREAM)
    return forecaster.predict(market.windows(test))


@pytest.mark.parametrize("horizon", [1, 5])
def test_drift_is_h_times_the_mean_one_bar_return_between_the_training_cutoffs(walk, horizon):
    market = walk(100, horizon=horizon)
    returns = np.diff(np.log(market.closes[30:60]))  # by definition, one bar at a time
    np.testing.assert_allclose(drift(market, range(30, 60)), np.full(10, horizon * returns.mean()), rtol=1e-12)


def test_drift_recovers_a_planted_slope(market):
    steady = market(1.1 * np.exp(0.0004 * np.arange(120)), horizon=3)
    np.testing.assert_allclose(drift(steady, range(30, 60)), 3 * 0.0004, rtol=1e-10)


def test_drift_reads_no_close_after_the_last_training_cutoff(walk, market):
    original = walk(100)
    closes = np.where(np.arange(100) < 60, original.closes, 3 * original.closes)
    assert drift(original, range(30, 60)).tobytes() == drift(market(closes), range(30, 60)).tobytes()


def test_drift_counts_no_return_over_a_gap_between_training_rows(walk, market):
    original = walk(100)
    rows = np.array([*range(30, 40), 45, *range(50, 60)])
    jumps = np.where(np.arange(100) <= 40, original.closes, 3 * original.closes)  # between two runs of rows
    returns = np.diff(np.log(original.closes))
    expected = np.append(returns[30:39], returns[50:59]).mean()
    for source in (original, market(jumps)):
        np.testing.assert_allclose(drift(source, rows), expected, rtol=1e-12)


def test_drift_refuses_one_training_row(walk):
    with pytest.raises(FitError, match="2 consecutive training rows, there are none among 1"):
        drift(walk(100), range(30, 31))
