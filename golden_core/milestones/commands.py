"""Running commands of the plan: those that decide a criterion, and recorded ones again into a scratch folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from golden_core.milestones.place import VARIABLE, Place
from golden_core.milestones.records import Metadata
from golden_core.milestones.registry import METADATA
from golden_core.store.lake import hash_file

_TAIL = 300  # characters of what a failed command said last


def run_command(command: Sequence[str], repository: Path, *, timeout_s: float, **variables: str) -> tuple[int, str]:
    """Return the exit status of a command and what it said; nothing that it started outlives it.

    Raises
    ------
    OSError
        If there is no such program.
    subprocess.TimeoutExpired
        If it runs longer than allowed: then nothing was found.
    """
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
        try:
            status = process.wait(timeout_s)
        finally:
            _end(process)
        output.seek(0)
        return status, output.read().decode(errors="replace").strip()


def rerun(
    place: Place, metadata: Metadata, external: Mapping[str, Path], *, timeout_s: float
) -> tuple[tuple[str, str], ...]:
    """Run the command of some evidence again with GOLDEN_EVIDENCE set to a scratch folder; the evidence stays as it is.

    ``external`` takes the place of the arguments that name inputs outside the repository. Returns what differs and how,
    each deliverable by name; nothing if every byte came out the same.
    """
    command = [str(external.get(argument, argument)) for argument in metadata.command]
    said = " ".join(metadata.command)
    with tempfile.TemporaryDirectory(prefix="golden-rerun-") as scratch:
        try:
            status, output = run_command(command, place.repository, timeout_s=timeout_s, **{VARIABLE: scratch})
        except subprocess.TimeoutExpired:
            return ((said, f"took longer than {timeout_s:g} s"),)
        except OSError as error:
            return ((said, f"cannot be started: {error.strerror}"),)
        if status:
            return ((said, f"ended with status {status}: {output[-_TAIL:]}"),)
        return tuple(_differences(metadata, Place(place.repository, Path(scratch)).folder(metadata.milestone)))


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
