import numpy as np
import pytest
import statsmodels.api as sm
from scipy.signal import lfilter
from statsforecast.models import AutoETS
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

from golden_core.forecasters.base import FitError
from golden_core.forecasters.smoothing import ExponentialSmoothing, filter_states
from golden_core.forecasters.statistical import AutoRegression, nested_bic, select_by_bic

TRAIN, VALIDATION, TEST = range(30, 430), range(440, 460), range(470, 560)


def fitted(kind, settings, market, stream):
    forecaster = kind(settings, market.context)
    forecaster.fit(market.examples(TRAIN), market.examples(VALIDATION), stream)
    return forecaster


def autoregressive(stream, coefficients, bars, volatility=0.006):
    """1-bar log returns [bars] of an AR process, by SciPy's filter."""
    noise = stream.child("ar").generator().normal(0.0, volatility, bars)
    return lfilter([1.0], np.concatenate([[1.0], -np.asarray(coefficients)]), noise)


def closes_from(log_returns):
    return 1.1 * np.exp(np.concatenate([[0.0], np.cumsum(log_returns)]))


# Autoregression


def planted(market, stream, coefficients, bars, *, max_order, horizon=1):
    """A market of a planted autoregression, and a forecaster fitted to all of it but the last thousand bars."""
    made = market(closes_from(autoregressive(stream, coefficients, bars)), horizon=horizon)
    forecaster = AutoRegression({"max_order": max_order}, made.context)
    rows = bars - 1000
    forecaster.fit(made.examples(range(100, rows)), made.examples(range(rows + 10, rows + 100)), stream)
    return made, forecaster


@pytest.mark.parametrize("horizon", [1, 5])
def test_ar_matches_statsmodels_ols_at_every_order(walk, stream, horizon):
    market = walk(600, horizon=horizon)
    train = market.examples(TRAIN)
    rows = np.arange(TRAIN.start, TRAIN.stop)
    returns = np.diff(np.log(market.closes), prepend=np.nan)
    lags = np.column_stack([returns[rows - lag] for lag in range(8)])  # lag 0 is the latest return at the cutoff
    design = np.column_stack([np.ones(len(rows)), lags])
    oracle = [sm.OLS(train.y, design[:, : order + 1]).fit() for order in range(9)]

    Q, R = np.linalg.qr(design)
    bic = nested_bic(Q.T @ train.y, train.y - Q @ (Q.T @ train.y))
    np.testing.assert_allclose(bic, [result.bic for result in oracle], rtol=1e-12)
    best = int(np.argmin([result.bic for result in oracle]))
    ours = fitted(AutoRegression, {"max_order": 8}, market, stream).state()["coefficients"]
    np.testing.assert_allclose(ours, oracle[best].params, rtol=1e-9, atol=1e-14)
    for order in range(9):  # one triangular system serves every order
        coefficients = np.linalg.solve(R[: order + 1, : order + 1], (Q.T @ train.y)[: order + 1])
        np.testing.assert_allclose(coefficients, oracle[order].params, rtol=1e-9, atol=1e-14)


def test_ar_recovers_a_planted_autoregression_and_its_order(market, stream):
    first, forecaster = planted(market, stream, [0.4], 6000, max_order=10)
    coefficients = forecaster.state()["coefficients"]
    assert len(coefficients) == 2  # intercept and one lag: BIC stops at the planted order
    standard_error = np.sqrt((1 - 0.4**2) / 4900)
    assert abs(coefficients[1] - 0.4) < 4 * standard_error
    test = first.examples(range(5200, 5900))
    explained = 1 - np.mean((test.y - forecaster.predict(test.windows)) ** 2) / np.mean(test.y**2)
    assert explained == pytest.approx(0.16, abs=0.06)  # R² of an AR(1) is its squared coefficient
    _, forecaster = planted(market, stream, [0.0, 0.4], 6000, max_order=10)
    assert len(forecaster.state()["coefficients"]) == 3
    assert forecaster.state()["coefficients"][1:] == pytest.approx([0.0, 0.4], abs=0.06)


def test_ar_over_h_bars_is_direct(market, stream):
    planted = market(closes_from(autoregressive(stream, [0.5], 20_000)), horizon=3)
    forecaster = AutoRegression({"max_order": 1}, planted.context)
    forecaster.fit(planted.examples(range(100, 19_000)), planted.examples(range(19_100, 19_200)), stream)
    # By hand: E[r(t+1) + r(t+2) + r(t+3) | r(t)] = (φ + φ² + φ³) r(t) = 0.875 r(t). The labels overlap, so that
    # the estimate has variance Σ γᵤ(k) φᵏ / (n γᵣ(0)), with γᵤ = 6.3125, 4.125, 1.75 and γᵣ(0) = 4/3: 8.484 / n.
    error = np.sqrt(11.3125 * 0.75 / 18_900)
    assert forecaster.state()["coefficients"][1] == pytest.approx(0.875, abs=5 * error)


