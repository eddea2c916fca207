"""Runs of killed processes: ended and named, while those of living processes and of other machines go on."""

import datetime as dt
import os
import socket
import subprocess
import sys
import time

import dagster as dg
import psutil
import pytest
from dagster._core.events import EngineEventData
from joblib import delayed
from joblib.externals.loky import reusable_executor

from golden_core.preparation.catalogue import load_study
from golden_core.trials.workers import stop_workers, worker_pool
from golden_dagster import dead_runs
from golden_dagster.dead_runs import PROCESS_TAG, end_dead_runs, process_tag
from golden_dagster.resources import WorkersResource


@dg.op
def work() -> None: ...


@dg.job
def toy() -> None:
    work()


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture(scope="module")
def gone():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def started(instance, tags=None, pid=None):
    """Return a run in progress, with what Dagster's event says of its process."""
    run = instance.create_run_for_job(toy, tags=tags or {})
    instance.report_engine_event(
        "Started process", run, EngineEventData(metadata={"pid": dg.MetadataValue.text(str(pid))} if pid else {})
    )
    instance.report_dagster_event(
        dg.DagsterEvent(event_type_value=dg.DagsterEventType.RUN_START.value, job_name="toy"), run_id=run.run_id
    )
    return run.run_id


def statuses(instance, *runs):
    return [instance.get_run_by_id(run).status.value for run in runs]


def test_only_runs_of_dead_processes_are_ended(instance, gone):
    host = socket.gethostname()
    dead = [started(instance, {PROCESS_TAG: f"{host}:{gone}"}), started(instance, pid=gone)]
    living = [
        started(instance, {PROCESS_TAG: process_tag()}),
        started(instance, pid=os.getpid()),
        started(instance, {PROCESS_TAG: f"elsewhere:{gone}"}),
        started(instance),  # it has not yet said which process
    ]
    said = end_dead_runs(instance)
    assert statuses(instance, *dead) == ["FAILURE"] * 2
    assert statuses(instance, *living) == ["STARTED"] * 4
    assert sorted(said) == sorted(
        f"run {run[:8]} of toy: process {gone} is gone, so the run was ended as failed" for run in dead
    )
    assert end_dead_runs(instance) == []


@pytest.mark.parametrize("launched", [False, True])
def test_a_number_that_was_given_to_a_later_process(instance, monkeypatch, launched):
    run = started(instance, pid=os.getpid()) if launched else started(instance, {PROCESS_TAG: process_tag()})
    assert end_dead_runs(instance) == []
    monkeypatch.setattr(dead_runs, "_start", lambda pid: "another")
    assert len(end_dead_runs(instance)) == 1
    assert statuses(instance, run) == ["FAILURE"]


def test_a_number_of_a_later_process_where_no_start_is_known(instance, monkeypatch):
    monkeypatch.setattr(dead_runs, "_start", lambda pid: None)
    run = started(instance, {PROCESS_TAG: process_tag()})
    record = instance.get_run_record_by_id(run)
    monkeypatch.setattr("psutil.Process.create_time", lambda _: record.start_time + 60)
    assert len(end_dead_runs(instance)) == 1


def test_a_clock_that_is_set_forward_kills_nobody(instance, monkeypatch):
    """The time at which a process began is told from the machine's clock, and moves with it."""
    runs = [started(instance, {PROCESS_TAG: process_tag()}), started(instance, pid=os.getpid())]
    assert end_dead_runs(instance) == []
    monkeypatch.setattr("psutil.Process.create_time", lambda _: time.time() + 3600)
    assert end_dead_runs(instance) == []
    assert statuses(instance, *runs) == ["STARTED"] * 2


def test_a_run_waits_in_the_queue_longer_than_its_process_is_old(instance, monkeypatch):
    """Its process begins when it is launched: only later than when it was named would it be another one."""
    monkeypatch.setattr(dead_runs, "_start", lambda pid: None)
    run = started(instance, pid=os.getpid())
    record = instance.get_run_record_by_id(run)
    queued = record._replace(start_time=None, create_timestamp=record.create_timestamp - dt.timedelta(hours=1))
    monkeypatch.setattr(instance, "get_run_record_by_id", lambda _: queued)
    monkeypatch.setattr("psutil.Process.create_time", lambda _: record.start_time - 1)
    assert end_dead_runs(instance) == []
    monkeypatch.setattr("psutil.Process.create_time", lambda _: record.start_time + 60)
    assert len(end_dead_runs(instance)) == 1


def test_a_run_that_is_executed_again_has_another_process_than_the_first(instance, gone):
    first = started(instance, {PROCESS_TAG: f"{socket.gethostname()}:{gone}"})
    end_dead_runs(instance)
    ids = {"parent_run_id": first, "root_run_id": first}
    again = instance.create_run_for_job(toy, tags=instance.get_run_by_id(first).tags, **ids)
    instance.report_dagster_event(
        dg.DagsterEvent(event_type_value=dg.DagsterEventType.RUN_START.value, job_name="toy"), run_id=again.run_id
    )
    assert end_dead_runs(instance) == []


@pytest.mark.parametrize(("tags", "left"), [({}, 0), ({PROCESS_TAG: process_tag()}, 2)])
def test_a_run_that_is_no_stage_of_a_campaign_leaves_no_worker_behind(tags, left):
    """Two of them and the run's own process are most of a gigabyte, and loky ends who is idle after five minutes."""
    study = load_study("smoke")

    @dg.op
    def works(workers: WorkersResource):
        list(worker_pool(study, workers.backend, workers.count)([delayed(os.getpid)() for _ in range(4)]))

    @dg.job(resource_defs={"workers": WorkersResource(workers=2)}, executor_def=dg.in_process_executor)
    def job():
        works()

    try:
        assert job.execute_in_process(tags=tags).success
        children = [" ".join(child.cmdline()) for child in psutil.Process().children()]
        assert sum("popen_loky" in line for line in children) == left
    finally:
        stop_workers()


def test_where_no_worker_was_started_none_is_made_to_be_ended(monkeypatch):
    """It takes semaphores, which a container may not have."""
    monkeypatch.setattr(reusable_executor, "_executor", None)
    stop_workers()
    assert reusable_executor._executor is None
