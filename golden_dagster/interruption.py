"""How a campaign ends when it is told to: by Ctrl-C (SIGINT) or by a supervisor (SIGTERM)."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
PATIENCE_S = 20.0  # for a program that was told to end


class Interrupted(KeyboardInterrupt):
    """The process was told to end. No Exception, so that nothing that catches faults takes it for one."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_status = 128 + number  # as shells report a process that a signal ended


def _raise(number: int, _frame: FrameType | None) -> None:
    raise Interrupted(number)


@contextmanager
def interruptible() -> Iterator[Callable[[], None]]:
    """Raise Interrupted where a signal arrives; yield a function that does so for one that arrived in a Dagster run.

    Dagster puts handlers of its own in place of ours, turns both signals into a failed step and goes on. The wakeup
    descriptor is written to by the interpreter, whoever handles the signal.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)
    handlers = {number: signal.signal(number, _raise) for number in SIGNALS}
    wakeup = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)

    def raise_received() -> None:
        try:
            received = [number for number in reader.recv(64) if number in SIGNALS]
        except BlockingIOError:
            return
        if received:
            raise Interrupted(received[0])

    try:
        yield raise_received
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        reader.close()
        writer.close()


def run_until_told(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a program and return its exit status; when this process is told to end, the program is too, and waited for.

    Ctrl-C reaches both by itself, and is a good end: 0. A supervisor tells this process alone; where it does so by
    SIGINT, the program is told after a while.
    """
    with interruptible(), subprocess.Popen(command, env=environment) as program:
        try:
            return program.wait()
        except Interrupted as told:
            by_terminal = told.exit_status == 128 + signal.SIGINT
            for tells in (not by_terminal, True):
                if tells:
                    program.send_signal(signal.SIGINT)
                with suppress(subprocess.TimeoutExpired):
                    program.wait(PATIENCE_S)
                    break
            else:
                program.kill()
            return 0 if by_terminal else told.exit_status
