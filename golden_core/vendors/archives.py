"""Files without header that websites hand out: HistData's bars and ticks, TrueFX's ticks."""

from __future__ import annotations

import re

from golden_core.vendors.delimited import Delimited

_NUMBER = r"\d+(?:\.\d+)?"
# The volume is always 0: NinjaTrader writes the same with one, on another clock.
_M1 = re.compile(rf"\d{{8}} \d{{6}}(?:;{_NUMBER}){{4}}(?:;0)?")
_TICK = re.compile(rf"\d{{8}} \d{{9}}(?:,{_NUMBER}){{2}}(?:,{_NUMBER})?")
_SAID = "HistData stamps in New York winter time all year round, which is UTC-05:00"
# "Eastern Standard Time (EST) time-zone without Day Light Savings adjustments", for all its files.
_EST = "UTC-05:00"


HISTDATA_M1 = Delimited(
    name="histdata_m1",
    example="20240315 050000;1.088120;1.088150;1.088100;1.088140;0\n"
    "20240315 050100;1.088140;1.088160;1.088130;1.088150;0",
    because="its lines are a compact time and prices between semicolons, without a header, as HistData writes them",
    fits=lambda head: head.has_form(_M1),
    places=("timestamp", "open", "high", "low", "close", "volume"),
    clock=lambda _column, _path: _EST,
    bar="1m",
    side="bid",
    said=_SAID,
)
HISTDATA_TICKS = Delimited(
    name="histdata_ticks",
    example="20240315 050000371,1.088120,1.088150,0\n20240315 050001042,1.088130,1.088160,0",
    because="its lines are a compact time with milliseconds, bid and ask, without a header, as HistData writes them",
    fits=lambda head: head.has_form(_TICK),
    places=("timestamp", "bid", "ask", "volume"),
    ours=("bid", "ask"),
    clock=lambda _column, _path: _EST,
    said=_SAID,
)

_TRUEFX_TICK = re.compile(r"[A-Z]{3}/[A-Z]{3},\d{8} \d\d:\d\d:\d\d\.\d{1,3}(?:,\d+(?:\.\d+)?){2}")

TRUEFX = Delimited(
    name="truefx_ticks",
    example="EUR/USD,20240315 10:00:00.371,1.08812,1.08815\nEUR/USD,20240315 10:00:01.042,1.08813,1.08816",
    because="its lines are an instrument, a time with milliseconds, bid and ask, as TrueFX writes them",
    fits=lambda head: head.has_form(_TRUEFX_TICK),
    places=("instrument", "timestamp", "bid", "ask"),
    ours=("bid", "ask"),
    clock=lambda _column, _path: "UTC",
    said="TrueFX stamps in GMT",
)
