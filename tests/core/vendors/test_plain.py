"""Plain tables: names of columns that say more, days and times apart, and bars that were not over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from support.text_files import PRICES, hourly

from golden_core.bars.reading import read_bars
from golden_core.vendors.base import VendorError
from golden_core.vendors.columns import clock_in

SPRING = "2024-03-03"
HOURS = hourly(SPRING, 2).with_columns(pl.col("timestamp").dt.replace_time_zone(None))
TIME = pl.col("timestamp")


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes prices beside given columns, as Parquet or CSV, and returns the path."""

    def write(*columns: pl.Expr, suffix: str = "parquet") -> Path:
        path, table = tmp_path / f"x.{suffix}", HOURS.select(*columns, *PRICES, "volume")
        table.write_parquet(path) if suffix == "parquet" else table.write_csv(path)
        return path

    return write


# Days and times of day


@pytest.mark.parametrize(
    "day", [TIME.dt.date(), TIME.dt.truncate("1d"), TIME.dt.strftime("%Y%m%d").cast(pl.Int64), TIME.dt.strftime("%F")]
)
@pytest.mark.parametrize("clock", [TIME.dt.time(), TIME.dt.strftime("%H:%M")])
def test_a_typed_day_does_not_hide_the_time_of_day(day: pl.Expr, clock: pl.Expr, write: Callable[..., Path]) -> None:
    read = read_bars(write(day.alias("date"), clock.alias("time")), "EURUSD", zone="UTC")
    assert read.bar == "1h"
    assert read.bars["timestamp"].dt.replace_time_zone(None).equals(HOURS["timestamp"])


@pytest.mark.parametrize(
    ("day", "clock"),
    [(TIME, TIME.dt.time()), (TIME.dt.date(), TIME), (TIME.dt.date(), TIME.dt.strftime("%H%M").cast(pl.Int64))],
)
def test_a_whole_time_beside_another_is_two_readings(day: pl.Expr, clock: pl.Expr, write: Callable[..., Path]) -> None:
    path = write(day.alias("date"), clock.alias("time"))
    with pytest.raises(VendorError, match=r"columns 'date' and 'time' hold .* declare it with --column timestamp=NAME"):
        read_bars(path, "EURUSD", zone="UTC")


def test_metastocks_name_for_a_day(write: Callable[..., Path]) -> None:
    path = write(
        pl.lit("EURUSD").alias("<TICKER>"),
        TIME.dt.strftime("%Y%m%d").alias("<DTYYYYMMDD>"),
        TIME.dt.strftime("%H%M%S").alias("<TIME>"),
        suffix="csv",
    )
    read = read_bars(path, "EURUSD", zone="UTC")
    assert read.bars["timestamp"].dt.replace_time_zone(None).equals(HOURS["timestamp"])


def test_of_an_index_and_a_time_the_time_is_proposed(write: Callable[..., Path]) -> None:
    path = write(pl.int_range(pl.len()).alias("__index_level_0__"), TIME)
    with pytest.raises(
        VendorError, match=r"could both be the time .* declare which with --column timestamp='timestamp'"
    ):
        read_bars(path, "EURUSD", zone="UTC")


# Clocks in names


@pytest.mark.parametrize(
    ("name", "clock"),
    [
        ("Gmt time", "UTC"), ("time_utc", "UTC"), ("Time (UTC)", "UTC"), ("time_utc_ms", "UTC"), ("Time (EET)", "EET"),
        ("Time (UTC+2)", "UTC+02:00"), ("Time GMT+0200", "UTC+02:00"), ("Time (GMT-05:00)", "UTC-05:00"),
        ("Time (UTC+5:30)", "UTC+05:30"), ("Time (UTC+0)", "UTC"), ("time_utc_plus2", None), ("utc2_time", None),
        ("Local time", None), ("time", None),
    ],
)  # fmt: skip
def test_the_clock_that_a_name_states(name: str, clock: str | None) -> None:
    assert clock_in(name) == clock


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_an_offset_in_the_header_counts(suffix: str, write: Callable[..., Path]) -> None:
    """Read as UTC, a week too short for a verdict would be two hours late."""
    moved = (TIME + dt.timedelta(hours=2)).dt.strftime("%Y-%m-%d %H:%M")
    read = read_bars(write(moved.alias("Time (GMT+0200)"), suffix=suffix), "EURUSD")
    assert read.zone == "UTC+02:00"
    assert read.bars["timestamp"].dt.replace_time_zone(None).equals(HOURS["timestamp"])


