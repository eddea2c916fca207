"""A PostgreSQL server from Debian's own binaries: a free port and a socket, in a folder that goes with it."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

PASSWORD = "only here"


def binaries() -> Path:
    """Return the folder of initdb and postgres, the newest there are; or skip, and say why."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        pytest.skip("no PostgreSQL server here: `apt-get install postgresql` brings its binaries")
    if os.geteuid() == 0 and "postgres" not in {user.pw_name for user in pwd.getpwall()}:
        pytest.skip("PostgreSQL does not run as root, and there is no user postgres to run it")
    return found[-1].parent


@contextmanager
def postgres() -> Iterator[dict[str, str]]:
    """Run a server for a while; yield the variables by which it is found."""
    programs = binaries()
    # Not below pytest's own folder, which another user may not enter.
    with tempfile.TemporaryDirectory(prefix="golden-postgres-", dir="/tmp") as folder:
        yield from _served(programs, Path(folder))


def _served(programs: Path, folder: Path) -> Iterator[dict[str, str]]:
    owner = "postgres" if os.geteuid() == 0 else None
    (folder / "password").write_text(PASSWORD, encoding="utf-8")
    if owner:
        for path in (folder, folder / "password"):
            shutil.chown(path, owner)

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), *arguments]
        subprocess.run(command, check=True, capture_output=True, user=owner, cwd="/")

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    data = str(folder / "data")
    run("initdb", "-D", data, "-U", "golden", "-A", "scram-sha-256", "--pwfile", str(folder / "password"), "--no-sync")
    options = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off"
    run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        found = {"PGHOST": "127.0.0.1", "PGPORT": port, "PGUSER": "golden", "PGPASSWORD": PASSWORD}
        yield {**found, "PGDATABASE": "postgres", "GOLDEN_STORAGE": "postgres", "SOCKET": str(folder)}
    finally:
        with suppress(subprocess.CalledProcessError):  # a test may have stopped it
            run("pg_ctl", "-D", data, "-m", "immediate", "stop")
