"""A process that may read code and some files, and nothing else: for classes that have to work on what they are given.

By Landlock, which Linux has had since 5.13 and which needs no privilege; elsewhere nothing is confined. What is
already open stays readable, and so does whatever else lies in an installed package or in the system's folders.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

import golden_core

# By number, the same on every architecture: the C library has no names for them.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF, _NO_NEW_PRIVILEGES = 444, 445, 446, 38
_VERSION, _BENEATH = 1, 1
_READ_FILE, _CONNECT_TCP = 1 << 2, 1 << 1
_WITH_NETWORK = 4  # the version of Landlock from which on connections can be refused, too
_SYSTEM = ("/bin", "/etc", "/lib", "/lib64", "/opt", "/proc", "/sbin", "/sys", "/usr")
_DEVICES = Path("/dev")  # without what lies in its folders: shared memory is a place for files like any other
_PRICES = "currency_converter"  # an installed package that ships what is to be forecast


def can_confine() -> bool:
    """Whether this system knows how to confine a process."""
    return _version() >= 1


def confine(readable: Iterable[Path]) -> bool:
    """Let this process read these folders and files only, and open no connection, for good; False if it cannot be.

    It holds for the thread that calls it and for all that it starts: call it before libraries start threads of theirs.
    """
    if not can_confine():
        return False
    rights = (_READ_FILE, _CONNECT_TCP)[: 2 if _version() >= _WITH_NETWORK else 1]
    ruleset = _system(_CREATE_RULESET, struct.pack(f"{len(rights)}Q", *rights), 8 * len(rights), 0)
    for path in readable:
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue  # nothing there to be read
        _system(_ADD_RULE, ruleset, _BENEATH, struct.pack("=Qi", _READ_FILE, place), 0)
        os.close(place)
    ctypes.CDLL(None).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    return _system(_RESTRICT_SELF, ruleset, 0) == 0


def code() -> Iterator[Path]:
    """Yield where Python, installed packages, this one and the system lie, without the package that ships prices."""
    folders = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    folders += [path for path in sys.path if Path(path).name in {"site-packages", "dist-packages"}]  # the user's, too
    left_out = {Path(folder).resolve() / _PRICES for folder in folders}
    yield from (path for path in _DEVICES.glob("*") if not path.is_dir())
    for root in (*_SYSTEM, sys.prefix, sys.base_prefix, *folders, *golden_core.__path__):
        yield from _all_but(Path(root).resolve(), left_out)


def own_code(folder: Path) -> Iterator[Path]:
    """Yield the Python files of a folder and below, as far as packages go, and what is told of them as packages."""
    for level in ("", "*/", "*/*/"):
        yield from folder.glob(f"{level}*.py")
        yield from folder.glob(f"{level}*.so")
    yield from folder.glob("*.dist-info")


def _all_but(root: Path, left_out: Iterable[Path]) -> Iterator[Path]:
    below = [path for path in left_out if path.is_relative_to(root)]
    if not below:
        yield root
    elif root not in below and root.is_dir():
        for child in root.iterdir():
            yield from _all_but(child.resolve(), below)  # lib64 may be another name of lib


def _version() -> int:
    return _system(_CREATE_RULESET, None, 0, _VERSION)


def _system(call: int, *values: int | bytes | None) -> int:
    if sys.platform != "linux":
        return -1
    whole = (ctypes.c_long(value) if isinstance(value, int) else value for value in values)
    return int(ctypes.CDLL(None).syscall(ctypes.c_long(call), *whole))
