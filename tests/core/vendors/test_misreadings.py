"""Files that could be taken for what they are not, silently: each is refused, or read as what it is."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from support.text_files import hourly

from golden_core.bars.reading import read_bars
from golden_core.vendors import reader
from golden_core.vendors.base import VendorError

HOURS = hourly("2024-03-03", 6).with_columns(pl.col("timestamp").dt.replace_time_zone(None))
HEADER = "time,open,high,low,close"
PRICES_OF_HOURS = ("open", "high", "low", "close")
PRICES = "1.0925,1.0960,1.0920,1.0945"


def _rows(form: str = "%Y-%m-%d %H:%M", sep: str = ",") -> list[str]:
    bars = HOURS.select("timestamp", "open", "high", "low", "close").rows()
    return [sep.join([time.strftime(form), *(f"{price:.5f}" for price in prices)]) for time, *prices in bars]


# Times


@pytest.mark.parametrize(
    ("wrong", "right"), [("%m/%d/%Y", "%d/%m/%Y"), ("%d.%m.%Y", "%m.%d.%Y"), ("%Y-%d-%m", "%Y-%m-%d")]
)
def test_days_that_a_spreadsheet_or_pandas_turned_round_are_refused(
    wrong: str, right: str, parse: Any, tmp_path: Path
) -> None:
    """It takes the days that it can for its own country's, and leaves the others as text."""
    mixed, plain, days = _rows(f"{wrong} %H:%M"), _rows(f"{right} %H:%M"), HOURS["timestamp"].dt.day()
    rows = [m if day <= 12 else p for day, m, p in zip(days, mixed, plain, strict=True)]
    for order in (rows, rows[::-1]):
        with pytest.raises(VendorError, match=r"line \d+: '.*' is written in the other order .* export the file again"):
            parse([HEADER, *order])
    for order in (plain, [*plain[200:], *plain[:200]]):  # out of order is not the other order
        assert parse([HEADER, *order]).bars.height == HOURS.height
    table = pl.read_csv(tmp_path / "x.csv").with_columns(pl.Series("time", [row.split(",")[0] for row in rows]))
    table.with_columns(pl.col("time").str.to_datetime(f"{right} %H:%M")).write_parquet(tmp_path / "x.parquet")
    with pytest.raises(VendorError, match=r"row \d+: '.*' is written in the other order"):
        read_bars(tmp_path / "x.parquet", "EURUSD", zone="UTC")


@pytest.mark.parametrize(
    ("text", "form"), [("DATE,DEXUSEU", "%Y-%m-%d"), ("Date,Price,Open,High,Low,Change %", "%b %d, %Y")]
)
@pytest.mark.parametrize(("days", "count"), [(7, 30), (31, 12)])
def test_weeks_and_months_are_no_days(text: str, form: str, days: int, count: int, parse: Any) -> None:
    """A month's mean, dated its first day, would be known on the second."""
    times = [(dt.date(2020, 1, 6) + dt.timedelta(days=days * i)).strftime(form) for i in range(count)]
    cells = "1.09" if text.startswith("DATE") else "1.0890,1.0880,1.0900,1.0870,0.09%"
    with pytest.raises(VendorError, match=r"most bars are \d+ days apart: they are weeks or months, .* export days"):
        parse([text, *(f'"{time}",{cells}' for time in times)])


def test_days_that_end_in_weeks_are_refused(parse: Any) -> None:
    days = [dt.date(2020, 1, 6) + dt.timedelta(days=day) for day in (*range(60), *range(63, 300, 7))]
    with pytest.raises(VendorError, match="weeks or months apart"):
        parse(["DATE,DEXUSEU", *(f"{day},1.09" for day in days)])


@pytest.mark.parametrize("text", ["13-Mar-2024", "13 Mar 2024", "Mar 13, 2024"])
def test_months_by_name_have_one_reading(text: str, parse: Any) -> None:
    read = parse(["Date,XUDLUSS", f'"{text}",1.09', f'"{text.replace("13", "14")}",1.09'])
    assert read.bars["timestamp"].dt.date().to_list() == [dt.date(2024, 3, 13), dt.date(2024, 3, 14)]


