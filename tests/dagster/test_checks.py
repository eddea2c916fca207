"""Every asset check fails on the fault it claims to see; that all pass on a sound campaign is shown with the gate."""

import shutil
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl
import pytest
from support.campaigns import OVERRIDES, opened
from support.verdicts import decided

from golden_core.checks import Examined, input_faults, repeated_checks
from golden_core.inputs.features import FEATURES, Feature
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import Home, write_parquet
from golden_dagster.campaign import Stage
from golden_dagster.lib.checks import verdict

CLAIMS = (
    "ecb_dates_explained",
    "prices_positive_and_plausible",
    "timestamps_unique_and_increasing",
    "no_bars_missing",
    "few_rows_quarantined",
    "few_rows_repaired",
    "few_bars_flat",
    "bars_are_prices",
    "triangles_agree",
    "every_row_accounted_for",
    "no_label_overlap",
    "embargo_kept",
    "scaler_fitted_on_train_only",
    "parts_kept_apart",
    "no_feature_too_good",
    "nothing_sees_the_future",
    "fits_touch_only_their_rows",
    "losses_finite",
    "no_forecast_too_good",
    "all_trials_present",
    "forecasts_reproduce_bitwise",
    "metrics_equal_sql",
    "random_walk_present",
    "files_as_written",
    "forecasts_equal_lake",
    "comparisons_equal_statsmodels",
    "report_follows_from_warehouse",
)


def run(*names):
    """Run some checks of a study alone, in Dagster; the plan has criteria of the same names."""
    with opened() as campaign:
        graph = campaign.definitions.resolve_asset_graph()
        keys = [key for key in graph.asset_check_keys if key.name in names and key.asset_key.path[0] != "milestones"]
        assert {key.name for key in keys} == set(names)
        result = campaign.run_selection("test", dg.AssetSelection.checks(*keys), {})
        return {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}


def fails(name):
    """Return what a check found, which must not be nothing."""
    home, study = Home.from_environment(), load_study("smoke", OVERRIDES)
    evaluation = decided(home, study, name)
    assert not evaluation.passed
    assert evaluation.severity == dg.AssetCheckSeverity.ERROR
    if name in {check.name for check in repeated_checks(study)}:
        # `metrics` is another run, and does not rely on a check that blocked an earlier one.
        # Of a costly check it repeats a part, which may see the fault at a later time.
        place = evaluation.description.partition(" from ")[0]
        assert any(fault.startswith(place) for fault in input_faults(home, study, name))
    return evaluation.description


def change(home, kind, key, *expressions, where=True):
    """Change columns of a stored table, where a condition holds."""
    path = home.study("smoke").table(kind, key)
    table = pl.read_parquet(path)
    changed = [
        pl.when(where).then(e).otherwise(pl.col(e.meta.output_name())).alias(e.meta.output_name()) for e in expressions
    ]
    write_parquet(table.with_columns(changed).select(table.columns), path)


def warehouse(home, sql):
    """Change the warehouse behind everybody's back."""
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute(sql)


def test_there_is_no_check_without_a_failing_test(finished):
    with opened() as campaign:
        keys = campaign.definitions.resolve_asset_graph().asset_check_keys
        elsewhere = {"benchmarks", "interpretability", "legacy", "leakage", "statistics", "milestones"}
        ours = {key.name for key in keys if key.asset_key.path[0] not in elsewhere}
        assert ours == set(CLAIMS)


def test_metrics_repeats_every_check_that_blocks_what_it_is_made_of(finished):
    with opened() as campaign:
        graph = campaign.definitions.resolve_asset_graph()
        inputs = {dg.AssetKey(name) for name in ("clean_bars", "data_quality", "folds")}
        blocking = {key.name for key in graph.get_check_keys_for_assets(inputs) if graph.get_check_spec(key).blocking}
        assert {check.name for check in repeated_checks(campaign.study)} == blocking


def test_a_weekday_that_no_holiday_explains(broken):
    change(broken, "calendar", "EURUSD", pl.lit(None, pl.String).alias("explanation"))
    assert "no holiday explains it" in fails("ecb_dates_explained")


@pytest.mark.parametrize("price", [-1.0, 0.0, float("nan"), float("inf"), 9.0])
def test_an_implausible_price(broken, price):
    change(broken, "bars", "EURUSD", pl.lit(price).alias("close"), where=pl.int_range(pl.len()) == 100)
    assert "EURUSD" in fails("prices_positive_and_plausible")


