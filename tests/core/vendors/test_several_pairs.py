"""Tables of several pairs: fixings in a column each, and four prices whose names hold the pair."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from golden_core.bars.reading import Reading, read_bars
from golden_core.vendors.base import VendorError
from golden_core.vendors.paired import pair_of

DAYS = [dt.date(2024, 3, day) for day in (11, 12, 13, 14, 15)]
HOURS = [f"2024-03-11 {hour:02}:00:00" for hour in range(6)]
ECB = "Date,USD,JPY,GBP,CHF,CYP,\n" + "".join(
    f"{day},{1.08 + n / 1000:.4f},{161 + n},0.85{n},0.96{n},{'N/A' if n else '0.58'},\n"
    for n, day in reversed(list(enumerate(DAYS)))
)
BUNDESBANK = (
    '"";BBEX3.D.USD.EUR.BB.AC.000;BBEX3.D.USD.EUR.BB.AC.000_FLAGS\n"";Referenzkurs / 1 EUR = ... USD / Dollar;\n'
    "Einheit;USD;\nDimension;Eins;\nStand vom;15.03.2024 16:21:18;\n2024-03-10;.;Kein Wert vorhanden\n"
) + "".join(f"{day};1,08{n};\n" for n, day in enumerate(DAYS))


def _closes(read: Reading) -> dict[dt.date, float]:
    return dict(zip(read.bars["timestamp"].dt.date(), read.bars["close"], strict=True))


def _prices(names: list[str], first: str = "time") -> str:
    rows = [
        f"{hour},{1 + n / 100},{1.02 + n / 100},{0.98 + n / 100},{1.01 + n / 100},7" for n, hour in enumerate(HOURS)
    ]
    return "\n".join([",".join([first, *names]), *rows])


def test_the_column_of_the_pair_is_read_from_the_table_of_the_ecb(parse: Any) -> None:
    read = parse(ECB)
    assert (read.claim.format, read.bar) == ("fixings_csv", "1d")
    assert _closes(read) == {day: round(1.08 + n / 1000, 4) for n, day in enumerate(DAYS)}
    assert _closes(parse(ECB, "EURJPY")) == {day: 161 + n for n, day in enumerate(DAYS)}
    assert _closes(parse(ECB, "EURCYP")) == {DAYS[0]: 0.58}  # a currency that is no more


def test_a_cross_is_refused_and_the_source_named_that_makes_it(parse: Any) -> None:
    with pytest.raises(
        VendorError, match=r"its columns are EURUSD, EURJPY, .* USDJPY is asked for; .* data.source=ecb"
    ):
        parse(ECB, "USDJPY")


@pytest.mark.parametrize(
    "header", ["Date,USD,JPY,GBP,CHF,EUR,", "Date,USD,JPY,GBP,CHF,DXY2,", "Date,AUD,JPY,GBP,CHF,CYP,"]
)
def test_currencies_without_a_base_are_no_rates_of_the_euro(header: str, parse: Any) -> None:
    with pytest.raises(VendorError, match="no reader knows this format"):
        parse(ECB.replace(ECB.split("\n")[0], header))


def test_rates_of_the_dollar_are_no_rates_of_the_euro(parse: Any) -> None:
    text = "Date,USD,JPY,GBP,CHF\n" + "".join(f"{day},1.0,150.{n},0.79{n},0.88{n}\n" for n, day in enumerate(DAYS))
    with pytest.raises(VendorError, match=r"'USD' is 1 on every day: .* --format plain_csv --column close=JPY"):
        parse(text, "EURJPY")
    assert _closes(parse(text, "USDJPY", format="plain_csv", columns={"close": "JPY"})) == {
        day: 150 + n / 10 for n, day in enumerate(DAYS)
    }


def test_the_series_of_the_bundesbank_begins_with_its_first_day(parse: Any) -> None:
    for text in (BUNDESBANK, BUNDESBANK.replace("Referenzkurs", "Währung").encode("cp1252")):
        read = parse(text)
        assert _closes(read) == {day: 1.08 + n / 1000 for n, day in enumerate(DAYS)}
        assert "1 days have no price and are left out" in read.notes
    broken = BUNDESBANK.replace("2024-03-13;1,082", "Stand vom;1,082")
    with pytest.raises(VendorError, match="line 9: 'Stand vom' is not a time"):
        parse(broken)


def test_closes_of_pairs_side_by_side(parse: Any) -> None:
    rows = "\n".join(f"{day},1.0{n},150.{n},13" for n, day in enumerate(DAYS))
    text = f"date,eur/usd,USDJPY=X,VIX\n{rows}"
    assert _closes(parse(text, "USDJPY")) == {day: 150 + n / 10 for n, day in enumerate(DAYS)}
    with pytest.raises(VendorError, match=r"its columns are EURUSD, USDJPY, but GBPUSD is asked for$"):
        parse(text, "GBPUSD")
    hourly = "\n".join(["time,EURUSD,USDJPY", *(f"{hour},1.1,15{n}" for n, hour in enumerate(HOURS))])
    with pytest.raises(VendorError, match="is read as of days, but its rows are 1:00:00 apart"):
        parse(hourly, "USDJPY")


NAMED = [
    ["EURUSD_Open", "EURUSD_High", "EURUSD_Low", "EURUSD_Close", "GBPUSD_Close"],
    ["Open EURUSD=X", "High EURUSD=X", "Low EURUSD=X", "Close EURUSD=X", "VIX"],
    ["eurusd.open", "eurusd.high", "eurusd.low", "eurusd.close", "eurusd.volume"],
    ["open_eur_usd", "high_eur_usd", "low_eur_usd", "close_eur_usd", "prediction"],
]


@pytest.mark.parametrize("names", NAMED)
def test_prices_whose_names_hold_their_pair(names: list[str], parse: Any, tmp_path: Path) -> None:
    read = parse(_prices(names))
    assert read.bars.select("open", "high", "low", "close").row(2) == (1.02, 1.04, 1.0, 1.03)
    assert ("volume" in read.bars.columns) == ("volume" in names[-1])
    assert "of the columns those of EURUSD are read" in read.notes
    with pytest.raises(VendorError, match="its columns have prices of EURUSD, but GBPUSD is asked for"):
        parse(_prices(names), "GBPUSD")
    (tmp_path / "x.csv").unlink()
    pl.read_csv(_prices(names).encode()).write_parquet(tmp_path / "x.parquet")
    typed = read_bars(tmp_path / "x.parquet", "EURUSD", zone="UTC")
    assert typed.bars.equals(read.bars)
    assert "of the columns those of EURUSD are read" in typed.notes
    assert not any("GBPUSD" in note for note in (*read.notes, *typed.notes))


def test_the_time_may_name_the_pair_too_and_declared_names_are_the_files_own(parse: Any) -> None:
    assert parse(_prices(NAMED[0], "EURUSD_timestamp")).bars.height == len(HOURS)
    declared = dict(zip(("open", "high", "low", "close"), NAMED[0], strict=False)) | {"timestamp": "when"}
    assert parse(_prices(NAMED[0], "when"), columns=declared).bars.height == len(HOURS)
    with pytest.raises(VendorError, match="two of its columns would have one name without EURUSD"):
        parse(_prices([*NAMED[0][:4], "time_EURUSD"]))


def test_prices_without_a_pair_come_first(parse: Any) -> None:
    rows = "\n".join(f"{hour},1.1,1.2,1.0,1.1,1.5,1.6,1.4,1.5" for hour in HOURS)
    names = ",".join(["time", "open", "high", "low", "close", *NAMED[0][:4]])
    assert parse(f"{names}\n{rows}").bars["close"].to_list() == [1.1] * len(HOURS)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("EURUSD_Open_mean5", None),
        ("spread EURUSD open", None),
        ("neural", None),
        ("EURUSD1", None),
        ("EURUSD", ("EURUSD", "")),
        ("DEXCAUS", ("USDCAD", "")),
        ("DEXUSAL", ("AUDUSD", "")),
        ("DEXVZUS", None),
        ("Adj Close JPY/USD", ("JPYUSD", "Adj Close")),
    ],
)
def test_a_column_names_a_pair_and_one_thing_more(name: str, expected: tuple[str, str] | None) -> None:
    assert pair_of(name) == expected


@pytest.mark.parametrize(
    ("name", "pair", "fits"),
    [
        ("EURUSD", "EURUSD", True),
        ("Close eurusd", "GBPUSD", False),
        ("USD/EUR", "EURUSD", False),
        ("GBP", "EURUSD", False),
        ("USD", "EURUSD", True),
        ("US dollar/Euro (EXR.D.USD.EUR.SP00.A)", "EURUSD", True),
        ("US dollar/Euro (EXR.D.USD.EUR.SP00.A)", "EURGBP", False),
        ("DEXUSEU", "EURUSD", True),
        ("DEXUSEU", "USDEUR", False),
        ("DEXJPUS", "EURUSD", False),
        ("DEXVZUS", "EURUSD", True),
        ("PRICE", "EURUSD", True),
        ("TRYOUT", "EURUSD", True),
    ],
)
def test_a_series_whose_name_is_of_another_pair_is_refused(name: str, pair: str, fits: bool, parse: Any) -> None:
    text = "\n".join([f"Date,{name}", *(f"{day},1.0{n}" for n, day in enumerate(DAYS))])
    if fits:
        assert parse(text, pair).bars.height == len(DAYS)
    else:
        with pytest.raises(VendorError, match=rf"its price is called .*, but {pair} is asked for"):
            parse(text, pair)
