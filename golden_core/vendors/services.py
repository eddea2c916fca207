"""JSON of services and downloaders, candles in a form of its own each: Alpha Vantage, ccxt, dukascopy-node."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from golden_core.vendors.base import VendorError, side_in_name
from golden_core.vendors.columns import PRICES, normal
from golden_core.vendors.records import Json, Records, as_object, require_list, require_pair


# Alpha Vantage's prices: numbered names, and a time series by day or time.
def _plain(numbered: Any) -> dict[str, Any]:
    """Return a mapping without the numbers before its names: ``1. open`` is ``open``."""
    return {normal(name): value for name, value in as_object(numbered).items()}


def _series(answer: Any, pair: str, _side: str | None, path: Path) -> Records:
    series = next((value for name, value in as_object(answer).items() if name.startswith("Time Series")), None)
    if not isinstance(series, dict):
        raise VendorError(f"{path}: expected an object with a 'Time Series'; save the whole answer")
    said = _plain(answer.get("Meta Data"))
    require_pair(f"{said.get('fromsymbol', '')}{said.get('tosymbol', '')}", pair, path)
    rows = [{"timestamp": time} | {name: _plain(bar).get(name) for name in PRICES} for time, bar in series.items()]
    return Records(rows=rows, clock=said.get("timezone"))


ALPHAVANTAGE = Json(
    name="alphavantage_json",
    example='{"Meta Data": {"2. From Symbol": "EUR", "3. To Symbol": "USD", "6. Time Zone": "UTC"},'
    ' "Time Series FX (Daily)": {"2024-03-15": {"1. open": "1.0880", "2. high": "1.0900", "3. low": "1.0870",'
    ' "4. close": "1.0890"}, "2024-03-14": {"1. open": "1.0945", "2. high": "1.0950", "3. low": "1.0875",'
    ' "4. close": "1.0880"}}}',
    because="it is a JSON object with Meta Data and a Time Series, as Alpha Vantage answers",
    begins=re.compile(rb'\{\s*"Meta Data"'),
    records=_series,
)


# ccxt's lists of candles, and dukascopy-node's in its form `array`: time in milliseconds, four prices, volume.
def _lists(answer: Any, _pair: str, _side: str | None, path: Path) -> Records:
    rows = require_list(answer, "a list of candles", path)
    names = ("timestamp", *PRICES, "volume")
    return Records(rows=[dict(zip(names, row, strict=False)) if isinstance(row, list) else {} for row in rows])


CCXT = Json(
    name="ccxt_json",
    example="[[1710496800000, 1.08812, 1.08901, 1.0879, 1.08874, 4148.03],"
    " [1710500400000, 1.08874, 1.0893, 1.0885, 1.08911, 5375.58]]",
    because="it is a JSON list of lists, as ccxt and dukascopy-node write candles",
    begins=re.compile(rb"\[\s*\[\s*\d{10,}"),
    records=_lists,
)


# The downloader dukascopy-node: candles or ticks as objects, times in milliseconds since 1970.
_QUOTES: dict[str, str] = {"bidPrice": "bid", "askPrice": "ask", "bidVolume": "bid_volume", "askVolume": "ask_volume"}


def _objects(answer: Any, _pair: str, side: str | None, path: Path) -> Records:
    rows = require_list(answer, "a list of candles or ticks", path)
    named = [{_QUOTES.get(name, name): value for name, value in as_object(row).items()} for row in rows]
    return Records(rows=named, side=side or side_in_name(path), unit="record")


DUKASCOPY_NODE = Json(
    name="dukascopy_node_json",
    example='[{"timestamp": 1710496800000, "open": 1.08812, "high": 1.08901, "low": 1.0879, "close": 1.08874},'
    ' {"timestamp": 1710500400000, "open": 1.08874, "high": 1.0893, "low": 1.0885, "close": 1.08911}]',
    because="it is a JSON list of objects with a timestamp, as dukascopy-node writes them",
    begins=re.compile(rb'\[\s*\{\s*"timestamp"\s*:\s*\d{10,}'),
    records=_objects,
    sides=True,
)
