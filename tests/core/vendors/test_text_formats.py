"""The same bars through every text format give the same UTC bars; and what each format has of its own."""

from __future__ import annotations

import datetime as dt
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.examples import few
from support.text_files import FORMS, PRICES, hourly, oanda_answer

from golden_core.bars.reading import Reading, read_bars
from golden_core.vendors import READERS
from golden_core.vendors.base import VendorError

# Both changes of the clocks, in America two or three weeks before Europe in spring and one after it in autumn.
SPRING, AUTUMN = "2024-03-03", "2023-10-15"


def every_form(first: str, seed: int, pair: str) -> tuple[pl.DataFrame, dict[str, Reading]]:
    """Return bars of four weeks, and what is read of them in every form."""
    bars = hourly(first, 4, seed=seed, pair=pair)
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / f"{name}.{form.suffix}" for name, form in FORMS.items()}
        for name, form in FORMS.items():
            form.write(bars, paths[name], 3 if pair == "USDJPY" else 5)
        return bars, {name: read_bars(paths[name], pair, **form.said) for name, form in FORMS.items()}


@pytest.fixture(scope="module")
def spring() -> tuple[pl.DataFrame, dict[str, Reading]]:
    return every_form(SPRING, 1, "EURUSD")


def require_same(bars: pl.DataFrame, readings: dict[str, Reading], pair: str) -> None:
    expected = bars.with_columns(available_at=pl.col("timestamp").dt.offset_by("1h"), pair=pl.lit(pair))
    for name, read in readings.items():
        volume = pl.lit(0.0) if name == "histdata_m1" else pl.col("volume")
        assert read.bars.equals(expected.with_columns(volume=volume).select(read.bars.columns)), name
        assert read.bar == "1h"
        assert set(read.bars.columns) == set(expected.columns), name


# The clocks' changes of spring are those of the fixture.
@few(2)
@given(seed=st.integers(0, 2**32 - 1), week=st.integers(0, 51), pair=st.sampled_from(["EURUSD", "USDJPY"]))
@example(seed=2, week=42, pair="USDJPY")
def test_every_format_gives_the_same_bars(seed: int, week: int, pair: str) -> None:
    first = dt.date(2023, 1, 1) + dt.timedelta(weeks=week)
    require_same(*every_form(str(first), seed, pair), pair)


def test_formats_of_whole_weeks_are_written_by_another_hand(spring: tuple[pl.DataFrame, dict[str, Reading]]) -> None:
    require_same(*spring, "EURUSD")
    found = {read.claim.format for read in spring[1].values()}
    assert len(found) == len(found & set(READERS)) == 8


