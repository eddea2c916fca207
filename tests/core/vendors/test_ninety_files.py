"""Kinds of faults that ninety more files showed (2026-11-30), each in several forms: public ones, and mutations.

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


def _rows(every: str, weeks: int = 5, late: str = "0m", closed: bool = False) -> list[str]:
    """Return bars of a random walk, UTC; ``closed`` with those of weekends."""
    first = dt.datetime(2024, 3, 11)  # noqa: DTZ001
    times = pl.datetime_range(first, first + dt.timedelta(weeks=weeks), every, eager=True).alias("t").to_frame()
    times = times.filter(closed | market_open(pl.col("t").dt.replace_time_zone("UTC")))
    closes = 1.08 + np.random.default_rng(3).normal(0, 5e-4, times.height + 1).cumsum()
    return [
        f"{t:%Y-%m-%d %H:%M},{o:.7f},{max(o, c) + 1e-4:.7f},{min(o, c) - 1e-4:.7f},{c:.7f}"
        for t, o, c in zip(times["t"].dt.offset_by(late), closes[:-1], closes[1:], strict=True)
    ]


HOURS = _rows("1h")
DAYS = [f"{row[:10]}{row[16:]}" for row in _rows("1d") if dt.date.fromisoformat(row[:10]).weekday() < 5]


# Prices of many units


@pytest.mark.parametrize("name", ["JPY100", "100JPY", "JPY 100", "100 jpy", "1000JPY"])
@pytest.mark.parametrize("pair", ["JPYPLN", "JPYMYR"])
def test_a_column_of_many_units_is_refused_on_whichever_side_the_number_stands(
    name: str, pair: str, parse: Any
) -> None:
    rows = [f"Date,USD,{name}", *(f"{row[:10]},4.1,2.7{place:02}" for place, row in enumerate(DAYS))]
    with pytest.raises(VendorError, match="is the price of several units: write what one costs"):
        parse(rows, pair=pair, columns={"timestamp": "Date", "close": name})


# Days that close where they open, of which there are few


@pytest.mark.parametrize("count", [7, 11, 13])
def test_a_few_days_that_close_where_they_open_are_refused(count: int, parse: Any) -> None:
    split = [row.split(",") for row in DAYS[:count]]
    still = [",".join([day, open_, high, low, open_]) for day, open_, high, low, _ in split]
    with pytest.raises(VendorError, match=f"{count} of {count} days that moved close where they open"):
        parse([HEADER, *still])
    assert parse([HEADER, *DAYS[:count]]).bars.height == count
    assert parse([HEADER, *still[:3], *DAYS[3:count]]).bars.height == count


# Rows that were joined


def test_rows_that_do_not_come_after_all_above_them_are_counted(parse: Any) -> None:
    assert not parse([HEADER, *HOURS]).notes
    for rows, count, line in (
        ([*HOURS[:400], *HOURS[200:600]], 200, 402),
        ([*HOURS, HOURS[-1]], 1, len(HOURS) + 2),
        ([*HOURS[300:], *HOURS[:300]], 300, len(HOURS) - 298),
    ):
        said = f"{count} of {len(rows)} rows are not later than all rows above them (first: line {line})"
        assert [note.partition(";")[0] for note in parse([HEADER, *rows]).notes] == [said]


def test_days_in_two_forms_are_not_said_to_be_none(parse: Any) -> None:
    """A spreadsheet of the United States reads days up to the twelfth as months, and leaves the others as they are."""
    days = [dt.date.fromisoformat(row[:10]) for row in DAYS]
    turned = [f"{day:%Y-%d-%m}" if day.day <= 12 else f"{day:%d/%m/%Y}" for day in days]
    rows = [f"{day}{row[10:]}" for day, row in zip(turned, DAYS, strict=True)]
    with pytest.raises(
        VendorError, match="'13/03/2024' is not a time like '2024-11-03' in line 2; a spreadsheet turned"
    ):
        parse([HEADER, *rows])


def test_a_time_of_day_with_dots_is_told(parse: Any) -> None:
    rows = [f"{row[:10]},{row[11:13]}.{row[14:]}" for row in HOURS]
    with pytest.raises(VendorError, match=r"'2024-03-11 00\.00' is not a time with colons in its time of day"):
        parse(["Date,Time,Open,High,Low,Close", *rows])


# Bars where no market is


@pytest.mark.parametrize(("every", "count"), [("1h", 184), ("15m", 736)])
def test_trade_on_weekends_is_told(every: str, count: int, parse: Any) -> None:
    read = parse([HEADER, *_rows(every, weeks=4, closed=True)])
    assert read.evidence.summary == "UTC cannot be verified: no weekend interrupts its bars"
    said = f"{count} bars lie where the foreign exchange market is closed (first: Fri 2024-03-15 22:00 UTC)"
    assert any(note.startswith(said) for note in read.notes)


@pytest.mark.parametrize("zone", ["UTC", "EET_US", "Asia/Tokyo"])
def test_days_copied_over_weekends_are_told(zone: str, parse: Any) -> None:
    assert not parse([HEADER, *DAYS], zone=zone).notes
    copied = [
        f"{dt.date.fromisoformat(row[:10]) + dt.timedelta(days=days)}{row[10:]}"
        for row in DAYS
        for days in (range(3) if dt.date.fromisoformat(row[:10]).weekday() == 4 else (0,))
    ]
    (note,) = parse([HEADER, *copied], zone=zone).notes
    assert "bars lie where the foreign exchange market is closed (first: " in note


@pytest.mark.parametrize("zone", ["UTC", "EET_US"])
def test_a_few_weeks_that_lack_their_last_day_are_told(zone: str, parse: Any) -> None:
    """As of Yahoo's, whose last day is dated by the hour of the request."""
    first = dt.date(2024, 6, 30)
    days = [first + dt.timedelta(days=place) for place in (0, 1, 2, 3, 4, 7, 8, 9, 10, 12)]
    notes = parse(["Date,Close", *(f"{day},1.08{place}" for place, day in enumerate(days))], zone=zone).notes
    assert any(note.startswith("1 of 2 weeks begin with a Sunday and lack their last day: its days") for note in notes)
    running = [*(row[:10] + row[16:] for row in _rows("1d", 3)), "2024-04-01,1.1,1.2,1.0,1.1"]  # a Sunday, a Monday
    assert not any("lack their last day" in note for note in parse([HEADER, *running], zone=zone).notes)


