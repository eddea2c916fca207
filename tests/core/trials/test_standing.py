"""Nothing is examined again where nothing has changed, and everything where anything has."""

import shutil
from io import StringIO

import pytest
from rich.console import Console
from support.campaigns import OVERRIDES

from golden_core.preparation.catalogue import load_variant, run_command
from golden_core.trials import standing
from golden_core.trials.ledger import ledger_path
from golden_core.trials.standing import remember, taken_in, unchanged
from golden_dagster.cli import run as command

STUDY = load_variant("smoke", OVERRIDES)
COMMAND = run_command("smoke", OVERRIDES)


def forecasts(home):
    return next((home.study("smoke").root / "trials").rglob("forecasts.parquet"))


CHANGES = {
    "a forecast is cut short": lambda home: forecasts(home).write_bytes(forecasts(home).read_bytes()[:-1]),
    "a trial is gone": lambda home: shutil.rmtree(forecasts(home).parent),
    "the report was written over": lambda home: (home.report("smoke") / "index.html").write_text("<p>"),
    "the warehouse is gone": lambda home: home.warehouse.unlink(),
    "Dagster's storage is gone": lambda home: shutil.rmtree(home.instance("smoke")),
    "the ledger is gone": lambda home: ledger_path(home).unlink(),
    "the ledger is cut": lambda home: ledger_path(home).write_bytes(ledger_path(home).read_bytes()[:-1]),
    "the ledger says something else": lambda home: ledger_path(home).write_text(
        ledger_path(home).read_text().replace('"at":"2', '"at":"3', 1)
    ),
}


def test_what_has_changed_is_noticed(broken, tmp_path):
    remember(broken, STUDY, taken_in(broken, STUDY, COMMAND))
    assert unchanged(broken, STUDY, taken_in(broken, STUDY, COMMAND))
    shutil.copytree(broken.root, tmp_path / "kept")
    for name, change in CHANGES.items():
        remember(broken, STUDY, taken_in(broken, STUDY, COMMAND))
        change(broken)
        assert not unchanged(broken, STUDY, taken_in(broken, STUDY, COMMAND)), name
        shutil.rmtree(broken.root)
        shutil.copytree(tmp_path / "kept", broken.root)


def test_the_lock_of_an_editor_changes_nothing(broken):
    """Emacs marks a file that is being edited by a link to nothing."""
    remember(broken, STUDY, taken_in(broken, STUDY, COMMAND))
    (broken.report("smoke") / ".#index.html").symlink_to("somebody@host.123")
    assert unchanged(broken, STUDY, taken_in(broken, STUDY, COMMAND))


def test_what_other_studies_try_changes_nothing(broken):
    remember(broken, STUDY, taken_in(broken, STUDY, COMMAND))
    with ledger_path(broken).open("ab") as file:
        file.write(b"{}\n")
    assert unchanged(broken, STUDY, taken_in(broken, STUDY, COMMAND))


def test_other_settings_commands_code_and_packages_are_other_work(broken, tmp_path, monkeypatch):
    taken = taken_in(broken, STUDY, COMMAND)
    assert taken == taken_in(broken, STUDY, COMMAND)
    other = load_variant("smoke", [*OVERRIDES, "training.epochs=2"])
    assert taken not in {taken_in(broken, other, COMMAND), taken_in(broken, STUDY, "golden run other.yaml")}
    (tmp_path / "forecasters-1.0.dist-info").mkdir()
    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(tmp_path))
        assert taken_in(broken, STUDY, COMMAND) != taken
    monkeypatch.setattr(standing, "PACKAGES", ("golden_core",))
    assert taken_in(broken, STUDY, COMMAND) != taken


def test_a_second_run_looks_and_goes(broken, monkeypatch):
    executed = []
    monkeypatch.setattr(command, "_execute", lambda *_, **__: executed.append(1) or (True, []))
    console = Console(file=StringIO())
    for _ in range(3):  # the first remembers that nothing is left to do
        assert command.run_with_progress("smoke", list(OVERRIDES), "sequential", 1, console) == (True, [])
    assert executed == [1]
    CHANGES["a forecast is cut short"](broken)
    command.run_with_progress("smoke", list(OVERRIDES), "sequential", 1, console)
    assert executed == [1, 1]


@pytest.mark.parametrize("came", [(True, ["a trial failed"]), (False, [])])
def test_a_run_that_did_not_end_well_is_not_remembered(came, monkeypatch):
    monkeypatch.setattr(command, "_execute", lambda *_, **__: came)
    console, executed = Console(file=StringIO()), []
    assert command.run_with_progress("smoke", list(OVERRIDES), "sequential", 1, console) == came
    monkeypatch.setattr(command, "_execute", lambda *_, **__: executed.append(1) or came)
    command.run_with_progress("smoke", list(OVERRIDES), "sequential", 1, console)
    assert executed == [1]
