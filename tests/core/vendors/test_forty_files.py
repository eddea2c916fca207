"""What forty more public files showed (2026-12-01): refusals whose remedy led nowhere, and an hour nobody stated.

The shapes are those files'; every number is invented.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from golden_core.vendors.base import VendorError

_PRICES = ("1.10", "1.12", "1.08", "1.11")
_SATURDAYS = "2024-03-05"  # a Tuesday


def _days(first: str, weeks: int, per_week: int) -> list[dt.date]:
    start = dt.date.fromisoformat(first)
    return [start + dt.timedelta(days=7 * week + day) for week in range(weeks) for day in range(per_week)]


def _series(days: list[dt.date]) -> list[str]:
    return ["date,rate", *(f"{day},{88 + place % 7 / 10:.4f}" for place, day in enumerate(days))]


def test_a_clock_of_no_known_name_gives_way_to_the_declared_one(parse: Any) -> None:
    bars = {
        str(day): dict(zip(("1. open", "2. high", "3. low", "4. close"), _PRICES, strict=True))
        for day in _days("2024-03-03", 2, 6)
        if day.weekday() != 5
    }
    meta = {"2. From Symbol": "EUR", "3. To Symbol": "USD", "6. Time Zone": "GMT+8"}
    text = json.dumps({"Meta Data": meta, "Time Series FX (Daily)": bars})
    with pytest.raises(ValueError, match=r"unknown clock 'GMT\+8': .* declare the right one with --zone"):
        parse(text, name="x.json", zone=None)
    read = parse(text, name="x.json", zone="UTC")
    assert read.zone == "UTC"
    assert "the file says GMT+8, which is no clock known here: it is read by UTC, as declared" in read.notes


@pytest.mark.parametrize("zone", ["UTC", "Europe/Moscow"])
def test_days_named_by_the_next_one_are_told_from_sundays(zone: str, parse: Any) -> None:
    """A central bank's rates that are in force from the day after: their weeks run from Tuesday to Saturday."""
    days = _days(_SATURDAYS, 4, 5)
    with pytest.raises(ValueError, match=r"first Saturday 2024-03-\d+\. .* take a day off every date") as caught:
        parse(_series(days), "USDRUB", zone=zone)
    assert "On a clock behind" not in str(caught.value)
    moved = [day - dt.timedelta(days=1) for day in days]
    assert parse(_series(moved), "USDRUB", zone=zone).bars.height == len(days)


def test_days_that_begin_a_week_on_sunday_are_told_of_the_clock(parse: Any) -> None:
    with pytest.raises(ValueError, match=r"On a clock behind that one a week begins on Sunday: .* such as UTC"):
        parse(_series(_days("2024-03-03", 4, 6)), "USDRUB", zone="Asia/Tokyo")


def _metatrader(more: str = "", cells: str = "") -> list[str]:
    """What MetaTrader 5's package for Python gives: counts since 1970 of what the broker's clock shows."""
    first = int(dt.datetime(2024, 3, 5, 7, tzinfo=dt.UTC).timestamp())
    return [
        f"time,open,high,low,close,tick_volume,spread,real_volume{more}",
        *(f"{first + 300 * bar},{','.join(_PRICES)},6{bar},5,0{cells}" for bar in range(6)),
    ]


@pytest.mark.parametrize("point", ["", ".0"])
def test_counts_of_metatrader_are_of_the_clock_of_its_broker(point: str, parse: Any) -> None:
    lines = [line.replace(",1.10,", f"{point},1.10,", 1) for line in _metatrader()]
    with pytest.raises(VendorError, match="does not state its clock, and none is declared"):
        parse(lines, zone=None)
    read = parse(lines, zone="UTC+02:00")
    assert read.bars["timestamp"][0] == dt.datetime(2024, 3, 5, 5, tzinfo=dt.UTC)
    assert "times are s since 1970, which MetaTrader counts by its broker's clock" in read.notes
    others = [line.replace("tick_volume", "volume").replace("real_volume", "x") for line in lines]
    assert parse(others, zone=None).zone == "UTC"


