"""An audit as plain values for JSON: exact fractions become floats, an interval a pair."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from golden_core.legacy.audit.auditing import Audit
from golden_core.legacy.audit.intervals import Interval
from golden_core.legacy.audit.printed import Printed


def audit_record(audit: Audit) -> dict[str, Any]:
    """Return an audit as mappings, lists, text and numbers.

    Numbers of the table are their printed text; an interval is ``[low, high]``, ``high`` null where there is no end.
    """
    record: dict[str, Any] = _plain(audit)
    return record


def _plain(value: Any) -> Any:
    if isinstance(value, Interval):
        return [_plain(value.low), _plain(value.high)]
    if isinstance(value, Printed):
        return value.text
    if isinstance(value, Fraction):
        return float(value)
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, tuple | list) else value
