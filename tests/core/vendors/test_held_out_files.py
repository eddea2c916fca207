"""What a second, held-out sample of public files showed (2026-11-30): tables of central banks, above all.

The shapes are those files'; every number is invented.
"""

from __future__ import annotations

import datetime as dt
import json
import shlex
from typing import Any

import pytest

from golden_core.market.local_time import ZoneError
from golden_core.vendors.base import VendorError


def _told(refused: pytest.ExceptionInfo[VendorError]) -> dict[str, str]:
    """Return the columns that a message says to declare."""
    options = shlex.split(str(refused.value).split("--format", 1)[1].split(" (in a study")[0])
    return dict(option.split("=", 1) for option in options if "=" in option)


def _days(first: str, weeks: int, days: range) -> list[str]:
    start = dt.date.fromisoformat(first)
    return [str(start + dt.timedelta(days=7 * week + day)) for week in range(weeks) for day in days]


# Silent misreadings


@pytest.mark.parametrize("first", ["evening", "day"])
def test_a_season_of_days_named_by_their_evening_is_refused(first: str, parse: Any) -> None:
    """Yahoo's days of London cut to dates of UTC: in summer each would be known a day too early."""
    evening, day = _days("2023-10-01", 4, range(5)), _days("2023-10-30", 12, range(5))
    if first == "day":
        evening, day = _days("2024-03-31", 4, range(5)), _days("2024-01-08", 12, range(5))
    rows = [f"{one},1.09,1.10,1.08,1.095" for one in sorted([*evening, *day])]
    with pytest.raises(
        ZoneError,
        match=r"weeks begin with a Sunday and lack their last day, 3 or more in a row from the week to Thursday",
    ):
        parse(["Date,Open,High,Low,Close", *rows])


def test_a_good_friday_and_two_holidays_in_a_row_are_no_season(parse: Any) -> None:
    days = [*_days("2023-12-03", 10, range(6))]
    for friday in ("2023-12-22", "2023-12-29", "2024-01-26"):
        days.remove(friday)
    assert parse(["Date,Open,High,Low,Close", *(f"{one},1.09,1.10,1.08,1.095" for one in days)]).bars.height == 57


CURRENCIES = ["Datum|1 CAD|1 CHF|1 DKK|1 EUR|100 JPY", "15.03.2024|16,93|26,52|3,15|24,68|15,86",
              "18.03.2024|16,94|26,53|3,14|24,69|15,87"]  # fmt: skip


def test_prices_of_four_currencies_are_no_candle(parse: Any) -> None:
    with pytest.raises(VendorError, match="no reader knows this format") as refused:
        parse(CURRENCIES, pair="EURCZK")
    assert _told(refused) == {"close": "NAME"}
    columns = dict(zip(("open", "high", "low", "close"), ("1 CAD", "1 CHF", "1 DKK", "1 EUR"), strict=True))
    with pytest.raises(VendorError, match="its price is called '1 CAD', but EURCZK is asked for"):
        parse(CURRENCIES, pair="EURCZK", columns=columns)
    days = [line.replace("18.", "16.") for line in CURRENCIES]
    assert parse(days, pair="EURCZK", columns={"close": "1 EUR"}).bars["close"].to_list() == [24.68, 24.69]


@pytest.mark.parametrize("pair", ["AUDUSD", "USDAUD"])
def test_a_column_of_one_currency_does_not_say_which_way_round_it_is(pair: str, parse: Any) -> None:
    rows = ["Date,AUD,NOK", "2024-03-14,1.10,10.4", "2024-03-15,1.11,10.5"]
    said = f"'AUD' names one currency: that its price is of {pair} and not of its inverse, the file does not say"
    assert said in parse(rows, pair=pair, columns={"close": "AUD"}).notes


def test_a_price_of_a_hundred_is_refused(parse: Any) -> None:
    with pytest.raises(VendorError, match="'100 JPY' is the price of several units: write what one costs"):
        parse(CURRENCIES, pair="JPYCZK", columns={"close": "100 JPY"})


@pytest.mark.parametrize(
    ("name", "one", "many"), [("UNIT_MULT", "0", "2"), ("nominal", "1", "100"), ("Multiplier", "1", "10")]
)
def test_a_column_that_says_of_how_many_prices_are_counts(name: str, one: str, many: str, parse: Any) -> None:
    rows = {said: [f"{said};2024-03-{day};106.{day}" for day in (14, 15)] for said in (one, many)}
    header, columns = f"{name};TIME_PERIOD;OBS_VALUE", {"timestamp": "TIME_PERIOD", "close": "OBS_VALUE"}
    with pytest.raises(VendorError, match=rf"line 2: column '{name}' says {many}: .* write what one costs"):
        parse([header, *rows[many]], pair="SEKNOK", columns=columns)
    assert parse([header, *rows[one]], pair="SEKNOK", columns=columns).bars.height == 2


