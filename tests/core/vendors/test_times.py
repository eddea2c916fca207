"""Day and month: decided only by the file itself, or declared; other times told by their form or size."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from support.text_files import walk

from golden_core.bars.reading import read_bars
from golden_core.vendors.base import VendorError
from golden_core.vendors.text import Lines
from golden_core.vendors.times import Dates, Order, read_epochs, read_times

PATH = Path("x.csv")


def _read(texts: list[str], dates: Dates | None = None, active: list[bool] | None = None):
    lines = pl.Series("line", range(2, len(texts) + 2))
    flags = pl.Series(active or [True] * len(texts))
    return read_times(pl.Series(texts), Lines(PATH, lines), dates or Dates(), flags)


def _days(first: dt.date, count: int, form: str, *, weekends: bool = False) -> list[str]:
    days = [first + dt.timedelta(days=i) for i in range(count)]
    return [day.strftime(form) for day in days if weekends or day.weekday() < 5]


@pytest.mark.parametrize(
    ("text", "expected", "clock"),
    [
        ("2024-01-31 13:45:10", (2024, 1, 31, 13, 45, 10), None),
        ("2024.01.31 13:45", (2024, 1, 31, 13, 45), None),
        ("2024.1.31 3:45", (2024, 1, 31, 3, 45), None),
        ("2024/01/31", (2024, 1, 31), None),
        ("20240131", (2024, 1, 31), None),
        ("20240131 134510", (2024, 1, 31, 13, 45, 10), None),
        ("20240131 1345", (2024, 1, 31, 13, 45), None),
        ("2024-01-31 1345", (2024, 1, 31, 13, 45), None),
        ("31/01/99 13:45", (1999, 1, 31, 13, 45), None),
        ("31-Jan-68 1:45 PM", (2068, 1, 31, 13, 45), None),
        ("202401311345", (2024, 1, 31, 13, 45), None),
        ("20240131134510", (2024, 1, 31, 13, 45, 10), None),
        ("20240131 134510250", (2024, 1, 31, 13, 45, 10, 250000), None),
        ("31.01.2024 13:45:10.500", (2024, 1, 31, 13, 45, 10, 500000), None),
        ("1/31/2024 1:45 PM", (2024, 1, 31, 13, 45), None),
        ("2024-01-31T13:45:10Z", (2024, 1, 31, 13, 45, 10), "UTC"),
        ("2024-01-31T13:45:10.123456789Z", (2024, 1, 31, 13, 45, 10, 123456), "UTC"),
        ("2024-01-31 13:45:10+05:30", (2024, 1, 31, 8, 15, 10), "UTC"),
        ("2024-01-31T13:45:10-0500", (2024, 1, 31, 18, 45, 10), "UTC"),
        ("31.01.2024 13:45:10.000 GMT+0100", (2024, 1, 31, 12, 45, 10), "UTC"),
        ("2024-01-31 13:45:10 UTC", (2024, 1, 31, 13, 45, 10), "UTC"),
        ("1706708710", (2024, 1, 31, 13, 45, 10), "UTC"),
        ("1706708710000", (2024, 1, 31, 13, 45, 10), "UTC"),
        ("1706708710000000", (2024, 1, 31, 13, 45, 10), "UTC"),
        ("1706708710000000000", (2024, 1, 31, 13, 45, 10), "UTC"),
        ("1706708710.000000000", (2024, 1, 31, 13, 45, 10), "UTC"),
        ("1.7067087e9", (2024, 1, 31, 13, 45), "UTC"),
        ("1.7067087E+12", (2024, 1, 31, 13, 45), "UTC"),
    ],
)
def test_forms(text: str, expected: tuple[int, ...], clock: str | None) -> None:
    read = _read([text])
    assert read.values.dt.replace_time_zone("UTC").to_list() == [dt.datetime(*expected, tzinfo=dt.UTC)]
    assert read.clock == clock
    written = clock is not None and ":" in text
    assert read.values.dtype == (pl.Datetime("us", "UTC") if written else pl.Datetime("us"))


def test_a_day_beyond_twelve_decides() -> None:
    assert "line 4, '13.02.2024', has no other reading" in _read(["02.02.2024", "05.02.2024", "13.02.2024"]).notes[0]
    assert _read(["02/12/2024", "02/13/2024"]).values.dt.month().to_list() == [2, 2]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("%d/%m/%y", "day before month"),
        ("%m/%d/%y", "month before day"),
        ("%y-%m-%d", "year before month"),
        ("%d.%m.%y", "day before month"),
        ("%d-%b-%y", "day before month"),
        ("%d %b %y", "day before month"),
        ("%y-%b-%d", "year before month"),
        ("%y%m%d", "year before month"),
        ("%d%m%y", "day before month"),
        ("%y%m%d 190000", "year before month"),
    ],
)
def test_years_of_two_digits_are_read_where_the_file_proves_their_place(form: str, words: str) -> None:
    days = [day for n in range(50) if (day := dt.date(2024, 1, 2) + dt.timedelta(days=n)).weekday() < 5]
    texts = [day.strftime(form) for day in days]
    for order in (texts, texts[::-1]):
        read = _read(order)
        assert sorted(read.values.dt.date().to_list()) == days
        assert words in read.notes[0]
    short = [texts[6]] * 3  # one day: 10 January 2024, or 24 January 2010
    with pytest.raises(
        VendorError, match=r"can be read in (two|three) ways: .*; declare the order by adding :day_first"
    ):
        _read(short, active=[False] * 3)
    told: Order = {"d": "day_first", "m": "month_first", "y": "year_first"}[words[0]]  # type: ignore[assignment]
    assert _read(short, Dates(told, "month_first")).values.dt.date().to_list() == [days[6]] * 3


def test_a_field_that_is_no_day_is_the_year() -> None:
    assert _read(["99-01-04"]).values.dt.year().to_list() == [1999]
    assert "line 2, '99-01-04', has no other reading" in _read(["99-01-04"]).notes[0]
    with pytest.raises(VendorError, match=r"line 2: '30/30/30' is not a time"):
        _read(["30/30/30"])
    slip = ["02/01/24", "03/01/24", "45/01/24", "05/01/24", "13/01/24"]
    with pytest.raises(VendorError, match=r"line 2: the year of '02/01/24' .* mend the row .* :day_first or"):
        _read(slip)
    with pytest.raises(VendorError, match=r"line 4: '45/01/24' is not a time"):
        _read(slip, Dates("day_first"))
    for rows in (["05.07.26", "56.07.26"], ["55.09.10 00:00", "01.09.10 01:00", "01.09.10 02:00"]):
        with pytest.raises(VendorError, match=r"line 2: the year of .* mend the row"):
            _read(rows)


@pytest.mark.parametrize("rows", [["06/04/20", "23/03/20", "30/03/20"], ["06/11/99"]])
def test_days_years_apart_and_weekends_prove_no_place_of_the_year(rows: list[str]) -> None:
    with pytest.raises(VendorError, match=r"can be read in two ways|the year of .* has two digits"):
        _read(rows)


def test_clocks_that_are_put_back_do_not_spoil_the_order() -> None:
    hours = pl.datetime_range(pl.datetime(2024, 10, 26), pl.datetime(2024, 11, 3), "1h", eager=True)
    berlin = hours.dt.replace_time_zone("UTC").dt.convert_time_zone("Europe/Berlin")
    read = _read(berlin.dt.strftime("%d/%m/%y %H:%M").to_list(), active=[False] * len(hours))
    assert read.values.dt.month().unique().to_list() == [10, 11]


@pytest.mark.parametrize(("first", "other"), [("1900", "100"), ("190000", "10000"), ("1900", "190000")])
def test_times_of_day_that_lost_their_zeros_are_refused(first: str, other: str) -> None:
    """100 is one o'clock, which a parser that takes two digits for the hour reads as ten."""
    with pytest.raises(VendorError, match=rf"line 3: '20240102 {other}' is not a time like '20240102 {first}'"):
        _read([f"20240102 {first}", f"20240102 {other}"])
    with pytest.raises(VendorError, match=r"line 2: '20240102 100' is not a time .* four or six digits"):
        _read(["20240102 100"])


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("190000", "with its day .* timestamp=DAY[+]TIME"),
        ("1900", "with its day .* timestamp=DAY[+]TIME"),
        ("19:00", "with its day .* timestamp=DAY[+]TIME"),
        ("45354.916666667", "count of days; write dates"),
        ("45354", "count of days; write dates"),
    ],
)
def test_what_else_a_time_may_be_is_told(text: str, hint: str) -> None:
    with pytest.raises(VendorError, match=f"line 2: '{text}' is not a time.*{hint}"):
        _read([text])


