"""The martingale bound: its size under every null it claims, its power, and that nothing later has a part in it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_core.statistics.martingale import evidence, standardise_by_past
from golden_core.store.randomness import Stream

STREAM = Stream(31).child("test_martingale")


def garch_like(draw, rows, columns):
    """Return heavy-tailed martingale differences whose scale is a random walk."""
    scale = np.exp(0.1 * draw.standard_normal((rows, columns)).cumsum(axis=0))
    return scale * draw.standard_t(3, (rows, columns))


def persistent(draw, rows, columns):
    return draw.standard_normal((rows, columns)).cumsum(axis=0)


@pytest.mark.parametrize("rows", [50, 400])
def test_size_with_heavy_tails_and_persistent_factors(rows):
    draw = STREAM.child("size", rows).generator()
    returns, factors = garch_like(draw, rows, 4000), persistent(draw, rows, 4000)
    x = standardise_by_past(factors, least=20, limit=4.0, centre=True)
    y = standardise_by_past(returns, least=20, limit=4.0, centre=False)
    log_e = evidence(x[:-1] * y[1:], 0.0)
    # Markov: P(e ≥ 1/α) ≤ α. Three standard errors of 4,000 draws are 0.0104 at 5 % and 0.0047 at 1 %.
    assert (log_e >= np.log(20)).mean() <= 0.05 + 0.0104
    assert (log_e >= np.log(100)).mean() <= 0.01 + 0.0047
    assert np.exp(log_e).mean() <= 1.2  # an e-value has mean at most 1


def test_a_full_sample_mean_would_break_the_size():
    """The reason for expanding means: a level minus its mean over all rows foresees what it is built from."""
    draw = STREAM.child("stambaugh").generator()
    returns = draw.standard_normal((200, 2000))
    level = returns.cumsum(axis=0)
    leaky = (level - level.mean(axis=0)) / level.std(axis=0)
    honest = standardise_by_past(level, least=20, limit=4.0, centre=True)
    products = [x[:-1] * returns[1:] for x in (leaky, honest)]
    mean = [(terms.sum(axis=0) / np.sqrt((terms**2).sum(axis=0))).mean() for terms in products]
    assert mean[0] < -1.2  # Dickey & Fuller's distribution, not a normal one
    assert abs(mean[1]) < 0.1


def test_value_by_hand():
    # Ten terms of 1: S = V = 10, ρ² = 10/10 = 1, e = √(1/11) · exp(100/22).
    assert evidence(np.ones((10, 1)), 0.0)[0] == pytest.approx(0.5 * np.log(1 / 11) + 100 / 22)


def test_power_grows_with_association_and_tolerance_takes_it_away():
    draw = STREAM.child("power").generator()
    x, y = draw.standard_normal((600, 500)), draw.standard_normal((600, 500))
    known = 0.5 * x + np.sqrt(0.75) * y
    assert (evidence(x * known, 0.03) > np.log(1e5)).mean() > 0.99
    weak = 0.03 * x + y
    assert (evidence(x * weak, 0.03) > np.log(20)).mean() <= 0.05


@given(st.integers(30, 80), st.integers(0, 2**32))
def test_nothing_later_has_a_part_in_a_standardised_value(row, seed):
    draw = STREAM.child("causal", seed).generator()
    values = draw.standard_normal((100, 2)).cumsum(axis=0)
    changed = values.copy()
    changed[row + 1 :] = 1e9
    for centre in (True, False):
        one, other = (standardise_by_past(v, least=20, limit=4.0, centre=centre) for v in (values, changed))
        assert (one[: row + 1] == other[: row + 1]).all()
    assert (standardise_by_past(np.where(values > 0, values, np.nan), least=20, limit=4.0, centre=True)[:19] == 0).all()
