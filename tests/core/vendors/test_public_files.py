"""What fifty public files showed (2026-11-30): silent misreadings, and messages that led round in circles.

The shapes are those files'; every number is invented.
"""

from __future__ import annotations

import datetime as dt
import json
import shlex
from typing import Any

import polars as pl
import pytest
from support.text_files import walk

from golden_core.vendors.base import VendorError

HEADER = "time,open,high,low,close"
PRICES = "1.0900,1.0920,1.0890,1.0910"


def _times(count: int, minutes: int = 60, first: str = "2024-03-13 00:00") -> list[str]:
    start = dt.datetime.fromisoformat(first)
    return [f"{start + dt.timedelta(minutes=minutes * place):%Y-%m-%d %H:%M}" for place in range(count)]


HOURS = [f"{time},{PRICES}" for time in _times(30)]
DAYS = [f"{time},{PRICES}" for time in _times(4, 1440, "2024-03-14 00:00")]


# Lengths of bars, stated row by row


@pytest.mark.parametrize(
    ("name", "hour", "day"),
    [("timeframe", "H1", "D1"), ("PER", "60", "D"), ("<PER>", "60", "1440"), ("what", "1h", "1d"), ("x", "H1", "D1"),
     ("interval", "1hour", "daily"), ("granularity", "3600", "86400"), ("tf", "H1", ""), ("", "60min", "1440min"),
     ("freq", "PT1H", "P1D"), ("x", "PERIOD_H1", "PERIOD_D1"), ("y", "H1", "MN")],
)  # fmt: skip
@pytest.mark.parametrize("late", [True, False])
def test_bars_of_several_lengths_are_refused_by_the_column_that_says_so(
    name: str, hour: str, day: str, late: bool, parse: Any
) -> None:
    hours, days = [f"{row},{hour}" for row in HOURS], [f"{row},{day}" for row in DAYS]
    rows, second = ([*hours, *days], 32) if late else ([*days, *hours], 6)
    match = rf"column '{name}' says that bars are of several lengths: .* line 2, .* from line {second}\. .*keep only"
    with pytest.raises(VendorError, match=match):
        parse([f"{HEADER},{name}", *rows])
    assert parse([f"{HEADER},{name}", *hours]).bar == "1h"


def test_bars_of_several_lengths_are_refused_in_a_file_without_header(parse: Any) -> None:
    rows = [*(f"D1,{row}" for row in DAYS), *(f"H1,{row}" for row in HOURS)]
    places = {"timestamp": "2", "open": "3", "high": "4", "low": "5", "close": "6"}
    with pytest.raises(VendorError, match="several lengths: D1 from line 1, H1 from line 5"):
        parse(rows, columns=places)


@pytest.mark.parametrize(("name", "said"), [("<PER>", "D"), ("timeframe", "M5"), ("period", "1440"), ("x", "H4")])
def test_a_stated_length_that_the_rows_contradict_is_refused(name: str, said: str, parse: Any) -> None:
    with pytest.raises(VendorError, match=rf"line 2: column '{name}' says {said}, but rows are 60 minutes apart"):
        parse([f"{HEADER},{name}", *(f"{row},{said}" for row in HOURS)])


def test_a_stated_length_counts_where_the_rows_show_none(parse: Any) -> None:
    two = [f"2024-03-15 20:00,{PRICES},H1", f"2024-03-17 21:00,{PRICES},H1"]
    read = parse([f"{HEADER},tf", *two])
    assert read.bar == "1h"
    assert "column 'tf' says that a bar is 1h" in read.notes
    with pytest.raises(VendorError, match="bars of 10 minutes are none of 1m, 5m"):
        parse([f"{HEADER},per", *(f"{time},{PRICES},10" for time in _times(9, 10))])


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("side", "BD"),
        ("period", "789"),
        ("class", "M"),
        ("tenor", ["1M"]),
        ("contract", ["H4", "M4"]),
        ("spread", ["1", "5"]),
    ],
)
def test_a_column_that_says_something_else_is_no_length(name: str, cells: Any, parse: Any) -> None:
    rows = [f"{row},{cells[place % len(cells)]}" for place, row in enumerate(HOURS)]
    read = parse([f"{HEADER},{name}", *rows])
    assert (read.bar, read.notes) == ("1h", (f"not used: {name}",))


# Bars that cannot be, and bars off their grid


def _impossible(count: int, of: int = 30) -> list[str]:
    return [row.replace("1.0920", "1.0899") if 4 < place < 5 + count else row for place, row in enumerate(HOURS[:of])]


