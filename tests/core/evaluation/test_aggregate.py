"""Spread over seeds, averages over series, and which seeds and metrics may enter them."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

from golden_core.evaluation.aggregate import summary_table
from golden_core.evaluation.inputs import prepare
from golden_core.evaluation.point import METRICS, evaluate, metrics_table
from golden_core.store.randomness import Stream
from golden_core.store.schema import FORECASTS, SUMMARY, TRIALS

STREAM = Stream(3).child("evaluation")


def only(table, **where):
    """The one row selected."""
    rows = table.filter(**where)
    assert len(rows) == 1
    return rows.row(0, named=True)


@pytest.fixture
def summarise(evaluation, trials_of):
    def build(forecasts, trials=None):
        trials = trials_of(forecasts) if trials is None else trials
        return summary_table(forecasts, metrics_table(forecasts, ["year"]), trials, evaluation, STREAM)

    return build


def test_a_series_is_summarised_over_its_seeds(forecasts, summarise, evaluation):
    table = summarise(forecasts)
    SUMMARY.conform(table)
    where = {"forecaster": "noisy", "pair": "EURUSD", "horizon": 5, "metric": "rmse"}
    seeds = metrics_table(forecasts, ()).filter(**where)["value"].to_numpy()
    row = only(table, scope="series", **where)
    expected = stats.ttest_1samp(seeds, 0.0).confidence_interval(evaluation.confidence)
    assert row["seeds"] == 3
    assert row["mean"] == pytest.approx(np.mean(seeds), rel=1e-14)
    assert row["sd"] == pytest.approx(np.std(seeds, ddof=1), rel=1e-12)
    assert (row["t_low"], row["t_high"]) == pytest.approx((expected.low, expected.high), rel=1e-12)
    assert min(seeds) <= row["bootstrap_low"] < row["mean"] < row["bootstrap_high"] <= max(seeds)


@pytest.mark.parametrize(("pair", "horizon"), [("all", 0), ("EURUSD", 0), ("all", 5)])
def test_macro_averages_series_before_seeds_and_micro_pools_forecasts(forecasts, summarise, pair, horizon):
    span = {**({} if pair == "all" else {"pair": pair}), **({"horizon": horizon} if horizon else {})}
    table = summarise(forecasts).filter(pair=pair, horizon=horizon)
    single = metrics_table(forecasts, ()).filter(forecaster="oracle", metric="mase", **span)
    seeds = single.group_by("seed").agg(pl.col("value").mean())["value"].to_numpy()
    row = only(table, scope="macro", forecaster="oracle", metric="mase")
    assert (row["mean"], row["sd"]) == pytest.approx((seeds.mean(), seeds.std(ddof=1)), rel=1e-9)
    kept = prepare(forecasts).filter(forecaster="noisy", **span)
    pooled = evaluate(kept, ["seed"]).filter(metric="rmse")["value"].to_numpy()
    assert only(table, scope="micro", forecaster="noisy", metric="rmse")["mean"] == pytest.approx(pooled.mean())
    squares = kept.group_by("seed", maintain_order=True).agg((pl.col("y_pred") - pl.col("y_true")).pow(2).mean())
    assert pooled == pytest.approx(squares["y_pred"].sqrt().to_numpy())


def test_prices_of_two_pairs_are_never_combined(forecasts, summarise):
    table = summarise(forecasts)
    over_pairs = {scope: set(table.filter(scope=scope, pair="all")["metric"]) for scope in ("macro", "micro")}
    assert over_pairs["macro"] == set(METRICS) - {"mae_price", "rmse_price"}
    assert over_pairs["micro"] == set(METRICS) - {"mae_price", "rmse_price", "r2_levels"}
    assert set(table.filter(scope="macro", pair="EURUSD")["metric"]) == set(METRICS)
    assert set(table.filter(scope="series")["metric"]) == set(METRICS)


def test_a_deterministic_forecaster_has_one_seed_and_no_spread(make_forecasts, summarise):
    table = summarise(make_forecasts(("steady", "noisy")))
    spread = ["sd", "t_low", "t_high", "bootstrap_low", "bootstrap_high"]
    steady = table.filter(
        pl.col("forecaster").is_in(["steady", "random_walk"]), pl.col("metric") != "directional_accuracy"
    )
    assert set(steady["seeds"]) == {1}
    assert steady["mean"].null_count() == 0
    assert steady.select(spread).null_count().row(0) == (len(steady),) * 5
    assert table.filter(forecaster="noisy").select(spread).null_count().row(0) == (0,) * 5


def test_further_seeds_of_a_deterministic_forecaster_change_nothing(make_forecasts, summarise, trials_of):
    forecasts = make_forecasts(("steady", "noisy"))
    copies = forecasts.filter(forecaster="steady").with_columns(seed=pl.lit(2, pl.Int32))
    assert summarise(pl.concat([forecasts, copies])).equals(summarise(forecasts))


def test_one_seed_has_no_spread_and_the_random_walk_no_direction(make_forecasts, summarise):
    whole = summarise(make_forecasts(("noisy",), seeds=1))
    table = whole.filter(forecaster="noisy")
    assert set(table["seeds"]) == {1}
    assert table.select("sd", "t_low", "bootstrap_low").null_count().row(0) == (len(table),) * 3
    rows = whole.filter(forecaster="random_walk", metric="directional_accuracy")
    assert set(rows["seeds"]) == {0}
    assert rows["mean"].null_count() == len(rows) > 0


def test_two_seeds_have_a_spread_and_intervals(make_forecasts, summarise):
    table = summarise(make_forecasts(("noisy",), seeds=2)).filter(forecaster="noisy")
    assert table.select("sd", "t_low", "t_high", "bootstrap_low", "bootstrap_high").null_count().row(0) == (0,) * 5


def test_a_seed_with_a_missing_trial_stays_out_of_averages_over_series(forecasts, summarise, trials_of):
    failed = pl.struct("forecaster", "pair", "horizon", "seed") == pl.lit(
        {"forecaster": "noisy", "pair": "EURUSD", "horizon": 1, "seed": 1}
    )
    whole, table = summarise(forecasts), summarise(forecasts.filter(~failed), trials_of(forecasts))
    seeds = {
        (scope, pair, horizon): count
        for scope, pair, horizon, count in table.filter(forecaster="noisy", metric="rmse")
        .select("scope", "pair", "horizon", "seeds")
        .iter_rows()
    }
    spans = [("all", 0), ("EURUSD", 0), ("all", 1)]
    touched = {("series", "EURUSD", 1), *(("macro", *span) for span in spans), *(("micro", *span) for span in spans)}
    assert touched < seeds.keys()
    assert seeds == {key: 2 if key in touched else 3 for key in seeds}
    assert table.filter(forecaster="oracle").equals(whole.filter(forecaster="oracle"))


def test_no_complete_seed_leaves_a_row_without_numbers(forecasts, summarise, trials_of):
    failed = (pl.col("forecaster") == "noisy") & (pl.col("pair") == "EURUSD")
    table = summarise(forecasts.filter(~failed), trials_of(forecasts))
    row = only(table, forecaster="noisy", scope="macro", pair="all", horizon=0, metric="mase")
    assert row["seeds"] == 0
    assert row["mean"] is None
    assert table.filter(forecaster="noisy", scope="macro", pair="USDJPY", metric="mase")["seeds"].item() == 3


def test_a_further_forecaster_changes_no_other_row(make_forecasts, summarise):
    few, more = summarise(make_forecasts(("noisy",))), summarise(make_forecasts(("brisk", "noisy", "oracle")))
    assert more.filter(forecaster="noisy").equals(few.filter(forecaster="noisy"))


def test_the_order_of_rows_does_not_matter(forecasts, evaluation, trials_of):
    metrics, trials = metrics_table(forecasts, ()), trials_of(forecasts)
    tables = [
        summary_table(
            *(table.sample(fraction=1.0, shuffle=True, seed=seed) for table in (forecasts, metrics, trials)),
            evaluation,
            STREAM,
        )
        for seed in range(3)
    ]
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])
    assert tables[0].equals(tables[0].sort(SUMMARY.key))


def test_the_stream_moves_the_bootstrap_alone(forecasts, evaluation, trials_of):
    metrics, trials = metrics_table(forecasts, ()), trials_of(forecasts)
    one, other = (summary_table(forecasts, metrics, trials, evaluation, Stream(root)) for root in (1, 2))
    columns = [name for name in one.columns if not name.startswith("bootstrap")]
    assert one.select(columns).equals(other.select(columns))
    assert not one.equals(other)


def test_forecasts_of_no_trial_are_refused(forecasts, summarise, trials_of):
    trials = trials_of(forecasts).filter(~((pl.col("forecaster") == "noisy") & (pl.col("horizon") == 5)))
    with pytest.raises(ValueError, match="forecasts of no trial"):
        summarise(forecasts, trials)


def test_nothing_has_an_empty_summary(summarise):
    assert summarise(FORECASTS.empty(), TRIALS.empty()).equals(SUMMARY.empty())
