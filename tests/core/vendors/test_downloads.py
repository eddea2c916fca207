"""What services and programs write that no format of a vendor's own is for: JSON, remarks, other tongues, no header."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from support.text_files import PRICES, hourly

from golden_core.market.local_time import ZoneError
from golden_core.vendors.base import VendorError

HOURS = hourly("2024-03-03", 2)
ROWS = HOURS.with_columns(pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%SZ").alias("time")).select("time", *PRICES)
EPOCHS = HOURS["timestamp"].dt.epoch("ms").to_list()
RECORDS = ROWS.to_dicts()


def same(found: Any) -> bool:
    return bool(found.bars.select("timestamp", *PRICES).equals(HOURS.select("timestamp", *PRICES)))


def by_name(index: list[Any]) -> dict[str, dict[str, float]]:
    return {name: dict(zip(map(str, index), ROWS[name], strict=True)) for name in PRICES}


FORMS = {
    "records": RECORDS,
    "a list within an answer": {"meta": {"symbol": "EUR/USD", "interval": "1h"}, "values": RECORDS, "status": "ok"},
    "a list further within": {"data": {"count": 2, "bars": RECORDS}, "notes": [{"text": "a"}]},
    "pandas, table": {"schema": {"fields": [{"name": "time"}], "primaryKey": ["time"]}, "data": RECORDS},
    "newest first": RECORDS[::-1],
    "text": [{name: str(value) for name, value in row.items()} for row in RECORDS],
    "with what is no table": [RECORDS[0], *(row | {"tags": ["a"], "source": {"name": "b"}} for row in RECORDS[1:])],
    "lists": {"t": [one // 1000 for one in EPOCHS], **{n[0]: ROWS[n].to_list() for n in PRICES}, "s": "ok"},
    "pandas, columns": by_name(EPOCHS),
    "pandas, index": {str(t): {n: row[n] for n in PRICES} for t, row in zip(EPOCHS, RECORDS, strict=True)},
    "pandas, split": {"columns": list(PRICES), "index": EPOCHS, "data": [[row[n] for n in PRICES] for row in RECORDS]},
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_json_gives_the_same_bars(name: str, parse: Any) -> None:
    found = parse(json.dumps(FORMS[name]), name="x.json")
    assert (found.claim.format, found.bar) == ("plain_json", "1h")
    assert same(found)


def test_an_object_to_a_line(parse: Any) -> None:
    assert same(parse("\n".join(map(json.dumps, RECORDS)) + "\n", name="x.jsonl"))


def test_a_price_of_null_stays_one_that_does_not_exist(parse: Any) -> None:
    found = parse(json.dumps([RECORDS[0] | {"close": None}, *RECORDS[1:]]))
    assert found.bars["close"].null_count() == 1


def test_columns_of_json_are_declared_by_name(parse: Any) -> None:
    renamed = [{"when": row["time"], "px": row["close"], **{n: row[n] for n in PRICES[:3]}} for row in RECORDS]
    assert same(parse(json.dumps(renamed), columns={"timestamp": "when", "close": "px"}))
    with pytest.raises(VendorError, match=r"no time column; there are 'when', 'px'"):
        parse(json.dumps(renamed))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ([{"a": 1}], "holds no table: expected a list of objects, one object to a line"),
        ({"open": 1.0}, "holds no table: expected a list of objects, one object to a line"),
        ({"message": "over the limit", "open": []}, "no table"),
        ({"a": RECORDS, "b": RECORDS}, "holds 2 tables: a, b; keep one"),
        ({**FORMS["lists"], "o": [1.0]}, "no table"),  # type: ignore[dict-item]
        ({**by_name(EPOCHS), "low": {"0": 1.0}}, "no table"),
        ([RECORDS[0], RECORDS[1] | {"close": "1.08"}], r"'close' is 0\.\d+ in record 1 and \"1.08\" in record 2"),
        ([RECORDS[0], RECORDS[1] | {"time": None}], "record 2: there is no time"),
        ({"symbol": "GBPUSD", "values": RECORDS}, "the instrument is 'GBPUSD'"),
        ({"meta": {"symbol": "GBP/USD"}, "values": RECORDS}, "the instrument is 'GBP/USD'"),
        ({"base": "usd", "quote": "CHF", "values": RECORDS}, "the instrument is 'USDCHF'"),
        ({"meta": {"From Currency": "USD", "to": "EUR"}, "values": RECORDS}, "the instrument is 'USDEUR'"),
        ([row | {"symbol": "GBPUSD"} for row in RECORDS], "column 'symbol' says 'GBPUSD'"),
    ],
)
def test_json_that_is_no_table_of_the_pair_is_refused(answer: Any, said: str, parse: Any) -> None:
    with pytest.raises(VendorError, match=said):
        parse(json.dumps(answer))


def test_json_that_is_cut_off_or_names_a_key_twice_says_where(parse: Any) -> None:
    with pytest.raises(VendorError, match=r"line 1 column \d+ .*broken or cut off"):
        parse(json.dumps(RECORDS)[:-5])
    first, second, *others = map(json.dumps, RECORDS)
    with pytest.raises(VendorError, match="'open' is there twice in one object"):
        parse("\n".join([first, second.replace("high", "open"), *others]))
    with pytest.raises(VendorError, match="Expecting ',' delimiter: line 2 column "):
        parse("\n".join([first, second.replace(', "high"', '  "high"'), *others]))


CSV = ROWS.write_csv()


@pytest.mark.parametrize(
    "above",
    [
        "https://www.example.com\n",
        "# exported, by a program, version 3\n# of EURUSD\n\n",
        "EURUSD hourly\r\n",
        "// bars\n% of 1 h\n",
    ],
)
def test_remarks_above_a_header_are_left_out_and_said(above: str, parse: Any) -> None:
    found = parse(above + CSV)
    assert same(found)
    assert any(note.startswith("not of the table: '") for note in found.notes)


def test_a_header_that_is_a_comment_is_a_header(parse: Any) -> None:
    found = parse("# " + CSV)
    assert same(found)
    assert not any(note.startswith("not of the table") for note in found.notes)


def test_lines_are_counted_from_the_first_of_the_file(parse: Any) -> None:
    with pytest.raises(VendorError, match="line 4: column 'close': 'x' is not a number"):
        parse("# of EURUSD\n\n" + CSV.splitlines()[0] + "\n2024-03-03T22:00:00Z,1,1,1,x\n")


def test_a_remark_below_the_last_row_is_left_out_and_a_row_that_was_cut_off_is_not(parse: Any) -> None:
    found = parse(CSV + '"Downloaded from Example.com as of 03-16-2024 05:11am CDT"\n')
    assert same(found)
    assert "not of the table: 'Downloaded from Example.com as of 03-16-2024 05:11am CDT'" in found.notes
    for cut in ("2024-03-0", "2024-03-05T10:00:00Z", "Mar"):
        with pytest.raises(VendorError, match="the file is cut off"):
            parse(CSV + cut)


HEADERS = [
    "Datum,Eröffnung,Hoch,Tief,Schluss",
    "Datum,Erster,Hoch,Tief,Schlusskurs",
    "Date,Ouverture,Plus haut,Plus bas,Clôture",
    "Fecha,Apertura,Máximo,Mínimo,Cierre",
    "Data,Apertura,Massimo,Minimo,Chiusura",
    "Data,Abertura,Máxima,Mínima,Fechamento",
    "Datum,Open,Hoog,Laag,Laatst",
    "Data,Otwarcie,Najwyższy,Najniższy,Zamknięcie",
    "Tarih,Açılış,Yüksek,Düşük,Şimdi",
    "Дата,Откр.,Макс.,Мин.,Цена",
    "日時,始値,高値,安値,終値",
    "时间,开盘,高,低,收盘",
    "날짜,시가,고가,저가,종가",
]


@pytest.mark.parametrize("header", HEADERS)
def test_other_tongues_name_the_same_columns(header: str, parse: Any) -> None:
    assert same(parse(CSV.replace(CSV.splitlines()[0], header, 1)))


@pytest.mark.parametrize("names", ["Datum;Uhrzeit", "Fecha;Hora", "Data;Ora", "Date;Time", "Дата;Время", "日付;時刻"])
def test_a_day_and_a_time_of_day(names: str, parse: Any) -> None:
    time = HOURS["timestamp"]
    parts = ROWS.select(time.dt.strftime("%d.%m.%Y").alias("d"), time.dt.strftime("%H:%M").alias("t"), *PRICES)
    text = parts.write_csv(separator=";").replace("d;t", names, 1)
    assert same(parse(text, format="plain_csv:day_first"))


def test_the_data_portal_of_the_ecb_writes_the_day_twice(parse: Any) -> None:
    rows = [
        '"2024-03-13","13 Mar 2024","1.0945"',
        '"2024-03-14","14 Mar 2024","."',
        '"2024-03-15","15 Mar 2024","1.0890"',
    ]
    text = "\n".join(['"DATE","TIME PERIOD","US dollar/Euro (EXR.D.USD.EUR.SP00.A)"', *rows])
    found = parse(text)
    assert found.claim.format == "series_csv"
    assert found.bars["close"].to_list() == [1.0945, 1.0890]


@pytest.mark.parametrize("form", ["one", "two"])
def test_a_file_without_header_is_refused_with_the_places_that_read_it(form: str, parse: Any) -> None:
    time = HOURS["timestamp"]
    stamp = [time.dt.strftime("%Y%m%d %H%M%S").alias("t")]
    if form == "two":
        stamp = [time.dt.strftime("%m/%d/%Y").alias("d"), time.dt.strftime("%H:%M").alias("t")]
    text = ROWS.select(*stamp, *PRICES, pl.lit(7).alias("v")).write_csv(include_header=False)
    with pytest.raises(VendorError, match="no reader knows this format") as refused:
        parse(text)
    told = str(refused.value).split("--format plain_csv ")[1].split(" (in a study")[0]
    columns = dict(option.split("=") for option in told.removeprefix("--column ").split(" --column "))
    assert columns["close"] == ("5" if form == "one" else "6")
    assert same(parse(text, columns=columns, format="plain_csv" if form == "one" else "plain_csv:month_first"))


def test_of_a_file_without_header_whose_prices_are_in_another_order_no_place_is_named(parse: Any) -> None:
    text = HOURS.select(pl.col("timestamp").dt.strftime("%F %T"), "high", "open", "low", "close").write_csv(
        include_header=False
    )
    with pytest.raises(VendorError, match="--column timestamp=1 --column open=PLACE …"):
        parse(text)


WEEKS = hourly("2024-03-03", 3)


def in_new_york(form: str) -> str:
    local = WEEKS["timestamp"].dt.convert_time_zone("America/New_York").dt.strftime(form)
    return WEEKS.select(local.alias("date"), *PRICES).write_csv()


def test_rows_that_name_their_clock_state_it(parse: Any) -> None:
    found = parse(in_new_york("%Y%m%d %H:%M:%S US/Eastern"), zone=None)
    assert found.zone == "US/Eastern"
    assert found.bars["timestamp"].equals(WEEKS["timestamp"])
    assert "each row names its clock, US/Eastern" in found.notes


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("US/Eastern", "Foo/Bar", "unknown clock 'Foo/Bar'"),
        ("04 03:00:00 US/Eastern", "04 03:00:00 Europe/Paris", "'20240304 03:00:00 Europe/Paris' is not a time like"),
    ],
)
def test_a_clock_that_nobody_knows_and_two_clocks_are_refused(old: str, new: str, said: str, parse: Any) -> None:
    with pytest.raises((VendorError, ZoneError), match=said):
        parse(in_new_york("%Y%m%d %H:%M:%S US/Eastern").replace(old, new), zone=None)


def test_rows_that_name_another_clock_than_their_header_are_refused(parse: Any) -> None:
    text = in_new_york("%Y%m%d %H:%M:%S US/Eastern").replace("date", "Gmt time", 1)
    with pytest.raises(VendorError, match="the header says 'Gmt time', but the rows carry their own clock, US/Eastern"):
        parse(text, zone=None, format="plain_csv")


def test_an_offset_beside_the_name_of_a_clock_says_more(parse: Any) -> None:
    text = in_new_york("%Y-%m-%d %H:%M:%S%:z US/Eastern").replace("date", "time_utc", 1)
    assert parse(text, zone=None).bars["timestamp"].equals(WEEKS["timestamp"])


@pytest.mark.parametrize("form", ["%a %d %b %Y %H:%M", "%A %Y-%m-%d %H:%M", "%a, %d %b %Y %H:%M:%S GMT"])
def test_a_day_may_bear_its_name(form: str, parse: Any) -> None:
    text = WEEKS.select(WEEKS["timestamp"].dt.strftime(form).alias("date"), *PRICES).write_csv(separator=";")
    assert parse(text).bars["timestamp"].equals(WEEKS["timestamp"])


@pytest.mark.parametrize(
    ("names", "side"),
    [(("BidOpen", "BidHigh", "BidLow", "BidClose"), "bid"), (("BidOpen", "High", "Low", "Close"), None)],
)
def test_columns_that_all_name_a_side_are_of_it(names: tuple[str, ...], side: str | None, parse: Any) -> None:
    asks = [pl.col(name).alias(f"Ask{name.title()}") for name in PRICES]
    table = ROWS.select("time", *(pl.col(ours).alias(name) for ours, name in zip(PRICES, names, strict=True)), *asks)
    for found in (parse(table.write_csv()), parse(json.dumps(table.to_dicts()))):
        assert same(found)
        assert found.side == side
