"""`golden run`: bring everything of a study up to date, stage by stage, each stage one Dagster run.

What is stale is decided by content: tables are recomputed and compared, trials are looked up by fingerprint.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import dagster as dg
import polars as pl
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.storage.tags import MAX_RETRIES_TAG
from dagster_shared.record import replace

from golden_core.evaluation.campaign import evaluation_is_current
from golden_core.interpretability.filing import explanations_are_current
from golden_core.preparation import prepare_pair, prepare_quality, prepare_raw, prepare_series
from golden_core.preparation.catalogue import claim_name, load_variant
from golden_core.reporting.pages import report_differences
from golden_core.store import kernels
from golden_core.store.health import FullDiskError, StorageError, speaks_of_full_disk
from golden_core.store.lake import Home, remove_temporaries
from golden_core.store.locking import only_one
from golden_core.store.warehouse import Warehouse
from golden_core.study import Study
from golden_core.trials import Outcome, all_trials, trial_status
from golden_core.trials.campaign import require_device, require_scheduler
from golden_core.trials.estimate import estimate
from golden_core.trials.identity import all_series
from golden_core.trials.ledger import read_ledger
from golden_core.trials.outputs import AlteredError, altered_files, damaged_trials, only_strays
from golden_core.trials.stored import tables_fault
from golden_core.trials.workers import stop_workers
from golden_dagster.dead_runs import PROCESS_TAG, end_dead_runs, process_tag
from golden_dagster.definitions import definitions_for
from golden_dagster.defs.data import raw_key
from golden_dagster.instance import study_instance
from golden_dagster.interruption import interruptible
from golden_dagster.lib.checks import last_evaluation
from golden_dagster.lib.failures import failure_messages
from golden_dagster.lib.published import altered_table
from golden_dagster.partitions import pair_partitions, series_partitions, trial_key, trial_partitions
from golden_dagster.resources import StudyResource, Watcher, WorkersResource

# Retraining a trial to compare its bytes costs as much as the trial: the gate does it, a run does not.
GATE_ONLY = ("forecasts_reproduce_bitwise", "explanations_reproduce_bitwise")

# By this, and not by the job's name alone, the web UI that `golden ui` starts finds a run, and executes it again.
_UI = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("golden_dagster.definitions"), SINGLETON_REPOSITORY_NAME)


@dataclass(frozen=True)
class Stage:
    """One Dagster run: some assets, and the partitions they have in common; or only the checks of these assets."""

    name: str
    assets: Sequence[dg.AssetKey]
    partitions: dg.PartitionsDefinition[Any] | None = None
    trials: int = 0
    checks_only: bool = False

    @property
    def job(self) -> str:
        """The job of the code location that its run belongs to."""
        return f"stage_{self.name.replace(' ', '_')}"


# What Dagster prints for each event that it cannot store, and SQLAlchemy where a signal arrives as it closes a file.
_SAID_TWICE = ("Exception while writing logger call", "Exception closing connection")


class _WithoutEventLog:
    """A stream without the tracebacks of what is raised, and told, as well."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return 0 if text.startswith(_SAID_TWICE) else int(self._stream.write(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@dataclass
