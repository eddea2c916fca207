"""Names of files: bytes on the disk, printable text everywhere else. The two spellings convert without loss."""

from __future__ import annotations

import os
import re

_ESCAPE = re.compile(r"\\(?:\\|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")


def printable(name: bytes) -> str:
    r"""Return a name as printable Unicode.

    A backslash becomes ``\\``, a byte that is not UTF-8 ``\xNN``, an unprintable character ``\uNNNN``; any other name
    is itself.
    """
    text = name.decode("utf-8", "surrogateescape")
    if text.isprintable() and "\\" not in text:
        return text
    return "".join(map(_spell, text))


def raw(name: str) -> bytes:
    """Return the bytes that :func:`printable` spelled."""
    return _ESCAPE.sub(lambda match: _unspell(match[0]), name).encode("utf-8", "surrogateescape")


def file_system_path(name: str) -> str:
    """Return the spelling that Python's file functions take (undecodable bytes as surrogates)."""
    return os.fsdecode(raw(name))


def _spell(character: str) -> str:
    code = ord(character)
    if character == "\\":
        return r"\\"
    if 0xDC80 <= code <= 0xDCFF:  # how Python holds a byte that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if character.isprintable():
        return character
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _unspell(escape: str) -> str:
    if escape == r"\\":
        return "\\"
    code = int(escape[2:], 16)
    return chr(code + 0xDC00 if escape[1] == "x" else code)
