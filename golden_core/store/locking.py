"""One writer at a time: a lock that the operating system releases when its process is gone, however it went."""

from __future__ import annotations

import datetime
import fcntl
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from golden_core.store.health import telling_of


class LockedError(RuntimeError):
    """Somebody else is at work where one alone may be."""


@contextmanager
def only_one(
    path: Path, what: str, *, wait: bool = True, on_wait: Callable[[str], None] = lambda _message: None
) -> Iterator[None]:
    """Hold the lock of ``what`` while the block runs; its file says who does.

    The file stays when the lock is free: deleting it would let two processes lock two files of one name.

    Raises
    ------
    LockedError
        If another process holds it and ``wait`` is false; says which, and since when.
    FullDiskError
        If there is no room for its file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab", buffering=0) as file:  # what found no room would be written again by the end of the block
        if not _locked(file):
            message = f"{what} is in the hands of {_holder(path)}"
            if wait:
                on_wait(f"{message}; waiting for it")
            time.sleep(0.2)  # who only looks at a lock, as :func:`lock_state` does, holds it for a moment
            while not _locked(file):
                if not wait:
                    raise LockedError(f"{message}; wait for it, or end it")
                time.sleep(0.2)
        file.truncate(0)
        with telling_of(path):
            file.write(json.dumps(_identity()).encode())
        try:
            yield
        finally:
            file.truncate(0)


def lock_state(path: Path) -> tuple[bool, str]:
    """Return whether a lock is held, and who its file names: if nobody holds it, somebody who was killed."""
    with path.open("r", encoding="utf-8") as file:
        return not _locked(file), _holder(path) if path.stat().st_size else ""


def _locked(file: IO[Any]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _identity() -> dict[str, str | int]:
    started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": started, "command": command}


def _holder(path: Path) -> str:
    """Return who holds a lock, as its file says; between its taking and its first line nobody is named."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return f"process {found['pid']} on {found['host']} since {found['since']} ({found['command']})"
    except (ValueError, KeyError, TypeError):
        return "another process"