def test_two_columns_of_whole_times_are_no_day_and_time_of_day(parse: Any) -> None:
    """A count since 1970 beside the date that a script made of it."""
    lines = _metatrader(",data", ",2024-03-05 07:00:00")
    with pytest.raises(VendorError, match=r"'data' and 'time' .* if one of them is the whole time, declare it"):
        parse(lines)


def test_quotes_without_a_header_are_told_how_to_be_read(parse: Any) -> None:
    """Interactive Brokers' quotes, as scripts write them: bid and ask cannot be declared by places."""
    rows = [f"20240305  04:30:0{second},USDJPY,BID,106.8{second}0000,106.8{second}3000," for second in range(8)]
    with pytest.raises(VendorError, match="If they are quotes, put names above them, such as time,bid,ask"):
        parse(rows, "USDJPY")
    assert parse(["time,pair,what,bid,ask,", *rows], "USDJPY").side == "bid"


def test_a_series_says_nothing_of_days_that_have_no_row(parse: Any) -> None:
    notes = parse(_series(_days("2024-03-04", 2, 4)), "USDRUB").notes
    assert "every row has a price" in notes


@pytest.mark.parametrize("form", ["%d %B %Y", "%B %d %Y", "%d-%b-%Y", "%b %d %Y"])
def test_months_may_be_written_out(form: str, parse: Any) -> None:
    days = _days("2024-04-22", 3, 5)
    rows = [f"{day:{form}}, {13800 + place}.50" for place, day in enumerate(days)]
    with pytest.raises(VendorError, match="--column timestamp=1 --column close=2"):
        parse(rows, "USDIDR")
    read = parse(rows, "USDIDR", columns={"timestamp": "1", "close": "2"})
    assert read.bars["timestamp"].dt.date().to_list() == days


@pytest.mark.parametrize("flat", [True, False])
def test_closes_written_as_candles_are_told(flat: bool, parse: Any) -> None:
    rows = [
        f"{day},{price:.4f},{price + range_:.4f},{price:.4f},{price + range_:.4f}"
        for place, day in enumerate(_days("1973-01-01", 30, 5))
        for price, range_ in [(0.53 + place % 11 / 1000, 0 if flat else 0.01)]
    ]
    notes = " ".join(parse(["date,open,high,low,close", *rows]).notes)
    assert ("150 of 150 bars have one price: closes alone?" in notes) == flat


def _german(first: float, decimals: int) -> list[str]:
    """Rows as spreadsheets of Germany write them: 1.935,20 and 2.930, and 998 among them."""
    rows = [[first + bar / 10**decimals + shift / 10**decimals for shift in (0, 9, -9, 1)] for bar in range(12)]
    texts = [[f"{price:,.{decimals}f}".translate(str.maketrans(",.", ".,")) for price in prices] for prices in rows]
    volumes = [f"{998 + 7 * bar:,}".replace(",", ".") for bar in range(12)]
    cells = [";".join([f"2024-03-05 {bar:02d}:00", *texts[bar], volumes[bar]]) for bar in range(12)]
    return ["Datum;Eröffnung;Hoch;Tief;Schluss;Volumen", *cells]


@pytest.mark.parametrize(
    ("pair", "first", "decimals"), [("EURUSD", 1.08, 5), ("XAUUSD", 1935.2, 2), ("XAUUSD", 999.9, 2)]
)
def test_dots_part_thousands_where_commas_are_decimal_marks(pair: str, first: float, decimals: int, parse: Any) -> None:
    read = parse(_german(first, decimals), pair)
    assert read.bars["volume"].to_list() == [998 + 7 * bar for bar in range(12)]
    assert read.bars["open"].to_list() == [round(first + bar / 10**decimals, decimals) for bar in range(12)]
    assert "dots part thousands" in read.notes


def test_a_last_number_that_is_shorter_than_all_others_and_ends_the_file_is_told(parse: Any) -> None:
    lines = [f"{day},1.08{place:02d}" for place, day in enumerate(_days("2024-03-04", 2, 5), 11)]
    whole, cut = "\n".join(["date,rate", *lines]), "\n".join(["date,rate", *lines])[:-3]
    said = "the last line has no line end, and its last number is shorter than all others: it may be cut off"
    assert said in parse(cut).notes
    assert said not in parse(whole).notes
    assert said not in parse(cut + "\n").notes
