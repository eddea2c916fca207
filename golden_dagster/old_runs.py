"""Dagster's own record of runs: it keeps every event for ever, and a night of the demo writes 8 MB of them."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import sqlalchemy as sa
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage

FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


def old_runs(instance: dg.DagsterInstance, days: int) -> list[str]:
    """Return the runs that ended longer ago than some days and of which nothing shows any more, by number.

    A run stays that has the newest event of its kind for any asset, or partition of one, or the newest verdict of a
    check: without it the web UI would take what is there for missing, or try again what has failed.
    """
    before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days)
    ended = instance.get_run_ids(dg.RunsFilter(statuses=FINISHED, updated_before=before))
    return sorted(set(ended) - _shown(instance)) if ended else []


def forget(instance: dg.DagsterInstance, run_id: str) -> None:
    """Delete a run with its events and what its steps have printed."""
    storage = instance.event_log_storage
    instance.delete_run(run_id)
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    if isinstance(storage, SqliteEventLogStorage):  # its file of the run would stay, emptied and as large as before
        shard = Path(storage.path_for_shard(run_id))
        for path in shard.parent.glob(f"{shard.name}*"):
            path.unlink(missing_ok=True)


def _shown(instance: dg.DagsterInstance) -> set[str]:
    """Return the runs of the newest events."""
    storage = instance.event_log_storage
    assert isinstance(storage, SqlEventLogStorage)  # as SQLite's and PostgreSQL's are
    event, verdict = SqlEventLogStorageTable.c, AssetCheckExecutionsTable.c
    kept = sa.union(
        _newest(event, event.asset_key, event.partition, event.dagster_event_type),
        _newest(verdict, verdict.asset_key, verdict.check_name, verdict.partition),
    )
    with storage.index_connection() as connection:
        return {str(run_id) for (run_id,) in connection.execute(kept)}


def _newest(
    table: sa.ColumnCollection[str, sa.Column[Any]], asset: sa.Column[Any], *by: sa.Column[Any]
) -> sa.Select[Any]:
    latest = sa.select(sa.func.max(table.id)).where(asset.is_not(None)).group_by(asset, *by)
    return sa.select(table.run_id).where(table.id.in_(latest))
