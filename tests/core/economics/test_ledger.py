"""The account: against a plain replay, bounded by foresight, exact under a flipped sign, dearer with every cost."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.money import bars, section, wanted
from support.replay import replay

from golden_core.economics.costs import quotes
from golden_core.economics.ledger import account


@pytest.mark.parametrize("delay", [0, 1])
@pytest.mark.parametrize("horizon", [1, 5, 24])
def test_the_account_is_that_of_an_independent_replay(offered, fills, horizon, delay):
    asked = wanted("replay", horizon)
    kept = account(asked, fills, offered, horizon, delay=delay)
    equity, paid = replay(asked, fills, offered, horizon, delay=delay)
    live = np.isin(offered.times.to_numpy(), kept.times.to_numpy())
    np.testing.assert_allclose(np.cumsum(kept.net), np.array(equity)[live], rtol=0, atol=1e-10)
    assert equity[-1] == pytest.approx(kept.net.sum(), abs=1e-10)  # nothing happens but while a lot can be open
    np.testing.assert_allclose(kept.position * kept.moves, kept.gross, rtol=0, atol=1e-12)
    for name, total in paid.items():
        assert getattr(kept, name).sum() == pytest.approx(total, abs=1e-10)
    assert len(kept.times) == 500 + horizon  # a return per bar, however long lots are held


@pytest.mark.parametrize("horizon", [1, 5, 24])
def test_when_every_lot_is_closed_nothing_is_held(offered, fills, horizon):
    seldom = wanted("seldom", horizon) * (np.arange(500) % 120 < 7)
    kept = account(np.stack([seldom, -seldom, 0 * seldom]), fills, offered, horizon)
    lots = np.convolve(seldom != 0, np.ones(horizon))[: len(kept.times)]  # open between a price and the next
    expected = np.r_[0, lots][: len(kept.times)] > 0
    assert 0 < expected.mean() < 0.5
    np.testing.assert_array_equal(kept.position != 0, np.stack([expected, expected, 0 * expected]))
    assert not kept.swap[:, ~expected].any()


def test_prices_that_end_too_soon_close_what_is_open(offered):
    cutoffs = bars()["available_at"][-30:]
    places = offered.fills(cutoffs)
    assert places[-1] == len(offered.prices)  # after the last bar there is no price
    kept = account(np.ones(30), places, offered, 24)
    equity, _ = replay(np.ones(30), places, offered, 24)
    np.testing.assert_allclose(kept.net.sum(), equity[-1], atol=1e-12)
    assert kept.times[-1] == offered.times[-1]


def test_a_gap_between_test_parts_is_no_time_without_return(offered, fills):
    apart = np.r_[fills[:100], fills[300:400]]
    kept = account(np.ones(200), apart, offered, 5)
    assert len(kept.times) == 2 * 105
    equity, _ = replay(np.ones(200), apart, offered, 5)
    assert kept.net.sum() == pytest.approx(equity[-1], abs=1e-12)


@given(st.integers(1, 30), st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_foresight_bounds_every_strategy_and_the_opposite_loses_exactly_as_much(offered, fills, horizon, seed):
    limit = 2.0
    asked = limit * np.random.default_rng(seed).uniform(-1, 1, len(fills))
    later = offered.prices[np.minimum(fills + horizon, len(offered.prices) - 1)]
    foresight = limit * np.sign(later - offered.prices[fills])
    ours, best, opposite = account(np.stack([asked, foresight, -asked]), fills, offered, horizon).gross
    assert ours.sum() <= best.sum() + 1e-12
    np.testing.assert_array_equal(opposite, -ours)


def test_net_falls_with_every_cost(fills):
    asked = wanted("costs")
    dear = [{"spread": 0.8}, {"slippage": 0.3}, {"long": -0.9}, {"short": -0.4}]
    net, *less = (
        account(asked, fills, quotes(bars(), "EURUSD", section(**costs)), 5).net.cumsum() for costs in ({}, *dear)
    )
    for equity in less:
        assert (equity <= net + 1e-15).all()
        assert equity[-1] < net[-1]


def test_without_costs_a_lot_earns_its_price_change(offered, fills):
    free = dataclasses.replace(
        offered, half_spread=0 * offered.prices, slippage=0.0, long=0 * offered.prices, short=0 * offered.prices
    )
    kept = account(np.r_[1.0, np.zeros(len(fills) - 1)], fills, free, 24)
    first = fills[0]
    assert kept.net.sum() == pytest.approx(free.prices[first + 24] / free.prices[first] / 24 - 1 / 24, rel=1e-9)
    assert kept.turnover[0] == pytest.approx(1 / 24)
    assert kept.traded.sum() == pytest.approx(2 / 24 / free.prices[first])


def test_what_stays_is_not_traded(offered, fills):
    """With an unchanging position, the lot that is opened and the one that is closed differ by the price alone."""
    kept = account(np.ones(len(fills)), fills, offered, 5)
    assert kept.turnover[5:-5].max() < 0.02
    assert kept.turnover.sum() < 2.5
