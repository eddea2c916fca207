"""A folder of .bi5 files as a data set: bars across files, what is missing, and which folders are refused."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from support.vendor_files import candles, packed, place, ticks

from golden_core.vendors.base import VendorError
from golden_core.vendors.bi5 import BI5
from golden_core.vendors.bi5_records import TICK
from golden_core.vendors.bi5_tree import read_tree

MONDAY = dt.datetime(2019, 2, 4, tzinfo=dt.UTC)


def _hour(at: dt.datetime) -> str:
    return f"EURUSD/{at.year}/{at.month - 1:02}/{at.day:02}/{at.hour:02}h_ticks.bi5"


def _write(root: Path, at: dt.datetime, price: float = 1.14) -> Path:
    """Write an hour of two ticks, half an hour apart."""
    rows = [(0, price, price + 1e-4, 1.0, 3.0), (1_800_000, price + 2e-4, price + 3e-4, 2.0, 4.0)]
    return place(root, _hour(at), ticks(rows))


def _at(hours: int) -> dt.datetime:
    return MONDAY + dt.timedelta(hours=hours)


def test_hours_follow_each_other(tmp_path: Path):
    for hour in (30, 0, 2, 1):
        _write(tmp_path, _at(hour), 1.14 + hour / 1000)
    tree = read_tree(tmp_path, "EURUSD", "1h")
    assert tree.bars["timestamp"].to_list() == [_at(hour).replace(tzinfo=None) for hour in (0, 1, 2, 30)]
    assert tree.bars.row(1)[1:] == (1.141, 1.1412, 1.141, 1.1412, 3.0, 2)
    assert (tree.kind, tree.bar, tree.side, tree.files) == ("ticks", "1h", "bid", 4)
    assert "4 files of ticks, 2019-02-04 00:00:00 to 2019-02-05 07:00:00 UTC: 4 bid bars of 1h" in tree.notes[0]


def test_sides_of_ticks(tmp_path: Path):
    _write(tmp_path, MONDAY)
    assert read_tree(tmp_path, "EURUSD", "1h", "ask").bars.row(0)[1:6] == (1.1401, 1.1403, 1.1401, 1.1403, 7.0)
    assert read_tree(tmp_path, "EURUSD", "1h", "mid").bars["volume"].to_list() == [10.0]


def test_missing_hours_of_the_week_are_listed(tmp_path: Path):
    friday = dt.datetime(2019, 2, 8, 20, tzinfo=dt.UTC)
    sunday = dt.datetime(2019, 2, 10, 22, tzinfo=dt.UTC)
    for at in (friday, sunday, sunday + dt.timedelta(hours=3)):
        _write(tmp_path, at)
    place(tmp_path, _hour(sunday + dt.timedelta(hours=4)), b"")
    place(tmp_path, _hour(dt.datetime(2019, 2, 9, 12, tzinfo=dt.UTC)), b"")  # a Saturday is no gap
    tree = read_tree(tmp_path, "EURUSD", "1h")
    assert tree.missing.rows() == [
        (dt.datetime(2019, 2, 8, 21, tzinfo=dt.UTC), None, "no file"),  # the week ends at 22:00 UTC in winter
        (dt.datetime(2019, 2, 10, 23, tzinfo=dt.UTC), None, "no file"),
        (dt.datetime(2019, 2, 11, 0, tzinfo=dt.UTC), None, "no file"),
        (dt.datetime(2019, 2, 11, 2, tzinfo=dt.UTC), None, "empty file"),
    ]
    assert (
        "3 hours of the trading week with no file: 2019-02-08 21:00; 2019-02-10 23:00 to 2019-02-11 00:00."
        in tree.notes
    )
    assert "1 hour of the trading week with an empty file: 2019-02-11 02:00." in tree.notes


def test_a_holiday_explains_a_missing_hour(tmp_path: Path):
    for at in (dt.datetime(2018, 12, 24, 18, tzinfo=dt.UTC), dt.datetime(2018, 12, 26, 12, tzinfo=dt.UTC)):
        _write(tmp_path, at)
    missing = read_tree(tmp_path, "EURUSD", "1h").missing
    christmas = missing.filter(pl.col("start").dt.date() == dt.date(2018, 12, 25))
    assert christmas["closure"].str.contains("Christmas").sum() >= 20


def test_many_runs_are_counted(tmp_path: Path):
    for hour in range(0, 50, 2):
        _write(tmp_path, _at(hour))
    tree = read_tree(tmp_path, "EURUSD", "1h")
    assert tree.missing.height == 24
    assert tree.notes[1].endswith("; and 4 more.")


def test_hours_of_the_weekend_are_said(tmp_path: Path):
    _write(tmp_path, dt.datetime(2019, 2, 9, 12, tzinfo=dt.UTC))
    assert (
        "1 hour with ticks outside the trading week, first 2019-02-09 12:00 UTC"
        in read_tree(tmp_path, "EURUSD").notes[1]
    )


def test_candles_keep_their_own_bar(tmp_path: Path):
    for month in ("00", "02"):
        rows = [(hour * 3600, 1.1, 1.2, 1.0, 1.15, 1.0) for hour in range(24)]
        place(tmp_path, f"EURUSD/2019/{month}/BID_candles_hour_1.bi5", candles(rows))
        place(tmp_path, f"EURUSD/2019/{month}/ASK_candles_hour_1.bi5", candles(rows))
        place(tmp_path, f"GBPUSD/2019/{month}/BID_candles_hour_1.bi5", candles(rows))
    tree = read_tree(tmp_path, "EURUSD")
    assert (tree.bars.height, tree.bar, tree.side) == (48, "1h", "bid")
    assert tree.bars["line"].to_list() == list(range(1, 49))
    assert tree.missing.rows() == [(dt.datetime(2019, 2, 1, tzinfo=dt.UTC), None, "no file")]
    assert "4 files of other pairs, sides or kinds not read." in tree.notes
    assert read_tree(tmp_path, "EURUSD", side="ask").files == 2
    with pytest.raises(VendorError, match="holds candles of 1h, not 4h: read them as 1h, and resample"):
        read_tree(tmp_path, "EURUSD", "4h")


@pytest.mark.parametrize("below", ["", "EURUSD", "EURUSD/2019", "EURUSD/2019/01/04"])
def test_any_folder_of_the_tree_is_a_data_set(tmp_path: Path, below: str):
    _write(tmp_path, MONDAY)
    table = BI5.read(tmp_path / below, "EURUSD")
    assert (table.bars.height, table.clock, table.bar, table.side) == (2, "UTC", "1m", "bid")


def test_folders_that_are_two_readings_are_refused(tmp_path: Path):
    with pytest.raises(VendorError, match=r"no \.bi5 file of EURUSD bid as asked for; there are none at all"):
        read_tree(tmp_path, "EURUSD")
    _write(tmp_path / "one", MONDAY)
    with pytest.raises(VendorError, match=r"no \.bi5 file of GBPUSD bid as asked for; there are EURUSD ticks"):
        read_tree(tmp_path, "GBPUSD")
    _write(tmp_path / "two", MONDAY)
    with pytest.raises(VendorError, match=r"are of the same time: keep one of them"):
        read_tree(tmp_path, "EURUSD")
    place(tmp_path, "one/EURUSD/2019/BID_candles_day_1.bi5", candles([(0, 1.1, 1.2, 1.0, 1.15, 1.0)]))
    with pytest.raises(
        VendorError, match=r"several kinds of files of EURUSD bid .1 of day, 2 of ticks.: .*: bi5:day, bi5:ticks"
    ):
        read_tree(tmp_path, "EURUSD")


def test_a_damaged_file_or_stray_name_is_not_skipped(tmp_path: Path):
    _write(tmp_path, MONDAY)
    path = place(tmp_path, _hour(_at(1)), b"damaged")
    with pytest.raises(VendorError, match=str(path)):
        read_tree(tmp_path, "EURUSD")
    path.rename(path.with_name("copy of 01h_ticks.bi5"))
    with pytest.raises(VendorError, match="the name is none of Dukascopy's"):
        read_tree(tmp_path, "EURUSD")


MEASURE = """
import re, sys
from pathlib import Path
from golden_core.vendors.bi5_tree import read_tree
tree = read_tree(Path(sys.argv[1]), "EURUSD", "1h")
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]  # getrusage knows the parent's, too
print(tree.files, tree.bars.height, tree.missing.height, peak)
"""


def write_ticks(root: Path, days: int, per_hour: int) -> int:
    """Write hours of ticks on so many days, weekdays only, all alike; return the bytes that they unpack to."""
    random = np.random.Generator(np.random.PCG64(0))
    records = np.zeros(per_hour, TICK)
    records["offset"] = np.sort(random.integers(0, 3_600_000, per_hour))
    records["bid"] = 114_000 + random.integers(-50, 50, per_hour)
    records["ask"] = records["bid"] + random.integers(0, 5, per_hour)
    records["bid_volume"] = records["ask_volume"] = 1.5
    hours = [_at(hour) for hour in range(24 * days) if _at(hour).weekday() < 5]
    data = packed(records.tobytes())
    for at in hours:
        place(root, _hour(at), data)
    return len(hours) * records.nbytes


def measure(root: Path) -> tuple[int, int, int, int]:
    """Read a tree in a process of its own; return files, bars, missing hours and peak memory in bytes."""
    output = subprocess.run(
        [sys.executable, "-c", MEASURE, str(root)], check=True, capture_output=True, text=True
    ).stdout.split()
    return int(output[0]), int(output[1]), int(output[2]), int(output[3]) * 1024


def test_memory_does_not_grow_with_the_number_of_files(tmp_path: Path):
    short = write_ticks(tmp_path / "short", 1, 20_000)
    long = write_ticks(tmp_path / "long", 10, 20_000)
    assert long - short > 60e6
    little, much = measure(tmp_path / "short"), measure(tmp_path / "long")
    assert (much[0], much[1]) == (8 * 24, 8 * 24)
    assert much[3] < little[3] + 40e6
    assert much[3] < 1e9
