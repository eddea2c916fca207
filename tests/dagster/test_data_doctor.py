"""`golden data doctor`: what it prints, what it writes, and how it exits."""

import datetime as dt
from functools import partial

import numpy as np
import polars as pl
import pytest
from support.commands import golden

from golden_core.market.clock import expected_opens
from golden_core.market.local_time import from_utc

doctor = partial(golden, "data", "doctor")


@pytest.fixture
def file(tmp_path):
    opens = expected_opens(dt.date(2023, 2, 6), dt.date(2023, 4, 28), "1h")["timestamp"]
    close = 1.08 + np.cumsum(np.random.default_rng(1).normal(0, 5e-4, len(opens))).round(5)
    frame = pl.DataFrame({"timestamp": opens, "open": close, "close": close}).with_columns(
        high=pl.col("close") + 2e-4, low=pl.col("close") - 2e-4, volume=pl.int_range(1, pl.len() + 1).cast(pl.Float64)
    )
    path = tmp_path / "EURUSD.parquet"
    frame.write_parquet(path)
    return path


def test_a_sound_file(file):
    result = doctor(file)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("# Data card: EURUSD.parquet")
    assert "FAIL" not in result.output


def test_a_failed_threshold_is_exit_status_1_with_its_reason(file):
    pl.read_parquet(file).filter(pl.int_range(pl.len()) % 20 != 7).write_parquet(file)
    result = doctor(file)
    assert result.exit_code == 1
    assert "FAIL missing bars: EURUSD: " in result.stderr
    assert "bars are missing that the calendar asks for" in result.stderr
    assert "(5." in result.stderr
    assert doctor(file, "--study", "demo").exit_code == 1


def test_a_contradicted_clock_is_exit_status_1(file):
    table = pl.read_parquet(file)
    table.with_columns(timestamp=pl.col("timestamp").dt.offset_by("3h")).write_parquet(file)
    result = doctor(file)
    assert result.exit_code == 1
    assert result.stderr.startswith(("FAIL times are UTC", "FAIL clock"))


def test_what_cannot_be_read_is_exit_status_2(tmp_path, file):
    missing = doctor(tmp_path / "none.parquet")
    assert (missing.exit_code, missing.stderr) == (2, f"there is no file {tmp_path / 'none.parquet'}\n")
    assert doctor(file, "--study", "nosuch").exit_code == 2


def test_a_second_source_is_compared(file, tmp_path):
    other = tmp_path / "second" / "EURUSD.parquet"
    other.parent.mkdir()
    table = pl.read_parquet(file)
    table.write_parquet(other)
    same = doctor(file, "--against", other)
    assert same.exit_code == 0, same.output
    assert "| the second source agrees | pass |" in same.stdout
    assert "100.0% of closes are equal" in same.stdout
    april = pl.col("timestamp") >= dt.datetime(2023, 4, 7, 21, tzinfo=dt.UTC)
    late = pl.when(april).then(pl.col("timestamp").dt.offset_by("1h")).otherwise("timestamp")
    table.with_columns(timestamp=late).write_parquet(other)
    moved = doctor(file, "--against", other)
    assert moved.exit_code == 1
    assert "the second clock differs in 2023-04 by -1 h" in moved.stderr


def test_a_second_source_that_cannot_be_compared(file, tmp_path):
    other = tmp_path / "EURUSD_other.parquet"
    table = pl.read_parquet(file)
    backwards = table.select("timestamp", pl.exclude("timestamp").reverse())
    backwards.write_parquet(other)
    assert "these are not prices of one pair" in doctor(file, "--against", other).stderr
    table.head(60).write_parquet(other)
    few = doctor(file, "--against", other)
    assert "| the second source agrees | not applicable |" in few.stdout
    assert few.exit_code == 0


def test_two_sources_may_keep_two_clocks(file, tmp_path):
    """A broker's history against a bank's: the clock declared for the one is not the other's."""
    table = pl.read_parquet(file)
    broker, bank = tmp_path / "EURUSD_broker.parquet", tmp_path / "EURUSD_bank.csv"
    table.with_columns(from_utc(table["timestamp"], "EET_US")).write_parquet(broker)
    table.rename({"timestamp": "Gmt time"}).write_csv(bank, datetime_format="%d.%m.%Y %H:%M:%S")
    assert doctor(broker, "--zone", "EET_US", "--against", bank).exit_code == 1
    result = doctor(broker, "--zone", "EET_US", "--against", bank, "--against-zone", "UTC")
    assert result.exit_code == 0, result.output
    assert "100.0% of closes are equal" in result.stdout


def test_format_and_columns_may_be_declared(file, tmp_path):
    path = tmp_path / "EURUSD.csv"
    table = pl.read_parquet(file).rename({"timestamp": "when"})
    table.write_csv(path, datetime_format="%d/%m/%Y %H:%M")
    assert doctor(path, "--zone", "UTC").exit_code == 2
    assert doctor(path, "--zone", "UTC", "--column", "timestamp=when").exit_code == 0
    declared = doctor(path, "--zone", "UTC", "--column", "timestamp=when", "--format", "plain_csv:day_first")
    assert declared.exit_code == 0, declared.output
    assert "dates are day before month, as declared" in declared.stdout
