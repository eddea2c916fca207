"""The JSON of the downloader dukascopy-node: candles or ticks as objects, times in milliseconds since 1970."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from golden_core.vendors.base import side_in_name
from golden_core.vendors.records import Json, Records, require_list

_QUOTES: dict[str, str] = {"bidPrice": "bid", "askPrice": "ask", "bidVolume": "bid_volume", "askVolume": "ask_volume"}


def _objects(answer: Any, _pair: str, side: str | None, path: Path) -> Records:
    rows = require_list(answer, "a list of candles or ticks", path)
    objects: list[dict[str, Any]] = [row if isinstance(row, dict) else {} for row in rows]
    named = [{_QUOTES.get(name, name): value for name, value in one.items()} for one in objects]
    return Records(rows=named, side=side or side_in_name(path), unit="record")


JSON = Json(
    name="dukascopy_node_json",
    example='[{"timestamp": 1710496800000, "open": 1.08812, "high": 1.08901, "low": 1.0879, "close": 1.08874},'
    ' {"timestamp": 1710500400000, "open": 1.08874, "high": 1.0893, "low": 1.0885, "close": 1.08911}]',
    because="it is a JSON list of objects with a timestamp, as dukascopy-node writes them",
    begins=re.compile(rb'\[\s*\{\s*"timestamp"\s*:\s*\d{10,}'),
    records=_objects,
    sides=True,
)