@pytest.mark.parametrize(
    ("header", "declared"), [("Datum;Zeit;A;B;C;D", "Datum+Zeit"), ("", "1+2"), ("a;b;c;d;e;f", "1+2")]
)
def test_day_and_time_of_day_are_declared_together(header: str, declared: str, parse: Any, tmp_path: Path) -> None:
    names = ("3", "4", "5", "6") if declared == "1+2" else ("A", "B", "C", "D")
    columns = {"timestamp": declared} | dict(zip(("open", "high", "low", "close"), names, strict=True))
    read = parse([*([header] if header else []), *_rows("%d.%m.%Y;%H:%M", ";")], columns=columns)
    assert read.bars["timestamp"].dt.replace_time_zone(None).equals(HOURS["timestamp"])
    with pytest.raises(VendorError, match=r"has no column '\w+' for timestamp"):
        read_bars(tmp_path / "x.csv", "EURUSD", columns=columns | {"timestamp": f"{declared}t"})


@pytest.mark.parametrize("fault", ["%Y-%m-%d %I:%M", "BID ASK"])
def test_afternoons_read_as_mornings_and_two_sides_in_one_are_refused(fault: str, parse: Any) -> None:
    rows = _rows(fault) if "%" in fault else [row for one in _rows() for row in (one, f"{one[:-1]}9")]
    with pytest.raises(VendorError, match=r"\d+ rows have only \d+ times: .* AM and PM.* both sides"):
        parse([HEADER, *rows])
    assert parse([HEADER, *_rows(), *_rows()]).bars.height == 2 * HOURS.height  # the same rows again


@pytest.mark.parametrize("year", [1, 1969, 9999])
def test_typed_times_have_the_years_of_written_ones(year: int, tmp_path: Path) -> None:
    wild = pl.when(pl.int_range(pl.len()) == 5).then(pl.datetime(year, 1, 1)).otherwise("timestamp")
    HOURS.with_columns(timestamp=wild).write_parquet(tmp_path / "x.parquet")
    with pytest.raises(VendorError, match=rf"row 6: '{year:04}-01-01 .*' is not a time between 1970 and 2100"):
        read_bars(tmp_path / "x.parquet", "EURUSD", zone="UTC")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_count_beyond_all_counts_is_refused(suffix: str, tmp_path: Path) -> None:
    counts = pl.lit(9_999_999_999_999_999_999, dtype=pl.UInt64).alias("timestamp")
    getattr(HOURS.with_columns(counts), f"write_{suffix}")(tmp_path / "x")
    with pytest.raises(VendorError, match=r"(line 2|row 1): .* is no time"):
        read_bars(tmp_path / "x", "EURUSD")


# Which pair


@pytest.mark.parametrize("name", ["market", "currency_pair", "Symbol name"])
def test_a_column_of_pairs_is_believed_whatever_its_name(name: str, parse: Any) -> None:
    both = [f"{pair},{row}" for pair in ("EUR/USD", "GBP/USD") for row in _rows()]
    for rows in (both, both[HOURS.height :]):
        with pytest.raises(VendorError, match=f"column '{name}' says 'GBP/USD', but EURUSD is asked for"):
            parse([f"{name},{HEADER}", *rows])
    for rows in (both[: HOURS.height], [f"ACTIVE,{row}" for row in _rows()]):
        assert parse([f"state,{HEADER}", *rows]).bars.height == HOURS.height


def test_the_inverse_of_a_known_pair_is_known(parse: Any) -> None:
    lines = [HEADER, *(f"2024-03-1{day},150.1,150.9,149.8,150.2" for day in (3, 4, 5))]
    with pytest.raises(VendorError, match=r"is none of JPYUSD, which lies between 0.00263\d* and 0.0153\d*"):
        parse(lines, "JPYUSD")
    assert parse(lines, "USDJPY").divisor == 1


