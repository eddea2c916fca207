"""Every forecaster against the random walk: what is averaged, what is tested, what is adjusted, what is refused."""

import numpy as np
import polars as pl
import pytest
from statsmodels.stats.multitest import multipletests

from golden_core.evaluation.comparisons import MissingBenchmarkError, comparisons_table
from golden_core.statistics import diebold_mariano, long_run
from golden_core.store.schema import COMPARISONS, FORECASTS


def losses(rows):
    ordered = rows.sort("cutoff")
    return (ordered["y_pred"] - ordered["y_true"]).to_numpy() ** 2


def test_each_seed_is_tested_on_squared_errors_of_log_returns(forecasts):
    table = comparisons_table(forecasts)
    COMPARISONS.conform(table)
    assert len(table) == 2 * 4 * (3 + 1)  # forecasters × series × (seeds and their ensemble); no walk against itself
    for row in table.filter(level="seed").iter_rows(named=True):
        where = {name: row[name] for name in ("pair", "horizon")}
        ours = forecasts.filter(forecaster=row["forecaster"], seed=row["seed"], **where)
        theirs = losses(forecasts.filter(forecaster="random_walk", **where))
        expected = long_run(losses(ours) - theirs, horizon=row["horizon"])
        assert (row["statistic"], row["p_value"], row["n"], row["df"]) == pytest.approx(
            (expected.statistic, expected.p_value, expected.n, expected.df), rel=1e-12
        )
        parity = diebold_mariano(losses(ours), theirs, horizon=row["horizon"])
        assert (row["hln_statistic"], row["hln_p_value"]) == (parity.statistic, parity.p_value)
        assert row["mean_difference"] == parity.mean_difference


def test_the_ensemble_averages_forecasts_before_errors(forecasts):
    where = {"forecaster": "noisy", "pair": "USDJPY", "horizon": 5}
    table = comparisons_table(forecasts)
    found = table.filter(level="ensemble", **where).row(0, named=True)
    average = forecasts.filter(**where).group_by("cutoff").agg(pl.col("y_pred").mean(), pl.col("y_true").first())
    walk = losses(forecasts.filter(forecaster="random_walk", pair="USDJPY", horizon=5))
    assert found["seed"] == -1
    assert found["statistic"] == pytest.approx(long_run(losses(average) - walk, horizon=5).statistic, rel=1e-12)
    # Averaging removes noise, so the ensemble is better than its members are on average.
    assert found["mean_difference"] < table.filter(level="seed", **where)["mean_difference"].mean()


def test_holm_runs_over_all_tests_of_one_level(forecasts):
    table = comparisons_table(forecasts)
    for level in ("seed", "ensemble"):
        part = table.filter(level=level)
        expected = multipletests(part["p_value"].to_numpy(), method="holm")[1]
        np.testing.assert_allclose(part["p_holm"].to_numpy(), expected, rtol=1e-12)


def test_trials_that_failed_were_asked_for(make_forecasts, trials_of):
    """Left out of the family, they would make the p-values of the others smaller."""
    forecasts = make_forecasts(("noisy", "oracle", "steady"))
    trials = trials_of(forecasts)
    gone = (pl.col("forecaster") == "noisy") & ((pl.col("pair") == "EURUSD") | (pl.col("seed") == 1))
    whole, failed = (
        comparisons_table(forecasts, trials=trials),
        trials.with_columns(status=pl.when(gone).then(pl.lit("failed")).otherwise("status")),
    )
    assert whole.equals(comparisons_table(forecasts))  # nothing is missing
    some = comparisons_table(forecasts.filter(~gone), trials=failed)
    for level, asked in (("seed", 4 * (3 + 3 + 1)), ("ensemble", 4 * 3)):
        part = some.filter(level=level)
        assert len(part) < asked
        every = np.append(part["p_value"].to_numpy(), np.ones(asked - len(part)))
        expected = multipletests(every, method="holm")[1][: len(part)]
        np.testing.assert_allclose(part["p_holm"].to_numpy(), expected, rtol=1e-12)


def test_studies_are_adjusted_by_themselves(forecasts):
    other = forecasts.with_columns(study=pl.lit("other"))
    both = comparisons_table(pl.concat([forecasts, other]))
    assert both.filter(study="made").equals(comparisons_table(forecasts))


def test_a_forecaster_identical_to_the_random_walk_has_no_statistic(make_forecasts):
    forecasts = make_forecasts(("noisy", "steady"), ("EURUSD",), (1,))
    same = forecasts.with_columns(y_pred=pl.when(pl.col("forecaster") == "steady").then(0.0).otherwise("y_pred"))
    table = comparisons_table(same)
    steady = table.filter(forecaster="steady")
    assert steady["mean_difference"].to_list() == [0.0, 0.0]
    for column in ("statistic", "p_value", "p_holm", "hln_statistic"):
        assert steady[column].null_count() == 2
    noisy = table.filter(forecaster="noisy", level="ensemble")
    assert noisy["p_holm"].item() == pytest.approx(2 * noisy["p_value"].item())  # the undefined test was asked too


def test_a_deterministic_forecaster_is_its_own_ensemble(make_forecasts):
    table = comparisons_table(make_forecasts(("steady",), ("EURUSD",), (1,)))
    assert table["seed"].to_list() == [-1, 0]
    assert table["statistic"].n_unique() == 1


def test_the_order_of_rows_does_not_matter(forecasts):
    shuffled = forecasts.sample(fraction=1.0, shuffle=True, seed=1)
    assert comparisons_table(shuffled).equals(comparisons_table(forecasts))


def test_the_random_walk_alone_and_no_forecasts_have_nothing_to_compare(make_forecasts):
    for forecasts in (make_forecasts(()), FORECASTS.empty()):
        assert comparisons_table(forecasts).equals(COMPARISONS.empty())


@pytest.mark.parametrize(
    "gone",
    [
        pytest.param(pl.col("forecaster") == "random_walk", id="no random walk"),
        pytest.param((pl.col("forecaster") == "random_walk") & (pl.col("horizon") == 5), id="none in a series"),
        pytest.param(
            (pl.col("forecaster") == "random_walk") & (pl.col("cutoff").dt.day() == 7), id="none on some days"
        ),
        pytest.param(
            (pl.col("forecaster") == "noisy") & (pl.col("cutoff").dt.day() == 7), id="a trial lacks some days"
        ),
    ],
)
def test_nothing_is_compared_without_the_random_walk_at_the_same_cutoffs(forecasts, gone):
    with pytest.raises(MissingBenchmarkError, match="nothing is reported without the random walk"):
        comparisons_table(forecasts.filter(~gone))
