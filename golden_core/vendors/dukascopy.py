"""Dukascopy's CSV, from its website or from JForex: candles and ticks. The binary files of its feed are `bi5`."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from golden_core.vendors.columns import clock_in, has_prices, has_time
from golden_core.vendors.delimited import Delimited
from golden_core.vendors.text import Head

_TIME = re.compile(r"(gmt|utc|eet|local) time|time \((gmt|utc|eet|local)\)", re.IGNORECASE)
_OTHER = re.compile(r"time \([a-z]+\)", re.IGNORECASE)  # 'Time (CST)' is Dukascopy's, and says nothing to rely on


def _is_zone(name: str) -> bool:
    """Say whether a name is a time zone's: exports since 2025 call the times ``Etc/UTC`` or ``Europe/London``."""
    return "/" in name and name in zoneinfo.available_timezones()


def time_column(names: Sequence[str]) -> str | None:
    """Return the column that names a time as Dukascopy does, or None unless there is exactly one."""
    found = [name for name in names if _TIME.fullmatch(name) or _is_zone(name)]
    found = found or [name for name in names if _OTHER.fullmatch(name)]
    return found[0] if len(found) == 1 else None


def _clock(column: str, _path: Path) -> str | None:
    return column if _is_zone(column) else clock_in(column)


def _has_ticks(head: Head) -> bool:
    timed = time_column(head.header) is not None or has_time(head.header)
    ticks = has_prices(head.header, ("bid", "ask")) and not has_prices(head.header)
    return timed and ticks and "<BID>" not in head.header  # MetaTrader's


CSV = Delimited(
    name="dukascopy_csv",
    example="Gmt time,Open,High,Low,Close,Volume\n"
    "15.03.2024 10:00:00.000,1.08812,1.08901,1.08790,1.08874,4148.03\n"
    "15.03.2024 11:00:00.000,1.08874,1.08930,1.08850,1.08911,5375.58",
    because="its header names the time as Dukascopy does, and four prices",
    fits=lambda head: time_column(head.header) is not None and has_prices(head.header),
    time=time_column,
    clock=_clock,
    convention="day_first",
)
TICKS = replace(
    CSV,
    name="dukascopy_ticks",
    example="Gmt time,Ask,Bid,AskVolume,BidVolume\n"
    "15.03.2024 10:00:00.371,1.08815,1.08812,0.9,1.2\n"
    "15.03.2024 10:00:01.042,1.08816,1.08813,0.75,1.5",
    because="its header names a time, a bid and an ask",
    fits=_has_ticks,
    ours=("bid", "ask"),
)
