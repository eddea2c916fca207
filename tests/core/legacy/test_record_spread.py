"""Where a published number lies in the spread of our runs."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.record import STREAM, around

from golden_core.legacy.audit import Interval
from golden_core.legacy.record.spread import judge, spread_of, z_score


def interval(low, high):
    return Interval(Fraction(low), None if high is None else Fraction(high))


def test_by_hand():
    # Mean 3, sample variance 2.5 and t(0.975; 4) = 2.776445 from any table.
    spread = spread_of(np.array([1.0, 2, 3, 4, 5]), 0.95)
    of_mean, of_run = 2.776445 * np.sqrt(2.5 / 5), 2.776445 * np.sqrt(2.5 * 6 / 5)
    assert (spread.seeds, spread.mean, spread.sd) == (5, 3.0, pytest.approx(1.5811388))
    assert [spread.mean_low, spread.mean_high] == pytest.approx([3 - of_mean, 3 + of_mean], abs=1e-6)
    assert [spread.run_low, spread.run_high] == pytest.approx([3 - of_run, 3 + of_run], abs=1e-6)
    assert z_score(6.0, spread) == pytest.approx(3 / 1.5811388)


@pytest.mark.parametrize("seeds", [2, 5, 20])
def test_one_more_run_lies_in_its_interval_as_often_as_promised(seeds):
    draws = STREAM.child("one more run", seeds).generator().normal(3, 2, size=(4000, seeds + 1))
    spreads = [spread_of(row[:-1], 0.9) for row in draws]
    inside = np.mean([s.run_low <= row[-1] <= s.run_high for s, row in zip(spreads, draws, strict=True)])
    # Three standard errors of a share of 0.9 in 4,000 draws.
    assert inside == pytest.approx(0.9, abs=0.0143)


def test_a_single_run_has_no_spread():
    spread = spread_of(np.array([1.5]), 0.95)
    assert (spread.seeds, spread.mean) == (1, 1.5)
    assert {spread.sd, spread.mean_low, spread.mean_high, spread.run_low, spread.run_high} == {None}
    assert z_score(2.0, spread) is None
    assert judge(around(1.5), spread, "rmse") == "undecided"


def test_equal_runs_have_no_z():
    assert z_score(2.0, spread_of(np.ones(3), 0.95)) is None


RUNS = spread_of(np.array([1.0, 2, 3, 4, 5]), 0.95)  # one more run: −1.81 to 7.81


@pytest.mark.parametrize(
    ("published", "error", "r2"),
    [
        (interval(-3, -2), "published_better", "published_worse"),
        (interval(-3, -1), "consistent", "consistent"),
        (interval(0, 1), "consistent", "consistent"),
        (interval(-10, 10), "consistent", "consistent"),
        (interval(7, 9), "consistent", "consistent"),
        (interval(8, 9), "published_worse", "published_better"),
        (interval(8, None), "published_worse", "published_better"),
        (interval(-9, None), "consistent", "consistent"),
    ],
)
def test_one_value_that_rounds_to_the_printed_number_is_enough(published, error, r2):
    assert judge(published, RUNS, "rmse") == error
    assert judge(published, RUNS, "mae") == error
    assert judge(published, RUNS, "r2") == r2


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=8), st.floats(-30, 30))
def test_the_unit_does_not_matter(values, published):
    one, other = (spread_of(np.array(values) * unit, 0.95) for unit in (1.0, 1024.0))
    exact = [Interval(Fraction(published) * unit, Fraction(published) * unit) for unit in (1, 1024)]
    assert judge(exact[0], one, "rmse") == judge(exact[1], other, "rmse")
