"""When a disk is full or a stored file is not whole: how that is told, in one sentence, and where the rest is put."""

from __future__ import annotations

import datetime
import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# What polars, safetensors, DuckDB and SQLite say of a full disk; only Python itself gives the number.
_FULL = ("no space left on device", "disk is full", "disk quota exceeded")

REMEDY = "name another place, mend its rights, or move away what is there"  # for a file that cannot be made


class FullDiskError(OSError):
    """The disk is full; says where, how much is free, and what to do."""


class StorageError(RuntimeError):
    """Where things are to be kept, or Dagster's storage, cannot be used; says why, and what to do."""


def disk_is_full(error: BaseException | None) -> bool:
    """Return whether an error, or what caused it, speaks of a full disk."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:  # what is raised from itself would go on for ever
        seen.add(id(error))
        numbered = isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
        if numbered or speaks_of_full_disk(str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False


def speaks_of_full_disk(text: str) -> bool:
    """Return whether a message is that of a full disk."""
    return any(words in text.lower() for words in _FULL)


@contextmanager
def telling_of(path: Path) -> Iterator[None]:
    """Name the file in an error of a full disk: whatever writes does not know the name, or not the last one.

    Raises
    ------
    FullDiskError
        If the disk is full.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, FullDiskError) or not disk_is_full(error):
            raise
        raise full_disk(path) from error


def full_disk(path: Path) -> FullDiskError:
    """Return the error of a full disk for a file that found no room."""
    return FullDiskError(
        f"{path}: the disk is full, {readable(free_bytes(path))} are free; make room there, or give another disk by "
        "GOLDEN_HOME, and give the same command again: nothing was half-written, and what is finished is kept"
    )


def free_bytes(path: Path) -> int:
    """Return how many bytes are free where a file lies, or would lie."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free


def readable(size: float) -> str:
    """Return a number of bytes as people read it."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def openable(path: Path) -> Path:
    """Return a path that a person named, unless it is a pipe or a device: to read one may have no end.

    Raises
    ------
    OSError
        If it is one.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OSError(errno.EINVAL, "is no regular file", str(path))
    return path


def set_aside(path: Path) -> Path:
    """Give a damaged file or folder another name, so that it can be made again; return that name.

    Raises
    ------
    OSError
        If it cannot be renamed.
    """
    moment = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%S.%f")
    return path.rename(path.with_name(f"{path.name}.damaged-{moment}"))
