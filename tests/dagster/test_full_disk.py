"""A disk without room, and a storage of Dagster's that is not whole: one line, nothing half-written, and it goes on."""

import errno
import io
import os
import shutil
import subprocess
import sys

import pytest
from support.campaigns import OVERRIDES, SETTINGS, opened
from support.commands import golden
from support.damage import cut_off, emptied, written_over

from golden_core.preparation.catalogue import load_variant
from golden_core.store import lake
from golden_core.store.health import FullDiskError
from golden_core.store.locking import only_one
from golden_core.store.warehouse import Warehouse
from golden_core.trials import all_trials, estimate, run_trials, trial_status
from golden_core.trials.campaign import fingerprinted
from golden_core.trials.ledger import ledger_path

STUDY = load_variant("smoke", OVERRIDES)


def run():
    return golden("run", "smoke", "--backend", "sequential", *SETTINGS)


@pytest.fixture
def without_room(monkeypatch):
    """Let every table that is written find a full disk, as the library that writes it says so."""

    def full(frame, path, **options):
        path.write_bytes(b"half of it")
        raise OSError("No space left on device (os error 28)")

    with monkeypatch.context() as patched:
        patched.setattr("polars.DataFrame.write_parquet", full)
        yield patched


def files(root):
    return {path for path in root.rglob("*") if path.is_file() and "dagster" not in path.parts}


def test_a_trial_that_finds_no_room_is_no_failed_trial(broken, without_room):
    trial = next(t for t in all_trials(STUDY) if t.forecaster == "ar" and t.seed == 0)
    [job] = fingerprinted(broken, STUDY, [trial])
    folder = broken.study("smoke").trial(trial.forecaster, trial.series, job[1])
    folder.rename(broken.root / "gone")
    before = files(broken.root)
    with pytest.raises(FullDiskError, match=r"the disk is full, [0-9.]+ [GM]B are free; make room"):
        list(run_trials(broken, STUDY, [job]))
    assert files(broken.root) == before
    without_room.undo()
    assert [outcome.status for outcome in run_trials(broken, STUDY, [job])] == ["done"]


def test_a_disk_that_is_full_before_anything_starts(broken, monkeypatch):
    """The lock's own line finds no room: it says where, and the doctor shows its table all the same."""

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (broken.report("smoke") / "index.html").unlink()
    with monkeypatch.context() as patched:
        patched.setattr("golden_core.store.locking._identity", full)
        result = run()
    assert result.exit_code == 2
    assert "lock.json: the disk is full" in result.output

    def fuller(*_):
        raise FullDiskError("no room")

    monkeypatch.setattr("golden_dagster.doctor.dead_runs", fuller)
    assert "runs of smoke" in golden("doctor").output


class Full(io.FileIO):
    """A file on a disk that is full, which it says when it is written to: with a buffer, also at the end."""

    def write(self, _):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_lock_that_finds_no_room_says_where(tmp_path, monkeypatch):
    def on_a_full_disk(path, _mode, buffering=-1, **_):
        file = Full(path, "a+")
        return io.TextIOWrapper(io.BufferedRandom(file)) if buffering else file

    monkeypatch.setattr("pathlib.Path.open", on_a_full_disk)
    with pytest.raises(FullDiskError, match=r"lock\.json: the disk is full"), only_one(tmp_path / "lock.json", "it"):
        pass


def test_without_a_place_for_temporary_files_one_line_says_what_to_do(broken, monkeypatch):
    def nowhere():
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr("tempfile.gettempdir", nowhere)
    result = run()
    assert result.exit_code == 2
    assert result.output.splitlines()[-1] == (
        "No usable temporary directory found in ['/tmp']: name one that you may write to by TMPDIR"
    )


def test_a_run_that_finds_no_room_says_so_once(broken, without_room):
    (broken.study("smoke").table("bars", "EURUSD")).unlink()
    result = run()
    assert result.exit_code == 2
    assert result.output.count("the disk is full") == 1
    assert f"{broken.study('smoke').table('bars', 'EURUSD')}: the disk is full" in result.output
    assert "Traceback" not in result.output
    assert list(broken.root.rglob("*.tmp")) == []
    without_room.undo()
    with opened() as campaign:
        assert next(campaign.stages()).name == "bars"


def test_a_file_that_cannot_be_made_for_another_reason_says_that(tmp_path, monkeypatch):
    def refused(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(tmp_path))

    monkeypatch.setattr("tempfile.mkstemp", refused)
    with pytest.raises(OSError, match="Read-only file system"):
        lake.write_text("text", tmp_path / "file")


