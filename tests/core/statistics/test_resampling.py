"""Tests of many forecasters against arch on the same resamples, and against the faults that others' have."""

import numpy as np
import pytest
from arch.bootstrap import MCS, SPA, StepM
from scipy import stats

from golden_core.statistics import long_run
from golden_core.statistics.resampling import Resamples, confidence_set, cosines, stationary, stepwise, superior
from golden_core.store.randomness import Stream

REPS, N = 399, 300


def generator(*names):
    return Stream(1).child("resampling", *names).generator()


def losses(*names, k=5, n=N):
    return generator("losses", *names).standard_normal((n, k)) ** 2


@pytest.fixture
def resamples():
    return stationary(N, block=8, reps=REPS, generator=generator("stationary"))


def of_arch(procedure):
    """Return the resamples that arch draws, as weights."""
    bootstrap = procedure.bootstrap
    drawn = [np.bincount(bootstrap.index, minlength=N) for _ in bootstrap.bootstrap(REPS)]
    return Resamples(np.stack(drawn) / N)


def strict(p_value):
    """Undo the count of the observed value itself, which arch leaves out."""
    return (p_value * (REPS + 1) - 1) / REPS


def test_confidence_set_equals_that_of_arch():
    table = losses("mcs") + np.array([0, 0.05, 0.1, 0.2, 0.6])
    theirs = MCS(table, size=0.1, block_size=8, reps=REPS, method="max", bootstrap="stationary", seed=3)
    theirs.compute()
    rows = np.stack(theirs._bootstrap_indices)
    same = Resamples(np.stack([np.bincount(row.ravel(), minlength=N) for row in rows]) / N)
    ours = strict(confidence_set(table, same))
    expected = theirs.pvalues.sort_index()["Pvalue"].to_numpy()
    np.testing.assert_allclose(ours[expected < 1], expected[expected < 1], atol=1e-12)
    assert np.isclose(ours[expected == 1], 1).all()


@pytest.mark.parametrize("shift", [0.0, 0.1, 0.25, -0.1])
def test_superior_equals_that_of_arch_where_it_studentises_nothing(shift):
    # With one forecaster, and none far worse, dividing by its standard error changes no p-value.
    table = losses("spa", shift, k=2)
    theirs = SPA(table[:, 0], table[:, 1:] - shift, block_size=8, reps=REPS, studentize=False, seed=3)
    theirs.compute()
    same = of_arch(SPA(table[:, 0], table[:, 1:], block_size=8, reps=REPS, seed=3))
    ours = superior(table[:, 0], table[:, 1:] - shift, same)
    assert strict(ours) == pytest.approx(theirs.pvalues["consistent"], abs=1e-12) or ours == 1


def test_stepwise_finds_what_arch_finds(resamples):
    benchmark, *_ = table = losses("stepm", k=6).T
    gains = benchmark[:, np.newaxis] - table[1:].T + np.array([0.6, 0.3, 0.1, 0.0, -0.2])
    arch_draws = of_arch(StepM(benchmark, benchmark[:, np.newaxis] - gains, block_size=8, reps=REPS, seed=3).spa)
    # Equal standard errors under these resamples, so that studentising or not is the same.
    gains = gains / (arch_draws.means(gains) - gains.mean(axis=0)).std(axis=0)
    models = benchmark[:, np.newaxis] - gains
    ours = stepwise(benchmark, models, arch_draws)
    theirs = StepM(benchmark, models, size=0.1, block_size=8, reps=REPS, studentize=False, seed=3)
    theirs.compute()
    assert np.flatnonzero(ours <= 0.1).tolist() == sorted(theirs.superior_models)


def test_a_copy_of_the_benchmark_never_wins(resamples):
    table = losses("copy", k=3)
    with_copy = np.column_stack([table[:, 1:], table[:, 0]])
    assert superior(table[:, 0], with_copy, resamples) == superior(table[:, 0], table[:, 1:], resamples)
    p_values = stepwise(table[:, 0], with_copy, resamples)
    assert np.isnan(p_values[2])
    np.testing.assert_array_equal(p_values[:2], stepwise(table[:, 0], table[:, 1:], resamples))
    assert np.isnan(superior(table[:, 0], table[:, :1], resamples))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_loss_that_is_no_number_gives_no_p_value(bad, resamples):
    table = losses("nan", k=4)
    table[7, 2] = bad
    assert np.isnan(superior(table[:, 0], table[:, 1:], resamples))
    assert np.isnan(stepwise(table[:, 0], table[:, 1:], resamples)).all()
    assert np.isnan(confidence_set(table, resamples)).all()


def test_identical_forecasters_stay_together(resamples):
    one = losses("same", k=1)
    np.testing.assert_array_equal(confidence_set(np.repeat(one, 3, axis=1), resamples), [1, 1, 1])
    table = np.column_stack([one, one, one + 0.5 + 0.01 * losses("worse", k=1)])
    p_values = confidence_set(table, resamples)
    assert p_values[0] == p_values[1] == 1
    assert p_values[2] < 0.01
    # As for the test of the best, losses that agree to ten digits are those of one forecaster.
    almost = np.column_stack([one, one * (1 - 1e-12), one * (1 + 1e-11)])
    assert np.isnan(superior(one[:, 0], almost, resamples))
    np.testing.assert_array_equal(confidence_set(almost, resamples), [1, 1, 1])


