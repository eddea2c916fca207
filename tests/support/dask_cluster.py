"""A Dask scheduler and its workers on the loopback, each a process that a test may kill."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import contextmanager

LOOPBACK = ("--host", "127.0.0.1", "--no-dashboard")


class Cluster:
    """``address`` stays the same when everything is started again."""

    def __init__(self, folder, environment):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = str(free.getsockname()[1])
        self.address = f"tcp://127.0.0.1:{self._port}"
        self._folder, self._environment = folder, {**os.environ, **environment}
        self.scheduler: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []

    def _start(self, what, *arguments):
        command = [sys.executable, "-m", "distributed.cli." + what, *arguments, *LOOPBACK]
        with (self._folder / "cluster.log").open("ab") as log:
            return subprocess.Popen(command, env=self._environment, cwd=self._folder, stdout=log, stderr=log)

    def start(self, workers):
        """Start a scheduler and some workers of one thread each."""
        self.scheduler = self._start("dask_scheduler", "--port", self._port)
        own = (self.address, "--nthreads", "1", "--no-nanny", "--death-timeout", "120")
        self.workers = [self._start("dask_worker", *own) for _ in range(workers)]

    def kill(self):
        """Kill whatever runs."""
        for process in (self.scheduler, *self.workers):
            if process is not None:
                process.kill()
                process.wait()


@contextmanager
def cluster(folder, environment, workers):
    """Run a cluster for a while."""
    found = Cluster(folder, environment)
    found.start(workers)
    try:
        yield found
    finally:
        found.kill()
