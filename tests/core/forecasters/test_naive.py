import numpy as np
import pytest

from golden_core.forecasters.base import FitError
from golden_core.forecasters.naive import Drift, RandomWalk


def test_random_walk_forecasts_no_change(walk, stream):
    market = walk(100)
    forecaster = RandomWalk({}, market.context)
    assert forecaster.fit(market.examples(range(30, 60)), market.examples(range(60, 70)), stream) == []
    assert forecaster.predict(market.windows(range(70, 95))).tolist() == [0.0] * 25


@pytest.mark.parametrize("horizon", [1, 5])
def test_drift_is_h_times_the_mean_one_bar_return_between_the_training_cutoffs(walk, stream, horizon):
    market = walk(100, horizon=horizon)
    forecaster = Drift({}, market.context)
    forecaster.fit(market.examples(range(30, 60)), market.examples(range(65, 70)), stream)
    returns = np.diff(np.log(market.closes[30:60]))  # by definition, one bar at a time
    expected = np.full(20, horizon * returns.mean())
    np.testing.assert_allclose(forecaster.predict(market.windows(range(70, 90))), expected, rtol=1e-12)


def test_drift_recovers_a_planted_slope(market, stream):
    steady = market(1.1 * np.exp(0.0004 * np.arange(120)), horizon=3)
    forecaster = Drift({}, steady.context)
    forecaster.fit(steady.examples(range(30, 80)), steady.examples(range(83, 90)), stream)
    np.testing.assert_allclose(forecaster.predict(steady.windows(range(90, 110))), 3 * 0.0004, rtol=1e-10)


def test_drift_reads_no_close_after_the_last_training_cutoff(walk, market, stream):
    original = walk(100)
    closes = original.closes.copy()
    closes[60:] *= 3.0
    changed = market(closes)
    forecasts = []
    for source in (original, changed):
        forecaster = Drift({}, source.context)
        forecaster.fit(source.examples(range(30, 60)), source.examples(range(61, 70)), stream)
        forecasts.append(forecaster.predict(source.windows(range(70, 80))).tobytes())
    assert forecasts[0] == forecasts[1]


def test_drift_counts_no_return_over_a_gap_between_training_rows(walk, market, stream):
    original = walk(100)
    rows = np.array([*range(30, 40), 45, *range(50, 60)])
    closes = original.closes.copy()
    closes[41:] *= 3.0  # a jump that lies between two runs of rows
    forecasts = []
    for source in (original, market(closes)):
        forecaster = Drift({}, source.context)
        forecaster.fit(source.examples(rows), source.examples(range(61, 70)), stream)
        forecasts.append(forecaster.predict(source.windows(range(70, 80))))
    returns = np.diff(np.log(original.closes))
    np.testing.assert_allclose(forecasts[0], np.append(returns[30:39], returns[50:59]).mean(), rtol=1e-12)
    np.testing.assert_allclose(forecasts[1], forecasts[0], rtol=1e-12)


def test_drift_refuses_one_training_row(walk, stream):
    market = walk(100)
    with pytest.raises(FitError, match="2 consecutive training rows, there are none among 1"):
        Drift({}, market.context).fit(market.examples(range(30, 31)), market.examples(range(40, 50)), stream)