def test_a_step_that_cannot_write_says_what_to_do(broken):
    """A folder stands where a file goes: the error of the operating system knows no remedy."""
    source = broken.study("smoke").source
    source.unlink()
    source.mkdir()
    result = run()
    assert result.exit_code == 1
    assert f"'{source}'; name another place, mend its rights, or move away what is there" in result.output


def test_a_ledger_that_was_changed_is_said_once(broken):
    """By whom it is read first, and not by every model that would train."""
    shutil.rmtree(next(broken.study("smoke").root.glob("trials/ar/EURUSD_h1/*")))
    ledger_path(broken).write_text("[1]\n")
    result = run()
    assert result.exit_code == 2
    assert result.output.count("does not follow from the line before") == 1


def test_a_ledger_that_was_deleted_is_missed_where_nothing_else_is(broken):
    assert run().exit_code == 0
    assert "everything is up to date" in run().output
    ledger_path(broken).unlink()
    result = run()
    assert result.exit_code == 2
    assert "what stood there when study 'smoke' was evaluated has gone" in " ".join(result.output.split())


def test_an_error_of_our_own_is_not_traded_for_its_cause(broken, monkeypatch):
    """Of a warehouse that somebody else holds it says who, and what to do."""
    (broken.report("smoke") / "index.html").unlink()
    os.truncate(broken.study("smoke").root / "evaluated.json", 0)
    monkeypatch.setattr(Warehouse.__init__, "__defaults__", (0.1,))
    code = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(broken.warehouse)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        result = run()
        holder.communicate()
    assert result.exit_code == 1
    assert f"is still held by another process (PID {holder.pid})" in result.output


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        ("history/runs.db", cut_off),
        ("history/runs.db", emptied),
        ("history/runs/index.db", written_over),
        ("schedules/schedules.db", written_over),
    ],
)
def test_a_damaged_storage_is_set_aside_and_nothing_is_trained_again(broken, name, harm):
    storage = broken.root / "dagster" / "smoke" / "storage"
    harm(storage / name)
    said = []
    with opened(say=said.append) as campaign:
        assert campaign.instance.get_runs() == [] or harm is emptied  # SQLite takes an empty file for a new one
    assert trial_status(broken, STUDY, all_trials(STUDY))["status"].to_list() == ["done"] * len(all_trials(STUDY))
    if harm is not emptied:
        assert [line for line in said if f"{storage / name} is damaged" in line]
        assert len(list(storage.parent.glob("storage.damaged-*"))) == 1


def test_a_storage_that_cannot_be_used_is_one_line(broken):
    """Its file is a folder: there is nothing to set aside, and SQLite cannot open it."""
    path = broken.root / "dagster" / "smoke" / "storage" / "history" / "runs.db"
    path.rename(path.with_suffix(".old"))
    path.mkdir()
    result = run()
    assert result.exit_code == 2
    assert len(result.output.strip().splitlines()) == 1
    assert f"Dagster's storage {path.parents[1]} cannot be used: " in result.output


def test_a_campaign_says_what_it_will_take_as_far_as_that_was_measured(broken, monkeypatch):
    trial = next(broken.study("smoke").root.glob("trials/ar/EURUSD_h1/*"))
    shutil.copytree(trial, trial.with_name(f".{trial.name}.1-half.tmp"))  # is written, or has been until a kill
    found = estimate.estimate(broken, STUDY, ["ar", "ar", "drift"])
    costs = estimate._costs(broken, "smoke", "ar")
    assert found.measured == len(costs) == 2
    assert found.seconds == pytest.approx(sum(seconds for seconds, _ in costs))
    assert found.size == sum(size for _, size in costs)
    assert found.said(2).endswith("as 2 finished trials of this home took; unmeasured: drift")
    unknown = estimate.estimate(broken, STUDY, ["drift"])
    assert unknown.said(2).startswith("1 trial to run; time and disk unmeasured: nothing like it has")
    monkeypatch.setattr(estimate, "free_bytes", lambda _path: int(found.size) - 1)
    with pytest.raises(FullDiskError, match=r"3 trials need about [0-9.]+ MB, as 2 finished ones did; [0-9.]+ MB are"):
        estimate.estimate(broken, STUDY, ["ar", "ar", "drift"])


def test_a_campaign_that_cannot_fit_does_not_start(broken, monkeypatch):
    for folder in broken.study("smoke").root.glob("trials/ar/EURUSD_h1/*"):
        folder.rename(broken.root / "gone")
    said = []
    with opened(say=said.append) as campaign:
        assert [stage.name for stage in campaign.stages()][:2] == ["input checks", "models"]
        assert said[-1].startswith("1 trial to run: about 0:00:0")
        monkeypatch.setattr(estimate, "free_bytes", lambda _path: 10)
        with pytest.raises(FullDiskError, match="golden clean"):
            list(campaign.stages())
