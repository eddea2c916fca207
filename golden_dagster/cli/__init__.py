"""`golden`: a thin command line. Every heavy import happens inside a command, so that --help answers at once."""

from __future__ import annotations

import io
import os
import sys


def main() -> None:
    """Run the command line."""
    # One database write per hundred events instead of one each: most of Dagster's cost per partition.
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "100")
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without a character ends no command
    try:
        from golden_core.store.kernels import UnpinnedError, pinned_since_start, variables
        from golden_dagster.cli.application import app
    except KeyboardInterrupt:
        print("interrupted by SIGINT before anything was begun", file=sys.stderr)
        sys.exit(130)
    try:
        sys.exit(app())
    except UnpinnedError as error:
        if pinned_since_start():
            print(error, file=sys.stderr)
            sys.exit(2)
        # Nothing is half-written: the same command in a process whose libraries read the variables as they load.
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | variables())
