"""The last step of a scan: every text taken from a file is redacted, cut to length and made valid Unicode."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

LONGEST = 300

T = TypeVar("T")

# What names a file, or was computed: a checksum list with a redacted path would verify nothing.
_VERBATIM = frozenset(
    {
        "path",
        "paths",
        "where",
        "opened_at",
        "file",
        "files",
        "sha256",
        "version",
        "versions",
        "clusters",
        "kind",
        "source",
    }
)


def redacted(value: T, redact: Callable[[str], str]) -> T:
    """Return a copy in which every text has passed through ``redact``, but for paths, places and hashes.

    Parameters
    ----------
    value : dataclass instance
        A frozen dataclass of texts, numbers, tuples, mappings and further dataclasses.
    redact : callable
        Takes the credentials out of a text.
    """
    return _clean(value, lambda text: _short(_unicode(redact(text))))  # type: ignore[no-any-return]


def _clean(value: Any, clean: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, tuple):
        return tuple(_clean(item, clean) for item in value)
    if isinstance(value, dict):
        return {clean(key): _clean(item, clean) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value) if field.name not in _VERBATIM]
        return dataclasses.replace(value, **{name: _clean(getattr(value, name), clean) for name in names})
    return value


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def _unicode(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
