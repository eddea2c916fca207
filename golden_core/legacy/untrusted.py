"""Bytes of files from elsewhere, read without trust: no more than a bound, whatever a file declares."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The largest legacy file, with optimiser state, has 10 MB. Nothing larger is opened, nor unpacked.
MAXIMUM_BYTES = 64 * 2**20
MAXIMUM_MEMBERS = 1_000  # Keras and NumPy write a few
MAXIMUM_QUOTE = 300
ZIP = b"PK"

_ENTRY = b"PK\1\2"
# What the libraries raise on a damaged file.
_DAMAGE = (
    *(OSError, EOFError, KeyError, ValueError, TypeError, RuntimeError, NotImplementedError, MemoryError),
    *(zipfile.BadZipFile, zlib.error),
)


class KerasCheckpointError(ValueError):
    """A file does not hold what Keras should have put there; names it, what was expected and found, and the fix."""

    def __init__(self, path: Path, expected: str, found: str, fix: str) -> None:
        # Names out of the file may be of any length, and no terminal should see them as they are.
        shown = "".join(character if character.isprintable() else "?" for character in found[:MAXIMUM_QUOTE])
        super().__init__(f"{path}: expected {expected}, found {shown}: {fix}")


@contextmanager
def explaining(path: Path, expected: str) -> Iterator[None]:
    """Turn what a library raises on a damaged file into one :class:`KerasCheckpointError`."""
    try:
        yield
    except KerasCheckpointError:
        raise
    except _DAMAGE as error:
        fix = "the file is damaged or cut short, copy it again"
        raise KerasCheckpointError(path, expected, f"“{error}”", fix) from error


def read_file(path: Path) -> bytes:
    """Return the content of a file of at most ``MAXIMUM_BYTES``; a :class:`KerasCheckpointError` for anything else."""
    if not path.is_file():
        found = "something else" if path.exists() else "nothing"
        raise KerasCheckpointError(path, "a file", found, "name a Keras checkpoint")
    with path.open("rb") as file:  # read() takes the memory it is told before it reads
        return _bounded(path, file.read(min(path.stat().st_size, MAXIMUM_BYTES) + 1))


def unpack(path: Path, content: bytes, member: str, fix: str) -> bytes:
    """Return one member of the ZIP archive that ``path`` holds; ``fix`` tells what to do about one without it.

    Raises
    ------
    KerasCheckpointError
        If the archive is damaged, crowded, lacks the member or has two of it, or unpacks to ``MAXIMUM_BYTES`` or more.
    """
    # zipfile makes an object of every entry before the first can be asked for.
    if (crowd := content.count(_ENTRY)) > MAXIMUM_MEMBERS:
        raise KerasCheckpointError(path, f"at most {MAXIMUM_MEMBERS:,} members in the archive", f"{crowd:,}", fix)
    with explaining(path, "a whole archive"), zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [one for one in archive.infolist() if one.filename == member]
        if len(members) != 1:
            found = f"{len(members)} among {archive.namelist()[:5]}"
            raise KerasCheckpointError(path, f"one {member} in the archive", found, fix)
        if members[0].compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:  # others may claim any memory
            found = f"compression type {members[0].compress_type}"
            raise KerasCheckpointError(path, "a stored or deflated member", found, fix)
        with archive.open(members[0]) as file:  # a bomb is stopped by reading, whatever size it declares
            return _bounded(path, file.read(MAXIMUM_BYTES + 1))


def _bounded(path: Path, content: bytes) -> bytes:
    if len(content) > MAXIMUM_BYTES:
        fix = "no legacy model is a sixth as large, name its own checkpoint"
        raise KerasCheckpointError(path, f"at most {MAXIMUM_BYTES:,} bytes", "more", fix)
    return content
