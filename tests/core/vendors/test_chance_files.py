"""Kinds of faults that files of public repositories, drawn by chance, showed (2026-11-30), each in several forms.

The shapes are those files'; every number is invented.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
import polars as pl
import pytest

from golden_core.market.clock import market_open
from golden_core.vendors.base import VendorError

HEADER = "time,open,high,low,close"
Bar = tuple[dt.datetime, float, float, float, float]


def _walk(every: str, weeks: int = 2) -> list[Bar]:
    first = dt.datetime(2024, 3, 11)  # noqa: DTZ001
    times = pl.datetime_range(first, first + dt.timedelta(weeks=weeks), every, closed="left", eager=True)
    times = times.filter(pl.select(market_open(times.dt.replace_time_zone("UTC"))).to_series())
    closes = 1.08 + np.random.default_rng(5).normal(0, 5e-4, len(times) + 1).cumsum()
    return [
        (t, o, max(o, c) + 1e-4, min(o, c) - 1e-4, c)
        for t, o, c in zip(times.to_list(), closes[:-1].tolist(), closes[1:].tolist(), strict=True)
    ]


def _written(bars: list[Bar]) -> list[str]:
    return [HEADER, *(f"{t:%Y-%m-%d %H:%M}," + ",".join(f"{price:.7f}" for price in prices) for t, *prices in bars)]


# Prices that do not move


def _stood(bars: list[Bar], first: int, count: int) -> list[Bar]:
    close = bars[first][4]
    return [(t, *([close] * 4)) if first < i <= first + count else (t, *p) for i, (t, *p) in enumerate(bars)]  # type: ignore[misc]


@pytest.mark.parametrize(("every", "count"), [("5m", 80), ("1h", 6), ("4h", 5), ("1d", 5)])
@pytest.mark.parametrize("candles", [True, False])
def test_a_feed_that_stood_still_is_told(every: str, count: int, candles: bool, parse: Any) -> None:
    bars = _walk(every)
    said = f"{count} of {len(bars)} bars repeat one price for hours while the market is open (first: line 4)"
    for stands in (True, False):
        lines = _written(_stood(bars, 1, count if stands else 2))
        rows = lines if candles else [",".join(line.split(",")[:: len(line.split(",")) - 1]) for line in lines]
        notes = parse(rows, **({} if candles else {"columns": {"close": "close"}})).notes
        assert any(note.startswith(said) for note in notes) == stands


def test_prices_that_never_move_are_told(parse: Any) -> None:
    candles = [
        {"timestamp": 1710496800000 + 300_000 * i, **dict.fromkeys(HEADER.split(",")[1:], 1.08)} for i in range(90)
    ]
    (_, note) = parse(json.dumps({"candles": candles}), name="x.json", zone=None).notes
    assert note.startswith("89 of 90 bars repeat one price for hours while the market is open (first: line 2)")


def test_hours_copied_over_a_weekend_do_not_stand_still(parse: Any) -> None:
    bars = _walk("1h")
    friday = next(i for i, bar in enumerate(bars) if bar[0].weekday() == 6) - 1
    filled = [(bars[friday][0] + dt.timedelta(hours=h), *([bars[friday][4]] * 4)) for h in range(1, 48)]
    notes = parse(_written([*bars[: friday + 1], *filled, *bars[friday + 1 :]])).notes
    assert not any("repeat one price" in note for note in notes)


# A longer bar that stands alone


def _of_days(bars: list[Bar], days: list[int], slip: float) -> list[Bar]:
    """Put a day's bar at the begin of some days, whose first hours and the last before them are not there."""
    found = list[Bar]()
    for day in dict.fromkeys(bar[0].date() for bar in bars):
        own = [bar for bar in bars if bar[0].date() == day]
        if day.day in days:
            rest = own[8:]
            high, low = max(b[2] for b in rest), min(b[3] for b in rest)
            off, first, last = slip * (high - low), rest[0][1], rest[-1][4]
            own = [(own[0][0], first, max(high - off, first, last), min(low + off, first, last), last), *rest]
            found = found[:-3]
        found += own
    return found


@pytest.mark.parametrize("every", ["15m", "1h"])
@pytest.mark.parametrize("days", [[12], [12, 14, 19]])
def test_days_among_hours_that_have_gaps_around_them_are_told(every: str, days: list[int], parse: Any) -> None:
    bars = _walk(every)
    (note,) = parse(_written(_of_days(bars, days, 0.1))).notes
    said = f"{len(days)} of {len(days)} bars that stand alone have the range of all that follow within a day (first: "
    assert note.startswith(said)
    alone = [bar for bar in bars if bar[0].day != 12 or bar[0].hour not in (1, 2, 23)]
    assert not parse(_written(alone)).notes


