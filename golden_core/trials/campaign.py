"""Run many trials at once: joblib, or Dask. A failing trial is a recorded row, not the end of the campaign."""

from __future__ import annotations

import importlib
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from joblib import delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError

from golden_core.store.health import disk_is_full, full_disk
from golden_core.store.lake import FINGERPRINT, Home, stored_json, write_json
from golden_core.study import Study
from golden_core.trials.identity import Trial, device_kind, fingerprint, series_inputs
from golden_core.trials.ledger import open_test_parts
from golden_core.trials.memory import keep_freed_memory
from golden_core.trials.outputs import recorded
from golden_core.trials.run import Company, TrialError, run_trial
from golden_core.trials.workers import died
from golden_core.trials.workers import (
    worker_pool as worker_pool,  # explanations, whose identity is their code, ask here
)

# The same inputs and code give the same failure, unless memory or a disk ran out: not tried every night for ever.
ATTEMPTS = 3


@dataclass(frozen=True)
class Outcome:
    """What became of one trial."""

    trial: Trial
    status: Literal["done", "shared", "failed"]
    fingerprint: str
    seconds: float
    error: str | None


def run_trials(
    home: Home,
    study: Study,
    trials: Sequence[tuple[Trial, str]],
    *,
    backend: str = "sequential",
    workers: int = 1,
    note: Callable[[str, bool], None] = lambda _text, _lasting: None,
) -> Iterator[Outcome]:
    """Run trials and yield each outcome as it comes.

    Trials come with their fingerprints: those that share one (the seeds of a deterministic forecaster) run once, and
    the others are reported as shared. The backend is joblib's ``sequential`` or ``loky``, whose
    workers are processes of this machine, or ``dask``, which has the workers of its scheduler. With ``cohort`` networks
    train together in this process (so they do with any backend where the study's device is a card), and whatever
    trains no network goes to ``loky``. ``note`` is told how cohorts get on, and whether that
    is to be kept in sight.

    Notes
    -----
    Longest first would finish sooner, but a trial's cost is not known beforehand; the order given is kept, and
    results do not depend on it.
    """
    groups: dict[str, list[Trial]] = {}
    for trial, print_ in trials:
        groups.setdefault(print_, []).append(trial)
    jobs = [(members[0], print_) for print_, members in groups.items()]
    folder = home.study(study.name)
    undone = [t for t, p in jobs if not folder.trial(t.forecaster, t.series, p).exists()]
    if backend == "dask" and undone:  # a test part that nobody could look at is not written down as opened
        require_scheduler()
    open_test_parts(home, study, undone)
    for outcome in _run_all(home, study, jobs, backend, workers, note):
        yield outcome
        for shared in groups[outcome.fingerprint][1:]:
            status: Literal["shared", "failed"] = "shared" if outcome.status == "done" else "failed"
            yield Outcome(shared, status, outcome.fingerprint, 0.0, outcome.error)


def require_device(home: Home, study: Study, jobs: Sequence[tuple[Trial, str]] | None = None) -> None:
    """Refuse to begin a study with networks to train on a device that this machine does not have.

    What was trained elsewhere and imported needs none. Before bars and folds have told which trials those are
    (``jobs`` is None), a home with any trial of such a device gets the benefit of the doubt.

    Raises
    ------
    TrialError
        If there is something to train, and no such device.
    """
    if study.training.device != "cuda":
        return
    folder = home.study(study.name)
    if jobs is None:
        records = map(recorded, (folder.root / "trials").glob(f"*/*/{FINGERPRINT}"))
        there = [any((record.get("device") or {}).get("kind") == "cuda" for record in records)]
    else:
        trained = [(trial, print_) for trial, print_ in jobs if device_kind(study, trial.forecaster) == "cuda"]
        there = [folder.trial(trial.forecaster, trial.series, print_).is_dir() for trial, print_ in trained]
    if all(there):
        return
    device = importlib.import_module("golden_core.training.device")
    try:
        device.require("cuda")
    except device.DeviceError as error:
        raise TrialError(f"study {study.name!r}: {error}") from None


def require_scheduler() -> None:
    """Ask for the Dask scheduler and its workers; TrialError as for :func:`golden_core.trials.dask.on_dask`."""
    importlib.import_module("golden_core.trials.dask").connected().close()


def _run_all(
    home: Home,
    study: Study,
    jobs: Sequence[tuple[Trial, str]],
    backend: str,
    workers: int,
    note: Callable[[str, bool], None],
) -> Iterator[Outcome]:
    require_device(home, study, jobs)
    folder, waiting = home.study(study.name), []
    for trial, print_ in jobs:  # what is done is only looked at: workers would import PyTorch to do no more
        if folder.trial(trial.forecaster, trial.series, print_).is_dir():
            folder.failure(trial.forecaster, trial.series, print_).unlink(missing_ok=True)
            yield Outcome(trial, "done", print_, 0.0, None)
        elif left := _given_up(home, study, trial, print_):
            yield Outcome(trial, "failed", print_, 0.0, left)
        else:
            waiting.append((trial, print_))
    cohort, together = backend == "cohort", set[Trial]()
    if waiting and (cohort or study.training.device != "cpu"):
        cohorts = importlib.import_module("golden_core.trials.cohorts")  # which imports torch
        together = cohorts.join_cohorts(study, (trial for trial, _ in waiting), asked=cohort)
    rest = [job for job in waiting if job[0] not in together]
    yield from _run(home, study, rest, "loky" if cohort else backend, workers)
    if together:
        yield from _in_cohorts(home, study, dict(job for job in waiting if job[0] in together), note)