@pytest.mark.parametrize("header", [True, False])
def test_many_bars_whose_high_is_not_highest_are_refused(header: bool, parse: Any) -> None:
    rows = [HEADER, *_impossible(4)] if header else [row.replace(" ", ",") for row in _impossible(4)]
    places = {"timestamp": "1+2", "open": "3", "high": "4", "low": "5", "close": "6"}
    with pytest.raises(
        VendorError, match=rf"line {6 + header}: .*4 of 30 bars .* swapped or misnamed, or .* of other days"
    ):
        parse(rows, columns={} if header else places)


def test_few_bars_whose_high_is_not_highest_are_counted(parse: Any) -> None:
    said = "3 of 30 bars have a high that is not highest or a low that is not lowest (first: line 7); cleaning decides"
    assert any(note.startswith(said) for note in parse([HEADER, *_impossible(3)]).notes)
    assert parse([HEADER, *_impossible(1, 9)]).bars.height == 9
    assert not parse([HEADER, *HOURS]).notes


@pytest.mark.parametrize("phase", [0, 30])
def test_bars_off_the_grid_of_the_others_are_counted(phase: int, parse: Any) -> None:
    times = _times(30, first=f"2024-03-13 00:{phase:02}")
    times[6:8] = [time.replace(f":{phase:02}", f":{phase + 5:02}") for time in times[6:8]]
    read = parse([HEADER, *(f"{time},{PRICES}" for time in times)])
    assert "2 of 30 bars begin off the grid of 60 minutes on which the others do (first: line 8)" in read.notes


# Messages that lead out


def _told(refused: pytest.ExceptionInfo[VendorError]) -> dict[str, str]:
    """Return the columns that a message says to declare."""
    options = shlex.split(str(refused.value).split("declare", 1)[1].split(" (in a study")[0])
    return dict(option.split("=", 1) for option in options if "=" in option)


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("Dzien,Poczatek,Szczyt,Dno,Koniec", 5),
        ("Data,Poczatek,Szczyt,Dno,Koniec", 4),
        ("いつ,寄付,上値,下値,引値", 5),
        ("Date,Open,Max,Min,Ending", 1),
        ("", 5),
    ],
)
@pytest.mark.parametrize("before", ["", "15,", "D1,"])
def test_one_message_names_all_the_columns_to_declare(header: str, told: int, before: str, parse: Any) -> None:
    rows = [f"{before}{row}" for row in DAYS]
    names = [f"{'id,' if before else ''}{header}"] if header else []
    with pytest.raises(VendorError, match="no reader knows this format") as refused:
        parse([*names, *rows])
    assert len(_told(refused)) == told
    assert parse([*names, *rows], columns=_told(refused)).bars["high"].to_list() == [1.092] * 4


def test_several_columns_that_a_declaration_leaves_open_are_told_at_once(parse: Any) -> None:
    with pytest.raises(
        VendorError, match=r"none is called open or high or low or close; there are 'A', 'B'"
    ) as refused:
        parse(["A,B,X,Y,Z", *HOURS], columns={"timestamp": "A"})
    assert _told(refused) == {"open": "B", "high": "X", "low": "Y", "close": "Z"}


@pytest.mark.parametrize("header", ["Trading Day,EURUSD", "Dzien,Kurs dnia", "Trading Day,<CLOSE>"])
@pytest.mark.parametrize("minutes", [60, 1440])
def test_a_close_alone_needs_no_other_column(header: str, minutes: int, parse: Any) -> None:
    rows = [f"{time},1.0900" for time in _times(9, minutes)]
    with pytest.raises(
        VendorError, match=r"no reader knows .* one price a row, the time of a bar's open and the close"
    ) as refused:
        parse([header, *rows])
    read = parse([header, *rows], columns=_told(refused))
    assert (read.bar, read.bars["close"].null_count()) == ("1h" if minutes == 60 else "1d", 0)
    assert "no open, high or low is known or declared: every bar has its close alone" in read.notes
    records = json.dumps([dict(zip(("when", "px"), row.split(","), strict=True)) for row in rows]).replace(
        '"1.0900"', "1.09"
    )
    assert parse(records, name="x.json", columns={"timestamp": "when", "close": "px"}).bars.height == 9
    with pytest.raises(VendorError, match="its price is called 'GBPUSD', but EURUSD is asked for"):
        parse(["when,GBPUSD", *rows], columns={"timestamp": "when", "close": "GBPUSD"})


