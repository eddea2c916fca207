"""Alpha Vantage's JSON of FX prices: numbered names, and a time series by day or time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from golden_core.vendors.base import VendorError
from golden_core.vendors.columns import PRICES
from golden_core.vendors.records import Json, Records, as_object, require_pair


def _plain(numbered: Any) -> dict[str, Any]:
    """Return a mapping without the numbers before its names: ``1. open`` is ``open``."""
    items = numbered.items() if isinstance(numbered, dict) else ()
    return {re.sub(r"^\d+[a-z]?\.\s*", "", name).lower(): value for name, value in items}


def _series(answer: Any, pair: str, _side: str | None, path: Path) -> Records:
    series = next((value for name, value in as_object(answer).items() if name.startswith("Time Series")), None)
    if not isinstance(series, dict):
        raise VendorError(f"{path}: expected an object with a 'Time Series'; save the whole answer")
    said = _plain(answer.get("Meta Data"))
    require_pair(f"{said.get('from symbol', '')}{said.get('to symbol', '')}", pair, path)
    rows = [{"timestamp": time} | {name: _plain(bar).get(name) for name in PRICES} for time, bar in series.items()]
    return Records(rows=rows, clock=said.get("time zone"))


JSON = Json(
    name="alphavantage_json",
    example='{"Meta Data": {"2. From Symbol": "EUR", "3. To Symbol": "USD", "6. Time Zone": "UTC"},'
    ' "Time Series FX (Daily)": {"2024-03-15": {"1. open": "1.0880", "2. high": "1.0900", "3. low": "1.0870",'
    ' "4. close": "1.0890"}, "2024-03-14": {"1. open": "1.0945", "2. high": "1.0950", "3. low": "1.0875",'
    ' "4. close": "1.0880"}}}',
    because="it is a JSON object with Meta Data and a Time Series, as Alpha Vantage answers",
    begins=re.compile(rb'\{\s*"Meta Data"'),
    records=_series,
)
