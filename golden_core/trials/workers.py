"""Worker processes of this machine: warm, ended with whoever started them, and ended when they stand still."""

from __future__ import annotations

import faulthandler
import os
import re
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import psutil
from joblib import Parallel
from joblib.externals.loky import get_reusable_executor, reusable_executor
from joblib.externals.loky.process_executor import TerminatedWorkerError

from golden_core.forecasters import forecaster_class
from golden_core.study import Study

# A worker whose task has used less than this share of a processor for so long waits for something that does not come,
# as Polars does where the system refused it a thread. A longer wait would be a night lost.
STILL_S, LEAST = 600.0, 1 / 600
_STOOD_STILL = 75  # exit status: EX_TEMPFAIL of sysexits.h

_Task = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]  # as joblib's ``delayed`` makes it
_under_way = threading.Event()


class DeadWorkerError(TerminatedWorkerError):  # type: ignore[misc]  # of joblib, which has no types
    """A worker process ended while it ran a task; the message says how, and what becomes of the rest."""


class WorkerPool:
    """Joblib's pool whose workers know when a task is under way; called with tasks, it yields results as they come."""

    def __init__(self, parallel: Parallel) -> None:
        self.parallel = parallel

    def __call__(self, tasks: Iterable[_Task]) -> Iterator[Any]:
        """Run tasks, each made by joblib's ``delayed``, beginning at once; DeadWorkerError where a worker ends."""
        return _told(self.parallel((_run, task, {}) for task in tasks))


def _told(results: Iterator[Any]) -> Iterator[Any]:
    try:
        yield from results
    except TerminatedWorkerError as error:
        said = f"a worker process {died(error)}; what others finished stays, and the same command goes on"
        raise DeadWorkerError(said) from error


def worker_pool(study: Study, backend: str, workers: int) -> WorkerPool:
    """Return the pool for a study. Everybody asks for it here, so that one set of warm workers serves all.

    Of one worker joblib makes none, and a forecaster that ends its process would end the campaign: there are two then,
    and one waits.
    """
    options: dict[str, Any] = {"pre_dispatch": 1, "batch_size": 1} if workers == 1 else {}
    if backend == "loky":
        # A worker whose networks outgrow its first one is replaced between two trials, and nothing is lost.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs were given", UserWarning)
        # Joblib's word for a campaign that was told to end; what is executed is kept, read or not.
        warnings.filterwarnings("ignore", r"\d+ tasks have been successfully executed", UserWarning)
        options |= {
            "inner_max_num_threads": 1,
            "initializer": start_worker,
            "initargs": (os.getpid(), tuple(sorted(study.forecasters.items())), STILL_S),
        }
    return WorkerPool(Parallel(n_jobs=max(2, workers), backend=backend, return_as="generator_unordered", **options))


def start_worker(parent: int, forecasters: tuple[tuple[str, Mapping[str, Any]], ...], still_s: float) -> None:
    """Make a worker end with the process that started it or when it stands still, and import what it will need.

    A campaign that is killed cannot tell its workers, and a trial that nobody waits for would train on for minutes.
    Loky replaces a worker that grows by 300 MB after its first task, taking a late import of torch for a leak.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to workers too; the campaign ends them
    threading.Thread(target=_watch, args=(parent, still_s), name="watch", daemon=True).start()
    for name, settings in forecasters:
        forecaster_class(name, settings)


def died(error: TerminatedWorkerError) -> str:
    """Return how a worker process ended, as loky tells it: ``died (SIGKILL(-9))``."""
    codes = re.search(r"exit codes of the workers are \{(.+?)\}", str(error.__cause__ or error))
    if codes and f"({_STOOD_STILL})" in codes[1]:
        return f"stood still for {STILL_S:.0f} s, using no processor time, and was ended"
    return f"died ({codes[1]}; memory may have run out)" if codes else "died"


def stop_workers() -> None:
    """End loky's workers: idle ones keep the process alive for minutes, one with a thread of somebody's for ever."""
    if reusable_executor._executor is not None:  # which is made by asking for it, if the system lets it
        get_reusable_executor(reuse=True).shutdown(wait=True, kill_workers=True)  # not reused, they are waited for


def _run(task: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    _under_way.set()
    try:
        return task(*args, **options)
    finally:
        _under_way.clear()


def _watch(parent: int, still_s: float) -> None:
    """End this process when the parent is gone, or when its task has not worked for so long.

    Whoever waits for a program of its own, or was stopped with the machine or by hand, is left alone.
    """
    worked, since, looked = 0.0, time.monotonic(), time.monotonic()
    while os.getppid() == parent:
        time.sleep(1.0)
        now, used = time.monotonic(), time.process_time() - time.thread_time()
        stopped = now - looked > 10.0
        looked = now
        if not _under_way.is_set() or used - worked > LEAST * still_s or stopped:
            worked, since = used, now
        elif now - since > still_s:
            if not psutil.Process().children():
                _end_still(now - since)
            since = now
    os._exit(1)  # as if killed too: whatever a trial writes is whole or not there


def _end_still(seconds: float) -> None:
    said = f"worker {os.getpid()} used no processor time for {seconds:.0f} s and is ended; it stood at:"
    sys.stderr.write(f"{said}\n")
    sys.stderr.flush()
    faulthandler.dump_traceback(sys.stderr)
    os._exit(_STOOD_STILL)
