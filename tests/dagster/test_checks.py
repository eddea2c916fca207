"""Every asset check fails on the fault it claims to see; that all pass on a sound campaign is shown with the gate."""

import re
import shutil
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl
import pytest
from support.campaigns import OVERRIDES, opened
from support.verdicts import decided, repeated_faults

from golden_core.checks import Examined, all_checks
from golden_core.checks.inputs import repeated_checks
from golden_core.inputs.features import FEATURES, Feature
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import Home, write_parquet
from golden_dagster.campaign import Stage
from golden_dagster.lib.checks import recorded_verdicts, verdict
from golden_dagster.partitions import trial_partitions

CLAIMS = {
    "ecb_dates_explained", "prices_positive_and_plausible", "timestamps_unique_and_increasing", "no_bars_missing",
    "few_rows_quarantined", "few_rows_repaired", "few_bars_flat", "bars_are_prices", "triangles_agree",
    "every_row_accounted_for", "no_label_overlap", "embargo_kept", "scaler_fitted_on_train_only",
    "parts_kept_apart", "no_feature_too_good", "nothing_sees_the_future", "fits_touch_only_their_rows",
    "losses_finite", "no_forecast_too_good", "all_trials_present", "forecasts_reproduce_bitwise",
    "metrics_equal_sql", "random_walk_present", "files_as_written", "forecasts_equal_lake",
    "comparisons_equal_statsmodels", "report_follows_from_warehouse",
}  # fmt: skip


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
        assert any(fault.startswith(place) for fault in repeated_faults(home, study, name))
    return evaluation.description


def change(home, kind, key, *expressions, where=True):
    """Change columns of a stored table, where a condition holds."""
    path = home.study("smoke").table(kind, key)
    table = pl.read_parquet(path)
    changed = [
        pl.when(where).then(e).otherwise(pl.col(e.meta.output_name())).alias(e.meta.output_name()) for e in expressions
    ]
    write_parquet(table.with_columns(changed).select(table.columns), path)


def test_a_file_whose_name_is_no_text_can_be_named():
    found = verdict(Examined(["odd\udcff lies there and is none of the trial's"], 1), "trials")
    assert (found.passed, found.description) == (False, "odd\\udcff lies there and is none of the trial's")
    assert "findings" in found.metadata


def test_a_check_that_passed_shows_no_empty_table():
    assert verdict(Examined([], 1), "trials").metadata.keys() == {"examined", "violations"}


def test_there_is_no_check_without_a_failing_test(finished):
    with opened() as campaign:
        keys = campaign.definitions.resolve_asset_graph().asset_check_keys
        elsewhere = {"benchmarks", "interpretability", "legacy", "leakage", "statistics", "milestones"}
        ours = {key.name for key in keys if key.asset_key.path[0] not in elsewhere}
        assert ours == CLAIMS


def test_metrics_repeats_every_check_that_blocks_what_it_is_made_of(finished):
    with opened() as campaign:
        graph = campaign.definitions.resolve_asset_graph()
        inputs = {dg.AssetKey(name) for name in ("clean_bars", "data_quality", "folds")}
        blocking = {key.name for key in graph.get_check_keys_for_assets(inputs) if graph.get_check_spec(key).blocking}
        assert {check.name for check in repeated_checks(campaign.study)} == blocking


NINTH, TRAIN = pl.int_range(pl.len()) == 9, pl.col("part") == "train"
EARLY = (pl.col("timestamp") - pl.duration(hours=1)).alias("available_at")


def longer(rows):
    """Let training parts reach so many rows further."""
    return [(pl.col(name) + rows).alias(name) for name in ("row_stop", "rows", "label_stop")]


@pytest.mark.parametrize(("kind", "key", "changed", "where", "name", "found"), [
    ("calendar", "EURUSD", [pl.lit(None, pl.String).alias("explanation")], True, "ecb_dates_explained",
     ".*no holiday explains it"),
    ("bars", "EURUSD", [pl.col("timestamp").shift(1)], NINTH, "timestamps_unique_and_increasing",
     ".*does not come after"),
    ("bars", "EURUSD", [EARLY], NINTH, "timestamps_unique_and_increasing", ".*not after it opens"),
    ("folds", "EURUSD_h1", longer(5), TRAIN, "no_label_overlap", ".*EURUSD_h1 fold 0"),
    ("folds", "EURUSD_h1", [pl.lit("combinatorial").alias("scheme")], True, "no_label_overlap",
     ".*laid as combinatorial, the study says walk_forward"),
    ("folds", "EURUSD_h1", longer(1), TRAIN, "embargo_kept", ".*EURUSD_h1 fold 0"),
    ("folds", "EURUSD_h1", [pl.col("purged_rows") - 1], TRAIN, "embargo_kept",
     ".*train was laid 200 rows; 198 kept, 0 purged, 1 embargoed"),
    ("scalers", "EURUSD_h1", [pl.col("mean") * 1.001], pl.col("column") == "target", "scaler_fitted_on_train_only",
     "smoke EURUSD_h1 fold 0 column target: stored mean "),
    ("bars", "EURUSD", [pl.col("close") * 1.01], pl.int_range(pl.len()) == 30, "all_trials_present",
     ".*is out of date"),
])  # fmt: skip
def test_a_table_that_was_changed(broken, kind, key, changed, where, name, found):
    change(broken, kind, key, *changed, where=where)
    assert re.match(found, fails(name), re.DOTALL)