def test_yahoos_short_ticker_counts_from_the_dollar(parse: Any) -> None:
    lines = reader("yfinance_csv").example.replace("EURUSD=X", "JPY=X").replace("1.0", "150.").splitlines()
    assert parse(lines, "USDJPY").bars.height == 2
    with pytest.raises(VendorError, match="the instrument is 'USDJPY', but EURJPY is asked for"):
        parse(lines, "EURJPY")


# Numbers


def test_points_in_prices_make_commas_in_volumes_thousands(parse: Any) -> None:
    header, row = "time;open;high;low;close;volume", PRICES.replace(",", ";")
    lines = [header, *(f"2024-03-1{day};{row};4,148" for day in (3, 4, 5))]
    assert parse(lines).bars["volume"].to_list() == [4148.0] * 3


@pytest.mark.parametrize("text", ["１.0960", "１,0960", "١,096"])
def test_digits_of_other_scripts_are_refused(text: str, parse: Any) -> None:
    rows = [f"2024-03-13;1,0925;{text};1,0920;1,0945", "2024-03-14;1,0925;1,0960;1,0920;1,0945"]
    with pytest.raises(VendorError, match=f"line 2: column 'high': '{text}' is not a number"):
        parse(["date;open;high;low;close", *rows])


def test_one_column_is_not_two_prices(parse: Any) -> None:
    with pytest.raises(VendorError, match=r"column 'close' is declared to be the open and the close; declare another"):
        parse([HEADER, *_rows()], columns={"open": "close"})


@pytest.mark.parametrize("empty", ["", "NaN"])
def test_a_price_that_no_row_has_is_refused(empty: str, parse: Any) -> None:
    rows = [f"2024-03-1{day},1.0925,1.0960,1.0920,{empty}" for day in (3, 4, 5)]
    with pytest.raises(VendorError, match=r"column 'close' holds no number in any row; declare another"):
        parse(["date,open,high,low,close", *rows])


def test_a_stray_line_end_or_quote_is_refused_with_its_line(parse: Any) -> None:
    row = '"03/{}/2024","15,610.0","15,590.0","15,640.0","15,575.0","0.13%"'
    lines = ['"Date","Price","Open","High","Low","Change %"', *(row.format(day) for day in (15, 14, 13, 12))]
    for fault in ("0.13%\r,x", '"0.13%' + "x" * 200_000):
        with pytest.raises(VendorError, match=r"x\.csv: line [45]: (2 fields where the first|field larger than)"):
            parse([*lines[:3], lines[3].replace('"0.13%"', fault), lines[4]], "USDIDR")
    assert parse(["\r".join(lines[:3]), *lines[3:]], "USDIDR").bars.height == 4


# JSON


@pytest.mark.parametrize("whole", [None, True])
def test_a_candle_that_is_not_over_is_seen_wherever_the_first_says_nothing(whole: bool | None, parse: Any) -> None:
    times = [f"2024-03-15T1{hour}:00:00Z" for hour in range(4)]
    prices = {"o": "1.088", "h": "1.089", "l": "1.087", "c": "1.088"}
    candles: list[dict[str, Any]] = [{"time": time, "complete": True, "mid": prices} for time in times]
    candles[0] |= {"complete": whole}
    candles[-1]["complete"] = False
    text = json.dumps({"instrument": "EUR_USD", "granularity": "H1", "candles": candles})
    if whole:
        assert parse([text]).left_out.height == 1
    else:
        with pytest.raises(VendorError, match="candle 1 has no usable complete"):
            parse([text])


@pytest.mark.parametrize("text", ["[1]", "null", '"no"', "7", "{}", '{"results": {}}', '{"Time Series": 1}', "[[]]"])
@pytest.mark.parametrize("name", ["alphavantage_json", "ccxt_json", "dukascopy_node_json", "oanda_json"])
def test_json_of_another_kind_is_refused(name: str, text: str, parse: Any) -> None:
    with pytest.raises(VendorError, match=r"x\.csv: .*(save the (whole )?answer|request another range)"):
        parse([text], format=name)


