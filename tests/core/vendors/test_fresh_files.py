"""Kinds of public files that were read wrong, or refused with a wrong word, when drawn afresh; the numbers are ours."""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from golden_core.vendors.base import VendorError


def _days(count: int, price: float, weekdays: Sequence[int] = range(5)) -> Iterator[tuple[dt.date, list[float]]]:
    """Yield days from Monday 3 January 2022 on, each with open, high, low and close of its moves."""
    draw, day, now = random.Random(4), dt.date(2022, 1, 3), price
    while count:
        if day.weekday() in weekdays:
            moves = [now]
            for _ in range(12):
                moves.append(moves[-1] * (1 + draw.gauss(0, 0.001)))
            now, count = moves[-1], count - 1
            yield day, [round(one, 4) for one in (moves[0], max(moves), min(moves), moves[-1])]
        day += dt.timedelta(days=1)


def _series(name: str, price: float = 5.1) -> list[str]:
    return [f"date,{name}", *(f"{day},{bar[3]}" for day, bar in _days(40, price))]


@pytest.mark.parametrize(
    ("name", "asked", "own"),
    [
        ("USDBRL", "BRLUSD", "USDBRL"),
        ("usd_idr", "IDRUSD", "USDIDR"),
        ("jpy_twd_rate", "TWDJPY", "JPYTWD"),
        ("DEXBZUS", "BRLUSD", "USDBRL"),
        ("DEXTAUS", "USDMYR", "USDTWD"),
        ("USD/VND", "USDIDR", "USDVND"),
        ("USDFJD", "FJDUSD", "USDFJD"),
    ],
)
def test_a_price_is_of_the_pair_that_its_column_names_whatever_the_currency(
    name: str, asked: str, own: str, parse: Any
) -> None:
    with pytest.raises(VendorError, match=rf"called '{name}', but {asked} is asked for"):
        parse(_series(name), asked)
    assert parse(_series(name), own).bars.height == 40


def test_a_files_name_says_which_way_round_its_prices_are(parse: Any) -> None:
    with pytest.raises(VendorError, match="the name of the file says USDBRL, but BRLUSD is asked for"):
        parse(_series("price"), "BRLUSD", "USD_BRL Historical Data.csv")


@pytest.mark.parametrize("names", ["base,quote", "from_currency,to_currency", "Base Currency,Target Currency"])
def test_columns_of_base_and_quote_say_which_way_round_prices_are(names: str, parse: Any) -> None:
    lines = [f"date,{names},open,high,low,close"]
    lines += [f"{day},USD,CHF,{','.join(map(str, bar))}" for day, bar in _days(40, 0.98)]
    for one, code in zip(names.split(","), ("USD", "CHF"), strict=True):
        alone = [line.replace(f"{one},", "").replace(f",{one}", "").replace(f",{code}", "") for line in lines]
        assert parse(alone, "USDCHF").bars.height == 40
        with pytest.raises(VendorError, match=r"column '.*' says '\w+', but CHFUSD is asked for"):
            parse(alone, "CHFUSD")
    assert parse(lines, "USDCHF").bars.height == 40


@pytest.mark.parametrize(
    "names",
    [
        "USDBRL Último,USDBRL Abertura,USDBRL Máxima,USDBRL Mínima",
        "Último USDBRL,Apertura USDBRL,Máximo USDBRL,Mínimo USDBRL",
        "USDBRL終値,USDBRL始値,USDBRL高値,USDBRL安値",
        "USDBRL_Schluss,USDBRL_Eröffnung,USDBRL_Höchst,USDBRL_Tief",
    ],
)
def test_names_that_hold_their_pair_may_be_of_any_tongue(names: str, parse: Any) -> None:
    days = list(_days(40, 5.1))
    rows = [f"{day},{bar[3]},{bar[0]},{bar[1]},{bar[2]}" for day, bar in days]
    bars = parse([f"Data,{names}", *rows], "USDBRL").bars
    assert bars.select("open", "high", "low", "close").rows() == [tuple(bar) for _, bar in days]


def test_json_within_a_text_of_json_is_told(parse: Any) -> None:
    within = json.dumps([{"date": str(day), "open": bar[0]} for day, bar in _days(9, 1.1)])
    with pytest.raises(VendorError, match="JSON within a text of JSON; write what the text holds"):
        parse(json.dumps(within), name="x.json")


def test_a_year_behind_an_apostrophe_is_told(parse: Any) -> None:
    rows = [f"{day:%a %d %b '%y},{','.join(map(str, bar))}" for day, bar in _days(9, 1.1)]
    with pytest.raises(VendorError, match=r"line 2: \"03 Jan '22\" is not a time with a year of four digits"):
        parse(["date,open,high,low,close", *rows])


def test_prices_of_six_digits_are_no_time_of_day(parse: Any) -> None:
    """A day that has its time of day already needs no other; that column calls itself by its clock."""
    first = dt.datetime(2024, 3, 5, 6, tzinfo=dt.UTC)
    rows = [f"{first + dt.timedelta(minutes=5 * bar):%Y.%m.%d %H:%M},112918,112925,112906,112908" for bar in range(9)]
    with pytest.raises(VendorError, match=r"--column timestamp=when \("):
        parse(["when,open,max,min,close", *rows])
    read = parse(["UTC,open,max,min,close", *rows], zone=None)
    assert read.bars.row(0)[1:6:2] == (first, 1.12918, 1.12906)
    assert "the header 'UTC' states the clock UTC" in read.notes


def test_columns_without_names_behind_a_table_hinder_nothing(parse: Any) -> None:
    """As a spreadsheet pads its rows; only the first column without a name is an index."""
    rows = [f"{day:%d-%b-%Y},{bar[3]},61.40,,," for day, bar in _days(40, 0.68)]
    lines = ["Series ID,FXRUSD,FXRTWI,,,", *rows]
    with pytest.raises(VendorError, match=r"--column 'timestamp=Series ID' --column close=NAME"):
        parse(lines, "AUDUSD")
    read = parse(lines, "AUDUSD", columns={"timestamp": "Series ID", "close": "FXRUSD"})
    assert read.bars["close"].to_list() == [bar[3] for _, bar in _days(40, 0.68)]


def test_the_order_of_the_rows_decides_where_every_order_has_weekends(parse: Any) -> None:
    """Months by their first day: read as days they would be those of January."""
    months = [dt.date(2022 + month // 12, month % 12 + 1, 1) for month in range(14)]
    rows = [f"{day:%m/%d/%Y},5.13,5.07,5.3,4.9" for day in reversed(months)]
    with pytest.raises(VendorError, match="31 days apart: they are weeks or months"):
        parse(["Date,Price,Open,High,Low", *rows], "USDBRL")


def test_days_of_a_vendor_east_of_the_declared_clock_are_told_from_days_named_by_the_next_one(parse: Any) -> None:
    """In Moscow the last hours of a Friday are a Saturday's: a day taken off every date would tell each too early."""
    lines = ["date,open,high,low,close", *(f"{d},{','.join(map(str, bar))}" for d, bar in _days(60, 0.9, range(6)))]
    with pytest.raises(ValueError, match=r"On a clock ahead .* such as Europe/Moscow or Asia/Tokyo") as caught:
        parse(lines)
    assert "take a day off" not in str(caught.value)
    assert parse(lines, zone="Europe/Moscow").bars.height == 60
