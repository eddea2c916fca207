"""Single values: what a word of YAML 1.2 stands for, and which values a study can hold. No structure belongs here."""

from __future__ import annotations

import math
import re
from typing import Any

from golden_core.study.faults import show

_NULLS = {"", "~", "null", "Null", "NULL"}
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGERS = ((r"[-+]?[0-9]+", 10), (r"0o[0-7]+", 8), (r"0x[0-9a-fA-F]+", 16))
_FLOAT = r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"


def resolve(text: str) -> Any:
    """Return what a scalar without quotes stands for, by the YAML 1.2 core schema (YAML 1.2.2, section 10.3.2)."""
    if text in _NULLS:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    for pattern, base in _INTEGERS:
        if re.fullmatch(pattern, text):
            digits = text.removeprefix("0o").removeprefix("0x")
            return int(digits, base) if len(digits) <= 100 else math.inf  # refused as not finite
    if re.fullmatch(_FLOAT, text):
        return float(re.sub(r"\.(?=[iInN])", "", text))
    return text


def whole(text: str) -> str | None:
    """Return a text with its pairs of surrogates joined, as JSON writes them; None where a half stands alone."""
    try:
        return str(text) if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        return None


def storable(value: Any) -> tuple[Any, str]:
    """Return a scalar as its plain type; or None, and why a study cannot hold it."""
    if value is None or isinstance(value, bool):
        return value, ""
    if isinstance(value, str):
        text = whole(value)
        return text, "" if text is not None else "is not text that can be stored: it holds half of a character"
    if isinstance(value, float) and math.isfinite(value):
        return float(value) + 0.0, ""  # −0 and 0 are equal, so they must not be spelt differently
    if isinstance(value, int) and abs(value) < 2**63:
        return int(value), ""
    if isinstance(value, int | float):
        return None, f"must be a finite number of at most 64 bits, got {show(value)}"
    return None, f"has a value of type {type(value).__name__}; a study holds text, numbers, true, false and null"
