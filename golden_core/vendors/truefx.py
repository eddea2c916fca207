"""TrueFX's files of ticks: instrument, time in GMT, bid and ask, without a header."""

from __future__ import annotations

import re

from golden_core.vendors.delimited import Delimited

_TICK = re.compile(r"[A-Z]{3}/[A-Z]{3},\d{8} \d\d:\d\d:\d\d\.\d{1,3}(?:,\d+(?:\.\d+)?){2}")

TICKS = Delimited(
    name="truefx_ticks",
    example="EUR/USD,20240315 10:00:00.371,1.08812,1.08815\nEUR/USD,20240315 10:00:01.042,1.08813,1.08816",
    because="its lines are an instrument, a time with milliseconds, bid and ask, as TrueFX writes them",
    fits=lambda head: head.has_form(_TICK),
    places=("instrument", "timestamp", "bid", "ask"),
    ours=("bid", "ask"),
    clock=lambda _column, _path: "UTC",
    said="TrueFX stamps in GMT",
)