ONE = "WHERE forecaster = 'dlinear' AND seed = 1 AND pair = 'EURUSD'"
UNLIKE = "dlinear on EURUSD_h1, seed 1: the warehouse does not hold its forecasts as written$"


@pytest.mark.parametrize(("sql", "name", "found"), [
    ("UPDATE forecasts SET y_pred = y_true WHERE forecaster = 'ar'", "no_forecast_too_good",
     "forecasts, column 'ar' from "),
    (f"UPDATE history SET train_loss = 'nan' {ONE}", "losses_finite", ".*dlinear on"),
    (f"UPDATE history SET validation_loss = 'nan' {ONE}", "losses_finite", ".*dlinear on"),
    (f"UPDATE forecasts SET y_pred = 'nan' {ONE}", "losses_finite", ".*dlinear on"),
    ("DELETE FROM forecasts", "losses_finite", ".*no forecasts to examine"),
    (f"DELETE FROM trials {ONE}", "all_trials_present", "dlinear on EURUSD_h1, seed 1: is not in the warehouse$"),
    ("UPDATE trials SET status = 'failed', error = 'loss is nan' WHERE forecaster = 'dlinear'",
     "all_trials_present", ".*failed: loss is nan"),
    ("UPDATE metrics SET value = value + 1e-9 WHERE metric = 'mase' AND forecaster = 'ar'", "metrics_equal_sql",
     ".*mase of ar"),
    (f"UPDATE forecasts SET y_pred = y_pred + 1e-15 {ONE}", "forecasts_equal_lake", UNLIKE),
    (f"DELETE FROM forecasts {ONE}", "forecasts_equal_lake", UNLIKE),
    ("UPDATE comparisons SET statistic = statistic + 1e-4", "comparisons_equal_statsmodels",
     ".*statistic differs by "),
    ("UPDATE comparisons SET p_value = p_value * 1.01", "comparisons_equal_statsmodels", ".*p_value differs by "),
    ("UPDATE comparisons SET p_holm = p_holm - 1e-4", "comparisons_equal_statsmodels",
     ".*p_holm differs by 0.0001"),
    ("UPDATE comparisons SET mean_difference = -mean_difference", "comparisons_equal_statsmodels",
     ".*mean_difference differs by "),
    ("UPDATE comparisons SET n = n + 1", "comparisons_equal_statsmodels", ".*p_holm differs by inf"),
    ("UPDATE comparisons SET statistic = NULL", "comparisons_equal_statsmodels", ".*statistic differs by inf"),
    ("DELETE FROM comparisons WHERE forecaster = 'ar'", "comparisons_equal_statsmodels", ".*ar on "),
    ("UPDATE summary SET mean = mean + 0.01 WHERE forecaster = 'dlinear'", "report_follows_from_warehouse",
     ".*made from another state of summary; delete "),
    ("DELETE FROM forecasts WHERE forecaster = 'random_walk' AND pair = 'USDJPY' AND fold = 0",
     "random_walk_present", ".*on USDJPY_h1 have no random walk beside them"),
])  # fmt: skip
def test_a_warehouse_that_was_changed_behind_everybodys_back(broken, sql, name, found):
    with duckdb.connect(str(broken.warehouse)) as connection:
        connection.execute(sql)
    assert re.match(found, fails(name), re.DOTALL)


@pytest.mark.parametrize("price", [-1.0, 0.0, float("nan"), float("inf"), 9.0])
def test_an_implausible_price(broken, price):
    change(broken, "bars", "EURUSD", pl.lit(price).alias("close"), where=pl.int_range(pl.len()) == 100)
    assert "EURUSD" in fails("prices_positive_and_plausible")


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


