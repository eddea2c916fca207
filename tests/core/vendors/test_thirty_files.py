"""What thirty more public files showed (2026-11-30): silent misreadings, and messages that led round in circles.

The shapes are those files'; every number is invented.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import polars as pl
import pytest
from support.text_files import walk

from golden_core.vendors.base import VendorError
from golden_core.vendors.suggestions import declaration
from golden_core.vendors.text import read_head

HEADER = "time,open,high,low,close"
FIRST = dt.datetime.fromisoformat("2024-03-10 22:00")
MONDAY = dt.datetime.fromisoformat("2024-03-04")


def _bars(every: str, hours: int = 100, first: dt.datetime = FIRST) -> pl.DataFrame:
    times = pl.datetime_range(first, first + dt.timedelta(hours=hours), every, closed="left", eager=True)
    return walk(times.alias("timestamp"), seed=2, pair="EURUSD").select("timestamp", "open", "high", "low", "close")


def _longer(bars: pl.DataFrame, every: str) -> pl.DataFrame:
    price = pl.col("open").first(), pl.col("high").max(), pl.col("low").min(), pl.col("close").last()
    return bars.group_by_dynamic("timestamp", every=every).agg(price)


def _text(bars: pl.DataFrame, form: str = "%Y-%m-%d %H:%M") -> list[str]:
    return [",".join([f"{time:{form}}", *map(str, prices)]) for time, *prices in bars.rows()]


# Bars of several lengths


@pytest.mark.parametrize(("every", "longer"), [("15m", "1h"), ("1m", "5m"), ("30m", "1h"), ("1h", "1d"), ("5m", "4h")])
def test_longer_bars_in_the_place_of_the_first_of_the_shorter_are_refused(every: str, longer: str, parse: Any) -> None:
    """A script appended quarters to hours: an hour's close would be known after its first quarter."""
    after_open = (pl.col("timestamp") - FIRST).dt.total_hours() % (7 * 24)
    bars = _bars(every, 300 if longer == "1d" else 100).filter(after_open < 119)
    held = pl.concat([_longer(bars, longer), bars]).unique("timestamp", keep="first").sort("timestamp")
    said = (
        rf"bars are {every} long, but the one of line \d+ and others {longer} apart hold .* they are of {longer}, and"
    )
    with pytest.raises(VendorError, match=said):
        parse([HEADER, *_text(held)])
    assert parse([HEADER, *_text(bars)]).bar == every


def test_longer_bars_of_a_part_of_a_file_are_refused(parse: Any) -> None:
    bars = _bars("15m", 110)
    late = bars.filter(pl.col("timestamp") >= FIRST + dt.timedelta(hours=80))
    mixed = pl.concat([_longer(late, "1h"), bars]).unique("timestamp", keep="first").sort("timestamp")
    with pytest.raises(VendorError, match=r"the one of line 322 and others 1h apart hold"):
        parse([HEADER, *_text(mixed)])


# Closes that are none


def test_days_that_close_where_they_open_are_refused(parse: Any) -> None:
    """As Yahoo's: a day's high and low, known at its end, would tell the close that is dated the next day."""
    bars = _bars("1d", 24 * 60, MONDAY).filter(pl.col("timestamp").dt.weekday() <= 5)
    still = bars.with_columns(close=pl.col("open") + 0.01 * (pl.col("high") - pl.col("low")))
    with pytest.raises(VendorError, match=r"line 2: 44 of 44 days that moved close where they open, .* another source"):
        parse([HEADER, *_text(still, "%Y-%m-%d")])
    kept = [f"{row.split(',')[0]},{row.split(',')[-1]}" for row in _text(still, "%Y-%m-%d")]
    assert "high" not in parse(["Date,Close", *kept]).bars.columns
    assert parse([HEADER, *_text(bars, "%Y-%m-%d")]).bars.height == 44