@pytest.mark.parametrize(("codes", "said"), [(("GBP", "GBP"), "'GBP'"), (("USD", "JPY"), "'JPY'")])
def test_a_column_of_currencies_says_of_which_pair_its_rows_are(codes: tuple[str, ...], said: str, parse: Any) -> None:
    columns = {"timestamp": "TIME_PERIOD", "close": "OBS_VALUE"}
    header, rows = (
        "CURRENCY,CURRENCY_DENOM,TIME_PERIOD,OBS_VALUE",
        ["USD,EUR,2024-03-14,1.09", "USD,EUR,2024-03-15,1.10"],
    )
    assert parse([header, *rows], columns=columns).bars.height == 2
    wrong = [row.replace("USD", code) for row, code in zip(rows, codes, strict=True)]
    with pytest.raises(VendorError, match=rf"column 'CURRENCY' says {said}, but EURUSD is asked for"):
        parse([header, *wrong], columns=columns)


# Messages that lead out

PREAMBLES = {
    "boc": (['"NAME","RATES"', '"LINK","https://example.org/"', '"SERIES","1"'], '"date","FXUSDCAD"', ","),
    "rba": (["Title,A$1=USD,Index", "Units,USD,Index", "Source,RBA,RBA"], "Series ID,FXRUSD,FXRTWI", ","),
    "fed": (["Series Description,EURO,BRAZIL", "Multiplier:,1,1"], "Time Period,RXI_N.B.EU,RXI_N.B.BZ", ","),
    "snb": (['"CubeId";"dev"', '"PublishingDate";"2026-03-02"'], '"Date";"D0";"D1";"Value"', ";"),
}


@pytest.mark.parametrize("bank", PREAMBLES)
def test_lines_of_description_above_a_table_are_named_as_what_to_leave_out(bank: str, parse: Any) -> None:
    above, header, mark = PREAMBLES[bank]
    rows = [mark.join([day, *["1.38"] * header.count(mark)]) for day in ("2024-03-14", "2024-03-15")]
    names = header.replace('"', "")
    with pytest.raises(VendorError, match=rf"rows seem to begin below '{names}': leave out the lines above") as refused:
        parse([*above, header, *rows], pair="USDCAD")
    told = _told(refused)
    assert told.get("timestamp", names.split(mark)[0]) == names.split(mark)[0]
    columns = {**told, "close": names.split(mark)[1]}
    assert parse([header, *rows], pair="USDCAD", columns=columns).bars.height == 2


def test_a_few_days_with_a_holiday_are_days(parse: Any) -> None:
    """The middle of two steps, of one day and of two, would be a length that no rows are apart."""
    rows = [f"{day},1.1,1.2,1.0,1.1" for day in ("2024-03-13", "2024-03-14", "2024-03-16")]
    assert parse(["time,open,high,low,close", *rows]).bar == "1d"


@pytest.mark.parametrize("names", ["Year,Month,Day", "年,月,日"])
def test_a_day_in_three_columns_is_told_in_japanese_too(names: str, parse: Any) -> None:
    with pytest.raises(VendorError, match="A day in three columns is not read"):
        parse([f"{names},始値,高値,安値,終値", "2024,3,14,1.1,1.2,1.0,1.1", "2024,3,15,1.1,1.2,1.0,1.1"])


@pytest.mark.parametrize("form", ["{:%Y年%m月%d日 %H:%M}", "{:%Y年%m月%d日%H:%M:%S}"])
def test_days_as_japan_writes_them_are_read(form: str, parse: Any) -> None:
    times = [dt.datetime(2024, 3, 14, hour) for hour in range(3)]  # noqa: DTZ001
    read = parse(["日付,始値,高値,安値,終値", *(f"{form.format(time)},1.1,1.2,1.0,1.1" for time in times)])
    assert (read.bar, str(read.bars["timestamp"][0])) == ("1h", "2024-03-14 00:00:00+00:00")


def test_the_order_of_a_date_is_added_to_the_format_of_detection(parse: Any) -> None:
    rows = ["time,open,high,low,close", *(f"03/04/2024 {hour:02}:00,1.1,1.2,1.0,1.1" for hour in range(3))]
    with pytest.raises(VendorError, match="such as --format auto:day_first"):
        parse(rows)
    assert parse(rows, format="auto:month_first").bars["timestamp"][0].month == 3
    with pytest.raises(VendorError, match="format plain_csv offers only"):
        parse(rows, format="auto:mid")


@pytest.mark.parametrize("within", [True, False])
def test_records_of_json_are_told_as_columns_are(within: bool, parse: Any) -> None:
    records = [{"no": f"{day}/A", "effectiveDay": f"2024-03-{day}", "rateOf": 3.94} for day in (14, 15)]
    text = json.dumps({"table": "A", "rates": records} if within else records)
    with pytest.raises(VendorError, match="no reader knows this format") as refused:
        parse(text, pair="USDPLN", name="x.json")
    assert _told(refused) == {"timestamp": "effectiveDay", "close": "rateOf"}
    assert parse(text, pair="USDPLN", name="x.json", columns=_told(refused)).bars["close"].to_list() == [3.94] * 2


def test_a_table_without_a_day_is_told_so(parse: Any) -> None:
    with pytest.raises(VendorError, match="No column of its first rows seems to hold a day, such as 2024-03-15"):
        parse(["land|amount|code|rate", "EMU|1|EUR|25,12", "USA|1|USD|23,45"], pair="EURCZK")