def test_a_trial_that_does_not_reproduce(broken):
    for path in broken.study("smoke").root.glob("trials/dlinear/*/*/forecasts.parquet"):
        table = pl.read_parquet(path)
        write_parquet(table.with_columns(y_pred=pl.col("y_pred") + 1e-15), path)
    assert "not the same bytes again: forecasts.parquet" in fails("forecasts_reproduce_bitwise")


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
    assert "provenance.json does not say what was written (ValueError: sha256: " in fails("files_as_written")


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


@pytest.mark.parametrize("name", ["leaderboard.csv", "index.html", "comparisons.csv"])
def test_a_report_that_was_changed_by_hand(broken, name):
    path = broken.report("smoke") / name
    path.write_text(path.read_text(encoding="utf-8").replace("dlinear", "dlinear*", 1), encoding="utf-8")
    assert fails("report_follows_from_warehouse").startswith(f"{name} is not what was written; delete ")


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


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("bars", pl.col("close") * 1.001),  # every book agrees, and every price is plausible
        ("calendar", pl.lit("a holiday").alias("explanation")),
        ("cleaning", pl.lit("kept").alias("detail")),
    ],
    ids=lambda of: of if isinstance(of, str) else "",
)
def test_bars_and_books_that_were_changed_by_hand_are_not_what_cleaning_makes(broken, kind, written):
    change(broken, kind, "EURUSD", written, where=pl.int_range(pl.len()) == pl.len() - 3)
    assert "EURUSD: its bars or books are not what cleaning makes of the raw table" in fails("every_row_accounted_for")


def test_bars_that_only_wait_for_a_newer_raw_table_are_stale_and_not_at_fault(broken):
    folder = broken.study("smoke")
    raw = pl.read_parquet(folder.raw)
    write_parquet(raw[:-1], folder.raw)
    study = load_study("smoke", OVERRIDES)
    assert repeated_faults(broken, study, "every_row_accounted_for") == []
    change(broken, "bars", "EURUSD", pl.col("close") * 1.001)
    found = repeated_faults(broken, study, "every_row_accounted_for")
    assert [fault.partition(": ")[0] for fault in found] == ["EURUSD"]


def test_nothing_is_made_of_rows_that_nobody_accounts_for(broken):
    path = broken.study("smoke").table("bars", "EURUSD")
    write_parquet(pl.read_parquet(path)[:-1], path)
    with opened() as campaign:
        models = Stage("models", [dg.AssetKey(["models", "ar"])], trial_partitions(campaign.study))
        assert not campaign.execute(models)
        assert not campaign.execute(Stage("metrics", [dg.AssetKey("metrics")]))
        said = [failure for failure in campaign.failures if "clean bars, but the account keeps" in failure]
        assert len(said) == 2
        for refused, text in zip(("no trial of study 'smoke' is trained: ", "is not evaluated: "), said, strict=True):
            assert refused in text
            assert "or clean_bars and then folds materialised again, mends what is stale" in text


def test_what_is_being_decided_again_stands_in_the_report_as_it_was_decided(broken):
    """Else a report that is written while a gate runs says for good that no check was run."""
    with opened() as campaign:

        def verdicts(asset=None):
            found = recorded_verdicts(campaign.instance, campaign.study).checks
            return found.filter(pl.col("asset") == asset if asset else True)["verdict"].to_list()

        before = verdicts()
        assert "passed" in before
        campaign.instance.create_run_for_job(campaign.definitions.resolve_job_def("gate"))
        assert verdicts() == before
        campaign.instance.report_runless_asset_event(dg.AssetMaterialization("metrics"))
        assert set(verdicts("metrics")) == {"not run"}, "of what was made since, nothing was decided"


def change_quality(home, name, *expressions):
    path = home.study("smoke").root / f"{name}.parquet"
    write_parquet(pl.read_parquet(path).with_columns(expressions), path)


def test_how_much_was_looked_at_is_set_as_everywhere_else():
    """The text stands in the web interface and on the page of the report."""
    assert verdict(Examined([], 8393062), "rows").description == "8\u202f393\u202f062 rows examined"
    assert verdict(Examined([], 1), "fold parts").description == "1 fold part examined"
    assert verdict(Examined([], 1, unit="list of pairs"), "triangles").description == "1 list of pairs examined"


def test_the_random_walk_alone_is_tested_against_nobody():
    """A check that has nothing to examine fails, and such a study could never end well."""
    alone = load_study("smoke", ["forecasters={random_walk: {}}"])
    asked, left = ({check.name for check in all_checks(study)} for study in (load_study("smoke"), alone))
    assert asked - left == {"comparisons_equal_statsmodels"}