@pytest.mark.parametrize("form", ["%d.%m.%Y", "%m/%d/%Y"])
def test_two_readings_are_refused_with_both(form: str) -> None:
    texts = _days(dt.date(2024, 1, 1), 5, form)  # the first five months begin on weekdays as well
    with pytest.raises(VendorError) as caught:
        _read(texts)
    for part in (
        "x.csv: line 2",
        "two ways",
        "01 January 2024 to 05 January",
        "to 01 May 2024",
        ":day_first or :month_first",
    ):
        assert part in str(caught.value)
    declared = _read(texts, Dates("day_first" if form.startswith("%d") else "month_first"))
    assert declared.values.dt.day().to_list() == [1, 2, 3, 4, 5]
    assert "as declared" in declared.notes[0]
    dotted = _read([text.replace("/", ".") for text in texts], Dates(convention="day_first"))
    assert "as this vendor writes them with dots" in dotted.notes[0]


def test_the_order_of_rows_decides() -> None:
    texts = _days(dt.date(2024, 1, 8), 5, "%d.%m.%Y") + _days(dt.date(2024, 2, 5), 5, "%d.%m.%Y")
    read = _read(texts)
    assert read.values.dt.month().to_list() == [1] * 5 + [2] * 5
    assert "the rows are in order only so" in read.notes[0]
    assert _read(texts[::-1]).values.dt.month().to_list() == [2] * 5 + [1] * 5  # newest first is an order as well