def test_ar_of_a_random_walk_has_order_zero_and_forecasts_the_mean_label(walk, stream):
    market = walk(600)
    forecaster = fitted(AutoRegression, {"max_order": 12}, market, stream)
    assert forecaster.state()["coefficients"].shape == (1,)
    forecasts = forecaster.predict(market.windows(TEST))
    np.testing.assert_allclose(forecasts, market.examples(TRAIN).y.mean(), rtol=1e-9)


def test_ar_weighs_the_latest_return_first(market, stream):
    planted = market(closes_from(autoregressive(stream, [0.4], 600)))
    forecaster = AutoRegression({"max_order": 3}, planted.context)
    forecaster.restore({"coefficients": np.array([0.001, 0.5, 0.25])})
    latest, before = (np.log(planted.closes[500 - k] / planted.closes[499 - k]) for k in (0, 1))
    expected = 0.001 + 0.5 * latest + 0.25 * before
    assert forecaster.predict(planted.windows(range(500, 501)))[0] == pytest.approx(expected, rel=1e-12)


def test_bic_gives_an_exact_fit_to_the_lowest_order_that_achieves_it(stream):
    generator = stream.child("exact").generator()
    for _ in range(50):  # rounding alone would favour a higher order in one draw of eight
        design = np.column_stack([np.ones(50), generator.normal(size=(50, 4))])
        assert select_by_bic(design, 2.0 - 3.0 * design[:, 1]) == pytest.approx([2.0, -3.0])


def test_ar_refuses_too_few_closes_or_rows_for_its_order(walk, stream):
    market = walk(600)

    def fit(order, rows):
        forecaster = AutoRegression({"max_order": order}, market.context)
        forecaster.fit(market.examples(rows), market.examples(VALIDATION), stream)

    with pytest.raises(FitError, match=r"max_order 40 needs 41 closes up to the first training cutoff .* there are 31"):
        fit(40, TRAIN)
    with pytest.raises(FitError, match=r"max_order 20 needs at least 23 training rows .* there are 22"):
        fit(20, range(30, 52))
    fit(20, range(30, 53))


@pytest.mark.parametrize(
    ("closes", "words"),
    [
        (np.ones(600), r"returns that vary|not linearly independent"),
        (2.0 ** (0.001 * np.arange(600)), r"returns that vary|not linearly independent"),
        (closes_from(0.01 * (-1.0) ** np.arange(599)), "2 lagged returns are not linearly independent; lower max_ord"),
    ],
    ids=["constant prices", "constant returns", "alternating returns"],
)
def test_ar_refuses_lags_that_cannot_be_told_apart(market, stream, closes, words):
    with pytest.raises(FitError, match=words):
        fitted(AutoRegression, {"max_order": 2}, market(closes), stream)


# Exponential smoothing


# Not the damped trend beyond one bar: statsforecast 2.1.1 extrapolates it wrongly, and statsmodels is the oracle below.
@pytest.mark.parametrize(("model", "letters", "damped", "horizon"), [
    ("ANN", "ANN", False, 1), ("ANN", "ANN", False, 5), ("AAN", "AAN", False, 1), ("AAN", "AAN", False, 5),
    ("AAdN", "AAN", True, 1), ("AZN", "AZN", None, 1),
])  # fmt: skip
def test_ets_matches_statsforecast_run_forward_at_every_cutoff(walk, stream, model, letters, damped, horizon):
    market = walk(600, horizon=horizon)
    log_closes = np.log(market.closes)
    oracle = AutoETS(season_length=1, model=letters, damped=damped).fit(log_closes[TRAIN.start : TRAIN.stop])
    expected = [
        oracle.forward(log_closes[TRAIN.start : row + 1], h=horizon)["mean"][-1] - log_closes[row] for row in TEST
    ]
    forecaster = fitted(ExponentialSmoothing, {"model": model}, market, stream)
    np.testing.assert_allclose(forecaster.predict(market.windows(TEST)), expected, rtol=0, atol=1e-15)


def test_ets_forecasts_every_row_alike_whichever_rows_are_asked_for(walk, stream):
    market = walk(600, horizon=2)
    forecaster = fitted(ExponentialSmoothing, {"model": "AAN"}, market, stream)
    whole = forecaster.predict(market.windows(TEST))
    some = np.array([*TEST[3:9], TEST[20], *TEST[30:33]])
    assert forecaster.predict(market.windows(some)).tobytes() == whole[some - TEST.start].tobytes()


def test_ets_refuses_training_rows_with_a_gap(walk, stream):
    market = walk(600)
    rows = np.delete(np.asarray(TRAIN), 50)
    forecaster = ExponentialSmoothing({"model": "ANN"}, market.context)
    with pytest.raises(FitError, match=rf"consecutive training rows, {len(rows)} of {len(TRAIN)} are there"):
        forecaster.fit(market.examples(rows), market.examples(range(TRAIN.stop, TRAIN.stop + 20)), stream)