class Campaign:
    """A study bound to its home, its Dagster instance and its definitions."""

    home: Home
    study: Study
    instance: dg.DagsterInstance
    definitions: dg.Definitions
    failures: list[str] = field(default_factory=list)
    results: list[dg.ExecuteInProcessResult] = field(default_factory=list)  # of the stages that were executed
    stopped: Stage | None = None  # the stage that failed, so that nothing after it could be made
    raise_interruption: Callable[[], None] = lambda: None
    say: Callable[[str], None] = lambda _message: None
    workers: int = 1
    on_dask: bool = False

    def stages(self) -> Iterator[Stage]:
        """Yield what is out of date, upstream first; each stage is decided after the one before has run.

        Raises
        ------
        golden_core.trials.TrialError
            If no Dask scheduler answers; and once the folds are there, if they are not in the order of time.
        golden_core.trials.ledger.LedgerError
            If what was tried before is no longer known.
        golden_core.store.health.FullDiskError
            If the trials to run need more room than there is, as far as that was ever measured.
        """
        study = self.study
        list(read_ledger(self.home))  # every model would fail at it, and what is there could not say what was tried
        changed = not self._made(raw_key(study)) or _differs(prepare_raw, self.home, study)
        if self.on_dask and (changed or self._stale_models()[2]):  # before anything is made that nobody could train on
            self.say("asks the Dask scheduler and its workers, for up to a minute")
            require_scheduler()
        if changed:
            yield Stage("rates", [raw_key(study)])
        inputs = [dg.AssetKey("clean_bars"), dg.AssetKey("folds")]
        checked = set()
        if self._stale(inputs[0], pair_partitions(study), prepare_pair, zip(study.data.pairs, strict=True)):
            yield Stage("bars", inputs[:1], pair_partitions(study))
            checked.add(inputs[0])
        quality = dg.AssetKey("data_quality")
        if not self._made(quality) or _differs(prepare_quality, self.home, study):
            yield Stage("data quality", [quality])
        if self._stale(inputs[1], series_partitions(study), prepare_series, all_series(study)):
            yield Stage("folds", inputs[1:], series_partitions(study))
            checked.add(inputs[1])
        self._remove_damaged_trials()
        stale, count, to_run = self._stale_models()
        if stale and checked != set(inputs):
            # Their last run may have failed, or been before a feature changed: blocking holds within one run only.
            yield Stage("input checks", inputs, checks_only=True)
        if to_run:
            self.say(estimate(self.home, study, to_run).said(self.workers))
        if stale:
            yield Stage("models", stale, trial_partitions(study), count)
        explained = dg.AssetKey("explanations")
        if study.explanations and not (self._made(explained) and explanations_are_current(self.home, study)):
            yield Stage("explanations", [explained])
        published = [dg.AssetKey(name) for name in ("metrics", "leaderboard", "comparisons", "report")]
        if not self._report_is_current() or not all(map(self._made, published)):
            yield Stage("metrics and report", published)

    def _made(self, key: dg.AssetKey) -> bool:
        """Whether an asset was made and its checks have spoken: a process may be killed between the two."""
        checks = self.definitions.resolve_asset_graph().get_check_keys_for_assets({key})
        spoken = (last_evaluation(self.instance, check) for check in checks if check.name not in GATE_ONLY)
        return self.instance.get_latest_materialization_event(key) is not None and None not in spoken

    def _report_is_current(self) -> bool:
        """Whether the report is what the tables, and the code and templates of reporting, give now."""
        if fault := tables_fault(self.home, self.study):
            self.say(f"{fault}; its tables are made again from the lake")
            return False
        if not evaluation_is_current(self.home, self.study):
            return False
        for name in ("leaderboard", "comparisons"):
            if altered := altered_table(self.instance, self.study.name, dg.AssetKey(name)):
                self.say(f"{altered} is not what was published; it is made again")
                return False
        found, _ = report_differences(Warehouse(self.home.warehouse), self.study, self.home.report(self.study.name))
        return not found

    def execute(self, stage: Stage) -> bool:
        """Run one stage; return whether it succeeded, and keep what went wrong."""
        if stage.checks_only:
            selection: dg.AssetSelection = dg.AssetSelection.checks_for_assets(*stage.assets)
        else:
            checks = self.definitions.resolve_asset_graph().asset_check_keys
            left_out = [key for key in checks if key.name in GATE_ONLY]
            selection = dg.AssetSelection.assets(*stage.assets) - dg.AssetSelection.checks(*left_out)
        tags: dict[str, str] = {}
        if stage.partitions is not None:
            keys = stage.partitions.get_partition_keys()
            tags = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]}
        result = self.run_selection(stage.job, selection, tags)
        self.results.append(result)
        failures = failure_messages(result.all_events)
        self.failures += failures
        succeeded = result.success and not (stage.checks_only and failures)
        if not succeeded and stage.name != "models":  # a failed trial leaves others standing
            self.stopped = self.stopped or stage
        return succeeded

    def run_selection(
        self, name: str, selection: dg.AssetSelection, tags: Mapping[str, str]
    ) -> dg.ExecuteInProcessResult:
        """Execute a selection in this process, quietly."""
        job = dg.define_asset_job(name, selection=selection, executor_def=dg.in_process_executor)
        # Alone: the code location's own job of this name also selects what is not stale.
        resolved = replace(self.definitions, jobs=[job], schedules=None, sensors=None).resolve_job_def(name)
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        create, origin = type(self.instance).create_run_for_job, RemoteJobOrigin(_UI, name)
        self.instance.create_run_for_job = partial(create, self.instance, remote_job_origin=origin)  # type: ignore[method-assign]
        # Once killed, it waits for whoever gave the command: nothing else starts it again by itself.
        tags = {PROCESS_TAG: process_tag(), MAX_RETRIES_TAG: "0", **tags}
        try:
            with contextlib.redirect_stderr(_WithoutEventLog(sys.stderr)):
                result = resolved.execute_in_process(
                    instance=self.instance, raise_on_error=False, tags=tags, run_config=quiet
                )
        finally:
            self.raise_interruption()
        for message in failure_messages(result.all_events):
            if speaks_of_full_disk(message):
                raise FullDiskError(message)
        return result

    def _stale(self, key: dg.AssetKey, cut: dg.PartitionsDefinition[Any], step: Any, parts: Iterable[Any]) -> bool:
        """Whether a partition of an asset was never made, or its step would write something else."""
        unmade = set(cut.get_partition_keys()) - self.instance.get_materialized_partitions(key)
        return bool(unmade) or any(_differs(step, self.home, self.study, *part) for part in parts)

    def _remove_damaged_trials(self) -> None:
        """Remove what a finished trial can no longer be read from, so that it counts as missing.

        Raises
        ------
        AlteredError
            If a whole trial lies among files of somebody else's: neither they nor the trial are ours to remove.
        """
        for folder, fault in damaged_trials(self.home, self.study).items():
            if only_strays(altered_files(folder)):
                raise AlteredError(fault)
            self.say(f"{fault}; it is made again")
            shutil.rmtree(folder) if folder.is_dir() else folder.unlink()

    def _stale_models(self) -> tuple[list[dg.AssetKey], int, list[str]]:
        """Return the models with a trial to run or to record, how many trials they hold, and whose are to be run."""
        trials = all_trials(self.study)
        found = trial_status(self.home, self.study, trials)
        to_run = found.filter(pl.col("status") != "done").unique("fingerprint")["forecaster"].to_list()
        status = found["status"].to_list()
        stale = []
        for name in sorted(self.study.forecasters):
            key = dg.AssetKey(["models", name])
            made = self.instance.get_materialized_partitions(key)
            own = [(trial, s) for trial, s in zip(trials, status, strict=True) if trial.forecaster == name]
            if any(s != "done" or trial_key(trial) not in made for trial, s in own) or not self._made(key):
                stale.append(key)
        return stale, len(stale) * len(trials) // len(self.study.forecasters), to_run