def test_weekends_decide_by_bars_that_moved() -> None:
    texts = _days(dt.date(2024, 3, 1), 10, "%d/%m/%Y")  # month first, the eighth is 3 August, a Saturday
    read = _read(texts)
    assert read.values.dt.day().to_list() == [1, 4, 5, 6, 7, 8]
    assert "no bar falls on a weekend only so" in read.notes[0]
    flat = _days(dt.date(2024, 3, 1), 10, "%d/%m/%Y", weekends=True)
    assert _read(flat, active=[int(text[:2]) not in (2, 3, 9, 10) for text in flat]).values.dt.day().to_list() == [
        *range(1, 11)
    ]
    with pytest.raises(VendorError, match="can be read in two ways"):
        _read(flat)  # with trade on both weekends, neither reading is sane


def test_evidence_against_the_vendors_own_way_is_refused() -> None:
    months = _days(dt.date(2024, 3, 1), 10, "%m.%d.%Y")
    with pytest.raises(VendorError, match="can be read in two ways"):
        _read(months, Dates(convention="day_first"))


def test_days_that_equal_their_months_have_one_reading() -> None:
    assert _read(["03.03.2024"]).values.dt.month().to_list() == [3]


def test_a_mixture_of_forms_is_refused_at_the_row_that_differs() -> None:
    with pytest.raises(VendorError, match=r"line 3: '2024-02-01' is not a time like '01.13.2024' in line 2"):
        _read(["01.13.2024", "2024-02-01"])
    with pytest.raises(VendorError, match=r"line 3: .* is not a time like .* in line 2"):
        _read(["2024-01-01 00:00:00+00:00", "2024-01-01 01:00:00"])


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ([1706708710, 1706708710000], "line 3: 1706708710000 is no time: seconds"),
        ([1706708710, 5], "line 3: 5 is no time"),
        ([0, 0], "line 2: 0 is no time"),
    ],
)
def test_numbers_that_are_no_times_are_refused(counts: list[int], message: str) -> None:
    with pytest.raises(VendorError, match=message):
        read_epochs(pl.Series(counts), Lines(PATH, pl.Series("line", [2, 3])))


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["1706708710.5"], r"line 2: 1706708710.5 is no whole number"),
        (["1706708710.0", "1706708711.25"], r"line 3: 1706708711.25 is no whole number"),
        (["1.7067087105e9"], r"line 2: 1706708710.5 is no whole number"),
        (["1.70671E+12", "1.70671E+12"], r"line 2: '1.70671E\+12' .* no whole minute.* lost digits"),
    ],
)
def test_counts_that_are_not_whole_are_refused(texts: list[str], message: str) -> None:
    with pytest.raises(VendorError, match=message):
        _read(texts)


def test_rows_at_epoch_zero_stay_for_cleaning() -> None:
    read = read_epochs(pl.Series([1706708710000, 0, 1706712310000]), Lines(PATH, pl.Series("line", [2, 3, 4])))
    assert read.values.dt.year().to_list() == [2024, 1970, 2024]
    assert _read(["0", "1706708710"]).values.dt.year().to_list() == [1970, 2024]
    with pytest.raises(VendorError, match="line 3: 'x' is not a time like '1706708710', a number since 1970"):
        _read(["1706708710", "x"])


def test_dukascopy_may_be_declared_month_first(tmp_path: Path) -> None:
    times = pl.datetime_range(pl.datetime(2024, 5, 1), pl.datetime(2024, 5, 3, 23), "1h", eager=True)
    bars = walk(times, seed=0, pair="EURUSD")
    columns = [
        pl.col("timestamp").dt.strftime("%m.%d.%Y %H:%M:%S.000").alias("Gmt time"),
        "open",
        "high",
        "low",
        "close",
    ]
    bars.select(columns).write_csv(tmp_path / "x.csv")
    assert read_bars(tmp_path / "x.csv", "EURUSD").bars["timestamp"].dt.month().unique().to_list() == [1, 2, 3]
    read = read_bars(tmp_path / "x.csv", "EURUSD", format="dukascopy_csv:month_first")
    assert read.bars["timestamp"].dt.month().unique().to_list() == [5]
