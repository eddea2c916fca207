"""Worlds of coverage and of trading against laws by hand and against the account that claims are made from."""

import datetime

import numpy as np
import polars as pl
import pytest
from scipy import stats
from support.money import section

from golden_core.economics.costs import Quotes
from golden_core.economics.ledger import account
from golden_core.economics.positions import signals
from golden_core.statistics import long_run, worlds
from golden_core.statistics.skill import in_direction
from golden_core.store.randomness import Stream

OFF = (-worlds.MARGIN, worlds.MARGIN, 0.0)
N = 250


def chance(*names):
    return Stream(2).child("worlds", *map(str, names)).generator()


@pytest.mark.parametrize(("world", "level"), [("iid", 0.8), ("garch", 0.8), ("rare", 0.9)])
def test_independent_hits_are_binomial(world, level):
    g = worlds.covered(world, chance(world), 4000, N, 1, off=OFF)
    for moment, off in zip(g, OFF, strict=True):
        assert set(np.unique((moment + level).round(12))) == {0.0, 1.0}
        counts = (moment + level).round().sum(axis=1)
        law = stats.binom(N, level + off)
        for k in law.ppf([0.05, 0.25, 0.5, 0.75, 0.95]):
            p = law.cdf(k)
            assert (counts <= k).mean() == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 4000))


def test_hits_of_overlapping_targets_vary_as_two_normal_variables_that_share_bars():
    h, simulations = 4, 6000
    g = worlds.covered("ma", chance("ma"), simulations, N, h, off=OFF)
    for moment, off in zip(g, OFF, strict=True):
        share = worlds.LEVEL + off
        half = stats.norm.ppf((1 + share) / 2)
        gammas = [share * (1 - share)]
        for lag in range(1, h):
            rho = 1 - lag / h
            both = stats.multivariate_normal([0, 0], [[1, rho], [rho, 1]])
            gammas.append(both.cdf([half, half], lower_limit=[-half, -half]) - share**2)
        weights = [1, *(2 * (1 - lag / N) for lag in range(1, h))]
        variance = np.dot(weights, gammas) / N
        means = moment.mean(axis=1)
        assert means.mean() == pytest.approx(off, abs=4 * np.sqrt(variance / simulations))
        assert means.var() == pytest.approx(variance, rel=4 * np.sqrt(2 / simulations))


def test_one_width_holds_its_share_of_the_bars_at_hand_and_of_all_bars():
    known = worlds.garch(chance("known"), (50, N))[1]
    halves = worlds.one_width(known, 0.75)
    held = stats.norm.cdf(halves / known) - stats.norm.cdf(-halves / known)
    np.testing.assert_allclose(held.mean(axis=1), 0.75, atol=1e-12)
    constant, slow = (worlds.covered(world, chance(world), 2000, N, 1, off=OFF) for world in ("constant", "slow"))
    np.testing.assert_allclose(slow.mean(axis=(1, 2)), OFF, atol=1e-5)
    np.testing.assert_allclose(constant.mean(axis=(1, 2)), OFF, atol=4 * 0.5 / np.sqrt(2000 * N))
    # What was missed in the long run depends on the years: far more than independent misses would.
    independent = worlds.LEVEL * (1 - worlds.LEVEL) / N
    assert slow[2].mean(axis=1).var() > 4 * independent > 3.5 * constant[2].mean(axis=1).var()