def _differs(step: Callable[..., Any], *of: Any) -> bool:
    """Whether a step would write something else than is stored; what cannot be made any more fails in its own run."""
    try:
        return bool(step(*of, write=False).changed)
    except ValueError:  # as every error of data is
        return True


@contextmanager
def open_campaign(
    name: str,
    overrides: Sequence[str] = (),
    *,
    workers: WorkersResource | None = None,
    on_outcome: Callable[[Outcome], None] | None = None,
    on_note: Callable[[str, bool], None] = lambda _text, _lasting: None,
    wait: bool = True,
    say: Callable[[str], None] = lambda _message: None,
) -> Iterator[Campaign]:
    """Load a study and everything needed to run it.

    Raises
    ------
    golden_core.study.StudyError
        If the study is not valid.
    golden_core.trials.TrialError
        If its networks ask for a device that is not there.
    golden_core.store.locking.LockedError
        If another campaign of this study is under way in this home and ``wait`` is false.
    golden_dagster.interruption.Interrupted
        When the process is told to end; what is finished stays, nothing is published.
    """
    home = Home.from_environment()
    try:
        tempfile.gettempdir()
    except FileNotFoundError as error:
        raise StorageError(f"{error.strerror}: name one that you may write to by TMPDIR") from None
    study = load_variant(name, overrides)
    kernels.require(study.training.kernels)
    require_device(home, study)
    settings = dict(text.split("=", 1) for text in overrides)
    # Every step loads it, and somebody may edit the file in the hours between.
    resource = StudyResource(study=name, overrides=settings, pinned=study.model_dump_json())
    watcher = Watcher(on_outcome, on_note) if on_outcome else None
    folder = home.study(study.name).root
    if not home.root.is_dir():
        say(f"a new home: {home.root}")
    with (
        interruptible() as raise_interruption,
        only_one(folder / "lock.json", f"study {study.name}", wait=wait, on_wait=say),
        study_instance(home, study.name, captured=False, say=say) as instance,
    ):
        home.stamp()
        claim_name(home, study, name, overrides)
        for ended in end_dead_runs(instance):
            say(ended)
        remove_temporaries(folder)
        backend, count = (workers.backend, workers.count) if workers else ("loky", 1)
        count = 1 if backend in {"sequential", "cohort"} else count
        definitions = definitions_for(study, resource, workers=workers, watcher=watcher)
        try:
            yield Campaign(
                home, study, instance, definitions, raise_interruption=raise_interruption, say=say, workers=count,
                on_dask=backend == "dask",
            )  # fmt: skip
        finally:
            stop_workers()
