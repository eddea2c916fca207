"""Ratios against published values, quadrature and enumeration; the interval's variance against a bootstrap."""

import itertools
import math

import numpy as np
import pytest
from scipy import integrate, special, stats

from golden_core.economics import sharpe
from golden_core.economics.ledger import account
from golden_core.statistics import long_run
from golden_core.store.randomness import Stream


def draw(*names, size):
    return Stream(10).child(*names).generator().standard_normal(size)


def test_probabilistic_ratio_as_published():
    """Bailey & López de Prado (2012): a monthly ratio of .458 over two years, normal returns and skewed ones."""
    assert sharpe.probabilistic(0.458, 24, 0.0, 3.0) == pytest.approx(0.982, abs=5e-4)
    assert sharpe.probabilistic(0.458, 24, -2.448, 10.164) == pytest.approx(0.913, abs=5e-4)


@pytest.mark.parametrize(("trials", "published"), [(100, 0.9004), (46, 0.9505)])
def test_deflated_ratio_as_published(trials, published):
    """Bailey & López de Prado (2014): 2.5 a year of 250 days, five years, variance of one half among the trials."""
    found = sharpe.deflated(2.5 / math.sqrt(250), 1250, -3.0, 10.0, trials=trials, variance=0.5 / 250)
    assert found == pytest.approx(published, abs=1e-4)


def test_the_bar_of_a_hundred_trials_as_published():
    assert math.sqrt(0.5 / 250) * sharpe.expected_maximum(100) == pytest.approx(0.1132, abs=5e-5)


def test_expected_maximum_beside_quadrature():
    def exact(trials):
        def density(x):
            return x * trials * stats.norm.pdf(x) * special.ndtr(x) ** (trials - 1)

        return integrate.quad(density, -10, 10)[0]

    assert sharpe.expected_maximum(10) == pytest.approx(1.57, abs=5e-3)
    assert exact(10) == pytest.approx(1.539, abs=5e-4)
    for trials in (2, 5, 10, 100, 1000, 10_000):  # the approximation never asks for less than the truth by much
        assert -0.05 < sharpe.expected_maximum(trials) - exact(trials) < 0.05
    assert sharpe.expected_maximum(1) == 0.0


def test_the_moment_has_the_ratio_as_mean_and_its_error_as_spread():
    r = 0.1 + draw("moment", size=4000)
    g = sharpe.sharpe_moment(r)
    assert g.mean() == pytest.approx(float(sharpe.sharpe(r)), rel=1e-12)
    skew, kurtosis = sharpe.shape(r)
    closed = 1 - skew * g.mean() + (kurtosis - 1) / 4 * g.mean() ** 2  # Mertens (2002), of independent returns
    assert g.var() == pytest.approx(closed, rel=1e-9)


def test_the_two_intervals_agree_on_returns_without_memory():
    r = 0.002 * (0.05 + draw("intervals", size=(2, 3000)))  # a ratio knows no unit
    generator = Stream(11).child("intervals").generator()
    low, high = sharpe.bootstrap_interval(r, block=10, reps=800, level=0.95, generator=generator)
    engine = long_run(sharpe.sharpe_moment(r), horizon=1)
    np.testing.assert_allclose(high - low, engine.high - engine.low, rtol=0.3)
    assert ((low < engine.mean) & (engine.mean < high)).all()


def test_a_bootstrap_in_parts_is_one_bootstrap(monkeypatch):
    r = draw("parts", size=(1, 60))
    whole, parts = [], []
    for found, at_once in ((whole, sharpe.AT_ONCE), (parts, 60 * 7)):
        monkeypatch.setattr(sharpe, "AT_ONCE", at_once)
        generator = Stream(12).generator()
        found.append(sharpe.bootstrap_interval(r, block=5, reps=2000, level=0.9, generator=generator))
    np.testing.assert_allclose(whole, parts, atol=0.03)  # other resamples, as many


def test_overlapping_lots_count_every_return_once(offered, fills):
    """Held for a day and replayed bar by bar; sums of 24 bars would vary several times as much."""
    asked = np.sign(draw("overlap", size=len(fills)))
    kept = account(asked, fills, offered, 24)
    later = offered.prices[fills + 24] / offered.prices[fills] - 1
    assert len(kept.gross) == len(fills) + 24
    assert kept.gross.sum() == pytest.approx((asked * later).sum() / 24, rel=1e-9)
    overlapping = (asked * later).std()
    assert overlapping > 4 * kept.gross.std()


def by_enumeration(returns, blocks):
    """Count the halves of time in which the best of the other half is at or below the median. One at a time."""
    parts = np.array_split(np.arange(returns.shape[1]), blocks)
    below = []
    for chosen in itertools.combinations(range(blocks), blocks // 2):
        inside = np.concatenate([parts[place] for place in chosen])
        outside = np.setdiff1d(np.arange(returns.shape[1]), inside)
        best = int(np.argmax(returns[:, inside].mean(axis=1) / returns[:, inside].std(axis=1)))
        ratios = returns[:, outside].mean(axis=1) / returns[:, outside].std(axis=1)
        below.append(stats.rankdata(ratios)[best] / (len(returns) + 1) <= 0.5)
    return np.mean(below)


def test_overfitting_by_enumeration():
    for count in (2, 5, 8):
        r = draw("overfitting", count, size=(count, 192))
        assert sharpe.overfitting(r, blocks=6) == pytest.approx(by_enumeration(r, 6), abs=1e-12)


def test_overfitting_of_skill_noise_and_nothing():
    assert math.comb(sharpe.BLOCKS, sharpe.BLOCKS // 2) == 12_870
    noise = draw("noise", size=(10, 1600))
    skilled = noise + np.r_[0.5, np.zeros(9)][:, np.newaxis]
    assert sharpe.overfitting(skilled) == 0.0
    many = [sharpe.overfitting(draw("noise", place, size=(10, 320)), blocks=8) for place in range(40)]
    assert 0.4 < np.mean(many) < 0.7  # without skill about a half
    assert not np.isnan(sharpe.overfitting(noise[:, :400], horizon=24))
    assert np.isnan(sharpe.overfitting(noise[:, :399], horizon=24))  # blocks as long as lots are held
    for nothing in (noise[:1], noise[:, :20], np.vstack([noise[0], np.zeros(1600)])):
        assert np.isnan(sharpe.overfitting(nothing))


def test_the_ratio_by_hand():
    """Means of .02 and .01 over spreads of .01 and .03."""
    np.testing.assert_allclose(sharpe.sharpe(np.array([[0.01, 0.03], [-0.02, 0.04]])), [2, 1 / 3], rtol=1e-12)


def test_flat_returns_have_no_ratio():
    assert np.isnan(sharpe.sharpe(np.full(50, 1e-3)))
    assert np.isnan(sharpe.sharpe_moment(np.zeros(50))).all()
    generator = Stream(13).generator()
    low, high = sharpe.bootstrap_interval(np.zeros((1, 50)), block=5, reps=50, level=0.9, generator=generator)
    assert np.isnan([low, high]).all()


def test_drawdown_by_hand():
    assert sharpe.drawdown(np.array([0.1, -0.3, 0.1, 0.3, -0.1])) == pytest.approx(0.3)
    assert sharpe.drawdown(np.array([-0.2, 0.1])) == pytest.approx(0.2)
    assert sharpe.drawdown(np.array([[0.1, 0.1], [-0.1, -0.1]])) == pytest.approx([0.0, 0.2])