def test_closes_within_days_are_no_series_of_days(parse: Any) -> None:
    rows = [f"{time},1.0900" for time in _times(9)]
    with pytest.raises(VendorError, match=r"rows are 1:00:00 apart .* Export candles; or, .*--column timestamp=time"):
        parse(["time,price", *rows])
    assert parse(["time,price", *rows], columns={"timestamp": "time", "close": "price"}).bar == "1h"


def test_two_unused_columns_may_have_one_name(parse: Any) -> None:
    rows = [f"{row},0,1" for row in HOURS]
    assert parse([f"{HEADER},Marks,Marks", *rows]).notes == ("not used: Marks (column 6), Marks (column 7)",)
    with pytest.raises(VendorError, match="line 1 names 'volume' twice"):
        parse([f"{HEADER},volume,volume", *rows])


def test_a_header_that_lacks_a_name_is_told_and_places_read_the_file(parse: Any) -> None:
    rows = [f"{row},7,3".replace(",", "\t") for row in HOURS]
    text = [f'"{line}"' for line in (f"{HEADER},volume".replace(",", "\t"), *rows)]
    with pytest.raises(VendorError, match=r"line 2: 7 fields .* as every row has 7, the header does not fit them"):
        parse(text)
    places = {"timestamp": "1", "open": "2", "high": "3", "low": "4", "close": "5"}
    assert parse(text, columns=places).bars.height == 30


def test_a_line_above_the_header_with_other_fields_is_named_as_what_to_leave_out(parse: Any) -> None:
    with pytest.raises(VendorError, match=f"begin below {HEADER!r}: leave out the lines above that one"):
        parse(["META,EURUSD,digits=5", HEADER, *HOURS])


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "Git LFS's pointer .* git lfs pull"),
        (
            "2024-03-13T00:00:09Z EURUSD 1.1 1.2\n2024-03-13T00:00:19Z EURUSD 1.1 1.2\n",
            "blanks: put commas .* time,bid,ask",
        ),
        ("Year,Month,Day,Open,High,Low,Close\n2024,3,13,1.1,1.2,1.0,1.1\n", "A day in three columns is not read"),
    ],
)
def test_files_that_are_not_read_say_what_they_are(text: str, match: str, parse: Any) -> None:
    with pytest.raises(VendorError, match=match):
        parse(text)


def test_a_remark_above_the_rows_is_no_blank_line(parse: Any) -> None:
    rows = [row.replace(" ", ",").replace("-", ".") for row in HOURS]
    notes = parse(['"Date" "Time" "Open" "High" "Low" "Close"', *rows]).notes
    assert any("not of the table" in note for note in notes)
    assert not any("hold no row" in note for note in notes)


# Bars of several lengths, of which no column says so


def _candles(count: int, minutes: int, first: str) -> list[str]:
    times = pl.Series(_times(count, minutes, first)).str.to_datetime("%Y-%m-%d %H:%M")
    bars = walk(times.dt.replace_time_zone("UTC"), seed=count, pair="EURUSD")
    return [f"{time:%Y-%m-%d %H:%M},{','.join(map(str, prices))}" for time, *prices in bars.drop("volume").rows()]


@pytest.mark.parametrize("minutes", [240, 1440])
@pytest.mark.parametrize("first", ["2024-03-11 00:00", "2024-03-18 00:00"])
@pytest.mark.parametrize("above", [True, False])
def test_a_few_longer_bars_are_refused(minutes: int, first: str, above: bool, parse: Any) -> None:
    hours, longer = _candles(90, 60, "2024-03-12 00:00"), _candles(4, minutes, first)
    rows, line = ([*longer, *hours], 2) if above else ([*hours, *longer], 92)
    with pytest.raises(VendorError, match=rf"those from line {line} on are (4h|1d) apart and each opens where"):
        parse([HEADER, *rows])
    assert parse([HEADER, *hours]).bar == "1h"


@pytest.mark.parametrize("of_each", [4, 24])
def test_hours_that_were_filled_in_below_are_no_longer_bars(of_each: int, parse: Any) -> None:
    """Each opens where the hour before it closed, not where the one above it in the file did."""
    hours = _candles(120, 60, "2024-03-11 00:00")
    late = hours[10::of_each][:4]
    rows = [*(row for row in hours if row not in late), *late]
    assert parse([HEADER, *rows]).bars.height == 120