def test_losses_of_another_number_of_times_are_refused(resamples):
    table = losses("times", k=3)[1:]
    for drawn in (resamples, cosines(N, horizon=1, reps=REPS, generator=generator("times"))):
        with pytest.raises(ValueError, match=f"resamples of {N} times, and the losses have {N - 1}"):
            superior(table[:, 0], table[:, 1:], drawn)


def test_everybody_wins_over_rounds(resamples):
    benchmark = losses("rounds", k=1)[:, 0]
    gains = np.array([2.0, 0.5, 0.2]) + 0.5 * generator("gains").standard_normal((N, 3))
    assert (stepwise(benchmark, benchmark[:, np.newaxis] - gains, resamples) <= 0.01).all()


def test_order_of_forecasters_and_unit_of_losses_do_not_matter(resamples):
    table = losses("order", k=6) + np.linspace(0, 0.3, 6)
    order = np.array([3, 0, 4, 1, 2])
    benchmark, others = table[:, 0], table[:, 1:]
    np.testing.assert_array_equal(
        stepwise(benchmark, others[:, order], resamples), stepwise(benchmark, others, resamples)[order]
    )
    np.testing.assert_array_equal(confidence_set(others[:, order], resamples), confidence_set(others, resamples)[order])
    for unit in (1e-12, 1e12):
        assert superior(unit * benchmark, unit * others, resamples) == superior(benchmark, others, resamples)
        np.testing.assert_array_equal(confidence_set(unit * others, resamples), confidence_set(others, resamples))


def test_who_have_the_same_losses_have_one_p_value():
    """Whichever stands first: a set that keeps one of two that are the same keeps the other."""
    for seed in range(20):
        table = losses("twins", seed, k=5) + 0.05 * np.arange(5)
        table[:, 3] = table[:, 1]
        drawn = cosines(N, horizon=1, reps=REPS, generator=generator("twins", seed))
        found = confidence_set(table, drawn)
        assert found[1] == found[3]
        np.testing.assert_array_equal(confidence_set(table[:, ::-1], drawn)[::-1], found)


def test_stepping_down_never_costs_the_best(resamples):
    table = losses("step", k=6)
    p_values = stepwise(table[:, 0], table[:, 1:] - 0.1, resamples)
    best = np.argmin(p_values)
    alone = stepwise(table[:, 0], table[:, [best + 1]] - 0.1, resamples)
    assert p_values[best] >= alone[0]


@pytest.mark.parametrize("horizon", [1, 3])
def test_resampled_means_have_the_variance_of_the_engine(horizon):
    drawn = cosines(N, horizon=horizon, reps=REPS, generator=generator("cosines"))
    g = losses("variance", k=1)
    spread = np.sqrt(np.square(drawn.means(g) - g.mean()).mean())
    halved = long_run(np.r_[g[:, 0]], horizon=horizon)
    phases = np.pi * np.outer(np.arange(N) + 0.5, np.arange(1, halved.df // 2 + 1)) / N
    expected = np.sqrt(np.square(np.sqrt(2 / N) * (g[:, 0] - g.mean()) @ np.cos(phases)).mean() / N)
    assert spread == pytest.approx(expected, rel=1e-9)
    np.testing.assert_allclose(drawn.means(np.ones((N, 1))), 1, rtol=1e-12)


def test_one_forecaster_is_tested_as_by_the_engine():
    drawn = cosines(N, horizon=1, reps=20_000, generator=generator("one"))
    g = losses("engine", k=1) - 0.75
    p_value = superior(np.zeros(N), -g, drawn)
    count = drawn.df
    phases = np.pi * np.outer(np.arange(N) + 0.5, np.arange(1, count + 1)) / N
    variance = np.square(np.sqrt(2 / N) * (g[:, 0] - g.mean()) @ np.cos(phases)).mean()
    assert p_value == pytest.approx(stats.t.sf(np.sqrt(N) * g.mean() / np.sqrt(variance), count), abs=0.01)


def test_blocks_have_the_length_they_are_said_to_have():
    drawn = stationary(2000, block=10, reps=50, generator=generator("blocks"))
    np.testing.assert_allclose(drawn.means(np.ones((2000, 1))), 1, rtol=1e-12)
    # The variance of a resampled mean of noise is that of any block length; of a slow wave it grows with the block.
    wave = np.sin(2 * np.pi * np.arange(2000) / 200)[:, np.newaxis]
    short = stationary(2000, block=1, reps=400, generator=generator("short")).means(wave).std()
    long = stationary(2000, block=10, reps=400, generator=generator("long")).means(wave).std()
    assert 2.5 < long / short < 6  # √(2 · 10 − 1) ≈ 4.4 for blocks of geometric length within half a wave
    with pytest.raises(ValueError, match="at least 1"):
        stationary(10, block=0.5, reps=1, generator=generator())
    with pytest.raises(ValueError, match="half coefficients"):
        cosines(10, horizon=5, reps=10, generator=generator())
