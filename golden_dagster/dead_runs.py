"""Runs whose process is gone: a killed process ends without a word, and its runs hold their place in the queue."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import dagster as dg
import psutil

PROCESS_TAG = "golden/process"  # "host:pid" of whoever executes a run in its own process
IN_PROGRESS = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def process_tag() -> str:
    """Return the tag of runs that this process executes."""
    return f"{socket.gethostname()}:{os.getpid()}"


def end_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark as failed every run in progress whose process is gone from this machine; return a sentence for each.

    A run of another machine is left alone, and so is one that has not yet said which process executes it.
    """
    return [_ended(instance, run, pid) for run, pid in dead_runs(instance)]


def dead_runs(instance: dg.DagsterInstance) -> list[tuple[dg.DagsterRun, int]]:
    """Return every run in progress whose process is gone from this machine, with the process's number."""
    return [(run, pid) for run, pid in _executed_here(instance) if not _alive(pid, instance, run)]


def _executed_here(instance: dg.DagsterInstance) -> Iterator[tuple[dg.DagsterRun, int]]:
    for run in instance.get_runs(dg.RunsFilter(statuses=IN_PROGRESS)):
        host, _, pid = run.tags.get(PROCESS_TAG, "").rpartition(":")
        if pid and host != socket.gethostname():
            continue
        number = int(pid) if pid else _logged_process(instance, run.run_id)
        if number:
            yield run, number


def _logged_process(instance: dg.DagsterInstance, run_id: str) -> int | None:
    """Return the process that Dagster's own events name, for runs that the web UI or a daemon has launched."""
    records = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT).records
    for record in reversed(records):
        event = record.event_log_entry.dagster_event
        pid = event.engine_event_data.metadata.get("pid") if event else None
        if pid is not None:
            return int(str(pid.value))
    return None


def _alive(pid: int, instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Return whether a process is the one that executed a run: its number may have been given to a later one."""
    record = instance.get_run_record_by_id(run.run_id)
    started = (record.start_time or record.create_timestamp.timestamp()) if record else 0.0
    try:
        process = psutil.Process(pid)
        return bool(process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= started + 1)
    except psutil.NoSuchProcess:
        return False


def _ended(instance: dg.DagsterInstance, run: dg.DagsterRun, pid: int) -> str:
    message = f"run {run.run_id[:8]} of {run.job_name}: process {pid} is gone, so the run was ended as failed"
    instance.report_run_failed(run, message=message)
    return message