@pytest.mark.parametrize("model", ["ANN", "AAN", "AAdN"])
def test_ets_matches_statsmodels_over_several_bars(walk, stream, model):
    market = walk(600, horizon=5)
    forecaster = fitted(ExponentialSmoothing, {"model": model}, market, stream)
    smoothing, (level, *trend) = forecaster.state()["smoothing"], forecaster.state()["initial"]
    log_closes = np.log(market.closes)
    for row in (TEST.start, TEST.start + 40):
        known = {"initialization_method": "known", "initial_level": level, "damped_trend": len(smoothing) == 3}
        known |= {"trend": "add" if trend else None, "initial_trend": trend[0] if trend else None}
        oracle = ETSModel(log_closes[TRAIN.start : row + 1], **known).smooth(smoothing)
        expected = oracle.forecast(5)[-1] - log_closes[row]
        found = forecaster.predict(market.windows(range(row, row + 1)))[0]
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-14)


@pytest.mark.parametrize(
    ("smoothing", "initial"), [([0.3], [0.1]), ([0.3, 0.1], [0.1, 0.002]), ([0.3, 0.1, 0.9], [0.1, 0.002])]
)
def test_ets_filter_matches_the_textbook_recursion(walk, smoothing, initial):
    # Hyndman et al. (2008), table 2.2: e = y − (l + φb); l' = l + φb + αe; b' = φb + βe.
    log_closes = np.log(walk(200).closes)
    alpha, beta, phi = smoothing + [0.0, 1.0][len(smoothing) - 1 :]
    level, trend = (*initial, 0.0)[:2]
    expected = []
    for close in log_closes:
        forecast = level + phi * trend
        error = close - forecast
        level, trend = forecast + alpha * error, phi * trend + beta * error
        expected.append((level, trend)[: len(initial)])
    states = filter_states(log_closes, np.array(smoothing), np.array(initial))
    # Where a trend passes zero it keeps the rounding of its terms, which are up to 0.1: a rounding unit is 1e-17.
    np.testing.assert_allclose(states, expected, rtol=1e-12, atol=1e-16)


def test_ets_extrapolates_a_damped_trend_over_the_horizon(market):
    flat = market(np.full(60, 1.1), horizon=3)
    forecaster = ExponentialSmoothing({"model": "AAdN"}, flat.context)
    initial = np.array([np.log(1.1) - 0.008, 0.016])
    forecaster.restore({"smoothing": np.array([0.3, 0.1, 0.5]), "initial": initial, "start": np.array([40])})
    # By hand: the first bar is forecast exactly, so the trend is 0.5·0.016; then 0.008·(0.5 + 0.25 + 0.125) is to come.
    assert forecaster.predict(flat.windows(range(40, 41)))[0] == pytest.approx(0.007, rel=1e-12)


def test_ets_finds_the_weight_of_a_planted_local_level(market, stream):
    generator = stream.child("level").generator()
    level = 0.1 + np.cumsum(generator.normal(0, 0.003, 3000))
    noisy = market(np.exp(level + generator.normal(0, 0.006, 3000)))
    forecaster = ExponentialSmoothing({"model": "ANN"}, noisy.context)
    forecaster.fit(noisy.examples(range(30, 2500)), noisy.examples(range(2510, 2600)), stream)
    # Steady-state Kalman gain for signal-to-noise q = (0.003/0.006)² = 1/4: (√(q² + 4q) − q)/2 = 0.3904.
    assert forecaster.state()["smoothing"][0] == pytest.approx(0.3904, abs=0.06)


def test_ets_is_fitted_to_the_training_closes_alone(walk, market, stream):
    original = walk(600)
    closes = original.closes.copy()
    closes[: TRAIN.start], closes[TRAIN.stop :] = 7.0, 9.0
    markets = (original, market(closes))
    states = [fitted(ExponentialSmoothing, {"model": "AZN"}, made, stream).state() for made in markets]
    one, other = ({name: value.tobytes() for name, value in state.items()} for state in states)
    assert one == other


def test_ets_refuses_cutoffs_before_its_first_training_row(walk, stream):
    market = walk(600)
    forecaster = fitted(ExponentialSmoothing, {"model": "ANN"}, market, stream)
    forecaster.predict(market.windows(range(30, 32)))
    with pytest.raises(ValueError, match="lies before the first training row, bar 30"):
        forecaster.predict(market.windows(range(29, 32)))


def test_ets_refuses_too_few_rows_and_a_constant_series(walk, market, stream):
    random, constant = walk(600), market(np.full(600, 1.25))
    forecaster = ExponentialSmoothing({"model": "AZN"}, random.context)
    with pytest.raises(FitError, match="at least 10 training rows, there are 9"):
        forecaster.fit(random.examples(range(30, 39)), random.examples(VALIDATION), stream)
    forecaster.fit(random.examples(range(30, 40)), random.examples(VALIDATION), stream)
    with pytest.raises(FitError, match=r"closes that vary, all 400 are 1\.25"):
        fitted(ExponentialSmoothing, {"model": "AZN"}, constant, stream)
