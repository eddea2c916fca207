"""MetaTrader's history: both versions, and every way in which a file can be another than it is taken for."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.vendor_files import hst

from golden_core.vendors.base import VendorError
from golden_core.vendors.hst import HEADER, HST, RECORDS

HOUR = 3600
START = 1_546_819_200  # 2019-01-07 00:00
ROWS = [
    (
        START + index * HOUR,
        1.1400 + index / 1e4,
        1.1420 + index / 1e4,
        1.1390 + index / 1e4,
        1.1410 + index / 1e4,
        index,
    )
    for index in range(5)
]


def _write(folder: Path, data: bytes, name: str = "EURUSD60.hst") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_the_records_are_as_long_as_metatrader_says():
    assert HEADER.itemsize == 148
    assert {version: record.itemsize for version, record in RECORDS.items()} == {400: 44, 401: 60}


@pytest.mark.parametrize("version", [400, 401])
def test_every_column_comes_back_under_its_own_name(tmp_path: Path, version: int):
    table = HST.read(_write(tmp_path, hst(ROWS, version)), "EURUSD")
    assert table.bars.columns == ["timestamp", "open", "high", "low", "close", "volume", "line"]
    assert str(table.bars["timestamp"][0]) == "2019-01-07 00:00:00"
    assert [row[1:6] for row in table.bars.rows()] == [row[1:] for row in ROWS]
    assert table.bars["line"].to_list() == [1, 2, 3, 4, 5]
    assert (table.format, table.clock, table.bar, table.side) == ("hst", None, "1h", None)
    assert f"version {version}, 60 minutes, 5 digits, copyright '(c) tests'" in table.notes[0]
    assert "does not say its clock" in table.notes[0]


def test_the_order_of_the_file_is_kept(tmp_path: Path):
    table = HST.read(_write(tmp_path, hst([ROWS[2], ROWS[0], ROWS[0], (0, *ROWS[1][1:])])), "EURUSD")
    assert str(table.bars["timestamp"][3]) == "1970-01-01 00:00:00"  # for cleaning to see
    assert table.bars["open"].to_list() == [ROWS[2][1], ROWS[0][1], ROWS[0][1], ROWS[1][1]]


def test_a_history_without_bars_is_one(tmp_path: Path):
    assert HST.read(_write(tmp_path, hst([])), "EURUSD").bars.height == 0


@pytest.mark.parametrize(("minutes", "bar"), [(1, "1m"), (15, "15m"), (240, "4h"), (1440, "1d"), (43200, "1mo")])
def test_the_period_is_the_bar(tmp_path: Path, minutes: int, bar: str):
    assert HST.read(_write(tmp_path, hst(ROWS, period=minutes)), "EURUSD").bar == bar


def test_the_side_is_read_from_the_name(tmp_path: Path):
    assert HST.read(_write(tmp_path, hst(ROWS), "EURUSD_1_Hour_BID_2019.hst"), "EURUSD").side == "bid"
    assert HST.read(_write(tmp_path, hst(ROWS), "Forbidden.hst"), "EURUSD").side is None


@pytest.mark.parametrize("symbol", ["EURUSDm", "EURUSD.pro", "eurusd", "EUR/USD"])
def test_a_brokers_spelling_is_said(tmp_path: Path, symbol: str):
    assert (
        f"symbol is {symbol}, taken for EURUSD"
        in HST.read(_write(tmp_path, hst(ROWS, symbol=symbol)), "EURUSD").notes[0]
    )


REFUSED = {
    "another symbol": (hst(ROWS, symbol="GBPUSD"), "symbol is 'GBPUSD', but EURUSD is asked for"),
    "another version": (struct.pack("<i", 402) + hst(ROWS)[4:], "version 402 of .hst is not known, only 400, 401"),
    "another period": (hst(ROWS, period=7), "a period of 7 minutes is none of MetaTrader's"),
    "digits": (hst(ROWS, digits=77), "77 digits"),
    "cut off": (hst(ROWS)[:-1], "219 bytes after the header are no whole number of records of 44 bytes .* record 4"),
    "cut off 401": (hst(ROWS, 401)[:-8], "292 bytes .* of 60 bytes"),
    "header alone": (hst(ROWS)[:147], "147 bytes, but an .hst file begins with a header of 148"),
    "empty": (b"", "0 bytes"),
    "time": (hst([*ROWS, (-1, *ROWS[0][1:])]), "record 6: -1 seconds since 1970"),
    "far time": (hst([*ROWS, (1 << 60, *ROWS[0][1:])], 401), "record 6: 1152921504606846976 seconds"),
    "high and low exchanged": (
        hst([(at, o, low, high, c, v) for at, o, high, low, c, v in ROWS]),
        "5 of 5 bars .* swapped; as open, low, high, close they would make sense",
    ),
    "old layout in new records": (
        hst([(at, o, low, high, c, v) for at, o, high, low, c, v in ROWS], 401),
        "5 of 5 bars .* swapped; as open, low, high, close they would make sense",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(tmp_path: Path, case: str):
    data, message = REFUSED[case]
    with pytest.raises(VendorError, match=message):
        HST.read(_write(tmp_path, data), "EURUSD")


def test_one_bad_candle_is_left_to_cleaning(tmp_path: Path):
    bad = (*ROWS[0][:2], ROWS[0][3], ROWS[0][2], *ROWS[0][4:])
    assert HST.read(_write(tmp_path, hst([bad, *ROWS[1:]])), "EURUSD").bars.height == 5


def test_claims(tmp_path: Path):
    assert HST.sniff(_write(tmp_path, b"", "a.hst")).because == "its name ends in .hst"
    assert HST.sniff(_write(tmp_path, b"time,open\n", "b.csv")) is None
    assert HST.sniff(tmp_path) is None


@given(st.data())
def test_a_damaged_byte_never_ends_in_another_error(tmp_path_factory, data):
    whole = bytearray(hst(ROWS, data.draw(st.sampled_from([400, 401]))))
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = _write(tmp_path_factory.mktemp("hst"), bytes(whole[: data.draw(st.integers(0, len(whole)))]))
    with contextlib.suppress(VendorError):
        assert HST.read(path, "EURUSD").bars.height <= 5
