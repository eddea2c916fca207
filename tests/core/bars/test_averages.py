"""Closes that are means over time are told from prices, by Working's autocorrelation of their changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_core.bars.averages import (
    LEAST,
    autocorrelation,
    averages_verdict,
    expected_autocorrelation,
    look_like_averages,
)
from golden_core.checks.bars import bar_checks
from golden_core.preparation.catalogue import load_study
from golden_core.sources.ecb import Ecb
from golden_core.store.lake import Home, write_parquet

MAJORS = ("EURUSD", "USDJPY", "GBPUSD")


@pytest.fixture(scope="module")
def fixed(tmp_path_factory):
    """Return a function: bars of three majors from 1999 to 2025, of days, of month ends or of monthly means."""

    def bars(bar, price):
        overrides = [
            "data.start=1999-01-04",
            "data.end=2025-12-31",
            "splits.train=100",
            f"data.bar={bar}",
            f"data.price={price}",
        ]
        data = load_study("smoke", [*overrides, f"data.pairs=[{', '.join(MAJORS)}]"]).data
        raw = Ecb().read(data, 0, tmp_path_factory.mktemp("home"))
        return {pair: Ecb().bars(raw, data, pair) for pair in data.pairs}

    return bars


def test_monthly_means_are_found_out_in_every_pair(fixed):
    found = look_like_averages(fixed("1mo", "mean"))
    assert [one[:6] for one in found] == list(MAJORS)
    assert "as of means over time (0.17 to 0.25), not of prices (0)" in found[0]
    assert averages_verdict(fixed("1mo", "mean")).passed is False


@pytest.mark.parametrize("bar", ["1mo", "1d"])
def test_month_ends_and_daily_fixings_pass(fixed, bar):
    verdict = averages_verdict(fixed(bar, "last"))
    assert (verdict.claim, verdict.passed) == ("bars are prices", True)
    assert verdict.detail.endswith("at most")


def test_means_that_are_declared_are_said_and_not_held_against_the_bars(fixed):
    verdict = averages_verdict(fixed("1mo", "mean"), declared=True)
    assert verdict.passed is None
    assert "declared" in verdict.detail


def test_the_check_says_the_same(fixed, tmp_path):
    (check,) = (one for one in bar_checks(load_study("smoke")) if one.name == "bars_are_prices")
    study, home = load_study("smoke"), Home(tmp_path / "home", tmp_path / "reports")
    for pair, bars in fixed("1mo", "mean").items():
        write_parquet(bars, home.study(study.name).table("bars", pair))
    assert len(check.decide(home, study).findings) == len(study.data.pairs)
    declared = study.model_copy(update={"data": study.data.model_copy(update={"price": "mean"})})
    found = check.decide(home, declared)
    assert (found.findings, found.examined) == ([], 2)
    assert found.unit == "pairs, whose closes are means over the bar, no prices"


@given(st.integers(2, 40))
def test_workings_formula_is_what_the_weights_of_the_moments_give(moments):
    # A change of means weighs the steps of the walk 1, 2, … m, … 2, 1; the next change the same, m steps later.
    weights = np.concatenate([np.arange(1, moments + 1), np.arange(moments - 1, 0, -1)])
    lagged = (weights[moments:] * weights[:-moments]).sum()
    assert expected_autocorrelation(moments) == pytest.approx(lagged / (weights**2).sum())
    assert LEAST <= expected_autocorrelation(moments) < 1 / 4


def test_as_a_variance_ratio_of_two(make_bars):
    # VR(2) = 1 + r₁ but for the ends of the series (Lo & MacKinlay 1988).
    bars = make_bars(np.exp(np.cumsum(np.random.default_rng(3).normal(0, 0.01, 4000))))
    steps = np.diff(np.log(bars["close"].to_numpy()))
    steps -= steps.mean()
    ratio = ((steps[1:] + steps[:-1]) ** 2).mean() / (2 * (steps**2).mean())
    assert autocorrelation(bars).value == pytest.approx(ratio - 1, abs=1e-3)


def test_it_is_rarely_wrong_about_prices_and_finds_long_means(make_bars):
    rng = np.random.default_rng(11)
    steps = rng.normal(0, 0.005, (300, 320, 20)) * np.exp(rng.normal(0, 0.5, (300, 320, 1)))  # months that differ
    closes = np.exp(np.cumsum(steps.reshape(300, -1), axis=1)).reshape(300, 320, 20)
    wrong = sum(bool(look_like_averages({"EURUSD": make_bars(one[:, -1])})) for one in closes)
    found = sum(bool(look_like_averages({"EURUSD": make_bars(one.mean(axis=1))})) for one in closes)
    assert wrong <= 9  # 3 expected; 10 or more in less than one of a thousand
    assert found >= 240


def test_too_few_bars_or_constant_ones_say_nothing(make_bars):
    for closes in (np.linspace(1, 2, 20), np.ones(50)):
        assert averages_verdict({"EURUSD": make_bars(closes)}).passed is None


def test_a_stale_correlation_below_that_of_means_is_no_finding(make_bars):
    shocks = np.random.default_rng(5).normal(0, 0.001, 20_000)
    smooth = make_bars(np.exp(np.cumsum(shocks[1:] + 0.05 * shocks[:-1])))
    assert look_like_averages({"EURUSD": smooth}) == []
