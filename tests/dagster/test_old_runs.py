"""Dagster's record of old runs goes, but for what the web UI and automation still go by."""

import sys
from contextlib import nullcontext

import dagster as dg
import pytest
from support.postgres import postgres

from golden_core.store.lake import Home
from golden_dagster.instance import study_instance
from golden_dagster.old_runs import forget, old_runs

KEYS = dg.StaticPartitionsDefinition(["a", "b"])


@dg.asset(partitions_def=KEYS)
def trained() -> None:
    sys.stdout.write("trained")


@dg.asset(check_specs=[dg.AssetCheckSpec("kept", asset="told")])
def told():
    yield dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True, check_name="kept")])


@dg.asset_check(asset=told)
def early():
    return dg.AssetCheckResult(passed=True)


@dg.asset_check(asset=told)
def late():
    return dg.AssetCheckResult(passed=False)


@dg.asset
def broken() -> None:
    raise ValueError


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.endurance)])
def instance(request, tmp_path, monkeypatch):
    with postgres() if request.param == "postgres" else nullcontext({}) as server:
        for name, value in (server or {}).items():
            monkeypatch.setenv(name, value)
        with study_instance(Home(tmp_path / "home", tmp_path / "reports"), "smoke") as made:
            yield made


def made(instance, *assets, partition=None):
    return dg.materialize(assets, instance=instance, partition_key=partition, raise_on_error=False).run_id


def evaluated(instance, check):
    chosen = dg.AssetSelection.checks(check)
    return dg.materialize([told, check], instance=instance, selection=chosen, raise_on_error=False).run_id


def shown(instance):
    """Return what the UI says of assets: what is there, of which run, and what failed."""
    storage, keys = instance.event_log_storage, [dg.AssetKey("told"), dg.AssetKey("broken")]
    planned = storage.get_latest_storage_id_by_partition(trained.key, dg.DagsterEventType.ASSET_MATERIALIZATION)
    checks = [dg.AssetCheckKey(dg.AssetKey("told"), name) for name in ("kept", "early", "late")]
    check = storage.get_latest_asset_check_execution_by_key(checks)
    records = [
        (one.asset_entry.last_materialization_storage_id, one.asset_entry.last_run_id)
        for one in instance.get_asset_records(keys)
    ]
    return planned, records, {key: (one.run_id, one.status) for key, one in check.items()}


def test_what_shows_nothing_any_more_goes_and_the_newest_of_everything_stays(instance, tmp_path):
    once = made(instance, trained, partition="a")
    other = made(instance, trained, partition="b")
    first, failed = made(instance, told), made(instance, broken)
    alone = [evaluated(instance, check) for check in (early, late)]
    assert old_runs(instance, 0) == []
    again, newest = made(instance, trained, partition="a"), made(instance, told)
    before = shown(instance)
    assert old_runs(instance, 0) == sorted([once, first])
    assert old_runs(instance, 1) == []

    logs = tmp_path / "home" / "dagster" / "smoke" / "logs"
    assert (logs / once).is_dir()
    for run_id in old_runs(instance, 0):
        forget(instance, run_id)
    assert set(instance.get_run_ids()) == {other, failed, again, newest, *alone}
    assert shown(instance) == before
    assert not [path for path in (tmp_path / "home").rglob("*") if once in path.name]
    assert not instance.get_run_by_id(once)
