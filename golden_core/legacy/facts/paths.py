"""Texts in code and configurations → absolute paths, and the names of data, model and configuration files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from golden_core.legacy.facts.ast_facts import HOLE

LONGEST = 1024
_WHOLE = re.compile(
    r"(?:[A-Za-z]:[\\/]|\\\\[\w.?-]+\\|//[\w.-]+/[\w.$-]+/|~[\\/]|file://)[^\s][^\n\r]*|/[\w.@+-]+(?:/[^\n\r/]+)*/?"
)
_LONE = re.compile(r"/[^/.]*/?")
_WITHIN = re.compile(
    r"(?<![\w/\\.:}])(?:[A-Za-z]:[\\/](?![\\/])|/(?:home|Users|mnt|media|root|var|opt|tmp|content|data|srv|usr|etc|workspace)/)"
    r"[^\s'\"<>|*?,;)\]}]*[^\s'\"<>|*?,;)\]}.:]"
)
_DATA = re.compile(
    r"[^\n\r]*[^\n\r/\\.]\.(?:csv|tsv|parquet|feather|arrow|xlsx?|json|jsonl|ya?ml|toml|ini|cfg|h5|hdf5|keras|npy|npz|pkl|pickle"
    r"|joblib|pt|pth|ckpt|onnx|safetensors|pb|tflite|mat|rds|db|sqlite3?|duckdb|txt|dat|zip|gz|bz2|xz|7z)",
    re.IGNORECASE,
)


def absolute_paths(text: str) -> list[str]:
    """Return the absolute paths in a text: the text itself, or those inside it.

    A lone ``/name`` counts only if it has a suffix: it is as often a route or a separator.
    """
    if len(text) <= LONGEST and _WHOLE.fullmatch(text) and not _LONE.fullmatch(text):
        return [text]
    return list(dict.fromkeys(path for path, _ in paths_within(text)))


def paths_within(text: str) -> Iterator[tuple[str, int]]:
    """Yield the absolute paths inside a text that holds other things too, each with its offset."""
    for match in _WITHIN.finditer(text):
        yield match[0], match.start()


def data_file(text: str) -> str | None:
    """Return the text if it names a data, model or configuration file."""
    bare = text.strip()
    return bare if len(bare) <= LONGEST and "://" not in bare and _DATA.fullmatch(bare) else None


def is_computed(name: str) -> bool:
    """Tell whether part of a name is only known at run time."""
    return HOLE in name or "%" in name or "{" in name or "*" in name