def test_a_repeated_timestamp(broken):
    change(broken, "bars", "EURUSD", pl.col("timestamp").shift(1).alias("timestamp"), where=pl.int_range(pl.len()) == 9)
    assert "does not come after" in fails("timestamps_unique_and_increasing")


def test_a_bar_known_before_it_happens(broken):
    early = (pl.col("timestamp") - pl.duration(hours=1)).alias("available_at")
    change(broken, "bars", "EURUSD", early, where=pl.int_range(pl.len()) == 9)
    assert "before it happens" in fails("timestamps_unique_and_increasing")


def test_a_training_label_that_reaches_validation(broken):
    longer = [(pl.col(name) + 5).alias(name) for name in ("row_stop", "rows", "label_stop")]
    change(broken, "folds", "EURUSD_h1", *longer, where=pl.col("part") == "train")
    assert "EURUSD_h1 fold 0" in fails("no_label_overlap")


def test_folds_that_claim_another_scheme(broken):
    change(broken, "folds", "EURUSD_h1", pl.lit("combinatorial").alias("scheme"))
    assert "laid as combinatorial, the study says walk_forward" in fails("no_label_overlap")


def test_an_embargo_that_is_a_row_short(broken):
    longer = [(pl.col(name) + 1).alias(name) for name in ("row_stop", "rows", "label_stop")]
    change(broken, "folds", "EURUSD_h1", *longer, where=pl.col("part") == "train")
    assert "EURUSD_h1 fold 0" in fails("embargo_kept")


def test_a_row_that_no_rule_accounts_for(broken):
    change(
        broken, "folds", "EURUSD_h1", (pl.col("purged_rows") - 1).alias("purged_rows"), where=pl.col("part") == "train"
    )
    assert "train was laid 200 rows; 198 kept, 0 purged, 1 embargoed" in fails("embargo_kept")


def test_a_scaler_that_saw_other_rows(broken):
    change(broken, "scalers", "EURUSD_h1", (pl.col("mean") * 1.001).alias("mean"), where=pl.col("column") == "target")
    assert fails("scaler_fitted_on_train_only").startswith("smoke EURUSD_h1 fold 0 column target: stored mean ")


def test_a_feature_that_looks_one_bar_ahead(finished, monkeypatch):
    honest = FEATURES["log_return"]
    leaking = Feature(
        honest.description, honest.unit, honest.warm_up, honest.needs, lambda bars: honest.compute(bars).shift(-1)
    )
    monkeypatch.setitem(FEATURES, "log_return", leaking)
    assert fails("nothing_sees_the_future").startswith("features, column 'log_return' from ")


def test_a_feature_that_a_store_of_tomorrows_answers_for(finished, monkeypatch):
    bars = {pair: pl.read_parquet(finished.study("smoke").table("bars", pair)) for pair in ("EURUSD", "USDJPY")}
    ahead = {pair: table["close"].log().diff().shift(-1).fill_null(0.0) for pair, table in bars.items()}
    stored = Feature("", "", 0, ("close",), lambda table: ahead[table["pair"][0]])
    monkeypatch.setitem(FEATURES, "log_return", stored)
    assert "features, column 'log_return' from " in fails("no_feature_too_good")


def test_a_forecaster_that_knows_tomorrow(broken):
    warehouse(broken, "UPDATE forecasts SET y_pred = y_true WHERE forecaster = 'ar'")
    assert fails("no_forecast_too_good").startswith("forecasts, column 'ar' from ")


@pytest.mark.parametrize(
    "table, column", [("history", "train_loss"), ("history", "validation_loss"), ("forecasts", "y_pred")]
)
def test_a_value_that_is_not_finite(broken, table, column):
    warehouse(broken, f"UPDATE {table} SET {column} = 'nan' WHERE forecaster = 'dlinear' AND seed = 1")
    assert "dlinear on" in fails("losses_finite")


def test_a_trial_that_is_not_in_the_warehouse(broken):
    warehouse(broken, "DELETE FROM trials WHERE forecaster = 'dlinear' AND seed = 1 AND pair = 'EURUSD'")
    assert fails("all_trials_present") == "dlinear on EURUSD_h1, seed 1: is not in the warehouse"


