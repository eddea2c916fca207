"""What fifty public files showed (2026-11-30): silent misreadings, and messages that led round in circles.

The shapes are those files'; every number is invented.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

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
     ("interval", "1hour", "daily"), ("granularity", "3600", "86400"), ("tf", "H1", ""), ("", "60min", "1440min")],
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


@pytest.mark.parametrize(("name", "cells"), [("side", "BD"), ("period", "789"), ("class", "M"), ("spread", ["1", "5"])])
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
    first = f"line 8, 2024-03-13 06:{phase + 5:02} UTC"
    assert f"2 of 30 bars begin off the grid of 60 minutes on which the others do (first: {first})" in read.notes
