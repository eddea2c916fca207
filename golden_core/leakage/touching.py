"""Whether code opens the lake's own files while it is probed: the file system knows, whatever library reads them.

A run of the probes has a lake of its own, poisoned like its bars. Code that opens the lake by a fixed path is
answered from honest bars and shows nothing under poison; but it reads a file that nobody has given it.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from golden_core.leakage.artefacts import Finding
from golden_core.store.lake import Home

LAKE = "lake_read"

Made = TypeVar("Made")

_LONG_AGO = 10**18  # 2001, in nanoseconds: older than any change, so that the next read is recorded even by relatime
_KINDS = ("bars", "folds", "scalers", "ledger")


def lake_files(home: Home, study: str) -> tuple[Path, ...]:
    """Return the files of a study that hold bars, or what was made of them, and the warehouse."""
    folder = home.study(study)
    tables = [path for kind in _KINDS for path in (folder.root / kind).glob("*.parquet")]
    return tuple(sorted(path for path in (*tables, folder.raw, home.warehouse) if path.is_file()))


def files_read(files: Sequence[Path], act: Callable[[], Made]) -> tuple[Made, list[Path]]:
    """Return what an action returns, and which of some files were read meanwhile, by it or by another process.

    Where the file system records no reads, or the files are another user's, none is found.
    """
    watched = [path for path in files if _forget(path)]
    made = act()
    return made, [path for path in watched if path.exists() and path.stat().st_atime_ns != _LONG_AGO]


def lake_read(
    files: Sequence[Path], act: Callable[[], Made], asset: str, column: str, stamp: dt.datetime
) -> tuple[Made, list[Finding]]:
    """Return what an action returns, and a finding if it reads some files.

    Another run of the study and people who query it read the same files, so a read counts only if it happens again.
    """
    made, read = files_read(files, act)
    read = files_read(read, act)[1] if read else []
    if not read:
        return made, []
    detail = (
        f"{', '.join(path.name for path in read)} of the campaign's lake, beginning with {read[0]}, was read "
        "meanwhile; it must work on what it is given (if another program read it, run again)"
    )
    return made, [Finding(LAKE, asset, column, stamp, detail)]


def _forget(path: Path) -> bool:
    try:
        os.utime(path, ns=(_LONG_AGO, path.stat().st_mtime_ns))
    except OSError:
        return False
    return True
