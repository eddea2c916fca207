"""Runs whose process is gone: a killed process ends without a word, and its runs hold their place in the queue."""

from __future__ import annotations

import os
import socket

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
    named = ((run, _named(instance, run)) for run in instance.get_runs(dg.RunsFilter(statuses=IN_PROGRESS)))
    return [(run, process[0]) for run, process in named if process and not _alive(*process)]


def _named(instance: dg.DagsterInstance, run: dg.DagsterRun) -> tuple[int, float] | None:
    """Return the process that executes a run, and when it was named; None before that, and for another machine's."""
    host, _, pid = run.tags.get(PROCESS_TAG, "").rpartition(":")
    if pid and run.parent_run_id is None:  # a run that is executed again has the tags of the first
        made = instance.get_run_record_by_id(run.run_id)
        return (int(pid), made.create_timestamp.timestamp()) if made and host == socket.gethostname() else None
    # Dagster's own events name the process of a run that the web UI or a daemon has launched.
    records = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT).records
    for record in reversed(records):
        entry = record.event_log_entry
        data = entry.dagster_event.engine_event_data if entry.dagster_event else None
        if data and (number := data.metadata.get("pid")) is not None:
            return int(str(number.value)), entry.timestamp
    return None


def _alive(pid: int, named: float) -> bool:
    """Return whether a process is the one that was named then: its number may have been given to a later one."""
    try:
        process = psutil.Process(pid)
        return bool(process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= named + 1)
    except psutil.NoSuchProcess:
        return False


def _ended(instance: dg.DagsterInstance, run: dg.DagsterRun, pid: int) -> str:
    message = f"run {run.run_id[:8]} of {run.job_name}: process {pid} is gone, so the run was ended as failed"
    instance.report_run_failed(run, message=message)
    return message
