"""Polygon's JSON of aggregates: short names, and times in milliseconds since 1970."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from golden_core.vendors.columns import PRICES
from golden_core.vendors.records import Json, Records, as_object, require_list, require_pair


def _results(answer: Any, pair: str, _side: str | None, path: Path) -> Records:
    answer = as_object(answer)
    require_pair(str(answer.get("ticker", pair)), pair, path)
    results = require_list(answer.get("results"), "an object with a list of results", path)
    names = {"t": "timestamp", "v": "volume", **{price[0]: price for price in PRICES}}
    objects = (row if isinstance(row, dict) else {} for row in results)
    rows = [{ours: one.get(theirs) for theirs, ours in names.items()} for one in objects]
    return Records(rows=rows, unit="result")


JSON = Json(
    name="polygon_json",
    example='{"ticker": "C:EURUSD", "results": [{"v": 4148, "vw": 1.0885, "o": 1.08812, "c": 1.08874, "h": 1.08901,'
    ' "l": 1.0879, "t": 1710496800000, "n": 4148}, {"v": 5375, "vw": 1.0889, "o": 1.08874, "c": 1.08911, "h": 1.0893,'
    ' "l": 1.0885, "t": 1710500400000, "n": 5375}]}',
    because="it is a JSON object with results that have o, h, l, c and t, as Polygon answers",
    begins=re.compile(rb'\{.*"results"\s*:\s*\[\s*\{[^}]*"o"', re.DOTALL),
    records=_results,
)
