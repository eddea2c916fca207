"""Dukascopy's files, one at a time: what the path declares, what the bytes hold, and everything that is refused."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.vendor_files import candles, packed, place, ticks

from golden_core.vendors.base import VendorError
from golden_core.vendors.bi5 import BI5
from golden_core.vendors.bi5_files import CANDLE, MAX_TICKS, TICK, locate, month_path

HOURS = [
    (index * 3600, 1.14 + index / 1e4, 1.1420 + index / 1e4, 1.1390 + index / 1e4, 1.1410, 2.5) for index in range(5)
]
MONTH = "EURUSD/2019/00/BID_candles_hour_1.bi5"
TICKS = [(994, 1.14543, 1.14545, 2.0, 1.0), (1271, 1.14544, 1.14546, 1.0, 1.0), (60_000, 1.1454, 1.1455, 4.0, 1.0)]
HOUR = "EURUSD/2019/01/04/00h_ticks.bi5"


def test_the_records_are_as_long_as_the_feed_has_them():
    assert (CANDLE.itemsize, TICK.itemsize) == (24, 20)


def test_candles(tmp_path: Path):
    table = BI5.read(place(tmp_path, MONTH, candles(HOURS)), "EURUSD")
    assert table.bars.columns == ["timestamp", "open", "high", "low", "close", "volume", "line"]
    assert [row[1:6] for row in table.bars.rows()] == [tuple(round(p, 5) for p in row[1:]) for row in HOURS]
    assert [str(time) for time in table.bars["timestamp"][:2]] == ["2019-01-01 00:00:00", "2019-01-01 01:00:00"]
    assert table.bars["line"].to_list() == [1, 2, 3, 4, 5]
    assert (table.format, table.clock, table.bar, table.side) == ("bi5", "UTC", "1h", "bid")


def test_flat_bars_of_a_closure_are_kept(tmp_path: Path):
    flat = [(at, 1.1, 1.1, 1.1, 1.1, 0.0) for at in (3600 * 5, 3600 * 6)]
    table = BI5.read(place(tmp_path, MONTH, candles([*HOURS, *flat])), "EURUSD")
    assert table.bars.height == 7


def test_ticks_become_bid_bars_of_a_minute(tmp_path: Path):
    table = BI5.read(place(tmp_path, HOUR, ticks(TICKS)), "EURUSD")
    assert [(str(row[0]), *row[1:]) for row in table.bars.rows()] == [
        ("2019-02-04 00:00:00", 1.14543, 1.14544, 1.14543, 1.14544, 3.0, 1),
        ("2019-02-04 00:01:00", 1.1454, 1.1454, 1.1454, 1.1454, 4.0, 2),
    ]
    assert (table.clock, table.bar, table.side) == ("UTC", "1m", "bid")
    assert table.notes[0].startswith("ticks made into bid bars of 1m")


def test_late_ticks_are_put_in_order(tmp_path: Path):
    table = BI5.read(place(tmp_path, HOUR, ticks(TICKS[::-1])), "EURUSD")
    assert table.bars["close"].to_list() == [1.14544, 1.1454]


def test_an_empty_file_is_an_hour_without_ticks(tmp_path: Path):
    table = BI5.read(place(tmp_path, HOUR, b""), "EURUSD")
    assert table.bars.height == 0
    assert "files 1, bars 0" in table.notes[0]
    assert BI5.read(place(tmp_path, MONTH, b""), "EURUSD").bars.height == 0


@pytest.mark.parametrize(
    ("pair", "scale"),
    [("EURUSD", 100_000), ("USDJPY", 1000), ("EURHUF", 1000), ("EURCZK", 10_000), ("XAUUSD", 1000)],
)
def test_the_scale_is_the_pairs(tmp_path: Path, pair: str, scale: int):
    path = place(tmp_path, f"{pair}/2019/00/BID_candles_hour_1.bi5", candles([(0, 9.2, 9.4, 9.1, 9.3, 1.0)], scale))
    assert BI5.read(path, pair).bars.row(0)[1:5] == (9.2, 9.4, 9.1, 9.3)


PLACES = {
    "EURUSD/2019/01/04/00h_ticks.bi5": ("ticks", None, "2019-02-04 00:00:00", "2019-02-04 01:00:00", "EURUSD"),
    "EURUSD/2019/11/31/23h_ticks.bi5": ("ticks", None, "2019-12-31 23:00:00", "2020-01-01 00:00:00", "EURUSD"),
    "EURUSD/2020/01/29/ASK_candles_min_1.bi5": ("min", "ask", "2020-02-29 00:00:00", "2020-03-01 00:00:00", "EURUSD"),
    "EURUSD/2020/11/BID_candles_hour_1.bi5": ("hour", "bid", "2020-12-01 00:00:00", "2021-01-01 00:00:00", "EURUSD"),
    "data/2020/BID_candles_day_1.bi5": ("day", "bid", "2020-01-01 00:00:00", "2021-01-01 00:00:00", None),
    "data/2019/BID_candles_day_1.bi5": ("day", "bid", "2019-01-01 00:00:00", "2020-01-01 00:00:00", None),
}


@pytest.mark.parametrize("path", PLACES)
def test_a_path_says_when_its_records_begin(path: str):
    found = locate(Path("/somewhere") / path)
    assert (found.kind, found.side, str(found.start), str(found.end), found.pair) == PLACES[path]


def test_a_month_counts_from_zero():
    found = locate(Path("/x") / month_path("EURUSD", locate(Path("/x/EURUSD/2019/11/BID_candles_hour_1.bi5")).start))
    assert str(found.start) == "2019-12-01 00:00:00"


LOST = {
    "00h_ticks.bi5": "does not say when its records begin. Declare it by its folders, months from 00: EURUSD/2019/01",
    "2019/BID_candles_hour_1.bi5": "Declare it by its folders, .* hours lie in EURUSD/2019/01",
    "EURUSD/19/01/BID_candles_hour_1.bi5": "does not say when",
    "EURUSD/2019/12/BID_candles_hour_1.bi5": "2019/12 is no date .* months count from 00",
    "EURUSD/2019/01/29/00h_ticks.bi5": "2019/01/29 is no date",
    "EURUSD/2019/01/04/24h_ticks.bi5": "is no date .hour must be in 0..23",
    "EURUSD/0019/01/BID_candles_hour_1.bi5": "year 19 is not within 1970 to 2199",
    "EURUSD/2019/01/04/EURUSD.bi5": "the name is none of Dukascopy's",
    "EURUSD/2019/01/04/BID_candles_min_5.bi5": "the name is none of Dukascopy's",
}


def test_a_relative_path_counts_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(place(tmp_path, HOUR, ticks(TICKS)).parent)
    for path in ("00h_ticks.bi5", "./00h_ticks.bi5", "../04/00h_ticks.bi5"):
        assert str(locate(Path(path)).start) == "2019-02-04 00:00:00"


@pytest.mark.parametrize("path", LOST)
def test_a_path_that_says_nothing_is_refused(tmp_path: Path, path: str):
    with pytest.raises(VendorError, match=LOST[path]):
        BI5.read(place(tmp_path, path, ticks(TICKS)), "EURUSD")


GARBAGE = bytes(range(256)) * 4
BODY = b"".join(struct.pack(">5if", at, 114000, 114100, 113900, 114200, 1.0) for at in range(0, 36_000, 3600))
REFUSED = {
    "no LZMA": (MONTH, b"<html>Service unavailable</html>", "no sound LZMA stream"),
    "garbage": (MONTH, b"\x5d" + GARBAGE, "no sound LZMA stream"),
    "truncated": (MONTH, candles(HOURS)[:-12], "cut off after"),
    "header alone": (MONTH, candles(HOURS)[:13], "cut off after 13 bytes"),
    "huge dictionary": (MONTH, b"\x5d" + b"\xff" * 4 + candles(HOURS)[5:], "no sound LZMA stream .*[Mm]emory"),
    "appended": (MONTH, candles(HOURS) + b"\0\0", "2 bytes follow the end|no sound LZMA stream"),
    "half a record": (MONTH, packed(BODY[:-1]), "239 bytes are no whole number of records of 24 bytes"),
    "ticks as candles": (MONTH, ticks(TICKS), "60 bytes are no whole number of records of 24"),
    "candles as ticks": (HOUR, candles(HOURS[1:]), "records of 20 bytes"),
    "bomb": (MONTH, packed(bytes(1_000_000)), "unpacks to more than 17856 bytes, the 744 records that fit"),
    "bomb that lies": (MONTH, packed(bytes(1_000_000), size=(1 << 64) - 1), "unpacks to more than 17856 bytes"),
    "bomb of ticks": (HOUR, packed(bytes(20 * MAX_TICKS + 20)), "unpacks to more than 20000000 bytes"),
    "large file": (MONTH, bytes(30_000), "29982 bytes follow the end of the LZMA stream"),
    "beyond the month": (
        MONTH, candles([(744 * 3600, *HOURS[0][1:])]), "record 1: offset 2678400 seconds, outside the file's period"
    ),
    "before the month": (MONTH, candles([(-3600, *HOURS[0][1:])]), "record 1: offset -3600 seconds, outside"),
    "off the grid": (MONTH, candles([HOURS[0], (1800, *HOURS[0][1:])]), "record 2: offset 1800 .* begins no bar of 1h"),
    "twice": (MONTH, candles([HOURS[0], HOURS[0]]), "record 2: offset 0 seconds, not after the record before it"),
    "beyond the hour": (HOUR, ticks([*TICKS, (3_600_000, 1.1, 1.2, 1.0, 1.0)]), "record 4: offset 3600000 millisec"),
    "before the hour": (HOUR, ticks([(-1, 1.1, 1.2, 1.0, 1.0)]), "record 1: offset -1 milliseconds"),
    "ask below bid": (HOUR, ticks([(at, ask, bid, 1.0, 1.0) for at, bid, ask, _, _ in TICKS]), "in 3 of 3 ticks the"),
    "open, high, low, close": (
        MONTH,
        candles([(at, o, c, low, h, v) for at, o, h, low, c, v in HOURS]),
        "5 of 5 bars have a high that is not highest .* swapped",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused(tmp_path: Path, case: str):
    path, data, message = REFUSED[case]
    with pytest.raises(VendorError, match=message):
        BI5.read(place(tmp_path, path, data), "EURUSD")


def test_another_pair_is_refused(tmp_path: Path):
    path = place(tmp_path, MONTH, candles(HOURS))
    with pytest.raises(VendorError, match=r"no \.bi5 file of GBPUSD bid as asked for; there are EURUSD bid hour"):
        BI5.read(path, "GBPUSD")
    unnamed = place(tmp_path, "data/2019/00/BID_candles_hour_1.bi5", candles(HOURS))
    assert "no folder above the year names the pair" in BI5.read(unnamed, "GBPUSD").notes[0]


def test_a_reading_can_be_chosen(tmp_path: Path):
    path = place(tmp_path, HOUR, ticks(TICKS))
    ask, mid = (BI5.chosen(choice).read(path, "EURUSD") for choice in ("ticks_ask", "ticks_mid"))
    assert (ask.side, ask.bars.row(0)[1:6]) == ("ask", (1.14545, 1.14546, 1.14545, 1.14546, 2.0))
    assert (mid.side, mid.bars["volume"].to_list()) == ("mid", [5.0, 5.0])
    assert {"ticks", "min", "hour", "day", "hour_ask"} < set(BI5.choices)
    with pytest.raises(VendorError, match=r"no \.bi5 file of EURUSD bid hour as asked for; there are EURUSD ticks"):
        BI5.chosen("hour").read(path, "EURUSD")
    other = place(tmp_path, MONTH, candles(HOURS))
    assert BI5.chosen("hour").read(other, "EURUSD").side == "bid"
    with pytest.raises(VendorError, match=r"no \.bi5 file of EURUSD ask hour as asked for; there are EURUSD bid hour"):
        BI5.chosen("hour_ask").read(other, "EURUSD")
    assert BI5.chosen("ticks").read(tmp_path, "EURUSD").bar == "1m"
    assert BI5.chosen("hour").read(tmp_path, "EURUSD").bar == "1h"


def test_a_pair_of_unknown_scale_is_refused(tmp_path: Path):
    path = place(tmp_path, "USDKRW/2019/00/BID_candles_hour_1.bi5", candles(HOURS))
    with pytest.raises(VendorError, match="how Dukascopy scales USDKRW is not known: add KRW to POINTS"):
        BI5.read(path, "USDKRW")


def test_claims(tmp_path: Path):
    assert BI5.sniff(tmp_path) is None
    path = place(tmp_path, MONTH, b"")
    assert BI5.sniff(path).because == "its name ends in .bi5"
    assert BI5.sniff(tmp_path).because == f"the folder holds {MONTH}"
    assert BI5.sniff(place(tmp_path, "a.csv", b"")) is None


@given(st.data())
def test_a_damaged_byte_never_ends_in_another_error(tmp_path_factory, data):
    path, sound = data.draw(st.sampled_from([(MONTH, candles(HOURS)), (HOUR, ticks(TICKS))]))
    whole = bytearray(sound)
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    damaged = place(tmp_path_factory.mktemp("bi5"), path, bytes(whole[: data.draw(st.integers(0, len(whole)))]))
    with contextlib.suppress(VendorError):
        assert BI5.read(damaged, "EURUSD").bars.height <= 5