def test_a_trial_that_failed(broken):
    warehouse(broken, "UPDATE trials SET status = 'failed', error = 'loss is nan' WHERE forecaster = 'dlinear'")
    assert "failed: loss is nan" in fails("all_trials_present")


def test_a_trial_whose_inputs_have_changed_since(broken):
    change(broken, "bars", "EURUSD", (pl.col("close") * 1.01).alias("close"), where=pl.int_range(pl.len()) == 30)
    assert "is out of date" in fails("all_trials_present")


def test_a_trial_that_does_not_reproduce(broken):
    for path in broken.study("smoke").root.glob("trials/dlinear/*/*/forecasts.parquet"):
        table = pl.read_parquet(path)
        write_parquet(table.with_columns(y_pred=pl.col("y_pred") + 1e-15), path)
    assert "not the same bytes again: forecasts.parquet" in fails("forecasts_reproduce_bitwise")


def test_a_metric_that_sql_does_not_confirm(broken):
    warehouse(broken, "UPDATE metrics SET value = value + 1e-9 WHERE metric = 'mase' AND forecaster = 'ar'")
    assert "mase of ar" in fails("metrics_equal_sql")


def test_a_forecast_that_was_changed_in_the_lake(broken):
    path = min(broken.study("smoke").root.glob("trials/dlinear/EURUSD_h1/*/forecasts.parquet"))
    write_parquet(pl.read_parquet(path).with_columns(y_pred=pl.col("y_pred") + 1e-15), path)
    for name in ("files_as_written", "forecasts_equal_lake"):
        assert f"forecasts.parquet is not what the trial wrote; delete {path.parent}" in fails(name)


def test_a_weight_that_went_missing(broken):
    min(broken.study("smoke").root.glob("trials/dlinear/USDJPY_h1/*/weights.safetensors")).unlink()
    assert "dlinear on USDJPY_h1, seed " in fails("files_as_written")


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_text("{")], ids=["missing", "cut off"])
def test_a_provenance_that_cannot_be_read(broken, damage):
    path = min(broken.study("smoke").root.glob("trials/ar/USDJPY_h1/*/provenance.json"))
    damage(path)
    assert "provenance.json does not say what was written" in fails("files_as_written")
    assert fails("forecasts_equal_lake").startswith(f"{path.parent}: provenance.json cannot be read (")


def test_a_trial_that_does_not_say_what_it_wrote(broken):
    path = min(broken.study("smoke").root.glob("trials/ar/USDJPY_h1/*/provenance.json"))
    path.write_text(path.read_text().replace('"sha256"', '"sha1"'))
    assert "provenance.json does not say what was written (KeyError: 'sha256')" in fails("files_as_written")


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE forecasts SET y_pred = y_pred + 1e-15 WHERE forecaster = 'dlinear' AND seed = 1 AND pair = 'EURUSD'",
        "DELETE FROM forecasts WHERE forecaster = 'dlinear' AND seed = 1 AND pair = 'EURUSD'",
    ],
)
def test_a_forecast_that_was_changed_in_the_warehouse(broken, sql):
    warehouse(broken, sql)
    expected = "dlinear on EURUSD_h1, seed 1: the warehouse does not hold its forecasts as written"
    assert fails("forecasts_equal_lake") == expected


def test_a_forecast_of_a_trial_that_is_no_more(broken):
    shutil.rmtree(min(broken.study("smoke").root.glob("trials/ar/USDJPY_h1/*")))
    expected = "ar on USDJPY_h1, seed 0: the warehouse holds forecasts of no such trial"
    assert fails("forecasts_equal_lake") == expected


