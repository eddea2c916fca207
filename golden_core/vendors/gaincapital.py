"""Gain Capital's weekly files of ticks: bid and ask under names of their own, times without a zone."""

from __future__ import annotations

from golden_core.vendors.delimited import Delimited

_NAMES = {"timestamp": "RateDateTime", "bid": "RateBid", "ask": "RateAsk"}

TICKS = Delimited(
    name="gaincapital_ticks",
    example="lTid,cDealable,CurrencyPair,RateDateTime,RateBid,RateAsk\n"
    "9000000001,D,EUR/USD,2024-03-15 10:00:00.371000000,1.088120,1.088150\n"
    "9000000002,D,EUR/USD,2024-03-15 10:00:01.042000000,1.088130,1.088160",
    because="its columns are called RateDateTime, RateBid and RateAsk, as Gain Capital names them",
    fits=lambda head: set(_NAMES.values()) <= set(head.header),
    ours=("bid", "ask"),
    columns=_NAMES,
)
