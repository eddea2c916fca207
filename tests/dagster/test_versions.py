"""Data versions, one for each partition: the web UI shows exactly what is stale."""

import dataclasses

import dagster as dg
import polars as pl
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver
from dagster._core.loader import LoadingContextForTest
from support.campaigns import opened

from golden_core.preparation.catalogue import load_variant
from golden_core.store.lake import write_parquet
from golden_core.store.warehouse import Warehouse
from golden_dagster.campaign import Stage
from golden_dagster.definitions import definitions_for
from golden_dagster.partitions import pair_partitions

PARTITIONED = ["clean_bars", "folds", "models/dlinear"]


def status(campaign, name, partition):
    graph = campaign.definitions.resolve_asset_graph()
    resolver = CachingStaleStatusResolver(campaign.instance, graph, LoadingContextForTest(campaign.instance))
    return resolver.get_status(dg.AssetKey(name.split("/")), partition).value


@pytest.mark.parametrize("name", PARTITIONED)
def test_every_partition_has_one_event_with_its_own_version(finished, name):
    with opened() as campaign:
        key = dg.AssetKey(name.split("/"))
        keys = campaign.definitions.resolve_asset_graph().get(key).partitions_def.get_partition_keys()
        records = campaign.instance.fetch_materializations(key, limit=100).records
        assert sorted(record.partition_key for record in records) == sorted(keys)
        assert len({record.event_log_entry.tags["dagster/data_version"] for record in records}) == len(keys)
        assert {status(campaign, name, partition) for partition in keys} == {"FRESH"}


def test_what_follows_from_changed_bars_is_stale_and_nothing_else(broken):
    with opened() as campaign:
        raw = broken.study("smoke").raw
        rates = pl.read_parquet(raw)
        is_yen = pl.col("currency") == "JPY"
        write_parquet(rates.with_columns(rate=pl.when(is_yen).then(pl.col("rate") * 1.001).otherwise("rate")), raw)
        stage = Stage("bars", [dg.AssetKey("clean_bars")], pair_partitions(campaign.study))
        assert campaign.execute(stage), campaign.failures
        assert (status(campaign, "folds", "EURUSD_h1"), status(campaign, "folds", "USDJPY_h1")) == ("FRESH", "STALE")


@pytest.mark.parametrize(("setting", "stale"), [
    ("training.epochs=9", {"models/dlinear"}), ("forecasters.dlinear.moving_average=5", {"models/dlinear"}),
    ("splits.test=41", {"folds"}), ("checks.max_abs_log_return=0.4", {"clean_bars"}),
    ("evaluation.significance=0.01", set()), ("seeds.root=5", {"models/dlinear"}),
])  # fmt: skip
def test_what_other_settings_decide_is_stale_by_itself(finished, setting, stale):
    """Whoever edits a study sees what of it is made of the settings of before, and `keep_current` asks for it."""
    with opened() as campaign:
        study = load_variant("smoke", [setting]).model_copy(update={"name": "smoke"})
        campaign = dataclasses.replace(campaign, study=study, definitions=definitions_for(study))
        graph = campaign.definitions.resolve_asset_graph()
        resolver = CachingStaleStatusResolver(campaign.instance, graph, LoadingContextForTest(campaign.instance))
        found = {}
        for name in [*PARTITIONED, "models/ar"]:
            key = dg.AssetKey(name.split("/"))
            partition = graph.get(key).partitions_def.get_partition_keys()[0]
            causes = resolver.get_stale_causes(key, partition)
            found[name] = {cause.category.name for cause in causes if cause.asset_key == key}
        assert {name for name, reasons in found.items() if "CODE" in reasons} == stale


def test_checks_run_with_the_bars_they_guard(finished):
    with opened() as campaign:
        for name, check in (("clean_bars", "prices_positive_and_plausible"), ("folds", "no_label_overlap")):
            made = campaign.instance.fetch_materializations(dg.AssetKey(name), limit=1).records[0].run_id
            judged = dg.AssetCheckKey(dg.AssetKey(name), check)
            records = campaign.instance.event_log_storage.get_asset_check_execution_history(judged, limit=5)
            assert made in {record.run_id for record in records}


def test_a_trial_says_what_it_came_to(finished):
    """The same numbers as the warehouse's, so that the UI plots over partitions what the report says."""
    with opened() as campaign:
        key = dg.AssetKey(["models", "dlinear"])
        (record,) = (
            r
            for r in campaign.instance.fetch_materializations(key, limit=100).records
            if r.partition_key == "s01|EURUSD_h1"
        )
        said = {name: value.value for name, value in record.asset_materialization.metadata.items()}
    expected = Warehouse(finished.warehouse).query(
        "SELECT metric, value, n FROM metrics WHERE forecaster = 'dlinear' AND pair = 'EURUSD' AND seed = 1 "
        "AND stratum_kind = 'all' AND metric IN ('rmse', 'r2_oos') ORDER BY metric"
    )
    assert [said["r2_oos"], said["rmse"]] == pytest.approx(expected["value"].to_list(), rel=1e-12)
    assert expected["n"].to_list() == [said["dagster/row_count"]] * 2
    assert said["validation_loss"] > 0
    assert said["folder"].endswith(said["fingerprint"][:16])