@pytest.mark.parametrize(
    ("name", "zone"),
    [("dukascopy_gmt", "UTC"), ("dukascopy_local", "UTC"), ("dukascopy_eet", "EET"), ("histdata_m1", "UTC-05:00"),
     ("oanda_csv", "UTC"), ("plain_seconds", "UTC"), ("plain_integers", "UTC"), ("parquet_aware", "UTC")],
)  # fmt: skip
@pytest.mark.parametrize("first", [SPRING, AUTUMN])
def test_the_files_own_clock_is_verified(name: str, zone: str, first: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.{FORMS[name].suffix}"
    FORMS[name].write(hourly(first, 6), path, 5)
    read = read_bars(path, "EURUSD", **FORMS[name].said)
    assert read.zone == zone
    assert read.evidence.verdict in {"verified", "consistent"}
    assert read.evidence.agreeing == read.evidence.weekends == 5


def test_what_is_decided_is_said(spring: tuple[pl.DataFrame, dict[str, Reading]]) -> None:
    said = {name: " | ".join((read.claim.because, *read.notes)) for name, read in spring[1].items()}
    expected = {
        "dukascopy_gmt": "names the time as Dukascopy does.*has no other reading.*'Gmt time' states the clock UTC",
        "dukascopy_local": "each row carries its offset from UTC",
        "dukascopy_eet": r"'Time \(EET\)' states the clock EET",
        "dukascopy_semicolon": "a comma is the decimal mark",
        "histdata_m1": "winter time all year.*1m were made into bars of 1h, 480 of 480 of them with minutes of sil",
        "histdata_ticks": "1920 ticks give 1920 bid bars of 1m",
        "metatrader5": "name a time and four prices.*not used: <VOL>, <SPREAD>",
        "oanda_json": "JSON object with candles.*mid prices",
        "plain_american": "dates are month before day: line",
        "plain_milliseconds": "times are ms since 1970",
        "plain_integers": r"divided by 100000: only so a price of EURUSD is between 0.5 and 1.9",
        "parquet_aware": "the times carry the zone Asia/Tokyo",
        "declared": "its columns were declared",
    }
    for name, pattern in expected.items():
        assert re.search(pattern, said[name]), said[name]


# Columns by name, or else checked


@pytest.mark.parametrize("order", [("open", "close", "high", "low"), ("low", "high", "open", "close")])
def test_metatrader4_with_swapped_columns_is_refused(order: tuple[str, ...], tmp_path: Path) -> None:
    bars = hourly(SPRING, 2)
    swapped = bars.with_columns(**{ours: pl.col(theirs) for ours, theirs in zip(PRICES, order, strict=True)})
    FORMS["metatrader4"].write(swapped, tmp_path / "x.csv", 5)
    with pytest.raises(VendorError, match=f"seem to be swapped; as {', '.join(order)} they would make sense"):
        read_bars(tmp_path / "x.csv", "EURUSD", zone="EET_US")


@pytest.mark.parametrize("name", ["metatrader4", "dukascopy_gmt", "parquet_aware"])
def test_opens_and_closes_that_are_swapped_are_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{FORMS[name].suffix}"
    bars = hourly(SPRING, 2)
    FORMS[name].write(bars.with_columns(open=bars["close"], close=bars["open"]), path, 5)
    with pytest.raises(VendorError, match="opens and closes seem to be swapped"):
        read_bars(path, "EURUSD", **FORMS[name].said)
    FORMS[name].write(bars.reverse(), path, 5)
    assert read_bars(path, "EURUSD", **FORMS[name].said).bars.height == bars.height  # newest first is no swap


def test_a_header_with_wrong_names_is_refused_and_single_bad_bars_are_left(tmp_path: Path) -> None:
    bars = hourly(SPRING, 2)
    FORMS["dukascopy_gmt"].write(bars.with_columns(high=bars["low"], low=bars["high"]), tmp_path / "x.csv", 5)
    with pytest.raises(VendorError, match=r"240 of 240 bars have a high .* correct the header"):
        read_bars(tmp_path / "x.csv", "EURUSD")
    wrong = pl.int_range(bars.height) % 15 == 0
    bad = bars.with_columns(high=pl.when(wrong).then(pl.col("low") - 0.1).otherwise("high"))
    FORMS["dukascopy_gmt"].write(bad, tmp_path / "x.csv", 5)
    assert read_bars(tmp_path / "x.csv", "EURUSD").bars.height == bars.height
    FORMS["metatrader4"].write(bad, tmp_path / "x.csv", 5)
    assert read_bars(tmp_path / "x.csv", "EURUSD", zone="EET_US").bars.height == bars.height
    wrong = pl.int_range(bars.height) % 5 == 0
    worse = bars.with_columns(high=pl.when(wrong).then(pl.col("low") - 0.1).otherwise("high"))
    FORMS["metatrader4"].write(worse, tmp_path / "x.csv", 5)
    with pytest.raises(VendorError, match="48 of 240 bars have a high"):
        read_bars(tmp_path / "x.csv", "EURUSD", zone="EET_US")


def test_sides_of_dukascopys_ticks(tmp_path: Path) -> None:
    lines = [f"02.01.2024 10:00:0{s}.5,1.1002,1.1000,2.5,1.5" for s in range(3)]
    path = tmp_path / "ticks.csv"
    path.write_text("\n".join(["Gmt time,Ask,Bid,AskVolume,BidVolume", *lines]))
    for choice, price, volume in (("bid", 1.1, 4.5), ("ask", 1.1002, 7.5), ("mid", 1.1001, 12.0)):
        read = read_bars(path, "EURUSD", format=f"dukascopy_ticks:{choice}", zone="UTC")
        assert (read.side, read.bar, read.bars["close"].round(6).to_list()) == (choice, "1m", [price])
        assert read.bars["volume"].to_list() == [volume]
    path.write_text("\n".join(["Gmt time,Bid,Ask,AskVolume,BidVolume", *lines]))
    with pytest.raises(VendorError, match=r"in 3 of 3 ticks the bid \(Bid\) is above the ask \(Ask\)"):
        read_bars(path, "EURUSD")
    path.write_text("Gmt time,Open\n02.01.2024 10:00:00,1.1\n")
    with pytest.raises(VendorError, match="no column is called bid; there are 'Gmt time', 'Open'"):
        read_bars(path, "EURUSD", format="dukascopy_ticks")


# OANDA


def _json(tmp_path: Path, change: Any) -> Path:
    answer = oanda_answer(hourly(SPRING, 1), 5)
    changed = change(answer)
    path = tmp_path / "oanda.json"
    path.write_text(json.dumps(changed if isinstance(changed, dict) and "candles" in changed else answer))
    return path


def test_a_candle_that_is_not_complete_is_left_out_and_told(tmp_path: Path) -> None:
    path = _json(tmp_path, lambda answer: answer["candles"][-1].update(complete=False))
    read = read_bars(path, "EURUSD")
    assert read.bars.height == 119
    assert read.left_out.select("line", "reason").rows() == [(120, "incomplete")]
    assert "1 bars are not complete and left out (first: line 120)" in read.notes
    FORMS["oanda_csv"].write(hourly(SPRING, 1), tmp_path / "o.csv", 5)
    header, *rows = (tmp_path / "o.csv").read_text().splitlines()
    rows = [f"{header},complete", *(f"{row},True" for row in rows[:-1]), f"{rows[-1]},False"]
    (tmp_path / "o.csv").write_text("\n".join(rows))
    read = read_bars(tmp_path / "o.csv", "EURUSD")
    assert (read.claim.format, read.bars.height, read.left_out["line"].to_list()) == ("plain_csv", 119, [121])


def test_one_of_several_sides_must_be_chosen(tmp_path: Path) -> None:
    def both(answer: dict[str, Any]) -> None:
        for candle in answer["candles"]:
            candle["ask"] = {key: str(float(value) + 0.0002) for key, value in candle["mid"].items()}

    path = _json(tmp_path, both)
    with pytest.raises(
        VendorError, match="ask, mid prices; choose one: --format oanda_json:ask, --format oanda_json:mid"
    ):
        read_bars(path, "EURUSD")
    mid, ask = (read_bars(path, "EURUSD", format=f"oanda_json:{side}") for side in ("mid", "ask"))
    assert (ask.bars["close"] - mid.bars["close"]).round(6).unique().to_list() == [0.0002]
    assert (mid.side, ask.side) == ("mid", "ask")
    with pytest.raises(VendorError, match="there are no bid prices, only ask, mid"):
        read_bars(path, "EURUSD", format="oanda_json:bid")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a["candles"].clear(), "has no candle"),
        (lambda a: a.update(granularity="M3"), "granularity 'M3' is none of"),
        (lambda a: a.update(instrument="EUR_GBP"), "the instrument is 'EUR_GBP', but EURUSD is asked for"),
        (lambda a: a["candles"][4].pop("time"), "candle 5 has no usable time"),
        (lambda a: a["candles"][4]["mid"].pop("h"), "candle 5 has no usable high"),
        (lambda a: a["candles"][4].pop("mid"), "candle 5 has no usable open"),
        (lambda a: a["candles"][4]["mid"].update(h="n/a"), "candle 5: column 'high': 'n/a' is not a number"),
        (lambda a: a["candles"][4].update(time="yesterday"), "candle 5: 'yesterday' is not a time like"),
        (lambda a: a["candles"][0].pop("mid"), "candle 1 has neither mid nor bid nor ask"),
        (lambda a: {"candles": {}, "x": 1}, "its JSON holds no table: expected a list of objects"),
    ],
)  # fmt: skip
def test_a_malformed_answer_is_refused(change: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(VendorError, match=message):
        read_bars(_json(tmp_path, change), "EURUSD")


def test_json_without_end_of_nesting_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"candles":' + "[" * 100_000)
    with pytest.raises(VendorError, match="recursion depth"):
        read_bars(tmp_path / "x.json", "EURUSD")


def test_unix_times_of_oanda(tmp_path: Path) -> None:
    def unix(answer: dict[str, Any]) -> None:
        for candle in answer["candles"]:
            moment = dt.datetime.fromisoformat(candle["time"][:19] + "+00:00")
            candle["time"] = f"{int(moment.timestamp())}.000000000"

    iso = read_bars(_json(tmp_path, lambda answer: None), "EURUSD").bars
    assert read_bars(_json(tmp_path, unix), "EURUSD").bars.equals(iso)


# HistData's other form


def test_histdata_in_metatraders_form_keeps_its_clock(tmp_path: Path) -> None:
    lines = [f"2012.02.01,00:{minute:02d},1.3066,1.3067,1.3065,1.3066,0" for minute in range(9)]
    for name in ("DAT_MT_EURUSD_M1_201202.csv", "EURUSD1.csv"):
        (tmp_path / name).write_text("\n".join(lines))
    read = read_bars(tmp_path / "DAT_MT_EURUSD_M1_201202.csv", "EURUSD")
    assert (read.zone, read.bars["timestamp"][0]) == ("UTC-05:00", dt.datetime(2012, 2, 1, 5, tzinfo=dt.UTC))
    with pytest.raises(VendorError, match="does not state its clock"):
        read_bars(tmp_path / "EURUSD1.csv", "EURUSD")


@pytest.mark.parametrize("zone", ["Etc/UTC", "Europe/London", "America/Argentina/Buenos_Aires"])
def test_dukascopys_export_of_2025_calls_the_time_by_its_zone(zone: str, tmp_path: Path) -> None:
    bars = hourly(AUTUMN, 4)
    local = bars.with_columns(pl.col("timestamp").dt.convert_time_zone(zone).dt.strftime("%Y-%m-%dT%H:%M:%S%:z"))
    local.rename({"timestamp": zone, **{name: name.title() for name in PRICES}}).write_csv(tmp_path / "x.csv")
    read = read_bars(tmp_path / "x.csv", "EURUSD")
    assert (read.claim.format, read.zone, read.evidence.verdict) == ("dukascopy_csv", "UTC", "verified")
    assert read.bars.select(bars.columns).equals(bars)


def test_a_zone_in_the_header_is_the_clock_where_rows_have_no_offset(tmp_path: Path) -> None:
    bars = hourly(AUTUMN, 4)
    local = bars.with_columns(pl.col("timestamp").dt.convert_time_zone("Europe/London").dt.replace_time_zone(None))
    local.rename({"timestamp": "Europe/London"}).write_csv(tmp_path / "x.csv")
    read = read_bars(tmp_path / "x.csv", "EURUSD")
    assert read.zone == "Europe/London"
    assert read.bars.select(bars.columns).equals(bars)
