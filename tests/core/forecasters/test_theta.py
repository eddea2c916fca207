"""Theta: held against its own definition by theta lines, and against statsmodels."""

import numpy as np
import pytest
from statsmodels.tsa.forecasting.theta import ThetaModel
from statsmodels.tsa.holtwinters import SimpleExpSmoothing

from golden_core.forecasters.base import FitError
from golden_core.forecasters.theta import Theta, best_weight, smoothed_levels

TRAIN, VALIDATION, TEST = range(30, 430), range(440, 460), range(470, 560)


def fitted(market, stream, rows=TRAIN):
    forecaster = Theta({}, market.context)
    forecaster.fit(market.examples(rows), market.examples(VALIDATION), stream)
    return forecaster


def local_level(market, stream, bars=560, drift=0.001, **settings):
    """A level that drifts, seen with noise: its best weight lies well within (0, 1)."""
    generator = stream.child("theta").generator()
    level = 0.1 + np.cumsum(generator.normal(drift, 0.003, bars))
    return market(np.exp(level + generator.normal(0, 0.006, bars)), **settings)


@pytest.mark.parametrize("horizon", [1, 5])
def test_it_is_the_mean_of_the_two_theta_lines(market, stream, horizon):
    made = local_level(market, stream, horizon=horizon)
    forecaster = fitted(made, stream)
    log_closes = np.log(made.closes)
    slope, intercept = np.polyfit(np.arange(len(TRAIN)), log_closes[TRAIN.start : TRAIN.stop], 1)
    state = forecaster.state()
    assert state["drift"][0] == pytest.approx(slope / 2, rel=1e-9)
    expected = []
    for row in TEST:
        seen = log_closes[TRAIN.start : row + 1]
        curved = 2 * seen - (intercept + slope * np.arange(len(seen)))  # θ = 2: twice the distance from the line
        smooth = curved[0]
        for value in curved[1:]:
            smooth = state["weight"][0] * value + (1 - state["weight"][0]) * smooth
        line = intercept + slope * (len(seen) - 1 + horizon)
        expected.append((line + smooth) / 2 - log_closes[row])
    np.testing.assert_allclose(forecaster.predict(made.windows(TEST)), expected, rtol=0, atol=1e-13)


def test_slope_weight_and_forecast_are_those_of_statsmodels(market, stream):
    """The library weighs errors without the drift: forecasts are compared at the weight it finds."""
    made = local_level(market, stream, bars=3000)
    rows = range(30, 2900)
    log_closes = np.log(made.closes[rows.start : rows.stop])
    forecaster = Theta({}, made.context)
    forecaster.fit(made.examples(rows), made.examples(range(2910, 2950)), stream)
    oracle = ThetaModel(log_closes, deseasonalize=False).fit()
    assert 2 * forecaster.state()["drift"][0] == pytest.approx(oracle.params["b0"], rel=1e-9)
    bars = np.arange(len(log_closes))
    curved = 2 * log_closes - np.polyval(np.polyfit(bars, log_closes, 1), bars)
    smoothing = SimpleExpSmoothing(curved, initialization_method="known", initial_level=curved[0]).fit()
    assert forecaster.state()["weight"][0] == pytest.approx(smoothing.params["smoothing_level"], abs=1e-4)
    forecaster.restore(forecaster.state() | {"weight": np.array([oracle.params["alpha"]])})
    expected = oracle.forecast(1, theta=2).iloc[0] - log_closes[-1]
    last = made.windows(range(rows.stop - 1, rows.stop))
    assert forecaster.predict(last)[0] == pytest.approx(expected, abs=2e-5)  # of errors near 0.007


def test_without_drift_it_is_statsmodels_simple_smoothing(market, stream):
    log_closes = np.log(local_level(market, stream).closes)
    for weight in (0.2, 0.9, 1.0):
        oracle = SimpleExpSmoothing(log_closes, initialization_method="known", initial_level=log_closes[0])
        expected = oracle.fit(smoothing_level=weight, optimized=False).level
        np.testing.assert_allclose(smoothed_levels(log_closes, weight, 0.0), expected, rtol=1e-12)


def test_the_weight_is_the_best_of_a_fine_grid(market, stream):
    log_closes = np.log(local_level(market, stream).closes)

    def squares(weight):
        return np.sum((log_closes[1:] - smoothed_levels(log_closes, weight, 0.0005)[:-1] - 0.0005) ** 2)

    grid = np.linspace(0.001, 1, 1000)
    best = grid[np.argmin([squares(weight) for weight in grid])]
    assert best_weight(log_closes, 0.0005) == pytest.approx(best, abs=0.001)


def test_of_returns_that_go_on_it_keeps_the_last_close(momentum, stream):
    forecaster = fitted(momentum(600), stream)
    assert forecaster.state()["weight"][0] == 1.0
    forecasts = forecaster.predict(momentum(600).windows(TEST))
    np.testing.assert_allclose(forecasts, forecaster.state()["drift"][0], rtol=0, atol=1e-15)


def test_a_forecast_knows_nothing_after_its_cutoff(market, stream):
    made = local_level(market, stream)
    forecaster = fitted(made, stream)
    before = forecaster.predict(made.windows(TEST))
    assert len(np.unique(before)) > 80
    changed = market(np.concatenate([made.closes[:500], np.full(60, 1e6)]))
    assert (
        forecaster.predict(changed.windows(TEST))[: 500 - TEST.start].tobytes() == before[: 500 - TEST.start].tobytes()
    )
    some = np.array([*TEST[3:9], TEST[20]])
    assert forecaster.predict(made.windows(some)).tobytes() == before[some - TEST.start].tobytes()


def test_rows_with_a_gap_too_few_of_them_and_a_constant_price_are_refused(walk, market, stream):
    rows = np.delete(np.asarray(TRAIN), 50)
    with pytest.raises(FitError, match=r"the theta method needs consecutive training rows, 399 of 400 are there"):
        fitted(walk(600), stream, rows)
    with pytest.raises(FitError, match="needs at least 10 training rows, there are 9"):
        fitted(walk(600), stream, range(30, 39))
    with pytest.raises(FitError, match=r"closes that vary, all 400 are 1\.1"):
        fitted(market(np.full(600, 1.1)), stream)
    with pytest.raises(ValueError, match="before the first training row, bar 30"):
        fitted(walk(600), stream).predict(walk(600).windows(range(29, 40)))
