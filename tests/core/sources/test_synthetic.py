"""Synthetic processes against their population moments; tolerances come from the spread over independent streams."""

import datetime as dt
import math
import re

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import stats

from golden_core.bars.cleaning import clean
from golden_core.sources import SourceError
from golden_core.sources.synthetic import (
    ArSettings,
    GarchSettings,
    RegimesSettings,
    Synthetic,
    SyntheticSettings,
    simulate,
)
from golden_core.store.randomness import Stream
from golden_core.store.schema import BARS
from golden_core.study.messages import explain

FloatArray = npt.NDArray[np.float64]

SCALE = 0.006
GARCH = GarchSettings(process="garch", initial_price=1.1, volatility=SCALE, alpha=0.08, beta=0.85)
AR = ArSettings(process="ar", initial_price=1.1, volatility=SCALE, r2=0.04)
REGIMES = RegimesSettings(
    process="regimes", initial_price=1.1, means=(0.001, -0.002), volatilities=(0.004, 0.012), stay=(0.98, 0.95)
)
PROCESSES = {settings.process: settings for settings in (GARCH, AR, REGIMES)}
STREAMS, LENGTH = 24, 20_000


def assert_mean(values, truth, resolution):
    """Student's t over independent streams; a right generator fails once in a hundred thousand seeds.

    A generator with wild moments could hide behind its own spread: the standard error must be below a resolution.
    """
    assert np.std(values, ddof=1) / math.sqrt(len(values)) < resolution
    p_value = stats.ttest_1samp(values, truth).pvalue
    assert p_value > 1e-5, f"mean {np.mean(values):.6g}, truth {truth:.6g}, p {p_value:.2g}"


def estimates(settings, statistic, length=LENGTH):
    root = Stream(20_240_105).child("test", settings.process)
    return [statistic(simulate(settings, length, root.child(index))) for index in range(STREAMS)]


def autocovariance(values, lag):
    return float(np.mean(values[lag:] * values[:-lag]))


class TestGarch:
    def test_moments(self):
        # Bollerslev (1986), section 3: fourth moment of a normal GARCH(1,1).
        persistence = GARCH.alpha + GARCH.beta
        kurtosis = 3 * (1 - persistence**2) / (1 - persistence**2 - 2 * GARCH.alpha**2)
        assert_mean(estimates(GARCH, np.mean), 0.0, 0.005 * SCALE)
        assert_mean(estimates(GARCH, lambda r: float(np.mean(r**2))), SCALE**2, 0.01 * SCALE**2)
        assert_mean(estimates(GARCH, lambda r: float(np.mean(r**4))), kurtosis * SCALE**4, 0.1 * SCALE**4)

    @pytest.mark.parametrize("lag", [1, 2, 5, 20])
    def test_the_log_price_is_a_martingale(self, lag):
        assert_mean(estimates(GARCH, lambda r: autocovariance(r, lag)), 0.0, 0.005 * SCALE**2)

    @pytest.mark.parametrize("lag", [1, 5, 20])
    def test_squares_are_correlated_as_bollerslev_says(self, lag):
        # Bollerslev (1986), section 4: ρ₁ = α(1 − αβ − β²)/(1 − 2αβ − β²), ρₙ = (α + β)ⁿ⁻¹ρ₁.
        alpha, beta, variance = GARCH.alpha, GARCH.beta, GARCH.volatility**2
        persistence = alpha + beta
        first = alpha * (1 - alpha * beta - beta**2) / (1 - 2 * alpha * beta - beta**2)
        kurtosis = 3 * (1 - persistence**2) / (1 - persistence**2 - 2 * alpha**2)
        truth = first * persistence ** (lag - 1) * (kurtosis - 1) * variance**2
        # Centred at the known mean: centring at the sample's would bias a slowly mixing autocovariance.
        assert_mean(estimates(GARCH, lambda r: autocovariance(r**2 - variance, lag)), truth, 0.02 * variance**2)

    def test_without_memory_it_is_white_noise(self):
        plain = GARCH.model_copy(update={"alpha": 0.0, "beta": 0.0})
        returns = simulate(plain, 100_000, Stream(7))
        assert stats.kstest(returns / plain.volatility, "norm").pvalue > 1e-5


class TestAr:
    @pytest.mark.parametrize("r2", [0.0, 0.01, 0.04, 0.5])
    def test_the_planted_r2_is_recovered_out_of_sample(self, r2):
        planted = AR.model_copy(update={"r2": r2})

        def r2_of_least_squares(returns):
            half = len(returns) // 2
            x, y = returns[: half - 1], returns[1:half]
            slope = float(x @ y / (x @ x))
            errors = returns[half + 1 :] - slope * returns[half:-1]
            return float(1 - np.sum(errors**2) / np.sum(returns[half + 1 :] ** 2))

        # Estimating one slope from n rows costs (1 − R²)/n of R², far below the spread over streams.
        found = estimates(planted, r2_of_least_squares, 100_000)
        assert_mean(found, r2 - (1 - r2) / 50_000, 0.002)

    def test_moments(self):
        assert_mean(estimates(AR, np.mean), 0.0, 0.005 * SCALE)
        assert_mean(estimates(AR, lambda r: float(np.mean(r**2))), SCALE**2, 0.01 * SCALE**2)
        for lag in (1, 2, 3):
            truth = SCALE**2 * AR.r2 ** (lag / 2)
            assert_mean(estimates(AR, lambda r, lag=lag: autocovariance(r, lag)), truth, 0.005 * SCALE**2)

    def test_it_starts_in_its_stationary_distribution(self):
        strong = AR.model_copy(update={"r2": 0.81})
        first = [simulate(strong, 1, Stream(3).child(index))[0] / AR.volatility for index in range(2000)]
        assert stats.kstest(first, "norm").pvalue > 1e-5