@pytest.mark.parametrize("every", ["5m", "15m"])
def test_short_bars_that_are_stamped_by_their_close_are_told(every: str, parse: Any) -> None:
    assert not parse([HEADER, *_rows(every)]).notes
    read = parse([HEADER, *_rows(every, late=every)])
    assert [note.partition(";")[0] for note in read.notes] == [
        "before 5 of 5 weekends the last bar opens when the market closes, and the next one a bar after it opens: "
        "these may be times of the close"
    ]


# JSON

CANDLE = {"open": 1.1, "high": 1.3, "low": 1.0, "close": 1.2}


@pytest.mark.parametrize(
    "answer",
    [
        {"base": "EUR", "rates": {"2024-03-14": {"USD": 1.09}, "2024-03-15": {"USD": 1.08}}},
        {"Cube": [{"time": "2024-03-15", "Cube": [{"currency": "USD", "rate": "1.0777"}]}]},
        {"data": {"usd_krw": [], "eur_krw": []}},
        {"USDPHP": {"data": [["2024-03-15", 57.9]]}},
        {"name": "EURUSD", "return": 4092.71},
    ],
)
def test_json_without_a_table_is_not_to_be_declared(answer: Any, parse: Any) -> None:
    with pytest.raises(VendorError, match="its JSON holds no table: expected a list of objects") as error:
        parse(json.dumps(answer), name="x.json")
    assert "--column" not in str(error.value)


def test_prices_in_an_object_of_their_own_are_read(parse: Any) -> None:
    rows = [{"datetime": f"2024-03-15T10:0{minute}:00Z", "price": CANDLE} for minute in range(5)]
    assert parse(json.dumps(rows), name="x.json").bars["high"].to_list() == [1.3] * 5
    with pytest.raises(VendorError, match="its JSON holds no table"):  # which side is asked for?
        parse(json.dumps([row | {"ask": CANDLE} for row in rows]), name="x.json")


# Places of a file without header


@pytest.mark.parametrize("order", ["open low high close", "open close high low", "close high low open"])
def test_prices_of_a_file_without_header_are_told_in_any_order(order: str, parse: Any) -> None:
    names = order.split()
    rows = []
    for row in DAYS:
        bar = dict(zip(("open", "high", "low", "close"), row.split(",")[1:], strict=True))
        rows.append(",".join([*(bar[name] for name in names), "", row[:10]]))
    said = " ".join(f"--column {name}={names.index(name) + 1}" for name in ("open", "high", "low", "close"))
    with pytest.raises(VendorError, match=f"--column timestamp=6 {said} "):
        parse(rows)


def test_columns_of_currencies_or_of_both_sides_are_not_told_to_be_candles(parse: Any) -> None:
    bars = [[float(cell) for cell in row.split(",")[1:]] for row in DAYS]
    wide = [
        f"{day[:10]},{c * 3:.4f},{c * 4.4:.4f},{c * 2.5:.4f},{c * 2.4:.4f}"
        for day, (*_, c) in zip(DAYS, bars, strict=True)
    ]
    sides = [
        f"{day[:10]},{c:.5f},{c + 2e-4:.5f},{high:.5f},{low:.5f}"
        for day, (_, high, low, c) in zip(DAYS, bars, strict=True)
    ]
    for rows in (wide, ["Date,USD,GBP,CHF,SGD", *wide], ["Date,Sell,Buy,High,Low", *sides]):
        with pytest.raises(VendorError, match="no reader knows this format") as error:
            parse(rows)
        assert not any(
            f"{name}={told}" in str(error.value) for name in ("open", "high") for told in ("2", "USD", "Sell")
        )


def test_the_place_of_the_time_is_told_where_those_of_prices_are_not(parse: Any) -> None:
    with pytest.raises(VendorError, match="--column timestamp=3 --column open=PLACE …"):
        parse([f"1.1,x,{row[:10]},2.5,3.5" for row in DAYS])