def replayed(world, horizon, simulations=3):
    """Accounts of economics/ledger.py of the same draws, positions by its own rule."""
    generator = chance(world, horizon)
    falls = 1 - generator.gamma(4, 1 / 4, (simulations, N)) if world == "crash" else None
    returns, _ = worlds.garch(generator, (simulations, N), shocks=None if falls is None else 2 * falls)
    persistence = 0.95 if world == "slow" else 0.7**0.5
    forecasts = worlds.persistent(generator, (simulations, N - horizon), persistence)
    first = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    times = pl.Series([first + datetime.timedelta(days=day) for day in range(N)])
    rule = section(signal={"rule": "sign", "threshold": 0.05})
    for returned, forecast in zip(returns, forecasts, strict=True):
        prices, free = np.cumprod(1 + 0.005 * returned), np.zeros(N)
        wanted = signals(forecast, np.full(len(forecast), horizon**-0.5), horizon, rule)
        wanted = np.maximum(wanted, 0) if world == "crash" else wanted
        quotes = Quotes(times, prices, free, 0.0, free, free, 1e-4, "made up")
        yield account(wanted, np.arange(N - horizon), quotes, horizon)


@pytest.mark.parametrize("world", ["garch", "slow", "crash"])
@pytest.mark.parametrize("horizon", [1, 4, 24])
def test_what_noise_earns_is_what_the_ledger_says(world, horizon):
    simulated = worlds.traded(world, chance(world, horizon), 3, N, horizon)
    for moves, held, kept in zip(*simulated, replayed(world, horizon), strict=True):
        assert len(kept.times) == N
        np.testing.assert_allclose(0.005 * moves * held, kept.net, rtol=0, atol=1e-14)
        np.testing.assert_allclose(held, kept.position, rtol=0, atol=1e-12)


@pytest.mark.parametrize("world", ["garch", "slow", "crash", "level", "band"])
def test_noise_earns_nothing_and_no_bar_tells_of_the_next(world):
    g = np.prod(worlds.traded(world, chance("mean", world), 4000, N, 4), axis=0)
    means = g.mean(axis=1)
    assert abs(means.mean()) < 4 * means.std() / np.sqrt(4000)
    products = (g[:, 1:] * g[:, :-1]).mean(axis=1)
    assert abs(products.mean()) < 4 * products.std() / np.sqrt(4000)
    if world not in worlds.REVERSALS:
        skewness = stats.skew(g.ravel())
        assert skewness < -0.5 if world == "crash" else abs(skewness) < 0.2


@pytest.mark.parametrize("world", worlds.REVERSALS)
def test_a_reversal_foretells_nothing_and_is_found_too_often_by_its_size(world):
    """Its moments have mean zero and a skewed sum, as the statistic of Dickey and Fuller has; its sign's are even."""
    n, simulations = N, 4000
    y, forecast = worlds.unpredictable(world, chance(world), simulations, n, 1)
    means = (y * forecast).mean(axis=1)
    assert abs(means.mean()) < 4 * means.std() / np.sqrt(simulations)
    back, on, signed = (
        (long_run(moment, horizon=1, alternative="greater").p_value <= 0.05).mean()
        for moment in (y * forecast, -y * forecast, in_direction(y, forecast).moment)
    )
    assert back > 0.065 > 0.04 > on
    assert 0.03 <= signed <= 0.063


def test_where_a_reversal_says_that_the_price_goes():
    n, h, simulations = 50, 3, 20
    prices = np.cumsum(worlds.garch(chance("one"), (simulations, 2 * n + h - 1))[0], axis=1)
    to = {world: worlds.unpredictable(world, chance("one"), simulations, n, h) for world in worlds.REVERSALS}
    for k in (0, 7, n - 1):
        cutoff = n - 1 + k
        for y, _ in to.values():
            np.testing.assert_allclose(y[:, k], prices[:, cutoff + h] - prices[:, cutoff], rtol=1e-9)
        np.testing.assert_allclose(to["level"][1][:, k], prices[:, :n].mean(axis=1) - prices[:, cutoff], rtol=1e-9)
        far = np.abs(to["level"][1][:, k]) > 0.5 * np.sqrt(n)
        assert (to["band"][1][:, k] == np.where(far, to["level"][1][:, k], 0.0)).all()
        np.testing.assert_allclose(to["undone"][1][:, k], prices[:, cutoff - 20] - prices[:, cutoff], rtol=1e-9)
