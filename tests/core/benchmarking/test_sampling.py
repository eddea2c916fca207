"""Sizes that carry percentiles, warm-up by rule, and comparisons that find what is there on a noisy machine."""

import numpy as np
import pytest

from golden_core.benchmarking import sampling
from golden_core.benchmarking.sampling import (
    ALPHA,
    PAIRS,
    TAILS,
    bound,
    compare,
    full_size,
    least_size,
    percentile,
    sample,
    summarise,
)
from golden_core.store.randomness import Stream

STREAM = Stream(20_261_127, ("tests", "sampling"))


class FakeClock:
    """A clock that moves only when a call says how long it takes."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def calls(self, durations):
        durations = iter(durations)

        def call():
            self.now += next(durations)

        return call


def noisy(n, chance):
    """Durations of one call on a machine with drifting load, bursts of other work and heavy tails."""
    load = np.cumsum(chance.normal(0, 0.02, n))
    bursts = np.repeat(chance.random(-(-n // 20)) < 0.15, 20)[:n] * chance.exponential(0.5, n)
    return np.exp(load + bursts + 0.05 * np.abs(chance.standard_t(3, n)))


def pairs(n, chance, slower=1.0):
    """The same in pairs: what lies next to each other in time shares its noise; the second of a pair is warmer.

    A coin decides which call goes first, as in every comparison of the platform.
    """
    taken = noisy(2 * n, chance).reshape(n, 2) * [1.0, 0.97]
    first = chance.random(n) < 0.5
    one, other = np.where(first, taken[:, 0], taken[:, 1]), np.where(first, taken[:, 1], taken[:, 0])
    return 1e-3 * one, 1e-3 * slower * other


@pytest.mark.parametrize(("p", "full", "least"), [(0.90, 24_576, 64), (0.95, 57_344, 130), (0.99, 270_336, 662)])
def test_sizes_are_those_of_mlperf(p, full, least):
    assert full_size(p) == full
    assert least_size(p) == least


@pytest.mark.parametrize("p", TAILS)
def test_a_percentile_is_refused_one_below_the_size_that_carries_it(p):
    values = np.arange(1.0, full_size(p) + 1)
    assert percentile(values[1:], p) is None
    assert percentile(values, p) == np.ceil(p * len(values))
    assert bound(values[: least_size(p) - 1], p) is None
    assert bound(values[: least_size(p)], p) == least_size(p) - 1  # the largest but one


def test_a_bound_is_exceeded_by_its_percentile_in_one_case_of_a_hundred():
    chance = STREAM.child("bound").generator()
    missed = np.mean([bound(chance.random(700), 0.9) < 0.9 for _ in range(2000)])
    assert 0.002 < missed <= 0.016  # at most 1 %, and three standard errors


def test_a_summary_says_what_it_does_not_carry():
    found = summarise(np.full(10, 0.002), units=4)
    assert found["mean_ms"] == pytest.approx(2.0)
    assert found["throughput"] == pytest.approx(2000)
    assert found["p50_ms"] is None
    assert found["undefined"].startswith("10 samples: p50 needs 11 samples, p90 needs 24,576 samples, its bound 64")
    full = summarise(STREAM.generator().random(full_size(0.99)) + 0.1, units=1)
    assert full["undefined"] == ""
    assert full["p50_ms"] < full["p90_ms"] < full["p95_ms"] < full["p99_ms"]
    assert all(full[f"p{p}_ms"] <= full[f"p{p}_bound_ms"] for p in (90, 95, 99))


def test_a_tail_that_no_table_shows_asks_for_its_full_size_too():
    assert percentile(np.ones(10_000), 0.999) is None
    assert percentile(np.ones(100), 0.25) == 1.0


@pytest.mark.parametrize("seconds", [[], [1.0, 0.0], [1.0, np.nan]])
def test_what_is_no_duration_is_refused(seconds):
    with pytest.raises(ValueError, match="each a positive number"):
        summarise(np.array(seconds), 1)
    with pytest.raises(ValueError, match="each a positive number"):
        compare(np.array(seconds), np.array(seconds))


def test_warm_up_ends_when_two_blocks_agree():
    clock = FakeClock()
    cooling = [*np.linspace(9.0, 2.0, 30), *[1.0] * 400]
    found = sample(clock.calls(cooling), seconds=300, fewest=5, clock=clock)
    assert (found.warm_up, found.steady) == (50, True)  # blocks of ten: the fourth and fifth are alike
    assert (found.seconds == 1.0).all()
    assert len(found.seconds) == 300


def test_what_never_settles_is_measured_and_says_so():
    clock = FakeClock()
    growing = clock.calls(1e-6 * 1.02**n for n in range(10_000))
    found = sample(growing, seconds=1e-9, fewest=7, clock=clock)
    assert not found.steady
    assert (found.warm_up, len(found.seconds)) == (20, 7)  # as long as asked for, but two blocks at least


@pytest.mark.parametrize("later", [lambda n: 1.002**n, lambda n: 1.0 if n < 100 else 1.3])
def test_a_sample_whose_halves_differ_is_not_steady(later):
    """Two blocks of a clock that creeps are alike; its median would be that of no moment."""
    clock = FakeClock()
    found = sample(clock.calls(1e-3 * later(n) for n in range(10_000)), seconds=0.1, fewest=160, clock=clock)
    assert found.warm_up == 20
    assert not found.steady


def test_the_longer_of_time_and_number_decides():
    clock = FakeClock()
    assert len(sample(clock.calls([0.5] * 100), seconds=1.0, fewest=30, clock=clock).seconds) == 30


def test_of_calls_without_number_some_are_kept_evenly(monkeypatch):
    monkeypatch.setattr(sampling, "full_size", lambda _p: 50)
    clock = FakeClock()
    call = clock.calls(1e-3 + 1e-8 * np.arange(2000))
    found = sample(call, seconds=1.0, fewest=10, clock=clock)
    assert 50 <= len(found.seconds) < 100
    assert found.calls == pytest.approx(1000, abs=10)
    assert np.diff(found.seconds) == pytest.approx(np.full(len(found.seconds) - 1, 16e-8), rel=1e-3)
    assert clock.now == pytest.approx(1.0 + 1e-3 * found.warm_up, rel=0.01)
    assert len(sample(clock.calls([1e-3] * 2000), seconds=1.0, fewest=300, clock=clock).seconds) in range(300, 600)


def test_identical_calls_are_rarely_told_apart():
    found = [compare(*pairs(PAIRS, STREAM.child("same", n).generator())) for n in range(100)]
    assert sum(one.p_value <= ALPHA for one in found) <= 5


def test_five_percent_are_found():
    found = [compare(*pairs(PAIRS, STREAM.child("slower", n).generator(), slower=1.05)) for n in range(100)]
    assert sum(one.p_value <= ALPHA and one.ratio > 1 for one in found) >= 95
    assert sum(one.low <= 1.05 <= one.high for one in found) >= 95


def test_an_interval_holds_no_difference_where_none_was_found_and_nowhere_else():
    for n in range(8, 60):
        for shift in np.linspace(0.5, 5, 10) / np.sqrt(n):
            other = np.exp(0.1 * STREAM.child("interval", n, shift).generator().normal(shift, 1, n))
            found = compare(np.ones(n), other)
            assert (found.p_value <= ALPHA) == (found.low > 1)


def test_few_pairs_give_a_ratio_and_no_verdict():
    found = compare(np.ones(7), np.full(7, 2.0))
    assert (found.ratio, found.p_value) == (2.0, None)
    assert compare(np.ones(9), np.ones(9)).p_value == 1.0