def test_a_lake_without_any_trial(broken):
    """Seen through Dagster, like every other fault."""
    shutil.rmtree(broken.study("smoke").root / "trials")
    found = run("forecasts_equal_lake", "files_as_written")
    assert not any(evaluation.passed for evaluation in found.values())
    assert {evaluation.severity for evaluation in found.values()} == {dg.AssetCheckSeverity.ERROR}
    for name, evaluation in found.items():
        assert evaluation.description == fails(name)
    assert "the warehouse holds forecasts of no such trial" in fails("forecasts_equal_lake")
    assert fails("files_as_written") == "no trials to examine: the claim cannot be checked"


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("UPDATE comparisons SET statistic = statistic + 1e-4", "statistic differs by "),
        ("UPDATE comparisons SET p_value = p_value * 1.01", "p_value differs by "),
        ("UPDATE comparisons SET p_holm = p_holm - 1e-4", "p_holm differs by 0.0001"),
        ("UPDATE comparisons SET mean_difference = -mean_difference", "mean_difference differs by "),
        ("UPDATE comparisons SET n = n + 1", "p_holm differs by inf"),
        ("UPDATE comparisons SET statistic = NULL", "statistic differs by inf"),
        ("DELETE FROM comparisons WHERE forecaster = 'ar'", "ar on "),
    ],
)
def test_a_comparison_that_statsmodels_does_not_confirm(broken, sql, found):
    warehouse(broken, sql)
    assert found in fails("comparisons_equal_statsmodels")


@pytest.mark.parametrize("name", ["leaderboard.csv", "index.html", "comparisons.csv"])
def test_a_report_that_was_changed_by_hand(broken, name):
    path = broken.report("smoke") / name
    path.write_text(path.read_text(encoding="utf-8").replace("dlinear", "dlinear*", 1), encoding="utf-8")
    assert fails("report_follows_from_warehouse").startswith(f"{name} is not what was written; delete ")


def test_a_report_of_another_warehouse(broken):
    warehouse(broken, "UPDATE summary SET mean = mean + 0.01 WHERE forecaster = 'dlinear'")
    assert "made from another state of summary; delete " in fails("report_follows_from_warehouse")


def test_a_benchmark_that_is_missing_for_some_cutoffs(broken):
    warehouse(broken, "DELETE FROM forecasts WHERE forecaster = 'random_walk' AND pair = 'USDJPY' AND fold = 0")
    assert "on USDJPY_h1 have no random walk beside them" in fails("random_walk_present")


def test_a_check_that_examined_nothing_fails(broken):
    warehouse(broken, "DELETE FROM forecasts")
    assert "no forecasts to examine" in fails("losses_finite")


def test_a_fixing_that_went_missing(broken):
    change_quality(broken, "quality", pl.col("missing") + 3)
    assert fails("no_bars_missing").startswith("EURUSD: ")
    assert "bars are missing that the calendar asks for" in fails("no_bars_missing")


@pytest.mark.parametrize(
    ("column", "name"),
    [("quarantined", "few_rows_quarantined"), ("repaired", "few_rows_repaired"), ("flat", "few_bars_flat")],
)
def test_rows_that_are_not_as_they_came(broken, column, name):
    change_quality(broken, "quality", pl.lit(9, pl.Int64).alias(column))
    assert f"rows are {column}" in fails(name)


def test_pairs_of_a_triangle_that_disagree(broken):
    path = broken.study("smoke").root / "parity.parquet"
    row = {"triangle": "EURUSD × USDJPY / EURJPY", "bars": 500, "median": 0.0, "q50_abs": 0.0, "q99_abs": 0.0}
    frame = pl.DataFrame([{**row, "max_abs": 0.01, "flagged": 7}], schema=pl.read_parquet(path).schema)
    write_parquet(frame, path)
    assert "EURUSD × USDJPY / EURJPY: 7 of 500 bars are further than 1e-09 from parity" in fails("triangles_agree")


def test_a_row_that_nobody_accounts_for(broken):
    path = broken.study("smoke").table("bars", "EURUSD")
    write_parquet(pl.read_parquet(path)[:-1], path)
    assert "clean bars, but the account keeps" in fails("every_row_accounted_for")


def test_metrics_is_not_made_of_rows_that_nobody_accounts_for(broken):
    path = broken.study("smoke").table("bars", "EURUSD")
    write_parquet(pl.read_parquet(path)[:-1], path)
    with opened() as campaign:
        assert not campaign.execute(Stage("metrics", [dg.AssetKey("metrics")]))
        assert "study 'smoke' is not evaluated: " in campaign.failures[0]


def change_quality(home, name, *expressions):
    path = home.study("smoke").root / f"{name}.parquet"
    write_parquet(pl.read_parquet(path).with_columns(expressions), path)


def test_how_much_was_looked_at_is_set_as_everywhere_else():
    """The text stands in the web interface and on the page of the report."""
    assert verdict(Examined([], 8393062), "rows").description == "8\u202f393\u202f062 rows examined"
