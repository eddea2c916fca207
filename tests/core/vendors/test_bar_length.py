"""One file, one length: bars of another length would be known too early, or overlap."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import polars as pl
import pytest
from support.text_files import hourly, walk

from golden_core.bars.reading import read_bars
from golden_core.vendors.bar_length import STRETCH
from golden_core.vendors.base import VendorError

SPRING = "2024-03-03"


def _daily(count: int, last: str = "2024-03-01") -> pl.DataFrame:
    """Return days before the hours of ``hourly``, as brokers keep for years of which they have no hours."""
    end = dt.datetime.fromisoformat(last)
    days = pl.datetime_range(end - dt.timedelta(days=2 * count), end, "1d", eager=True).alias("timestamp")
    return walk(days.filter(days.dt.weekday() <= 5).tail(count), seed=1, pair="EURUSD")


def _hours(bars: pl.DataFrame) -> pl.DataFrame:
    return bars.with_columns(pl.col("timestamp").dt.replace_time_zone(None))


def _write(bars: pl.DataFrame, path: Path) -> Path:
    bars.write_csv(path)
    return path


@pytest.mark.parametrize("days", [STRETCH + 1, 2000])
def test_days_among_hours_are_refused(days: int, tmp_path: Path) -> None:
    """Read as hours, a day's close would be known at one o'clock in its morning; whichever there are more of."""
    hours, daily = _hours(hourly(SPRING, 6)), _daily(days)
    path = _write(pl.concat([daily, hours.select(daily.columns)]), tmp_path / "x.csv")
    with pytest.raises(VendorError, match=r"bars from line \d+ .* to line \d+ .* of another length; split the file"):
        read_bars(path, "EURUSD", zone="UTC")


def test_a_few_hours_a_day_apart_are_a_gap_and_a_few_days_are_not(tmp_path: Path) -> None:
    """Days open where the day before closed."""
    hours, daily = _hours(hourly(SPRING, 6)), _daily(STRETCH - 1)
    sparse = hours.filter((pl.int_range(pl.len()) >= 240) | (pl.col("timestamp").dt.hour() == 9))
    assert read_bars(_write(sparse, tmp_path / "x.csv"), "EURUSD", zone="UTC").bar == "1h"
    path = _write(pl.concat([daily, hours.select(daily.columns)]), tmp_path / "x.csv")
    with pytest.raises(VendorError, match="those from line 2 on are 1d apart and each opens where the one before"):
        read_bars(path, "EURUSD", zone="UTC")


def test_the_lines_are_those_of_the_file(tmp_path: Path) -> None:
    hours, daily = _hours(hourly(SPRING, 6)), _daily(30)
    path = _write(pl.concat([hours.select(daily.columns), daily]), tmp_path / "x.csv")
    first = hours.height + 2
    with pytest.raises(VendorError, match=re.escape(f"from line {first} (")):
        read_bars(path, "EURUSD", zone="UTC")


def test_a_length_that_the_format_says_must_be_the_rows(tmp_path: Path) -> None:
    rows = _hours(hourly(SPRING, 1)).select(
        pl.concat_str(pl.col("timestamp").dt.strftime("%Y%m%d %H%M%S"), "open", "high", "low", "close", separator=";")
    )
    (tmp_path / "x.csv").write_text("\n".join(rows.to_series()))
    with pytest.raises(VendorError, match=r"bars are 1m long, as the format says, but .* are whole multiples of 1h"):
        read_bars(tmp_path / "x.csv", "EURUSD", format="histdata_m1")


def test_bars_that_overlap_are_refused(tmp_path: Path) -> None:
    """A few of the hours of a file leave a median distance of four."""
    hours = _hours(hourly(SPRING, 6))
    kept = hours.filter((pl.int_range(pl.len()) % 9).is_in([0, 4, 5]))
    with pytest.raises(
        VendorError, match=r"bars are 4h long, as most are, but .* followed by another within that time"
    ):
        read_bars(_write(kept, tmp_path / "x.csv"), "EURUSD", zone="UTC")


def test_a_thousand_gaps_do_not_change_the_length(tmp_path: Path) -> None:
    hours = _hours(hourly(SPRING, 52)).sample(fraction=0.7, seed=0).sort("timestamp")
    assert read_bars(_write(hours, tmp_path / "x.csv"), "EURUSD", zone="UTC").bar == "1h"


@pytest.mark.parametrize("late", [dt.timedelta(minutes=59, seconds=59), dt.timedelta(minutes=59)])
def test_times_of_closing_are_refused(late: dt.timedelta, tmp_path: Path) -> None:
    """The trading week cannot tell them from opens an hour later."""
    hours = _hours(hourly(SPRING, 6)).with_columns(pl.col("timestamp") + late)
    with pytest.raises(VendorError, match=r"line 2: no bar of 1h begins at 22:59:\d\d, .* the time of the close"):
        read_bars(_write(hours, tmp_path / "x.csv"), "EURUSD", zone="UTC")


def test_bars_of_a_zone_of_half_hours_are_on_the_grid(tmp_path: Path) -> None:
    hours = _hours(hourly(SPRING, 6)).with_columns(pl.col("timestamp").dt.offset_by("5h30m"))
    assert read_bars(_write(hours, tmp_path / "x.csv"), "EURUSD", zone="Asia/Kolkata").bar == "1h"


def test_days_of_hours_without_their_time_are_refused(tmp_path: Path) -> None:
    """Read as days they would all be duplicates that contradict each other."""
    days = _hours(hourly(SPRING, 2)).with_columns(pl.col("timestamp").dt.date())
    with pytest.raises(VendorError, match="240 rows have only 12 times: their time of day is lost"):
        read_bars(_write(days, tmp_path / "x.csv"), "EURUSD", zone="UTC")


def test_a_file_appended_to_itself_is_left_to_cleaning(tmp_path: Path) -> None:
    hours = _hours(hourly(SPRING, 2))
    assert read_bars(_write(pl.concat([hours, hours]), tmp_path / "x.csv"), "EURUSD", zone="UTC").bars.height == 480