# JSON


def _table(minutes: int, close: float = 1.08) -> dict[str, Any]:
    first = dt.datetime(2024, 3, 12)  # noqa: DTZ001
    rows = [
        {
            "datetime": str(first + i * dt.timedelta(minutes=minutes)),
            "open": close,
            "high": 1.09,
            "low": 1.07,
            "close": 1.075,
        }
        for i in range(3)
    ]
    return {"meta": {"symbol": "EUR/USD"}, "status": "ok", "values": rows}


@pytest.mark.parametrize("name", ["candles", "analysis"])
def test_several_tables_in_one_file_are_named(name: str, parse: Any) -> None:
    answer = {"symbol": "EUR/USD", name: {"15min": _table(15), "1h": _table(60)}}
    with pytest.raises(VendorError, match="its JSON holds 2 tables: 15min, 1h; keep one in the file"):
        parse(json.dumps(answer, indent=1), name="x.json")
    assert parse(json.dumps({name: {"1h": _table(60)}}), name="x.json").bar == "1h"


def _latest(instrument: str, granularity: str = "H1", price: str = "1.08") -> dict[str, Any]:
    hours = [f"2024-03-15T{hour}:00:00.000000000Z" for hour in (10, 11)]
    candles = [{"complete": True, "time": time, "mid": dict.fromkeys("ohlc", price)} for time in hours]
    return {"instrument": instrument, "granularity": granularity, "candles": candles}


def test_oandas_latest_candles_are_read_of_the_pair(parse: Any) -> None:
    answer = {"latestCandles": [_latest("GBP_USD", price="1.27"), _latest("EUR_USD")]}
    read = parse(json.dumps(answer), name="x.json", zone=None)
    assert (read.bars["close"].to_list(), read.bar, read.claim.format) == ([1.08, 1.08], "1h", "oanda_json")
    with pytest.raises(VendorError, match="latestCandles holds GBP_USD H1, EUR_USD H1, of which 0 are of USDJPY"):
        parse(json.dumps(answer), "USDJPY", name="x.json", zone=None)
    several = {"latestCandles": [_latest("EUR_USD"), _latest("EUR_USD", "H4")]}
    with pytest.raises(VendorError, match="holds EUR_USD H1, EUR_USD H4, of which 2 are of EURUSD; keep the one"):
        parse(json.dumps(several), name="x.json", zone=None)


@pytest.mark.parametrize("text", ["1.0893", '"rate limit"', "null", "true", "Too many requests"])
@pytest.mark.parametrize("name", ["x.json", "x.csv"])
def test_a_single_value_is_no_table_to_be_declared(text: str, name: str, parse: Any) -> None:
    with pytest.raises(VendorError, match=r"holds nothing but .*, which is no table; fetch the file again") as error:
        parse(text, name=name)
    assert "--column" not in str(error.value)


# What is told of other columns


@pytest.mark.parametrize("gap", [".", "null", ""])
def test_a_gap_does_not_hide_which_column_is_the_price(gap: str, parse: Any) -> None:
    days = [dt.date(2024, 3, 11) + dt.timedelta(days=day) for day in range(5)]
    values = ["1.0941", "1.0932", gap, "1.0951", "1.0885"]
    rows = [{"asked": "2024-05-04", "date": str(d), "value": v} for d, v in zip(days, values, strict=True)]
    for text, name in (
        (json.dumps({"units": "lin", "observations": rows}, indent=4), "x.json"),
        ("\n".join(["asked,date,value", *(",".join(row.values()) for row in rows)]), "x.csv"),
    ):
        with pytest.raises(VendorError, match=r"--column close=value \(in"):
            parse(text, name=name)


def test_a_broken_day_above_the_others_is_not_taken_for_the_header(parse: Any) -> None:
    rows = [
        "Security;EURUSD BGN",
        "Period;D",
        ";",
        "Date;PX_OFFICIAL",
        "#NOM?;1,0539",
        "15/03/2024;1,0885",
        "14/03/2024;1,09",
    ]
    with pytest.raises(VendorError, match=r"seem to begin below 'Date;PX_OFFICIAL'"):
        parse(rows)


@pytest.mark.parametrize("form", ["%d/%m/%Y", "%Y-%m-%d", "%Y.%m.%d", "%Y-%m-%d 00:00", "%b %d, %Y"])
def test_days_before_1970_are_told_to_be_so(form: str, parse: Any) -> None:
    days = [dt.date(1969, 12, 22) + dt.timedelta(days=day) for day in range(20)]
    with pytest.raises(VendorError, match=r"line 2: .*1969.* is not a time between 1970 and 2100: leave older rows"):
        parse(["Date\tEURUSD", *(f"{day:{form}}\t1.0941" for day in days)])
