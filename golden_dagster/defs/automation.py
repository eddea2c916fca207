"""What runs by itself once it is switched on in the web UI: the refresh, the night, and what keeps a study current."""

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import dagster as dg

from golden_core.study import Study
from golden_dagster.dead_runs import PROCESS_TAG, end_dead_runs
from golden_dagster.defs.data import raw_key
from golden_dagster.lib.automation import PER_TICK, OneRunPerAsset
from golden_dagster.lib.failures import failure_messages
from golden_dagster.resources import StudyResource

GOLDEN = [sys.executable, "-c", "from golden_dagster.cli import main; main()"]
ON_FAILURE = "GOLDEN_ON_FAILURE"
_at = partial(dg.ScheduleDefinition, execution_timezone="Europe/Berlin")  # where the European Central Bank is
_AFTER = "Every working day, after rates are published"
SHOWN = 1_000_000  # bytes of what a command of the night says, from either end: all, unless somebody prints without end


def definitions(study: Study) -> dg.Definitions:
    """Return jobs, schedules and sensors of a study; what starts work is off until somebody turns it on."""
    current = OneRunPerAsset(
        "keep_current",
        target=dg.AssetSelection.groups("data", "models", "metrics", "reports"),
        description=(
            "Makes again what is missing or was made from other data or code: bars, folds, trials, tables, report, "
            "layer by layer, one run per asset, and only the partitions that need it, at most "
            f"{PER_TICK} of an asset at a tick. What failed is not tried again by itself."
        ),
        minimum_interval_seconds=60,
    )
    asks_first = study.data.source == "ecb"
    says = "asks for newer ones, " * asks_first + "brings the study up to date and evaluates every check."
    first = [["data", "refresh"]] if asks_first else []  # the gate also runs on the rates of yesterday
    bring = _job(
        "study",
        "bring_up_to_date",
        "Everything of the study, brought up to date through the gate: rates, bars, folds, trials, report.",
        lambda asked: [*first, ["gate", "--study", *asked]],
    )
    # Rates are published around 16:00 in Frankfurt on working days; the week ends after its last night.
    night = _at(name="nightly_study", job=bring, cron_schedule="0 18 * * 1-5", description=f"{_AFTER}: {says}")
    old = "trials of former settings, data or code, and the record of runs that ended over 90 days ago and show nothing"
    clean = _job(
        "clean",
        "delete_superseded_trials",
        "Delete trials that the study no longer asks for, and the record of old runs; what is current stays.",
        lambda asked: [["clean", *asked, "--yes"]],
    )
    forgets = f"Every Saturday: deletes {old} any more."
    week = _at(name="weekly_clean", job=clean, cron_schedule="0 6 * * 6", description=forgets)
    found = dg.Definitions(schedules=[night, week], sensors=[current, dead_runs, failed_runs(study)])
    return dg.Definitions.merge(found, _refresh(study)) if asks_first else found


def _job(name: str, op: str, says: str, commands: Callable[[list[str]], list[list[str]]]) -> dg.JobDefinition:
    """Return a job of one step: commands of `golden` for a study and its settings, in processes of their own."""

    @dg.op(name=op, description=says)
    def step(context: dg.OpExecutionContext, study: StudyResource) -> None:
        asked = [study.study, *(part for text in study.settings for part in ("--set", text))]
        _call(context, *commands(asked))

    @dg.job(name=name, executor_def=dg.in_process_executor, description=says)
    def job() -> None:
        step()

    return job


def _call(context: dg.OpExecutionContext, *commands: list[str]) -> None:
    """Run commands of `golden`, each though one before has failed; what they say is in the run's log."""
    ended, failed = [], False
    for command in commands:
        context.log.info(f"golden {shlex.join(command)}: what it says meanwhile stands under stdout")
        status, said = passed_on([*GOLDEN, *command])
        context.log.info(said)
        last, failed = " ".join(said.strip().splitlines()[-1:]), failed or status != 0
        ended.append(f"golden {shlex.join(command)} ended with {status}: {last}")
    if failed:
        raise dg.Failure("; ".join(ended), allow_retries=False)


def passed_on(command: list[str]) -> tuple[int, str]:
    """Run a program, pass on what it says within a second, as far as that is shown; return its exit status and the end.

    A night has hours, and may begin with a wait for another campaign. Told to end, it tells the program.
    """
    status, passed, in_order = None, 0, os.environ | {"PYTHONUNBUFFERED": "1"}  # else what is said last comes first
    with (
        tempfile.TemporaryFile() as told,  # on disk: a forecaster may print for hours
        subprocess.Popen(command, stdout=told, stderr=told, env=in_order) as program,
    ):
        try:
            while status is None:
                with suppress(subprocess.TimeoutExpired):
                    status = program.wait(1)
                passed += os.write(1, os.pread(told.fileno(), SHOWN - passed, passed))
        except BaseException:
            program.terminate()
            raise
        said = os.pread(told.fileno(), SHOWN, max(0, os.fstat(told.fileno()).st_size - SHOWN))
    return status, said.decode(errors="replace")


def _refresh(study: Study) -> dg.Definitions:
    refresh = dg.define_asset_job(
        "refresh_ecb_rates",
        selection=dg.AssetSelection.assets(raw_key(study)),
        config={"ops": {raw_key(study).to_python_identifier(): {"config": {"refresh": True}}}},
        description="Ask the European Central Bank for newer reference rates and take them over if they are sound.",
        executor_def=dg.in_process_executor,
    )
    # Half an hour after they are published the rates are there.
    says = f"{_AFTER}: refreshes them."
    daily = _at(name="daily_ecb_refresh", job=refresh, cron_schedule="30 16 * * 1-5", description=says)
    return dg.Definitions(jobs=[refresh], schedules=[daily])


@dg.sensor(
    name="dead_runs",
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Ends runs whose process was killed: they would hold their place in the queue for a day.",
)
def dead_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Look for runs in progress without a process."""
    return dg.SkipReason("; ".join(end_dead_runs(context.instance)) or "every run in progress has its process")


def failed_runs(study: Study) -> dg.SensorDefinition:
    """Return the sensor that tells somebody."""

    @dg.run_failure_sensor(
        name="failed_runs",
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Logs what failed in a run, and hands it to the command in {ON_FAILURE}, if there is one.",
    )
    def sensor(context: dg.RunFailureSensorContext) -> None:
        run = context.dagster_run
        if PROCESS_TAG in run.tags and not run.parent_run_id:
            return  # whoever gave the command has read it
        of = dg.DagsterEventType
        kinds = {of.STEP_FAILURE, of.RESOURCE_INIT_FAILURE, of.ASSET_CHECK_EVALUATION}
        logged = (record.dagster_event for record in context.instance.all_logs(run.run_id, of_type=kinds))
        # A process that was killed leaves no failed step.
        said = failure_messages([event for event in logged if event]) or [str(context.failure_event.message)]
        message = "\n".join((f"study {study.name}: run {run.run_id} of {run.job_name} failed", *said))
        context.log.error(message)
        command = shlex.split(os.environ.get(ON_FAILURE, ""))
        if command:
            subprocess.run(command, input=message.encode(errors="backslashreplace"), check=True, timeout=60)

    return sensor
