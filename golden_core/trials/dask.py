"""Trials on the workers of a Dask scheduler: one machine or many that share the home's folder.

Lost workers cost the trial under way, which the scheduler gives to another. A lost scheduler costs nothing that is
finished: what is not is handed to the next one under the same address.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError

from distributed import Client, Future, KilledWorker, as_completed

from golden_core.store.lake import Home
from golden_core.study import Study
from golden_core.trials.campaign import Outcome, run_recorded
from golden_core.trials.identity import Trial
from golden_core.trials.run import TrialError

SCHEDULER = "GOLDEN_DASK_SCHEDULER"
PATIENCE = 60.0  # seconds that a campaign waits for a scheduler or a worker, at the start and after it has lost all
_gone: set[str] = set()  # where it was waited for in vain: the next forecaster of a campaign does not wait again


def on_dask(home: Home, study: Study, jobs: Sequence[tuple[Trial, str]]) -> Iterator[Outcome]:
    """Run trials on the scheduler that GOLDEN_DASK_SCHEDULER names and yield each outcome as it comes.

    Raises
    ------
    TrialError
        If no scheduler is named, none answers for a minute, or it has no worker; the minute is waited once.
    """
    waiting = {print_: trial for trial, print_ in jobs}
    while waiting:
        for outcome in _until_lost(home, study, waiting):
            del waiting[outcome.fingerprint]
            yield outcome


def _until_lost(home: Home, study: Study, waiting: dict[str, Trial]) -> Iterator[Outcome]:
    """Yield the outcomes of one scheduler, until all have come or it is gone."""
    with connected() as client:
        futures = {
            client.submit(run_alike, home, study, trial, print_, pure=False): (trial, print_)
            for print_, trial in waiting.items()
        }
        threading.Thread(target=_cancel_unworked, args=(client, list(futures)), daemon=True).start()
        try:
            for future in as_completed(list(futures), loop=client.loop):
                yield _outcome(future, *futures[future])
        except CancelledError:  # so futures end whose scheduler has gone, or its last worker
            return
        finally:
            client.cancel(list(futures))


def _cancel_unworked(client: Client, futures: list[Future]) -> None:
    """Cancel futures that no worker has been there for during all our patience: they would be waited for all night."""
    seen = time.monotonic()
    while time.monotonic() - seen < PATIENCE:
        time.sleep(PATIENCE / 20)
        try:
            seen = time.monotonic() if client.nthreads() else seen
        # Closed, or its scheduler is lost: the futures end, too.
        except (AttributeError, CancelledError, OSError, RuntimeError):
            return
    client.cancel(futures)


def connected() -> Client:
    """Return a client of a scheduler with a worker; its loss is no traceback. TrialError as for :func:`on_dask`."""
    address = os.environ.get(SCHEDULER, "")
    if not address:
        raise TrialError(f"the backend dask needs {SCHEDULER} in the environment, such as tcp://127.0.0.1:8786")
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    patience = min(PATIENCE, 1.0) if address in _gone else PATIENCE
    try:
        client = Client(address, timeout=patience, set_as_default=False)
    except ValueError as error:
        raise TrialError(f"{SCHEDULER}={address}: {error}; one is tcp://127.0.0.1:8786") from None
    except OSError as error:
        _gone.add(address)
        message = f"no Dask scheduler at {address} for {PATIENCE:g} s: start one, and run again to go on"
        raise TrialError(message) from error
    try:
        client.wait_for_workers(1, timeout=patience)
    except TimeoutError as error:
        _gone.add(address)
        client.close()
        message = (
            f"the Dask scheduler at {address} has had no worker for {PATIENCE:g} s: start some, and run again to go on"
        )
        raise TrialError(message) from error
    _gone.discard(address)
    return client


def _outcome(future: object, trial: Trial, print_: str) -> Outcome:
    try:
        return future.result()  # type: ignore[attr-defined, no-any-return]
    except KilledWorker:
        said = f"{trial}: every worker that ran it died: killed, most often for its memory (its log)"
    except RuntimeError as error:  # of Dask's own: what a trial raises is an outcome
        said = f"{trial}: the scheduler or a worker has another installation: {str(error).splitlines()[0]}"
    return Outcome(trial, "failed", print_, 0.0, said)


def run_alike(home: Home, study: Study, trial: Trial, print_: str) -> Outcome:
    """Run one trial on a worker, and see that it has the code, the libraries and the home of the campaign.

    A worker names what it writes after its own code, so that other code could never pass for that of the campaign.
    """
    outcome = run_recorded(home, study, trial, print_)
    if outcome.error or home.study(study.name).trial(trial.forecaster, trial.series, print_).is_dir():
        return outcome
    said = f"{trial}: the worker on {socket.gethostname()} has other code, libraries or data than the campaign"
    return Outcome(trial, "failed", print_, outcome.seconds, said)
