"""The regression of retrials against numpy, on levels and on returns; it knows nothing later than its cutoff."""

import numpy as np
import pytest

from golden_core.forecasters.base import Context, FitError
from golden_core.inputs.windows import Examples, Target, cut_windows
from golden_core.preparation.catalogue import load_study
from golden_core.retrials.regression import Regression

CONTEXT = Context(context_length=3, features=("log_return",), horizon=1, training=load_study("smoke").training)
TRAIN, TEST = np.arange(20, 150), np.arange(160, 190)


def closes():
    return np.exp(np.cumsum(np.random.default_rng(8).normal(0, 0.01, 200)))


def windows(prices, rows):
    times = np.datetime64("2000-01-31", "us") + np.arange(len(prices)) * np.timedelta64(30, "D")
    matrix, target = np.zeros((len(prices), 1), dtype=np.float32), Target("log_return", 0.0, 1.0)
    return cut_windows(matrix, prices, times, rows, context_length=3, horizon=1, target=target)


def fitted(prices, **settings):
    y = np.log(prices[TRAIN + 1] / prices[TRAIN])
    model = Regression(settings, CONTEXT)
    model.fit(Examples(windows(prices, TRAIN), y), None, None)
    return model


@pytest.mark.parametrize("of", ["log_close", "log_return"])
def test_it_is_least_squares_on_what_it_says(of):
    prices = closes()
    values = np.log(prices) if of == "log_close" else np.diff(np.log(prices), prepend=np.nan)

    def design(rows):
        means = [[values[row - length + 1 : row + 1].mean() for row in rows] for length in (6, 12)]
        return np.column_stack([np.ones(len(rows)), values[rows], values[rows - 1], *means])

    found = fitted(prices, of=of, lags=2, means=(6, 12)).predict(windows(prices, TEST))
    y = np.log(prices[TRAIN + 1] / prices[TRAIN])
    expected = design(TEST) @ np.linalg.lstsq(design(TRAIN), y, rcond=None)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-10)


def test_a_mean_of_its_lags_changes_no_forecast():
    prices = closes()
    with_mean = fitted(prices, of="log_close", lags=3, means=(3,)).predict(windows(prices, TEST))
    np.testing.assert_allclose(
        with_mean, fitted(prices, of="log_close", lags=3, means=()).predict(windows(prices, TEST)), atol=1e-10
    )


def test_later_prices_change_no_forecast_and_a_restored_state_forecasts_the_same():
    prices = closes()
    model = fitted(prices, of="log_close", lags=3, means=(6,))
    other = Regression({"of": "log_close", "lags": 3, "means": (6,)}, CONTEXT)
    other.restore(model.state())
    poisoned = np.where(np.arange(200) > TEST[0], prices * 3, prices)
    assert other.predict(windows(poisoned, TEST[:1])) == model.predict(windows(prices, TEST))[:1]


def test_too_little_to_fit_on_is_said():
    with pytest.raises(FitError, match="with 31 closes up to the first cutoff; there are 130 rows and 21 closes"):
        fitted(closes(), of="log_return", lags=1, means=(30,))
