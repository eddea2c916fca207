"""Runs whose process is gone: a killed process ends without a word, and its runs hold their place in the queue."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import psutil

PROCESS_TAG = "golden/process"  # "host:pid:start" of whoever executes a run in its own process
SEEN_TAG = "golden/process_seen"  # "run:pid:start" of a process that another has launched, once it was seen alive
IN_PROGRESS = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


@dataclass(frozen=True)
class _Process:
    """The process that executes a run: its number, when it was named, and its start where that is known."""

    pid: int
    named: float
    start: str | None

    @property
    def alive(self) -> bool:
        """Whether it is the one that was named: its number may have been given to a later one.

        A start that is known decides alone, for it does not move with the clock of the machine.
        """
        try:
            process = psutil.Process(self.pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            return _start(self.pid) == self.start if self.start else bool(process.create_time() <= self.named + 1)
        except psutil.NoSuchProcess:
            return False


def process_tag() -> str:
    """Return the tag of runs that this process executes."""
    return f"{socket.gethostname()}:{os.getpid()}:{_start(os.getpid()) or ''}"


def end_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark as failed every run in progress whose process is gone from this machine; return a sentence for each.

    A run of another machine is left alone, and so is one that has not yet said which process executes it.
    """
    said = []
    for run, process in _processes(instance):
        if not process.alive:
            said.append(_ended(instance, run, process.pid))
        elif process.start is None and (start := _start(process.pid)):
            instance.add_run_tags(run.run_id, {SEEN_TAG: f"{run.run_id}:{process.pid}:{start}"})
    return said


def dead_runs(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """Return every run in progress whose process is gone from this machine."""
    return [run for run, process in _processes(instance) if not process.alive]


def _processes(instance: dg.DagsterInstance) -> list[tuple[dg.DagsterRun, _Process]]:
    runs = instance.get_runs(dg.RunsFilter(statuses=IN_PROGRESS))
    return [(run, process) for run in runs if (process := _named(instance, run))]


def _named(instance: dg.DagsterInstance, run: dg.DagsterRun) -> _Process | None:
    """Return the process that executes a run; None before one is named, and for another machine's."""
    host, pid, start = f"{run.tags.get(PROCESS_TAG, '')}::".split(":")[:3]
    if pid and run.parent_run_id is None:  # a run that is executed again has the tags of the first
        made = instance.get_run_record_by_id(run.run_id)
        here = host == socket.gethostname()
        return _Process(int(pid), made.create_timestamp.timestamp(), start or None) if made and here else None
    # Dagster's own events name the process of a run that the web UI or a daemon has launched.
    records = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT).records
    for record in reversed(records):
        entry = record.event_log_entry
        data = entry.dagster_event.engine_event_data if entry.dagster_event else None
        if data and (number := data.metadata.get("pid")) is not None:
            known, _, start = run.tags.get(SEEN_TAG, "").rpartition(":")
            seen = known == f"{run.run_id}:{number.value}"
            return _Process(int(str(number.value)), entry.timestamp, start if seen else None)
    return None


def _start(pid: int) -> str | None:
    """Return when a process began, in ticks since the machine did; None where the system does not say it so."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


def _ended(instance: dg.DagsterInstance, run: dg.DagsterRun, pid: int) -> str:
    message = f"run {run.run_id[:8]} of {run.job_name}: process {pid} is gone, so the run was ended as failed"
    instance.report_run_failed(run, message=message)
    return message
