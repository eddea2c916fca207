"""ccxt's lists of candles, and dukascopy-node's in its form `array`: time in milliseconds, four prices, volume."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from golden_core.vendors.columns import PRICES
from golden_core.vendors.records import Json, Records, require_list


def _lists(answer: Any, _pair: str, _side: str | None, path: Path) -> Records:
    rows = require_list(answer, "a list of candles", path)
    names = ("timestamp", *PRICES, "volume")
    return Records(rows=[dict(zip(names, row, strict=False)) if isinstance(row, list) else {} for row in rows])


JSON = Json(
    name="ccxt_json",
    example="[[1710496800000, 1.08812, 1.08901, 1.0879, 1.08874, 4148.03],"
    " [1710500400000, 1.08874, 1.0893, 1.0885, 1.08911, 5375.58]]",
    because="it is a JSON list of lists, as ccxt and dukascopy-node write candles",
    begins=re.compile(rb"\[\s*\[\s*\d{10,}"),
    records=_lists,
)
