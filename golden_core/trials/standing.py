"""Whether anything has changed since a study was found up to date: told without reading a table, or Dagster.

What a campaign takes in and what it has written are remembered as hashes of sizes, times and inodes, and of what the
source says of its input. Whatever differs, were it only touched, is examined as if nothing were remembered.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from golden_core.sources import source
from golden_core.store.lake import PROJECT_ROOT, Home, hash_bytes, identified, stored_json, write_json
from golden_core.study import Study
from golden_core.study.sections import canonical_json
from golden_core.trials.ledger import ledger_path, own_code
from golden_core.trials.outputs import READ

PACKAGES = ("golden_core", "golden_dagster")
RECORD = "current.json"
# What is written without anything having changed: locks, memories, the ticks of sensors, captured output.
_RESTLESS = {
    RECORD, READ, "lock.json", "input_hashes.json", "tables_read.json", "sources_read.json", "schedules", "logs",
    "dagster.yaml", "__pycache__",
}  # fmt: skip


def taken_in(home: Home, study: Study, command: str) -> str:
    """Return the identity of what a campaign starts from: settings, input, source files, installed packages."""
    described = dict(source(study.data.source).describe(study.data, home.root))
    own = [own_code(study, name) for name in study.forecasters]
    installed = {path.name for folder in sys.path for path in Path(folder).glob("*.dist-info")}
    parts = [command, study.hash(), json.loads(json.dumps(described)), own, sys.version]
    return _identity([parts, sorted(installed), *_files(PROJECT_ROOT / package for package in PACKAGES)])


def remember(home: Home, study: Study, taken: str) -> None:
    """Record that everything the home holds of a study is up to date with what it took in."""
    tried = _tried(home)
    record = {"taken_in": taken, "written": _written(home, study), "bytes": len(tried), "ledger": hash_bytes(tried)}
    write_json(record, home.study(study.name).root / RECORD)


def unchanged(home: Home, study: Study, taken: str) -> bool:
    """Return whether nothing has changed since :func:`remember`, but for what other studies added to the ledger."""
    before = stored_json(home.study(study.name).root / RECORD, bytes=int, ledger=str)
    seen = before.get("bytes")
    ledger = hash_bytes(_tried(home)[:seen])
    return before == {"taken_in": taken, "written": _written(home, study), "bytes": seen, "ledger": ledger}


def _tried(home: Home) -> bytes:
    path = ledger_path(home)
    return path.read_bytes() if path.exists() else b""


def _written(home: Home, study: Study) -> str:
    folders = home.study(study.name).root, home.report(study.name), home.instance(study.name)
    warehouse = [identified(home.warehouse)] if home.warehouse.exists() else []
    return _identity([*warehouse, *_files(folders)])


def _identity(parts: Iterable[Any]) -> str:
    return hash_bytes(canonical_json(list(parts)).encode())


def _files(folders: Iterable[Path]) -> Iterator[tuple[str, int, int, int]]:
    for folder in folders:
        if folder.is_dir():
            yield from _states(folder)


def _states(folder: Path | str) -> Iterator[tuple[str, int, int, int]]:
    """Yield path, bytes, time and inode of every file below a folder, each folder listed once."""
    for entry in sorted(os.scandir(folder), key=lambda found: found.name):
        if entry.name in _RESTLESS:
            continue
        with contextlib.suppress(FileNotFoundError):  # gone meanwhile, or an editor's lock: a link to nothing
            if entry.is_dir():
                yield from _states(entry.path)
            else:
                yield identified(Path(entry.path))
