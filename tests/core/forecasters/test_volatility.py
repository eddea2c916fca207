"""GARCH and GJR-t against arch's own forecasts, the recursion by hand, and parameters that were planted."""

import numpy as np
import pytest
from arch import arch_model
from scipy import stats

from golden_core.forecasters.base import FitError
from golden_core.forecasters.volatility import GarchWalk, GjrTWalk

TRAIN, VALIDATION, TEST = range(30, 1030), range(1040, 1060), range(1070, 1160)
LEVELS = np.array([0.05, 0.5, 0.95])


def closes_of_garch(stream, bars, omega=0.05, alpha=0.1, gamma=0.0, beta=0.85, unit=0.005):
    shocks, variance, returns = stream.child("garch").generator().standard_normal(bars), 1.0, []
    for shock in shocks:
        returns.append(np.sqrt(variance) * shock)
        variance = omega + (alpha + gamma * (shock < 0)) * returns[-1] ** 2 + beta * variance
    return 1.1 * np.exp(np.concatenate([[0.0], unit * np.cumsum(returns)]))


@pytest.fixture(scope="module")
def made(market, stream):
    return market(closes_of_garch(stream, 1200))


def fitted(kind, market, stream, train=TRAIN):
    forecaster = kind({}, market.context)
    forecaster.fit(market.examples(train), market.examples(VALIDATION), stream)
    return forecaster


@pytest.mark.parametrize("kind", [GarchWalk, GjrTWalk])
@pytest.mark.parametrize("horizon", [1, 5])
def test_variances_are_those_of_arch(kind, horizon, made, market, stream):
    """In the sample at every bar, and from its end summed over the horizon."""
    given = market(made.closes, horizon=horizon)
    forecaster = fitted(kind, given, stream)
    unit = forecaster.state()["unit"][0]
    returns = np.diff(np.log(given.closes[TRAIN.start : TRAIN.stop])) / unit
    options = {"o": 1, "dist": "t"} if kind.student else {"o": 0, "dist": "normal"}
    oracle = arch_model(returns, mean="Zero", rescale=False, **options).fit(disp="off", backcast=1.0)
    end = oracle.forecast(horizon=horizon, reindex=False).variance.to_numpy().sum()
    ours = forecaster.variances(given.windows(TRAIN)) / unit**2
    assert ours[-1] == pytest.approx(end, rel=1e-9)
    if horizon == 1:  # at row i, of the return from i to i + 1, the i-th
        assert ours[:-1] == pytest.approx(np.asarray(oracle.conditional_volatility) ** 2, rel=1e-9)


def test_planted_parameters_are_found(market, stream):
    made = market(closes_of_garch(stream, 8000, gamma=0.1, beta=0.8))
    rows = range(30, 7900)
    unit = fitted(GjrTWalk, made, stream, rows).state()["unit"][0] / 0.005
    omega, alpha, gamma, beta, nu = fitted(GjrTWalk, made, stream, rows).state()["parameters"]
    assert (omega * unit**2, alpha, gamma, beta) == pytest.approx((0.05, 0.1, 0.1, 0.8), abs=0.035)
    assert nu > 20  # the shocks are normal


def test_quantiles_are_those_of_the_distribution(made, stream):
    for kind in (GarchWalk, GjrTWalk):
        forecaster = fitted(kind, made, stream)
        windows = made.windows(TEST)
        sd = np.sqrt(forecaster.variances(windows))[:, None]
        nu = forecaster.state()["parameters"][4]
        scale = np.sqrt((nu - 2) / nu) if kind.student else 1.0
        expected = (stats.t(nu, scale=scale) if kind.student else stats.norm()).ppf(LEVELS) * sd
        assert forecaster.predict_quantiles(windows, LEVELS) == pytest.approx(expected, rel=1e-9)


def test_what_cannot_be_fitted_is_said(made, market, stream):
    with pytest.raises(FitError, match="at least 100 training returns, there are 49"):
        fitted(GarchWalk, made, stream, range(30, 80))
    with pytest.raises(FitError, match="all 1000 are equal"):
        fitted(GarchWalk, market(np.full(1200, 1.1)), stream)
    with pytest.raises(ValueError, match="before the first training row, bar 30"):
        fitted(GarchWalk, made, stream).variances(made.windows(range(25, 40)))