# Bars that were not over


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_running_bar_is_left_out_of_any_table(suffix: str, write: Callable[..., Path]) -> None:
    last = pl.int_range(pl.len()) < pl.len() - 1
    read = read_bars(write(TIME, last.alias("Complete"), suffix=suffix), "EURUSD", zone="UTC")
    assert read.bars.height == HOURS.height - 1
    assert read.left_out["reason"].to_list() == ["incomplete"]
    with pytest.raises(VendorError, match=r"Complete is 'no', expected true or false"):
        read_bars(write(TIME, pl.lit("no").alias("Complete"), suffix=suffix), "EURUSD", zone="UTC")


def test_a_file_without_a_whole_bar_is_refused(write: Callable[..., Path]) -> None:
    with pytest.raises(VendorError, match="none of its 240 bars is complete"):
        read_bars(write(TIME, pl.lit(value=False).alias("complete")), "EURUSD", zone="UTC")


def test_a_table_of_unknown_columns_is_not_blamed_on_its_bytes(write: Callable[..., Path]) -> None:
    path = write(TIME.alias("when"))
    with pytest.raises(VendorError, match=r"it is Parquet with the columns 'when', .*--format plain_parquet"):
        read_bars(path, "EURUSD", zone="UTC")
    columns = {"timestamp": "when"}
    assert read_bars(path, "EURUSD", zone="UTC", format="plain_parquet", columns=columns).bars.height == 240


@pytest.mark.parametrize(("format", "said"), [
    ("plain_csv:day_frist", "format plain_csv offers only .*, got 'day_frist'"),
    ("histdata_ascii", "with declared columns the format is plain_csv, got histdata_ascii: give one of them"),
])  # fmt: skip
def test_what_is_said_beside_declared_columns_is_not_passed_over(write: Callable[..., Path], format, said) -> None:
    columns = {"timestamp": "timestamp", "close": "close"}
    path = write(TIME, suffix=".csv")
    assert read_bars(path, "EURUSD", zone="UTC", format="plain_csv", columns=columns).bars.height == 240
    with pytest.raises(VendorError, match=said):
        read_bars(path, "EURUSD", zone="UTC", format=format, columns=columns)


def test_a_folder_with_brackets_is_no_pattern(write: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "FX [24]").mkdir()
    path = write(TIME).rename(tmp_path / "FX [24]" / "x.parquet")
    assert read_bars(path, "EURUSD", zone="UTC").bars.height == 240


@pytest.mark.parametrize("fault", [pl.exceptions.PanicException, pl.exceptions.ComputeError, OSError])
def test_a_damaged_table_is_refused(fault: type[BaseException], write: Any, monkeypatch: Any) -> None:
    """What damaged pages make polars raise; no real ones, since some make it end the process."""

    def broken(_path: Path, **_: object) -> pl.DataFrame:
        raise fault("zstd error")

    path = write(TIME)
    monkeypatch.setattr(pl, "read_parquet", broken)
    with pytest.raises(VendorError, match=r"x.parquet cannot be read as Parquet: zstd error; write it again"):
        read_bars(path, "EURUSD", zone="UTC")


def test_declared_columns_of_broken_text_name_the_byte(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"when,px\n2024-03-04 00:00,1.1\n2024-03-04 01:00,\xff\n")
    with pytest.raises(VendorError, match="line 3: byte 0xff is not UTF-8 text"):
        read_bars(tmp_path / "x.csv", "EURUSD", zone="UTC", columns={"timestamp": "when", "close": "px"})
