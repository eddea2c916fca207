"""`golden doctor`: one line for each thing that is looked at, and its fix where it is not well."""

import fcntl
import os
import socket
import threading
import time

import pytest
from support.commands import golden
from support.damage import cut_off, written_over

from golden_core.evaluation.campaign import evaluate
from golden_core.preparation.catalogue import claim_name, load_variant
from golden_core.store.lake import Home
from golden_core.store.locking import lock_state, only_one
from golden_core.trials.confinement import can_confine
from golden_core.trials.ledger import ledger_path
from golden_core.trials.stored import IncompleteError
from golden_dagster.dead_runs import PROCESS_TAG
from golden_dagster.doctor import examine
from golden_dagster.instance import study_instance

from .test_dead_runs import gone, started  # noqa: F401  a fixture


def levels(home):
    return {one.subject: (one.level, one.said) for one in examine(home)}


def test_a_sound_home_is_well(finished):
    found = levels(finished)
    assert {subject for subject, (level, _) in found.items() if level == "fail"} == set()
    assert {"python", "packages", "threads", "home", "disk", "clock", "lake", "warehouse"} < set(found)
    assert found["confinement"][0] == ("ok" if can_confine() else "warn")
    assert found["lock of smoke"] == ("ok", "free")
    assert found["warehouse"] == ("ok", "every row of smoke can be read")
    result = golden("doctor")
    assert result.exit_code == 0


def test_a_ledger_that_was_deleted_is_missed(broken):
    ledger_path(broken).unlink()
    level, says = levels(broken)["ledger"]
    assert (level, "what stood there when study 'smoke' was evaluated has gone" in says) == ("fail", True)


def test_every_harm_is_found_with_its_fix(broken, gone):  # noqa: F811
    with study_instance(broken, "smoke") as instance:
        started(instance, {PROCESS_TAG: f"{socket.gethostname()}:{gone}"})
    folder = broken.study("smoke")
    (folder.root / "lock.json").write_text('{"pid": 7, "host": "h", "since": "noon", "command": "golden run"}')
    cut_off(folder.table("bars", "EURUSD"))
    written_over(broken.warehouse)
    ledger_path(broken).write_text("[1]\n")
    os.utime(folder.origin, (time.time() + 3600,) * 2)
    found = levels(broken)
    for subject, level, says in (
        ("lock of smoke", "warn", "process 7 on h since noon (golden run) was killed: `golden run smoke --set name="),
        ("runs of smoke", "warn", "1 in progress whose process is gone: `golden run smoke --set name="),
        ("lake", "fail", "EURUSD.parquet is damaged"),
        ("ledger", "fail", "ledger.jsonl, line 1: does not follow"),
        ("warehouse", "fail", "`golden run STUDY` sets it aside"),
        ("clock", "fail", "origin.json): the clock is behind"),
    ):
        assert found[subject][0] == level
        assert says in found[subject][1]
    written_over(broken.root / "dagster" / "smoke" / "storage" / "history" / "runs.db")
    with only_one(folder.root / "lock.json", "study smoke"):
        found = levels(broken)
    assert found["lock of smoke"][1].startswith(f"held by process {os.getpid()} ")
    assert found["runs of smoke"][0] == "fail"
    assert "makes it anew" in found["runs of smoke"][1]
    assert golden("doctor").exit_code == 1


def test_who_looks_at_a_lock_keeps_nobody_from_taking_it(tmp_path):
    path = tmp_path / "lock.json"
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # as a doctor does for a moment
        moment = threading.Timer(0.05, fcntl.flock, (file, fcntl.LOCK_UN))
        moment.start()
        with only_one(path, "study smoke", wait=False):
            assert lock_state(path)[0]
        moment.join()
    assert not lock_state(path)[0]


def test_a_folder_where_a_lock_goes_hides_nothing_else():
    lock = Home.from_environment().study("smoke").root / "lock.json"
    lock.mkdir(parents=True)
    found = levels(Home.from_environment())
    assert found["lock of smoke"] == ("fail", f"{lock}: Is a directory; move it away")
    assert "warehouse" in found


def test_a_folder_where_the_ledger_goes_hides_nothing_else():
    home = Home.from_environment()
    ledger_path(home).mkdir(parents=True)
    (home.study("smoke").root / "lock.json").parent.mkdir(parents=True)
    (home.study("smoke").root / "lock.json").touch()
    found = levels(home)
    assert found["ledger"][0] == "fail"
    assert found["ledger"][1].startswith(f"{ledger_path(home)}: Is a directory; ")
    assert found["lock of smoke"] == ("ok", "free")


def test_a_variant_is_named_by_its_command(tmp_path):
    """It has a name, but no file of that name: `golden run smoke_…` is no command."""
    home, overrides = Home(tmp_path, tmp_path / "reports"), ["training.epochs=2"]
    variant = load_variant("smoke", overrides)
    claim_name(home, variant, "smoke", overrides)
    (home.study(variant.name).root / "lock.json").write_text("{}")
    command = "`golden run smoke --set training.epochs=2`"
    assert command in levels(home)[f"lock of {variant.name}"][1]
    with pytest.raises(IncompleteError, match=command):
        evaluate(home, variant)


@pytest.mark.parametrize("inside", [False, True])
def test_a_home_that_cannot_be_written(tmp_path, inside):
    """A file stands where the home should be; root would get past any right."""
    (tmp_path / "file").write_text("")
    home = (
        Home(tmp_path / "file" / "home", tmp_path / "file" / "reports") if inside else Home(tmp_path / "file", tmp_path)
    )
    assert levels(home)["home"] == (
        "fail",
        f"{tmp_path / 'file'}: Not a directory: mend its rights, or name another by GOLDEN_HOME",
    )