@pytest.mark.parametrize("first", ["Close", "Open"])
def test_the_places_of_a_file_without_header_are_told_by_how_its_bars_follow(first: str, parse: Any) -> None:
    """yfinance writes the close first."""
    names = ("close", "high", "low", "open") if first == "Close" else ("open", "high", "low", "close")
    rows = _text(_bars("1h", 40).select("timestamp", *names))
    for some in (rows, rows[::-1]):
        with pytest.raises(
            VendorError, match=f"--column open={2 + names.index('open')} .* close={2 + names.index('close')}"
        ):
            parse(some)


# Copies of a close


@pytest.mark.parametrize("moved", [False, True])
def test_closes_that_are_copied_over_weekends_say_nothing_of_a_clock(moved: bool, parse: Any) -> None:
    days = [dt.date(2024, 3, 4) + dt.timedelta(days=place) for place in range(42)]
    closes = [
        1.08 + 0.001 * (place - max(0, day.weekday() - 4) + moved * day.weekday()) for place, day in enumerate(days)
    ]
    rows = ["Date,Close", *(f"{day},{close:.4f}" for day, close in zip(days, closes, strict=True))]
    if moved:
        with pytest.raises(ValueError, match="market closed all day"):
            parse(rows, zone="America/New_York")
    else:
        assert parse(rows, zone="America/New_York").bars.height == 42


# Names of columns


@pytest.mark.parametrize("side", ["Mid", "Bid"])
@pytest.mark.parametrize("form", ["csv", "json"])
def test_candles_of_oandas_first_interface_are_read(side: str, form: str, parse: Any) -> None:
    names = {"timestamp": "time", **{price: f"{price}{side}" for price in ("open", "high", "low", "close")}}
    bars = _bars("1h", 40).with_columns(pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%S.000000Z")).rename(names)
    text = bars.write_csv() if form == "csv" else json.dumps({"instrument": "EUR_USD", "candles": bars.to_dicts()})
    read = parse(text, name=f"x.{form}", zone=None)
    assert (read.claim.format, read.side, read.zone) == (f"plain_{form}", side.lower(), "UTC")
    assert read.bars["open"].to_list() == bars[f"open{side}"].to_list()


def test_a_list_called_candles_need_not_be_oandas(parse: Any) -> None:
    rows = (
        _bars("1m", 1).with_columns(pl.col("timestamp").dt.strftime("%Y-%m-%d %H:%M:%S")).rename({"timestamp": "time"})
    )
    read = parse(json.dumps({"symbol": "EURUSD", "timeframe": "M1", "candles": rows.to_dicts()}), name="x.json")
    assert (read.claim.format, read.bar, read.bars.height) == ("plain_json", "1m", 60)


def test_a_central_banks_columns_of_pairs_begin_with_fx(parse: Any) -> None:
    rows = ['"date","FXAUDCAD","FXPENCAD","FXUSDCAD"', '"2024-03-13","0.8912","0.3640","1.3471"',
            '"2024-03-14","0.8915","0.3652","1.3512"', '"2024-03-15","0.8880","0.3661","1.3540"']  # fmt: skip
    read = parse(rows, "USDCAD")
    assert (read.claim.format, read.bars["close"].to_list()) == ("fixings_csv", [1.3471, 1.3512, 1.354])
    with pytest.raises(VendorError, match="its columns are AUDCAD, USDCAD, but CADJPY is asked for"):
        parse(rows, "CADJPY")


def test_an_open_and_a_close_without_a_range_are_closes_alone(parse: Any, tmp_path: Any) -> None:
    rows = ["Dates,PX_OPEN,PX_LAST", "3/13/2024,1.0925,1.0948", "3/14/2024,1.0949,1.0883", "3/15/2024,1.0882,1.0889"]
    with pytest.raises(VendorError, match=r"--column close=PX_LAST \("):
        parse(rows)
    assert declaration(read_head(tmp_path / "x.csv")) == "--column close=PX_LAST"
    read = parse(rows, columns={"close": "PX_LAST"})
    assert ("open" in read.bars.columns, read.bars["close"].to_list()) == (False, [1.0948, 1.0883, 1.0889])
    assert "not used: PX_OPEN" in read.notes
