"""Every format by the example that documents it, and what people download: thousands, month names, tickers, gaps."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from golden_core.bars.reading import read_bars
from golden_core.store.lake import PROJECT_ROOT
from golden_core.vendors import GENERAL, READERS, reader
from golden_core.vendors.base import VendorError
from golden_core.vendors.detect import detect

BINARY = {"bi5", "hst", "plain_parquet"}
TEXT = sorted(set(READERS) - BINARY)
MARCH = [dt.datetime(2024, 3, day, tzinfo=dt.UTC) for day in (13, 14, 15)]


def _write(folder: Path, text: str, name: str = "x") -> Path:
    (folder / name).write_text(text)
    return folder / name


@pytest.mark.parametrize("name", TEXT)
def test_an_example_is_claimed_by_its_format_alone_and_read(name: str, tmp_path: Path) -> None:
    path = _write(tmp_path, reader(name).example + "\n")
    group = [other for other in READERS if (other in GENERAL) == (name in GENERAL)]
    assert [other for other in group if reader(other).sniff(path)] == [name]
    zone = "EET" if name == "metatrader4_csv" else None
    zone = zone or (None if reader(name).read(path, "EURUSD").clock else "UTC")
    read = read_bars(path, "EURUSD", zone=zone)
    assert read.claim.format == name
    assert read.bars["timestamp"][0].date() in (day.date() for day in MARCH)
    assert read.bars["close"].is_between(1.08, 1.1).all()


@pytest.mark.parametrize("name", sorted(READERS))
def test_every_format_is_in_the_documentation_with_its_example(name: str) -> None:
    text = (PROJECT_ROOT / "docs" / "vendors.md").read_text(encoding="utf-8")
    assert f"| `{name}` |" in text
    assert reader(name).example.replace("\t", "→") in text


# Investing.com

THOUSANDS = """"Date","Price","Open","High","Low","Vol.","Change %"
"03/15/2024","15,610.0","15,590.0","15,640.0","15,575.0","","0.13%"
"03/14/2024","15,590.0","15,580.0","15,600.0","15,560.0","1.2K","0.06%"
"03/13/2024","15,580.0","15,545.0","15,590.0","15,540.0","","0.22%"
"""


def test_quoted_thousands(parse: Any) -> None:
    read = parse(THOUSANDS, "USDIDR")
    assert (read.claim.format, read.bar, read.bars["timestamp"].to_list()) == ("plain_csv", "1d", MARCH)
    assert (
        read.bars.row(2, named=True).items()
        >= {"open": 15590.0, "high": 15640.0, "low": 15575.0, "close": 15610.0}.items()
    )
    assert "commas part thousands" in read.notes


def test_a_single_comma_stays_the_decimal_mark(parse: Any) -> None:
    rows = [f"2024-03-{day};1,093;1,095;1,091;1,094" for day in (13, 14, 15)]
    read = parse("\n".join(["date;open;high;low;close", *rows]))
    assert read.bars["close"].to_list() == [1.094] * 3


@pytest.mark.parametrize("month", ["Mar", "Jul"])
def test_days_with_the_name_of_their_month(month: str, parse: Any) -> None:
    rows = [f'"{month} {day}, 2024","1.0890","1.0880","1.0900","1.0870","0.09%"' for day in (15, 14, 13)]
    read = parse("\n".join(['"Date","Price","Open","High","Low","Change %"', *rows]))
    assert read.bars["timestamp"].dt.strftime("%b %d").to_list() == [f"{month} {day}" for day in (13, 14, 15)]


# yfinance

TICKERS = """Price,Close,High,Low,Open,Volume
Ticker,EURUSD=X,EURUSD=X,EURUSD=X,EURUSD=X,EURUSD=X
{time},,,,,
{first},1.0945,1.0960,1.0920,1.0925,0
{second},1.0880,1.0950,1.0875,1.0945,0
"""


@pytest.mark.parametrize(
    ("time", "first", "second", "bar"),
    [
        ("Date", "2024-03-13", "2024-03-14", "1d"),
        ("Datetime", "2024-03-13 10:00:00+00:00", "2024-03-13 11:00:00+00:00", "1h"),
    ],
)
def test_three_header_rows(time: str, first: str, second: str, bar: str, parse: Any) -> None:
    text = TICKERS.format(time=time, first=first, second=second)
    read = parse(text)
    assert (read.claim.format, read.bar, read.bars["open"].to_list()) == ("yfinance_csv", bar, [1.0925, 1.0945])
    with pytest.raises(VendorError, match="the instrument is 'EURUSD', but GBPUSD is asked for"):
        parse(text, "GBPUSD")
    with pytest.raises(VendorError, match=r"line 4: column 'Close': 'x' is not a number"):
        parse(text.replace("1.0945,1.0960", "x,1.0960"))


# Series of closes


@pytest.mark.parametrize("missing", [".", "", "NA", "ND"])
def test_a_fixing_that_was_not_made_is_no_bar(missing: str, parse: Any) -> None:
    read = parse(f"observation_date,DEXUSEU\n2024-03-13,1.0945\n2024-03-14,{missing}\n2024-03-15,1.0890\n")
    assert (read.claim.format, read.bar) == ("series_csv", "1d")
    assert read.bars.select("timestamp", "close").rows() == [(MARCH[0], 1.0945), (MARCH[2], 1.0890)]
    assert not {"open", "high", "low"} & set(read.bars.drop_nulls().columns) or read.bars["open"].null_count() == 2
    assert "1 days have no price and are left out" in read.notes


def test_a_series_that_cannot_be_is_refused(parse: Any) -> None:
    with pytest.raises(VendorError, match="no day of 'DEXUSEU' has a price"):
        parse("observation_date,DEXUSEU\n2024-03-13,.\n")
    with pytest.raises(VendorError, match="line 3: column 'close': 'x' is not a number"):
        parse("DATE,DEXUSEU\n2024-03-13,1.09\n2024-03-14,x\n")
    hours = "\n".join(f"2024-03-13 {hour:02d}:00,1.09" for hour in range(24))
    with pytest.raises(
        VendorError, match=r"is read as of days, but its rows are 1:00:00 apart .*--column timestamp=time"
    ):
        parse(f"time,EURUSD\n{hours}\n")


# Ticks


def test_truefx(tmp_path: Path) -> None:
    text = "".join(f"EUR/USD,20240315 10:00:{s:02d}.{s:03d},1.088{s:02d},1.089{s:02d}\n" for s in range(20))
    read = read_bars(_write(tmp_path, text), "EURUSD")
    assert (read.claim.format, read.zone, read.bar, read.side) == ("truefx_ticks", "UTC", "1m", "bid")
    assert read.bars.select("open", "high", "low", "close").rows() == [(1.088, 1.08819, 1.088, 1.08819)]
    assert read_bars(tmp_path / "x", "EURUSD", format="truefx_ticks:ask").bars["open"].to_list() == [1.089]
    with pytest.raises(VendorError, match="column 'instrument' says 'EUR/USD', but USDJPY is asked for"):
        read_bars(tmp_path / "x", "USDJPY")


@pytest.mark.parametrize("form", ["csv", "json"])
def test_ticks_of_dukascopy_node(form: str, tmp_path: Path) -> None:
    names = ("timestamp", "askPrice", "bidPrice", "askVolume", "bidVolume")
    rows = [(1710496800000 + 250 * i, 1.0892, 1.089, 2.0, 1.0) for i in range(4)]
    lines = [",".join(map(str, row)) for row in (names, *rows)]
    text = "\n".join(lines) if form == "csv" else json.dumps([dict(zip(names, row, strict=True)) for row in rows])
    read = read_bars(_write(tmp_path, text), "EURUSD")
    assert read.bars.select("close", "volume").rows() == [(1.089, 4.0)]
    ask = read_bars(tmp_path / "x", "EURUSD", format=f"{read.claim.format}:ask").bars
    assert ask.select("close", "volume").rows() == [(1.0892, 8.0)]


# JSON


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("alphavantage_json", '"EUR"', '"GBP"', "the instrument is 'GBPUSD', but EURUSD is asked for"),
        ("alphavantage_json", "Time Series FX (Daily)", "Note", "expected an object with a 'Time Series'"),
        (
            "alphavantage_json",
            '"1. open": "1.0945"',
            '"1. open": "high"',
            "candle 2: column 'open': 'high' is not a",
        ),
        ("alphavantage_json", '"1. open": "1.0945", ', "", "candle 2 has no usable open"),
        ("ccxt_json", "1.0893, 1.0885, 1.08911, 5375.58", "1.0893", "candle 2 has no usable low"),
        ("ccxt_json", "[1710500400000, 1.08874, 1.0893, 1.0885, 1.08911, 5375.58]", "7", "candle 2 has no usable time"),
        ("dukascopy_node_json", '"close": 1.08911', '"shut": 1.08911', "record 2 has no usable close"),
        ("dukascopy_node_json", '"close": 1.08911}]', '"close": 1.08911', "the JSON is broken or cut off"),
    ],
)
def test_a_malformed_answer_is_refused(name: str, old: str, new: str, message: str, tmp_path: Path) -> None:
    example = reader(name).example
    assert old in example
    with pytest.raises(VendorError, match=message.replace("(", r"\(")):
        reader(name).read(_write(tmp_path, example.replace(old, new)), "EURUSD")


def test_an_answer_states_its_clock(tmp_path: Path) -> None:
    text = reader("alphavantage_json").example.replace('Zone": "UTC"', 'Zone": "US/Eastern"')
    assert read_bars(_write(tmp_path, text), "EURUSD").zone == "US/Eastern"


# Columns declared by their place

PLACES = {"timestamp": "1", "open": "2", "high": "3", "low": "4", "close": "5"}
ROWS = "2024-03-13;1.0925;1.0960;1.0920;1.0945;7\n2024-03-14;1.0945;1.0950;1.0875;1.0880;8\n"


@pytest.mark.parametrize("header", ["", "a;b;c;d;e;f\n"])
def test_columns_by_their_place(header: str, parse: Any) -> None:
    read = parse(header + ROWS, columns=PLACES)
    assert read.bars.select("open", "close").rows() == [(1.0925, 1.0945), (1.0945, 1.0880)]
    assert "volume" not in read.bars.columns or read.bars["volume"].null_count() == 2
    assert parse(header + ROWS, columns=PLACES | {"volume": "6"}).bars["volume"].to_list() == [7.0, 8.0]
    closes = parse(header + ROWS, columns={"timestamp": "1", "close": "5"})
    assert closes.bars["close"].to_list() == [1.0945, 1.0880]
    with pytest.raises(VendorError, match="has no column '9' for close"):
        parse(header + ROWS, columns=PLACES | {"close": "9"})


# Names and numbers


@pytest.mark.parametrize("name", ["EURJPYh1", "EURJPYm", "EURJPYpro", "EURJPY.r", "EURJPY_M15", "eurjpyH4"])
def test_what_brokers_put_behind_a_pair(name: str, tmp_path: Path) -> None:
    rows = [f"2024-03-13 0{hour}:00:00,161.0,161.2,160.9,161.1" for hour in range(3)]
    path = _write(tmp_path, "\n".join(["time,open,high,low,close", *rows]), f"{name}.csv")
    assert detect(path, "EURJPY")[1].format == "plain_csv"
    with pytest.raises(VendorError, match="the name of the file says EURJPY, but EURUSD is asked for"):
        detect(path, "EURUSD")


def test_dust_on_whole_numbers_is_no_decimal(parse: Any) -> None:
    rows = [
        "2024-03-13 00:00:00,161000.0,161200.0,160900.0,161100.0",
        "2024-03-13 01:00:00,161100.0,161250.00000000003,161050.0,161210.0",
        "2024-03-13 02:00:00,161210.0,161300.0,161100.0,161150.0",
    ]
    read = parse("\n".join(["time,open,high,low,close", *rows]), "EURJPY")
    assert (read.divisor, read.bars["high"].to_list()) == (1000, [161.2, 161.25, 161.3])
    with pytest.raises(VendorError, match="is none of EURJPY"):
        parse("\n".join(["time,open,high,low,close", *rows]).replace("00003", "3"), "EURJPY")


# MetaTrader's ticks, and names of Bloomberg, Refinitiv and pandas

MT5_TICKS = "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>\n"
QUOTES = [("00.371", "1.0890", ""), ("01.042", "", "1.0893"), ("31.500", "1.0880", ""), ("59.900", "", "1.0891")]


def test_a_tick_of_one_side_leaves_the_other_as_it_was(parse: Any) -> None:
    """What a side was before it was first quoted, nobody knows; after that it is the last one, never the next."""
    rows = [f"2024.03.15\t10:00:{second}\t{bid}\t{ask}\t\t\t6\n" for second, bid, ask in QUOTES]
    read = parse(MT5_TICKS + "".join(rows), format="metatrader5_ticks:ask")
    assert read.bars.select("open", "high", "low", "close").rows() == [(1.0893, 1.0893, 1.0891, 1.0891)]
    assert "1 ticks before both sides were quoted are left out" in read.notes
    bid = parse(MT5_TICKS + "".join(rows))
    assert (bid.claim.format, bid.bars.select("open", "close").rows()) == ("metatrader5_ticks", [(1.0890, 1.0880)])
    later = "2024.03.15\t10:01:02.000\t1.0950\t1.0953\t\t\t6\n"
    for side, before in (("ask", read), ("bid", bid)):
        longer = parse(MT5_TICKS + "".join(rows) + later, format=f"metatrader5_ticks:{side}")
        assert longer.bars.head(1).equals(before.bars), "what comes later changes nothing before it"
    with pytest.raises(VendorError, match=r"ticks are not in the order of time, .* export them again"):
        parse(MT5_TICKS + "".join(rows[::-1]))
    with pytest.raises(VendorError, match=r"x.csv: .* or one side is never quoted"):
        parse(MT5_TICKS + rows[0] + rows[2])
    with pytest.raises(VendorError, match="no column is called bid"):
        parse(THOUSANDS, format="metatrader5_ticks")


@pytest.mark.parametrize(
    "header",
    [
        "Date,PX_OPEN,PX_HIGH,PX_LOW,PX_LAST",
        "Exchange Date,Open,High,Low,Last Price",
        "Dates,Open,High,Low,Close",
        "time,mid.o,mid.h,mid.l,mid.c",
        "time,bid.o,bid.h,bid.l,bid.c",
    ],
)
def test_names_of_terminals_and_of_flattened_json(header: str, parse: Any) -> None:
    rows = [f"2024-03-{day},1.0880,1.0900,1.0870,1.0890" for day in (13, 14, 15)]
    read = parse("\n".join([header, *rows, "2024-03-18,1.0880,#N/A N/A,1.0870,1.0890"]))
    assert (read.bars["close"].to_list(), read.bars["timestamp"].to_list()[:3]) == ([1.089] * 4, MARCH)
    assert read.bars["high"].to_list()[3] is None
