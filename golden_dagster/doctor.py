"""What can be wrong with the machine, the installation and the home: looked at, never changed; each with its fix."""

from __future__ import annotations

import contextlib
import datetime
import importlib.metadata
import os
import platform
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from packaging.specifiers import SpecifierSet

from golden_core.preparation.catalogue import command_of
from golden_core.store.health import REMEDY, FullDiskError, StorageError, free_bytes, readable
from golden_core.store.lake import LAYOUT, PROJECT_ROOT, Home, LayoutError, StoredTableError, read_table
from golden_core.store.locking import lock_state
from golden_core.store.provenance import library_versions
from golden_core.store.warehouse import Warehouse, WarehouseError
from golden_core.trials.confinement import can_confine
from golden_core.trials.ledger import LedgerError, ledger_path, read_ledger
from golden_dagster.dead_runs import dead_runs
from golden_dagster.instance import storage_fault, study_instance
from golden_dagster.postgres import on_server
from golden_dagster.resources import available_cores

CLOCK_TOLERANCE = 60.0  # seconds: file systems of other machines have clocks of their own


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: how it is, and where that is not well what to do."""

    subject: str
    level: Literal["ok", "warn", "fail"]
    said: str


def examine(home: Home) -> Iterator[Finding]:
    """Yield a finding for everything that is looked at."""
    files = dict(_files(home))
    yield from (_python(), _packages(), _threads(), _confinement(), _writable(home, files), _disk(home, files))
    yield from (_clock(files), _lake(home), _warehouse(home), _ledger(home))
    yield from (_lock(home, lock) for lock in sorted(home.root.glob("studies/*/lock.json")))
    yield from (_dagster(home, one.parent) for one in sorted(home.root.glob("dagster/*/dagster.yaml")))


def _files(home: Home) -> Iterator[tuple[Path, os.stat_result]]:
    for path in home.root.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # a run may be under way
            yield path, path.lstat()


def _python() -> Finding:
    wanted, found = importlib.metadata.metadata("golden")["Requires-Python"], platform.python_version()
    if SpecifierSet(wanted).contains(found):
        return Finding("python", "ok", f"{found}, wanted {wanted}")
    return Finding("python", "fail", f"{found}, wanted {wanted}: make an environment with another Python")


def _packages() -> Finding:
    path = PROJECT_ROOT / "constraints.txt"
    if not path.exists():
        return Finding("packages", "ok", "no constraints.txt here to compare with: installed as a package")
    lines = path.read_text(encoding="utf-8").splitlines()
    pinned = [line.split("==") for line in lines if "==" in line and not line.startswith("#")]
    here = library_versions(tuple(name for name, _ in pinned))
    # What is absent and needed says so by itself.
    compared = [(name, wanted, here[name]) for name, wanted in pinned if here[name] != "absent"]
    wrong = (one for one in compared if not SpecifierSet(f"=={one[1]}").contains(one[2], prereleases=True))
    other = [f"{name} {have} for {wanted}" for name, wanted, have in wrong]  # 2.13.0+cpu is 2.13.0
    if not other:
        return Finding("packages", "ok", f"{len(compared)} as in constraints.txt")
    named = ", ".join(other[:5])
    return Finding("packages", "warn", f"{len(other)} of {len(compared)} unlike constraints.txt ({named}): run `make`")


def _threads() -> Finding:
    threads, cores = torch.get_num_threads(), available_cores()
    said = f"torch {torch.__version__} with {threads} threads on {cores} cores; a trial uses one"
    if threads > cores:
        return Finding("threads", "warn", f"{said}: unset OMP_NUM_THREADS")
    return Finding("threads", "ok", said)


def _confinement() -> Finding:
    if can_confine():
        return Finding("confinement", "ok", "the gate trains your own classes where they can read what they are given")
    said = "no Landlock here: what else your own classes read is not seen; run the gate on Linux 5.13 or later"
    return Finding("confinement", "warn", said)


def _writable(home: Home, files: Mapping[Path, os.stat_result]) -> Finding:
    """Return whether everything under the home may be written, by trying at its root."""
    place = next(path for path in (home.root, *home.root.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=place):
            closed = [path for path in files if path.exists() and not os.access(path, os.R_OK | os.W_OK)]
    except OSError as error:
        return Finding("home", "fail", f"{place}: {error.strerror}: mend its rights, or name another by GOLDEN_HOME")
    if closed:
        said = f"{len(closed)} files or folders are closed to this user, the first {closed[0]}: chown or chmod them"
        return Finding("home", "fail", said)
    return Finding("home", "ok", f"{home.root} can be written" if files else f"{home.root} is empty; it can be made")


def _disk(home: Home, files: Mapping[Path, os.stat_result]) -> Finding:
    free, used = free_bytes(home.root), sum(state.st_size for state in files.values())
    said = f"{readable(free)} free, the home takes {readable(used)}"
    if free >= used:
        return Finding("disk", "ok", said)
    return Finding("disk", "warn", f"{said}, which would not fit again: make room, or see `golden clean`")


def _clock(files: Mapping[Path, os.stat_result]) -> Finding:
    now = datetime.datetime.now(datetime.UTC)
    newest = max(files, key=lambda path: files[path].st_mtime, default=None)
    if newest is None:
        return Finding("clock", "ok", f"{now:%Y-%m-%d %H:%M} UTC")
    written = datetime.datetime.fromtimestamp(files[newest].st_mtime, datetime.UTC)
    said = f"{now:%Y-%m-%d %H:%M} UTC, the newest file is of {written:%Y-%m-%d %H:%M}"
    if (written - now).total_seconds() <= CLOCK_TOLERANCE:
        return Finding("clock", "ok", said)
    return Finding("clock", "fail", f"{said} ({newest}): the clock is behind, set it; nights and staleness go by it")


def _lake(home: Home) -> Finding:
    tables = [*home.root.glob("studies/*/*.parquet"), *home.root.glob("studies/*/*/*.parquet")]
    for path in sorted(tables):
        try:
            read_table(path)
        except StoredTableError as error:
            return Finding("lake", "fail", str(error))
    return Finding("lake", "ok", f"{len(tables)} tables can be read; layout {LAYOUT}")


def _warehouse(home: Home) -> Finding:
    warehouse = Warehouse(home.warehouse)
    if not home.warehouse.exists():
        return Finding("warehouse", "ok", "none yet; `golden run STUDY` makes it")
    try:
        studies = warehouse.query("SELECT DISTINCT study FROM trials ORDER BY study")["study"].to_list()
        for study in studies:
            warehouse.digests(study)
    except (WarehouseError, LayoutError) as error:
        return Finding("warehouse", "fail", str(error))
    return Finding("warehouse", "ok", f"every row of {', '.join(studies) or 'no study'} can be read")


def _ledger(home: Home) -> Finding:
    try:
        return Finding("ledger", "ok", f"{len(list(read_ledger(home)))} entries, each from the one before")
    except LedgerError as error:
        return Finding("ledger", "fail", str(error))
    except OSError as error:
        return Finding("ledger", "fail", f"{ledger_path(home)}: {error.strerror}; {REMEDY}")


def _lock(home: Home, path: Path) -> Finding:
    study = path.parent.name
    subject = f"lock of {study}"
    try:
        held, holder = lock_state(path)
    except OSError as error:
        return Finding(subject, "fail", f"{path}: {error.strerror}; move it away")
    if held:
        return Finding(subject, "ok", f"held by {holder}")
    if holder:
        return Finding(subject, "warn", f"free, but {holder} was killed: `{command_of(home, study)}` goes on")
    return Finding(subject, "ok", "free")


def _dagster(home: Home, folder: Path) -> Finding:
    study, storage = folder.name, folder / "storage"
    subject, run = f"runs of {study}", f"`{command_of(home, study)}`"
    if fault := storage_fault(storage):
        return Finding(subject, "fail", f"{fault}: {run} sets all of it aside and makes it anew")
    try:
        if not on_server() and not storage.exists():
            return Finding(subject, "ok", "no storage here")
        with study_instance(home, study) as instance:
            dead = len(dead_runs(instance))
    except (StorageError, FullDiskError) as error:
        return Finding(subject, "fail", str(error))
    if not dead:
        return Finding(subject, "ok", "none of a dead process")
    return Finding(subject, "warn", f"{dead} in progress whose process is gone: {run} or `golden ui` ends them")