@pytest.mark.parametrize("digits", [19, 30, 400, 5000])
@pytest.mark.parametrize("old", ["1710500400000", "1.0893"])
def test_a_number_beyond_all_numbers_is_refused(old: str, digits: int, parse: Any) -> None:
    text = reader("ccxt_json").example.replace(old, "9" * digits)
    with pytest.raises(VendorError, match=r"x\.csv: .*(is no number|not a number|another power|too many digits|scale)"):
        parse([text])


@pytest.mark.parametrize("step", ["1d", "1h", "5m"])
def test_quotes_of_longer_bars_are_no_ticks(step: str, parse: Any) -> None:
    """Read as ticks, a day's bid would be known one minute after midnight."""
    times = pl.datetime_range(pl.datetime(2024, 3, 4), pl.datetime(2024, 3, 8), step, eager=True)
    rows = [f"{time:%Y-%m-%d %H:%M},1.0925,1.0927" for time in times]
    with pytest.raises(VendorError, match=r"no ticks, but quotes of longer bars, .* known at their end"):
        parse(["Date,Bid,Ask", *rows])
    minutes = [f"{time:%Y-%m-%d %H:%M},1.0925,1.0927" for time in HOURS["timestamp"].dt.offset_by("1m")[2:3]]
    assert parse(["Date,Bid,Ask", *minutes]).bar == "1m"


def test_candles_beside_a_bid_and_an_ask_are_candles(parse: Any) -> None:
    read = parse([f"{HEADER},Bid,Ask", *(f"{row},1.0924,1.0926" for row in _rows())])
    assert (read.bar, read.claim.format) == ("1h", "plain_csv")


def test_lines_like_histdatas_with_a_volume_are_not_histdatas(parse: Any) -> None:
    """NinjaTrader writes the same, on another clock; HistData's volume is always 0."""
    rows = [f"{row};17" for row in _rows("%Y%m%d %H%M%S", ";")[2:20]]
    with pytest.raises(VendorError, match=r"no reader knows this format.*--column timestamp=1 --column open=2"):
        parse(rows)
    assert parse([f"{row[:-3]};0" for row in rows], zone=None).zone == "UTC-05:00"


@pytest.mark.parametrize("suffix", ["json", "parquet"])
def test_counts_as_floats_are_read_where_they_are_whole(suffix: str, tmp_path: Path) -> None:
    counts = [float(time) for time in HOURS["timestamp"].dt.epoch("ms")]
    for extra in (0, 0.5):
        times = [*counts[:-1], counts[-1] + extra]
        if suffix == "json":
            records = [list(row) for row in HOURS.select(PRICES_OF_HOURS).rows()]
            (tmp_path / "x.json").write_text(json.dumps([[t, *r, 1.0] for t, r in zip(times, records, strict=True)]))
        else:
            HOURS.with_columns(timestamp=pl.Series(times)).write_parquet(tmp_path / "x.parquet")
        if extra:
            with pytest.raises(VendorError, match=rf"(candle|row) {HOURS.height}: \d+\.5 is no whole number"):
                read_bars(tmp_path / f"x.{suffix}", "EURUSD")
            continue
        read = read_bars(tmp_path / f"x.{suffix}", "EURUSD")
        assert read.bars["timestamp"].dt.replace_time_zone(None).equals(HOURS["timestamp"])


@pytest.mark.parametrize(
    ("name", "old", "new", "key"),
    [
        ("oanda_json", '"mid": {', '"mid":\n{"o": "1.1", ', "o"),
        ("alphavantage_json", '"2024-03-14"', '\n\n"2024-03-15"', "2024-03-15"),
        ("dukascopy_node_json", '"low": 1.0885', '"low": 1.0885, "l\\u006fw": 1', "low"),
    ],
)
def test_a_key_twice_in_json_is_refused(name: str, old: str, new: str, key: str, tmp_path: Path) -> None:
    text = reader(name).example
    assert old in text
    for code in ("utf-8", "utf-16"):
        (tmp_path / "x.csv").write_text(text.replace(old, new), encoding=code)
        with pytest.raises(VendorError, match=rf"x\.csv: '{key}' is there twice in one object"):
            read_bars(tmp_path / "x.csv", "EURUSD", format=name)
