"""Files that websites hand out: HistData's bars and ticks, TrueFX's and Gain Capital's ticks, Investing.com's days."""

from __future__ import annotations

import re
from dataclasses import replace

from golden_core.vendors.columns import has_prices, normal
from golden_core.vendors.delimited import Delimited

# HistData's generic ASCII files have no header; places of columns are fixed.
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

# TrueFX: instrument, time in GMT, bid and ask, without a header.
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

# Gain Capital: bid and ask under names of their own, times without a zone.
_RATES = {"timestamp": "RateDateTime", "bid": "RateBid", "ask": "RateAsk"}

GAINCAPITAL = Delimited(
    name="gaincapital_ticks",
    example="lTid,cDealable,CurrencyPair,RateDateTime,RateBid,RateAsk\n"
    "9000000001,D,EUR/USD,2024-03-15 10:00:00.371000000,1.088120,1.088150\n"
    "9000000002,D,EUR/USD,2024-03-15 10:00:01.042000000,1.088130,1.088160",
    because="its columns are called RateDateTime, RateBid and RateAsk, as Gain Capital names them",
    fits=lambda head: set(_RATES.values()) <= set(head.header),
    ours=("bid", "ask"),
    columns=_RATES,
)

# Investing.com: every cell quoted, thousands with commas, newest day first, days in words or digits.
INVESTING = Delimited(
    name="investing_csv",
    example='"Date","Price","Open","High","Low","Vol.","Change %"\n'
    '"03/15/2024","1.0890","1.0880","1.0900","1.0870","","0.09%"\n'
    '"03/14/2024","1.0880","1.0945","1.0950","1.0875","","-0.59%"',
    because="its header has Date, Price and Change %, as Investing.com writes it",
    fits=lambda head: {"date", "price", "change"} <= set(map(normal, head.header)) and has_prices(head.header),
    # The volume of a currency is empty, or rounded to thousands in words, such as 1.2K.
    prepare=lambda rows, _pair, _path: replace(
        rows, table=rows.table.select(name for name in rows.table.columns if normal(name) != "vol")
    ),
    bar="1d",
)