class TestRegimes:
    SHARE = (1 - 0.95) / (0.02 + 0.05)  # of the first regime: Hamilton (1994), section 22.2

    def test_moments(self):
        share, (m0, m1), (v0, v1) = self.SHARE, REGIMES.means, REGIMES.volatilities
        assert_mean(estimates(REGIMES, np.mean), share * m0 + (1 - share) * m1, 5e-5)
        second = share * (m0**2 + v0**2) + (1 - share) * (m1**2 + v1**2)
        assert_mean(estimates(REGIMES, lambda r: float(np.mean(r**2))), second, 0.03 * second)

    def test_the_chain_stays_as_long_as_it_should(self):
        apart = REGIMES.model_copy(update={"means": (1.0, -1.0)})  # so far apart that the sign is the regime
        first = [simulate(apart, 1, Stream(5).child(index))[0] > 0 for index in range(3000)]
        assert stats.binomtest(int(np.sum(first)), 3000, self.SHARE).pvalue > 1e-5
        state = simulate(apart, 200_000, Stream(6)) > 0
        for regime, stay in ((True, 0.98), (False, 0.95)):
            here = state[:-1] == regime
            stayed = int((state[1:][here] == regime).sum())
            assert stats.binomtest(stayed, int(here.sum()), stay).pvalue > 1e-5

    def test_autocovariance_is_hamiltons(self):
        # Cov(r_t, r_{t−k}) = π(1 − π)(μ₁ − μ₀)²(p₀₀ + p₁₁ − 1)ᵏ
        mean = self.SHARE * REGIMES.means[0] + (1 - self.SHARE) * REGIMES.means[1]
        for lag in (1, 10):
            truth = self.SHARE * (1 - self.SHARE) * 0.003**2 * 0.93**lag
            assert_mean(estimates(REGIMES, lambda r, lag=lag: autocovariance(r - mean, lag)), truth, 0.03 * 0.003**2)


@pytest.mark.parametrize("process", PROCESSES)
class TestEveryProcess:
    @given(root=st.integers(0, 2**63 - 1), short=st.integers(0, 200), more=st.integers(0, 200))
    def test_a_longer_run_begins_with_the_shorter(self, process, root, short, more):
        settings, stream = PROCESSES[process], Stream(root)
        longer = simulate(settings, short + more, stream)
        assert longer.shape == (short + more,)
        assert np.array_equal(simulate(settings, short, stream), longer[:short])
        assert np.isfinite(longer).all()

    def test_read(self, process, make_data, tmp_path):
        changes = {"source": "synthetic", "settings": PROCESSES[process].model_dump(mode="json")}
        dates = {"start": dt.date(2015, 1, 1), "end": dt.date(2019, 12, 31)}
        data = make_data(**changes, **dates, pairs=("EURUSD", "USDJPY"))
        raw = Synthetic().read(data, 11, tmp_path)
        bars = Synthetic().bars(raw, data, "EURUSD")
        assert raw.equals(BARS.conform(raw))
        assert bars["close"][0] == 1.1
        assert bars["timestamp"].dt.weekday().max() <= 5
        # Again, with a pair more, with a later end, with another seed.
        assert raw.equals(Synthetic().read(data, 11, tmp_path))
        wider = make_data(**changes, **dates | {"end": dt.date(2021, 6, 30)}, pairs=("AUDUSD", "EURUSD"))
        longer = Synthetic().bars(Synthetic().read(wider, 11, tmp_path), wider, "EURUSD")
        assert longer.head(bars.height).equals(bars)
        assert longer.height > bars.height
        assert not raw.equals(Synthetic().read(data, 12, tmp_path))
        # Pairs do not move together, and no weekday is missing.
        returns = [np.diff(np.log(Synthetic().bars(raw, data, pair)["close"].to_numpy())) for pair in data.pairs]
        assert stats.pearsonr(*returns).pvalue > 1e-5
        cleaned = clean(bars, data, max_abs_log_return=0.2)
        assert cleaned.calendar.is_empty()
        assert cleaned.bars.equals(bars)

    def test_describe_holds_the_truth(self, process, make_data, tmp_path):
        settings = PROCESSES[process].model_dump(mode="json")
        found = Synthetic().describe(make_data(source="synthetic", settings=settings), tmp_path)
        assert found["process"] == process
        assert set(settings) <= set(found)


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        ({"process": "levy"}, ("process",), r"garch.*ar.*regimes"),
        ({"alpha": 0.25, "beta": 0.75}, (), r"alpha \+ beta must be < 1, or there is no variance, got 1"),
        ({"volatility": 0}, ("volatility",), "must be > 0, got 0"),
        ({"gamma": 0.1}, ("gamma",), "unknown key"),
    ],
)
def test_wrong_settings_are_refused(change, path, message):
    values = GARCH.model_dump() | change
    with pytest.raises(ValidationError) as caught:
        SyntheticSettings.model_validate(values)
    [(found, said)] = explain(caught.value, SyntheticSettings, values)
    assert found == path
    assert re.search(message, said)


def test_a_range_without_a_weekday_or_another_clock_is_refused(make_data, tmp_path):
    changes = {"source": "synthetic", "settings": AR.model_dump(mode="json")}
    weekend = make_data(**changes, start=dt.date(2024, 1, 6), end=dt.date(2024, 1, 7))
    with pytest.raises(SourceError, match=r"there is no weekday from 2024-01-06 to 2024-01-07"):
        Synthetic().read(weekend, 0, tmp_path)
    with pytest.raises(SourceError, match=r"data.bar must be 1d for source synthetic"):
        Synthetic().read(make_data(**changes, bar="4h"), 0, tmp_path)