def _in_cohorts(
    home: Home, study: Study, prints: Mapping[Trial, str], note: Callable[[str, bool], None]
) -> Iterator[Outcome]:
    cohorts = importlib.import_module("golden_core.trials.cohorts").Cohorts(home, study, note)
    for trial, company in cohorts.train(list(prints)):
        if isinstance(company, str):
            _record(home, study, trial, prints[trial], company, "")
            yield Outcome(trial, "failed", prints[trial], 0.0, company)
        else:
            yield run_recorded(home, study, trial, prints[trial], company)


def _run(home: Home, study: Study, jobs: Sequence[tuple[Trial, str]], backend: str, workers: int) -> Iterator[Outcome]:
    folder = home.study(study.name)
    # One trial needs no worker, unless it may end its process: it failed the last time.
    alone = len(jobs) <= 1 and not any(folder.failure(t.forecaster, t.series, p).exists() for t, p in jobs)
    if backend == "sequential" or (backend == "loky" and alone):
        yield from (run_recorded(home, study, trial, print_) for trial, print_ in jobs)
        return
    if backend == "dask":
        yield from importlib.import_module("golden_core.trials.dask").on_dask(home, study, jobs)
        return
    pending = {print_: trial for trial, print_ in jobs}
    with tempfile.TemporaryDirectory(prefix="golden-under-way-") as marks:
        while pending:
            tasks = [delayed(_marked)(home, study, trial, print_, Path(marks)) for print_, trial in pending.items()]
            pool = worker_pool(study, backend, workers)
            try:
                for outcome in pool(tasks):
                    del pending[outcome.fingerprint]
                    yield outcome
            except TerminatedWorkerError as error:
                under_way = [mark.name for mark in Path(marks).iterdir()]
                if not under_way:
                    raise TrialError(f"study {study.name!r}: a worker process {died(error)} before any trial") from None
                for print_ in under_way:
                    (Path(marks) / print_).unlink()
                    yield _alone(home, study, pending.pop(print_), print_)


def _marked(home: Home, study: Study, trial: Trial, print_: str, marks: Path) -> Outcome:
    """Run a trial with a mark while it is under way, for whoever has to say what a dead worker was doing."""
    (marks / print_).touch()
    outcome = run_recorded(home, study, trial, print_)
    (marks / print_).unlink()
    return outcome


def _alone(home: Home, study: Study, trial: Trial, print_: str) -> Outcome:
    """Run one of the trials that were under way when a worker died; if its own worker dies too, it is the cause."""
    try:
        found: Outcome = next(iter(worker_pool(study, "loky", 2)([delayed(run_recorded)(home, study, trial, print_)])))
        return found
    except TerminatedWorkerError as error:
        message = f"{trial}: its worker process {died(error)} while it ran, twice, the second time alone"
        _record(home, study, trial, print_, message, "")
        return Outcome(trial, "failed", print_, 0.0, message)


def _given_up(home: Home, study: Study, trial: Trial, print_: str) -> str | None:
    failure = home.study(study.name).failure(trial.forecaster, trial.series, print_)
    before = stored_json(failure, error=str, attempts=int)
    if before.get("attempts", 0) < ATTEMPTS:
        return None
    return f"{before['error']} (left after {ATTEMPTS} attempts: delete {failure} to have it tried again)"


def run_recorded(home: Home, study: Study, trial: Trial, print_: str, company: Company | None = None) -> Outcome:
    """Run one trial and turn a failure into a record on disk: the unit of work of every worker."""
    keep_freed_memory()
    started = time.perf_counter()
    failure = home.study(study.name).failure(trial.forecaster, trial.series, print_)
    if left := _given_up(home, study, trial, print_):
        return Outcome(trial, "failed", print_, 0.0, left)
    try:
        run_trial(home, study, trial, company=company)
    except Exception as error:
        # Whatever a third party's forecaster raises, the others go on; where there is no room, nobody does.
        if disk_is_full(error):
            raise full_disk(home.study(study.name).root) from error
        message = str(error) if isinstance(error, TrialError) else f"{trial}: {type(error).__name__}: {error}"
        _record(home, study, trial, print_, message, traceback.format_exc())
        return Outcome(trial, "failed", print_, time.perf_counter() - started, message)
    failure.unlink(missing_ok=True)
    seconds = time.perf_counter() - started + (company.wall_seconds if company else 0)
    return Outcome(trial, "done", print_, seconds, None)


def _record(home: Home, study: Study, trial: Trial, print_: str, message: str, trace: str) -> None:
    failure = home.study(study.name).failure(trial.forecaster, trial.series, print_)
    attempts = stored_json(failure, attempts=int).get("attempts", 0) + 1
    write_json({"error": message, "traceback": trace, "fingerprint": print_, "attempts": attempts}, failure)


def fingerprinted(home: Home, study: Study, trials: Iterable[Trial]) -> list[tuple[Trial, str]]:
    """Return trials with their fingerprints, reading each series once."""
    trials = list(trials)
    series = {(trial.pair, trial.horizon): None for trial in trials}
    hashes = {one: series_inputs(home, study, *one).hash for one in series}
    return [(trial, fingerprint(study, trial, hashes[trial.pair, trial.horizon])) for trial in trials]
