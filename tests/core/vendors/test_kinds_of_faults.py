"""Kinds of faults that a sixth sample of public files showed (2026-11-30), each in several forms of it.

The shapes are those files'; every number is invented.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from golden_core.vendors.base import VendorError

DAYS = [f"2024-03-{day}" for day in (11, 12, 13, 14, 15)]
CANDLE = "1.0880,1.0900,1.0870,1.0890"
HEADER = "Date,Open,High,Low,Close"
ROWS = [f"{day},{CANDLE}" for day in DAYS]

# Lines that are no rows of the table

ABOVE = {
    "units": "Unit,USD,USD,USD,USD",
    "names": ",Eröffnung,Hoch,Tief,Schluss",
    "empty": ",,,,",
    "said": "source,,,,",
}
BELOW = {
    "empty": [",,,,"],
    "quoted": ['"",Source: a bank of 1999.,,,', '"","General: rates, of 14.15.",,,'],
    "legend": ["code,USD,USD,USD,USD", "units,1,1,1,1"],
}


@pytest.mark.parametrize("above", ABOVE)
@pytest.mark.parametrize("below", BELOW)
def test_lines_without_a_time_around_a_table_are_no_rows(above: str, below: str, parse: Any) -> None:
    read = parse([HEADER, ABOVE[above], *ROWS, *BELOW[below]])
    assert read.bars["close"].to_list() == [1.089] * 5
    if (above, below) != ("empty", "empty"):
        assert any(note.startswith("not of the table, without a time: lines") for note in read.notes)


def test_a_price_without_a_time_is_still_refused(parse: Any) -> None:
    for row in (f",{CANDLE}", f"NaT,{CANDLE}"):
        with pytest.raises(VendorError, match=r"line 7: '.*' is not a time"):
            parse([HEADER, *ROWS, row])
    with pytest.raises(VendorError, match="line 4: 'source' is not a time"):
        parse([HEADER, *ROWS[:2], "source,,,,", *ROWS[2:]])


def test_a_remark_does_not_hide_of_which_pair_the_rows_are(parse: Any) -> None:
    rows = [f"{row},GBPUSD" for row in ROWS]
    with pytest.raises(VendorError, match="column 'of' says 'GBPUSD', but EURUSD is asked for"):
        parse([f"{HEADER},of", *rows, "source,,,,,"])


# The row that is at fault is the one that is named


@pytest.mark.parametrize("odd", ["x", "1..08", "1,08x"])
def test_one_odd_cell_does_not_accuse_the_decimal_comma_of_the_others(odd: str, parse: Any) -> None:
    rows = [f"{day};1,0880;1,0900;1,0870;1,0890" for day in DAYS]
    rows[3] = rows[3].replace("1,0890", odd)
    with pytest.raises(VendorError, match=f"line 5: column 'Close': '{odd.replace('.', '[.]')}' is not a number"):
        parse([HEADER.replace(",", ";"), *rows])


@pytest.mark.parametrize("gap", ["", "-", "n.d.", "None", "N/A"])
def test_a_price_that_is_not_there_beside_decimal_commas(gap: str, parse: Any) -> None:
    rows = [f"{day};1,0880" for day in DAYS]
    rows[2] = f"{DAYS[2]};{gap}"
    assert parse(["Date;EURUSD", *rows]).bars["close"].to_list() == [1.088] * 4


@pytest.mark.parametrize("volume", ["-", "1.2K", "3M shares", ""])
def test_a_volume_that_is_no_number_hinders_nothing(volume: str, parse: Any) -> None:
    read = parse([f"{HEADER},Volume", *(f"{row},{volume}" for row in ROWS)])
    assert read.bars["open"].to_list() == [1.088] * 5
    assert read.bars.select("volume").null_count().item() == 5 if "volume" in read.bars.columns else True
    assert any("'Volume' holds more than numbers" in note for note in read.notes) is (volume not in ("-", ""))


# Day and time of day


@pytest.mark.parametrize("mark", [" ", "  ", "T", "-", "_", " - ", "; "])
@pytest.mark.parametrize("day", ["%Y.%m.%d", "%Y%m%d", "%d/%m/%Y", "%Y-%m-%d"])
def test_what_stands_between_day_and_time(mark: str, day: str, parse: Any) -> None:
    times = [dt.datetime(2024, 3, 14, hour) for hour in range(3)]  # noqa: DTZ001
    read = parse(["time,open,high,low,close", *(f"{time:{day}}{mark}{time:%H:%M},{CANDLE}" for time in times)])
    assert (read.bar, str(read.bars["timestamp"][0])) == ("1h", "2024-03-14 00:00:00+00:00")


def test_an_offset_is_no_time_after_a_dash(parse: Any) -> None:
    read = parse(["time,open,high,low,close", *(f"2024-03-14 1{hour}:00:00-05:00,{CANDLE}" for hour in range(3))])
    assert str(read.bars["timestamp"][0]) == "2024-03-14 15:00:00+00:00"


def test_a_day_whose_comma_parted_it_is_declared_by_places(parse: Any) -> None:
    places = {"timestamp": "1+2", "close": "3", "open": "4", "high": "5", "low": "6"}
    rows = [f"Mar {day[-2:]}, 2024,1.0890,1.0880,1.0900,1.0870" for day in DAYS]
    assert str(parse(["Date,Price,Open,High,Low", *rows], columns=places).bars["timestamp"][0])[:10] == "2024-03-11"


@pytest.mark.parametrize("form", ["%Y-%m", "%Y/%m", "%YM%m"])
def test_months_are_told_to_be_months(form: str, parse: Any) -> None:
    rows = [f"{dt.date(2023, month, 1):{form}},1.0890" for month in range(1, 7)]
    with pytest.raises(VendorError, match="is not a time, but a month, whose price is known at its end"):
        parse(["Date,EURUSD", *rows])


# What is no bar has no clock


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_the_clock_of_what_are_no_bars_is_not_proposed(zone: str | None, parse: Any) -> None:
    """A script looked every morning: no clock explains its weekends, and none is to be declared."""
    start = dt.datetime(2025, 3, 23, 8, 14)  # noqa: DTZ001
    times = [start + dt.timedelta(days=day, seconds=37 * day % 90) for day in range(40)]
    rows = [f"{time},{0.92 + 0.0001 * place:.4f}" for place, time in enumerate(times)]
    with pytest.raises(VendorError, match=r"bars are .* minutes apart .*, which is none of"):
        parse(["when,EUR", *rows], "USDEUR", zone=zone, columns={"timestamp": "when", "close": "EUR"})


@pytest.mark.parametrize("prices", [4, 1])
def test_a_bar_that_is_a_copy_of_the_one_before_says_nothing_of_a_clock(prices: int, parse: Any) -> None:
    first, rows = dt.date(2024, 3, 4), [["Date", "Open", "High", "Low", "Close"]]
    for place in range(42):
        day = first + dt.timedelta(days=place)
        base = 1.08 + 0.001 * (place - max(0, day.weekday() - 4))
        rows.append([str(day), *(f"{base + more:.4f}" for more in (0, 0.004, -0.003, 0.002))])
    assert parse([",".join([row[0], *row[-prices:]]) for row in rows], zone="Asia/Tokyo").bars.height == 42


# Words that lead out


@pytest.mark.parametrize(
    "lines",
    [
        ["2024-03-14T22:50:03+0200 EURUSD 1.0969 1.0973 -4.9E-5", "2024-03-14T22:50:04+0200 EURUSD 1.0969 1.0974 0"],
        ["            open    high     low", "Date", "2024-03-14  1.0880  1.0900  1.0870", "2024-03-15  1.1  1.2  1.0"],
    ],
)
def test_columns_that_blanks_part_are_told_to_be_so(lines: list[str], parse: Any) -> None:
    with pytest.raises(VendorError, match="Its fields seem to be parted by blanks") as refused:
        parse(lines)
    assert "seem to begin below" not in str(refused.value)


@pytest.mark.parametrize("form", ["csv", "json"])
def test_numbered_names_are_names(form: str, parse: Any) -> None:
    names = ("1. open", "2. high", "3. low", "4. close")
    cells = dict(zip(names, CANDLE.split(","), strict=True))
    text = json.dumps(dict.fromkeys(DAYS, cells)) if form == "json" else [f"date,{','.join(names)}", *ROWS]
    read = parse(text, name=f"x.{form}")
    assert (read.bars.height, read.bars.row(0, named=True)["low"]) == (5, 1.087)


def test_a_price_that_is_not_there_is_not_called_implausible(parse: Any) -> None:
    rows = [f"{day},1.09,x" for day in DAYS]
    rows[2] = f"{DAYS[2]},ND,x"
    notes = parse(["Date,rate,of", *rows], columns={"close": "rate"}).notes
    assert any("1 rows have a cell without a number" in note for note in notes)
    assert not any("plausible" in note for note in notes)
