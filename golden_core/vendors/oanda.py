"""OANDA's candles: the JSON of its v20 interface. No request is made here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from golden_core.vendors.base import SIDES, VendorError
from golden_core.vendors.columns import PRICES
from golden_core.vendors.records import Json, Records, as_object, require_list, require_pair

_BARS = {"M1": "1m", "M5": "5m", "M15": "15m", "M30": "30m", "H1": "1h", "H4": "4h", "D": "1d"}


def _candles(answer: Any, pair: str, side: str | None, path: Path) -> Records:
    answer = as_object(answer)
    latest = [as_object(one) for one in require_list(answer.get("latestCandles", []), "a list of latest candles", path)]
    own = [one for one in latest if re.sub(r"[^A-Z]", "", str(one.get("instrument"))) == pair]
    if latest and len(own) != 1:
        held = ", ".join(f"{one.get('instrument')} {one.get('granularity')}" for one in latest)
        raise VendorError(
            f"{path}: latestCandles holds {held}, of which {len(own)} are of {pair}; keep the one to import"
        )
    answer = own[0] if own else answer
    candles = require_list(answer.get("candles"), "an object with a list of candles", path)
    require_pair(str(answer.get("instrument", pair)), pair, path)
    given = answer.get("granularity")
    if given is not None and given not in _BARS:
        raise VendorError(f"{path}: granularity {given!r} is none of {', '.join(_BARS)}; request one of these")
    side = _side(candles[0], side, path) if candles else None
    return Records(rows=[_row(one, side) for one in candles], clock="UTC", bar=_BARS.get(given or ""), side=side)


def _row(candle: Any, side: str | None) -> dict[str, Any]:
    candle = as_object(candle)
    prices = as_object(candle.get(side))
    named = {price: prices.get(price[0]) for price in PRICES}
    return {"timestamp": candle.get("time"), **named, **{name: candle.get(name) for name in ("volume", "complete")}}


def _side(candle: Any, wanted: str | None, path: Path) -> str:
    sides = [side for side in SIDES if isinstance(candle, dict) and side in candle]
    if not sides:
        raise VendorError(f"{path}: candle 1 has neither mid nor bid nor ask; save the answer as it was sent")
    if wanted and wanted not in sides:
        raise VendorError(f"{path}: there are no {wanted} prices, only {', '.join(sides)}")
    if len(sides) > 1 and not wanted:
        raise VendorError(
            f"{path}: candles have {', '.join(sides)} prices; choose one: "
            + ", ".join(f"--format oanda_json:{side}" for side in sides)
        )
    return wanted or sides[0]


JSON = Json(
    name="oanda_json",
    example='{"instrument": "EUR_USD", "granularity": "H1", "candles": [{"complete": true, "volume": 4148, "time":'
    ' "2024-03-15T10:00:00.000000000Z", "mid": {"o": "1.08812", "h": "1.08901", "l": "1.08790", "c": "1.08874"}}]}',
    because="it is a JSON object with candles, as OANDA's v20 interface answers",
    begins=re.compile(rb'\{.*"candles"\s*:\s*\[(?!\s*\{[^{}]*"open)', re.DOTALL),  # else another's
    records=_candles,
    sides=True,
)
