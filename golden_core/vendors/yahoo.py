"""Yahoo's JSON of charts, lists of times and prices with null where there is none; and yfinance's tables as CSV."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from golden_core.vendors.base import VendorError
from golden_core.vendors.columns import PRICES, has_prices
from golden_core.vendors.delimited import Delimited
from golden_core.vendors.records import Json, Records, as_object, require_list, require_yahoo
from golden_core.vendors.text import Head, Rows

_SECONDS = {"m": 60, "h": 3600}


def _bars(answer: Any, pair: str, _side: str | None, path: Path) -> Records:
    results = require_list(as_object(as_object(answer).get("chart")).get("result"), "an object with a chart", path)
    result = as_object(results[0] if results else None)
    meta, indicators = as_object(result.get("meta")), as_object(result.get("indicators"))
    require_yahoo(str(meta.get("symbol", pair)), pair, path)
    times = require_list(result.get("timestamp"), "a chart with a list of times", path)
    quotes = as_object((require_list(indicators.get("quote"), "a chart with quotes", path) or [None])[0])
    lists = {name: require_list(quotes.get(name), f"a chart with a list of {name}s", path) for name in PRICES}
    if len({len(times), *map(len, lists.values())}) > 1 or not all(isinstance(time, int) for time in times):
        raise VendorError(
            f"{path}: times and prices of the chart are not of one length; save the answer as it was sent"
        )
    named = [dict(zip(PRICES, prices, strict=True)) for prices in zip(*lists.values(), strict=True)]
    stamped = _stamped(times, meta, path)
    known = [(at, row) for at, row in zip(stamped, named, strict=True) if any(v is not None for v in row.values())]
    silent = len(times) - len(known)
    daily = meta.get("dataGranularity") == "1d"
    return Records(
        rows=[time | row for time, row in known],
        clock=str(meta["exchangeTimezoneName"]) if daily else "UTC",
        bar="1d" if daily else None,
        notes=(f"{silent} bars have no price and are left out",) if silent else (),
    )


def _stamped(times: list[int], meta: Mapping[str, Any], path: Path) -> list[dict[str, Any]]:
    """Return days of the chart's zone, or seconds; the last bar, if it still runs, is stamped by its last trade."""
    length = re.fullmatch(r"([1-9]\d?)([mh])|1d", str(meta.get("dataGranularity")))
    if length is None:
        raise VendorError(f"{path}: bars of {meta.get('dataGranularity')!r}; request minutes, hours or days")
    if length[1] and times:
        size = int(length[1]) * _SECONDS[length[2]]
        running = times[-1:] if (times[-1] - times[0]) % size else []  # 90 minutes need not begin with the day
        return [{"timestamp": time, "complete": time not in running} for time in times]
    try:
        zone = ZoneInfo(str(meta.get("exchangeTimezoneName")))
        local = [datetime.datetime.fromtimestamp(time, zone) for time in times]
    except (KeyError, ValueError, OSError, OverflowError):
        raise VendorError(f"{path}: its days are none, or of no known zone; save the answer as it was sent") from None
    return [{"timestamp": f"{at:%Y-%m-%d}", "complete": at.time() == datetime.time()} for at in local]


JSON = Json(
    name="yahoo_json",
    example='{"chart": {"result": [{"meta": {"symbol": "EURUSD=X", "exchangeTimezoneName": "Europe/London",'
    ' "dataGranularity": "1d"}, "timestamp": [1710374400, 1710460800], "indicators": {"quote": [{"open": [1.0945,'
    ' 1.0880], "high": [1.0950, 1.0900], "low": [1.0875, 1.0870], "close": [1.0880, 1.0890]}]}}], "error": null}}',
    because="it is a JSON object with a chart, as Yahoo answers",
    begins=re.compile(rb'\{\s*"chart"\s*:\s*\{'),
    records=_bars,
)


# Three header rows, of which the second names the ticker, the third the time.
def _fits(head: Head) -> bool:
    if len(head.lines) < 3 or head.header[0] != "Price" or not has_prices(head.header[1:]):
        return False
    return head.fields(1)[0] == "Ticker" and head.fields(2)[0] in ("Date", "Datetime")


def _below(rows: Rows, pair: str, path: Path) -> Rows:
    table = rows.table
    if table.height < 3 or table.item(0, 0) != "Ticker":
        raise VendorError(f"{path}: line 2: expected the tickers, as yfinance writes them; name another format")
    for ticker in sorted(set(table.row(0)[1:])):
        require_yahoo(ticker, pair, path)
    named = table.rename({table.columns[0]: table.item(1, 0)})
    return replace(rows, table=named[2:].drop("Adj Close", strict=False), line=rows.line[2:])


YFINANCE = Delimited(
    name="yfinance_csv",
    example="Price,Close,High,Low,Open,Volume\nTicker,EURUSD=X,EURUSD=X,EURUSD=X,EURUSD=X,EURUSD=X\nDate,,,,,\n"
    "2024-03-14,1.0880,1.0950,1.0875,1.0945,0\n2024-03-15,1.0890,1.0900,1.0870,1.0880,0",
    because="below its header stand a row of tickers and one that names the time, as yfinance's tables have them",
    fits=_fits,
    prepare=_below,
    gaps=True,
)
