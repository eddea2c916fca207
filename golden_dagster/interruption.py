"""How a campaign ends when it is told to: by Ctrl-C (SIGINT) or by a supervisor (SIGTERM)."""

from __future__ import annotations

import os
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


_told: list[int] = []  # since the outermost began: an import or a library's destructor may swallow what is raised


def _raise(number: int, _frame: FrameType | None) -> None:
    _told.append(number)
    raise Interrupted(number)


@contextmanager
def interruptible() -> Iterator[Callable[[], None]]:
    """Raise Interrupted where a signal arrives; yield a function that does so for one that arrived in a Dagster run.

    One that arrived within another of these, and was swallowed, is raised at once.

    Dagster puts handlers of its own in place of ours, turns both signals into a failed step and goes on. The wakeup
    descriptor is written to by the interpreter, whoever handles the signal.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    if signal.getsignal(signal.SIGINT) is not _raise:
        _told.clear()
    if _told:
        raise Interrupted(_told[0])
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
    """Run a program and return its exit status; when this process is told to end, so are the program and its children.

    Ctrl-C is a good end: 0. An end that nobody asked for is none: 1 at least, so that a supervisor starts it again.
    Who does not end within a while is killed, and who is there when this is told again.
    """
    # A group of its own: what a killed program has started would go on, and hold the port.
    with interruptible(), subprocess.Popen(command, env=environment, process_group=0) as program:
        try:
            # `dagster dev` says 0 when its daemon was killed.
            return program.wait() or 1
        except Interrupted as told:
            with suppress(subprocess.TimeoutExpired, Interrupted):
                os.killpg(program.pid, signal.SIGINT)
                program.wait(PATIENCE_S)
            with suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
            return 0 if told.exit_status == 128 + signal.SIGINT else told.exit_status
