"""A program that runs under this one ends with it, whoever tells it to."""

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from golden_dagster import interruption
from golden_dagster.cli import main
from golden_dagster.interruption import Interrupted, interruptible, run_until_told

WAITS = """
import pathlib, sys, time
pathlib.Path(sys.argv[1], "ready").touch()
try:
    time.sleep(60)
except KeyboardInterrupt:
    pathlib.Path(sys.argv[1], "ended").touch()
"""
DEAF = WAITS.replace("try:", "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\ntry:")


def tell(number, ready):
    """Send this process a signal once the program under it is there."""

    def send():
        while not ready.exists():
            time.sleep(0.01)
        time.sleep(0.1)
        os.kill(os.getpid(), number)

    threading.Thread(target=send, daemon=True).start()


@pytest.mark.parametrize(("its", "ours"), [(7, 7), (0, 1)])
def test_its_own_status_is_ours_unless_it_ends_well_and_untold(its, ours):
    """`dagster dev` does when its daemon was killed, and a supervisor would not start it again."""
    assert run_until_told([sys.executable, "-c", f"raise SystemExit({its})"], os.environ) == ours


def test_a_supervisor_ends_both(tmp_path):
    tell(signal.SIGTERM, tmp_path / "ready")
    assert run_until_told([sys.executable, "-c", WAITS, str(tmp_path)], os.environ) == 143
    assert (tmp_path / "ended").exists()


def test_a_signal_that_no_terminal_sent_reaches_it_too(tmp_path, monkeypatch):
    monkeypatch.setattr(interruption, "PATIENCE_S", 1.0)
    tell(signal.SIGINT, tmp_path / "ready")
    assert run_until_told([sys.executable, "-c", WAITS, str(tmp_path)], os.environ) == 0
    assert (tmp_path / "ended").exists()


def test_a_program_that_does_not_listen_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(interruption, "PATIENCE_S", 0.2)
    begun = time.monotonic()
    tell(signal.SIGTERM, tmp_path / "ready")
    assert run_until_told([sys.executable, "-c", DEAF, str(tmp_path)], os.environ) == 143
    assert time.monotonic() - begun < 30
    assert not (tmp_path / "ended").exists()


# Starts another that does not listen either, and says who it is.
PARENT = """
import pathlib, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[2], sys.argv[1]])
pathlib.Path(sys.argv[1], "child").write_text(str(child.pid))
child.wait()
"""


@pytest.mark.parametrize("patience", [0.2, 60.0])
def test_what_it_has_started_ends_with_it_and_at_once_when_told_again(tmp_path, monkeypatch, patience):
    """A web server, say, that would hold the port."""
    monkeypatch.setattr(interruption, "PATIENCE_S", patience)
    begun, program = time.monotonic(), [sys.executable, "-c", DEAF.replace("ready", "there"), str(tmp_path)]
    parent = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n{PARENT}"
    tell(signal.SIGTERM, tmp_path / "there")
    if patience > 1:
        threading.Timer(0, lambda: told_twice(tmp_path / "there")).start()
    assert run_until_told([sys.executable, "-c", parent, str(tmp_path), program[2]], os.environ) == 143
    assert time.monotonic() - begun < 30
    child = int((tmp_path / "child").read_text())
    while time.monotonic() - begun < 40 and Path(f"/proc/{child}").exists():
        time.sleep(0.05)  # whoever takes in orphans has to notice
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def told_twice(there):
    while not there.exists():
        time.sleep(0.01)
    time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_that_an_import_swallows_ends_the_campaign_that_follows():
    with interruptible():
        with suppress(BaseException):  # as some libraries do while they are imported
            os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(Interrupted, match="SIGINT"), interruptible():
            pytest.fail("the campaign begins")
    with interruptible():  # of the next command in this process
        pass


def test_an_interruption_while_the_commands_are_imported_is_no_traceback(monkeypatch, capsys):
    class Imported:
        def __getattr__(self, _):
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "golden_dagster.cli.application", Imported())
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, capsys.readouterr().err) == (130, "interrupted by SIGINT before anything was begun\n")
