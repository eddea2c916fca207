"""Running commands of the plan: those that decide a criterion, and recorded ones again into a scratch folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from golden_core.milestones.evidence import Result
from golden_core.milestones.place import VARIABLE, Place
from golden_core.milestones.records import EvidenceError, Metadata
from golden_core.milestones.registry import METADATA, Criterion
from golden_core.store.lake import hash_file

_TAIL = 300  # characters of what a failed command said last


def run_command(criterion: Criterion, repository: Path, *, timeout_s: float) -> Result:
    """Run the command that decides a criterion, at the repository's root; exit status 0 passes.

    Raises
    ------
    EvidenceError
        If no command decides the criterion.
    OSError
        If there is no such program.
    subprocess.TimeoutExpired
        If it runs longer than allowed: then nothing was found.
    """
    if criterion.command is None:
        raise EvidenceError(f"{criterion.id} is decided by {criterion.decided_by}, not by a command")
    status, _ = _run(criterion.command, repository, timeout_s, {})
    return Result(criterion.id, status, "exit status 0", status == 0)


def rerun(
    place: Place, metadata: Metadata, external: Mapping[str, Path], *, timeout_s: float
) -> tuple[tuple[str, str], ...]:
    """Run the command of some evidence again with GOLDEN_EVIDENCE set to a scratch folder; the evidence stays as it is.

    Parameters
    ----------
    place : Place
        Checkout, in whose root the command runs.
    metadata : Metadata
        What was recorded: command and outputs.
    external : mapping of str to Path
        Takes the place of the arguments that name inputs outside the repository.
    timeout_s : float
        Seconds after which the command, and all it started, is killed.

    Returns
    -------
    tuple of (str, str)
        What differs and how, each deliverable by name; empty if every byte came out the same.
    """
    command = [str(external.get(argument, argument)) for argument in metadata.command]
    with tempfile.TemporaryDirectory(prefix="golden-rerun-") as scratch:
        try:
            status, said = _run(command, place.repository, timeout_s, {VARIABLE: scratch})
        except subprocess.TimeoutExpired:
            return ((" ".join(metadata.command), f"took longer than {timeout_s:g} s"),)
        except OSError as error:
            return ((" ".join(metadata.command), f"cannot be started: {error.strerror}"),)
        if status:
            return ((" ".join(metadata.command), f"ended with status {status}: {said[-_TAIL:]}"),)
        return tuple(_differences(metadata, Place(place.repository, Path(scratch)).folder(metadata.milestone)))


def _run(command: Sequence[str], repository: Path, timeout_s: float, variables: Mapping[str, str]) -> tuple[int, str]:
    """Return the exit status of a command and what it said; nothing that it started outlives it."""
    # The programs installed beside this interpreter first, so that `golden` and `python` are this project's.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command,
            cwd=repository,
            env={**os.environ, "PATH": path, **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        with _ending_when_told():
            try:
                status = process.wait(timeout_s)
            finally:
                _end(process)
        output.seek(0)
        return status, output.read().decode(errors="replace").strip()


@contextmanager
def _ending_when_told() -> Iterator[None]:
    """Turn a request to end into an exit: by default Python stops at once, and a session of its own would run on."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say how signals are handled
        return
    before = {number: signal.signal(number, _exit) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _exit(number: int, _: object) -> None:
    raise SystemExit(128 + number)


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it has ended and left nothing behind
    process.wait()


def _differences(metadata: Metadata, folder: Path) -> Iterator[tuple[str, str]]:
    expected = {record.path: record.sha256 for record in metadata.outputs}
    made = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    made.pop(METADATA, None)
    for name, sha256 in expected.items():
        if name not in made:
            yield name, "was not made again"
        elif (found := hash_file(made[name])) != sha256:
            yield name, f"came out different: recorded {sha256}, now {found}"
    for name in sorted(made.keys() - expected.keys()):
        yield name, "is made now and was not recorded"
