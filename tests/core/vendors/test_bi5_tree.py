"""A folder of .bi5 files as a data set: bars across files, what is missing, and which folders are refused."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.vendor_files import candles, packed, place, ticks

from golden_core.bars.reading import read_bars
from golden_core.vendors.base import VendorError
from golden_core.vendors.bi5 import BI5
from golden_core.vendors.bi5_files import TICK

MONDAY = dt.datetime(2019, 2, 4, tzinfo=dt.UTC)


def _hour(at: dt.datetime) -> str:
    return f"EURUSD/{at.year}/{at.month - 1:02}/{at.day:02}/{at.hour:02}h_ticks.bi5"


def _write(root: Path, at: dt.datetime, price: float = 1.14) -> Path:
    """Write an hour of two ticks, half an hour apart."""
    rows = [(0, price, price + 1e-4, 1.0, 3.0), (1_800_000, price + 2e-4, price + 3e-4, 2.0, 4.0)]
    return place(root, _hour(at), ticks(rows))


def _at(hours: int) -> dt.datetime:
    return MONDAY + dt.timedelta(hours=hours)


def _notes(root: Path) -> str:
    return " ".join(BI5.read(root, "EURUSD").notes)


def test_hours_follow_each_other(tmp_path: Path):
    for hour in (30, 0, 2, 1):
        _write(tmp_path, _at(hour), 1.14 + hour / 1000)
    table = BI5.read(tmp_path, "EURUSD")
    halves = [(hour, minute) for hour in (0, 1, 2, 30) for minute in (0, 30)]
    expected = [(_at(hour) + dt.timedelta(minutes=minute)).replace(tzinfo=None) for hour, minute in halves]
    assert table.bars["timestamp"].to_list() == expected
    assert table.bars.row(2)[1:] == (1.141, 1.141, 1.141, 1.141, 1.0, 3)
    said = "ticks made into bid bars of 1m, 2019-02-04 00:00:00 to 2019-02-05 07:00:00 UTC"
    assert said in table.notes[0]


def test_hours_of_the_weekend_are_said(tmp_path: Path):
    _write(tmp_path, dt.datetime(2019, 2, 9, 12, tzinfo=dt.UTC))
    (note,) = (note for note in read_bars(tmp_path, "EURUSD").notes if "market is closed" in note)
    assert "closed (first: Sat 2019-02-09 12:00 UTC)" in note


def test_candles_keep_their_own_bar(tmp_path: Path):
    for month in ("00", "02"):
        rows = [(hour * 3600, 1.1, 1.2, 1.0, 1.15, 1.0) for hour in range(24)]
        for name in ("EURUSD/2019/{}/BID", "EURUSD/2019/{}/ASK", "GBPUSD/2019/{}/BID"):
            place(tmp_path, f"{name.format(month)}_candles_hour_1.bi5", candles(rows))
    table = BI5.read(tmp_path, "EURUSD")
    assert (table.bars.height, table.bar, table.side) == (48, "1h", "bid")
    assert table.bars["line"].to_list() == list(range(1, 49))
    assert "not read, of other pairs, sides or kinds: files 4." in table.notes
    assert BI5.chosen("hour_ask").read(tmp_path, "EURUSD").side == "ask"


@pytest.mark.parametrize("below", ["", "EURUSD", "EURUSD/2019", "EURUSD/2019/01/04"])
def test_any_folder_of_the_tree_is_a_data_set(tmp_path: Path, below: str):
    _write(tmp_path, MONDAY)
    table = BI5.read(tmp_path / below, "EURUSD")
    assert (table.bars.height, table.clock, table.bar, table.side) == (2, "UTC", "1m", "bid")


def test_folders_that_are_two_readings_are_refused(tmp_path: Path):
    with pytest.raises(VendorError, match=r"no \.bi5 file of EURUSD bid as asked for; there are none at all"):
        BI5.read(tmp_path, "EURUSD")
    _write(tmp_path / "one", MONDAY)
    with pytest.raises(VendorError, match=r"no \.bi5 file of GBPUSD bid as asked for; there are EURUSD ticks"):
        BI5.read(tmp_path, "GBPUSD")
    _write(tmp_path / "two", MONDAY)
    with pytest.raises(VendorError, match=r"are of the same time: keep one of them"):
        BI5.read(tmp_path, "EURUSD")
    place(tmp_path, "one/EURUSD/2019/BID_candles_day_1.bi5", candles([(0, 1.1, 1.2, 1.0, 1.15, 1.0)]))
    with pytest.raises(VendorError, match=r"several kinds of files of EURUSD bid: .*: bi5:day, bi5:ticks"):
        BI5.read(tmp_path, "EURUSD")


def test_a_damaged_file_or_stray_name_is_not_skipped(tmp_path: Path):
    _write(tmp_path, MONDAY)
    path = place(tmp_path, _hour(_at(1)), b"damaged")
    with pytest.raises(VendorError, match=str(path)):
        BI5.read(tmp_path, "EURUSD")
    path.rename(path.with_name("copy of 01h_ticks.bi5"))
    with pytest.raises(VendorError, match="the name is none of Dukascopy's"):
        BI5.read(tmp_path, "EURUSD")


MEASURE = """
import re, sys
from pathlib import Path
from golden_core.vendors.bi5 import BI5
bars = BI5.read(Path(sys.argv[1]), "EURUSD").bars
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]  # getrusage knows the parent's, too
print(bars.height, peak)
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


def measure(root: Path) -> tuple[int, int]:
    """Read a tree in a process of its own; return bars and peak memory in bytes."""
    run = subprocess.run([sys.executable, "-c", MEASURE, str(root)], check=True, capture_output=True, text=True)
    bars, peak = run.stdout.split()
    return int(bars), int(peak) * 1024


def test_memory_does_not_grow_with_the_number_of_files(tmp_path: Path):
    short = write_ticks(tmp_path / "short", 1, 20_000)
    long = write_ticks(tmp_path / "long", 10, 20_000)
    assert long - short > 60e6
    little, much = measure(tmp_path / "short"), measure(tmp_path / "long")
    assert much[0] == 8 * 24 * 60
    assert much[1] < min(little[1] + 40e6, 1e9)
