"""The user's files become one series of active bars, with an account of every row."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from support.record import flat_bars, hourly_bars

from golden_core.legacy.reproduction.window import active_bars, merge_files
from golden_core.preparation.catalogue import load_study
from golden_core.sources.base import SourceError
from golden_core.store.lake import Home, hash_file

DATA = load_study("legacy").data


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home", tmp_path / "reports")


def written(bars, path):
    bars.write_parquet(path)
    return path


def test_one_file_keeps_its_active_bars_in_the_order_of_time(home, tmp_path):
    bars = hourly_bars(50)
    flat = flat_bars(bars[:5])
    path = written(pl.concat([flat, bars.reverse()]), tmp_path / "mine.parquet")
    merged = merge_files(home, DATA, "EURUSD", path, None)
    assert merged.bars["timestamp"].equals(bars["timestamp"])
    assert merged.bars["close"].equals(bars["close"])
    (account,) = merged.files
    assert (account.name, account.sha256) == ("mine.parquet", hash_file(path))
    assert (account.read, account.inactive, account.superseded, account.used) == (55, 5, 0, 50)
    assert account.last == "2025-02-18 23:00:00+00:00"
    assert merged.overlap is None


def test_an_earlier_file_gives_only_what_lies_before(home, tmp_path):
    bars = hourly_bars(100)
    shifted = bars.with_columns(pl.col("close") + 1e-5, pl.col("high") + 1e-4)
    early = written(shifted[:70], tmp_path / "early.parquet")
    late = written(bars[40:], tmp_path / "late.parquet")
    merged = merge_files(home, DATA, "EURUSD", late, early)
    assert merged.bars["timestamp"].equals(bars["timestamp"])
    np.testing.assert_array_equal(merged.bars["close"].to_numpy()[:40], shifted["close"].to_numpy()[:40])
    np.testing.assert_array_equal(merged.bars["close"].to_numpy()[40:], bars["close"].to_numpy()[40:])
    first, second = merged.files
    assert (first.name, first.read, first.superseded, first.used) == ("early.parquet", 70, 30, 40)
    assert (second.name, second.read, second.superseded, second.used) == ("late.parquet", 60, 0, 60)
    assert merged.overlap.bars == 30
    assert merged.overlap.median_difference == pytest.approx(1e-5, rel=1e-6)


def test_flat_bars_before_the_later_file_trades_belong_to_it(home, tmp_path):
    bars = hourly_bars(60)
    closed = bars[30:35].with_columns(pl.col("close").alias(name) for name in ("open", "high", "low"))
    late = written(pl.concat([closed, bars[35:]]), tmp_path / "late.parquet")
    merged = merge_files(home, DATA, "EURUSD", late, written(bars, tmp_path / "early.parquet"))
    assert merged.bars.height == 55


def test_files_without_a_common_bar_have_no_overlap(home, tmp_path):
    bars = hourly_bars(60)
    late, early = written(bars[30:], tmp_path / "late.parquet"), written(bars[:30], tmp_path / "early.parquet")
    assert merge_files(home, DATA, "EURUSD", late, early).overlap is None


def test_a_clock_that_is_an_hour_off_is_refused(home, tmp_path):
    bars = hourly_bars(400)
    wrong = bars[:300].with_columns(pl.col("timestamp") + dt.timedelta(hours=1))
    late, early = written(bars[100:], tmp_path / "late.parquet"), written(wrong, tmp_path / "early.parquet")
    with pytest.raises(SourceError, match=r"early\.parquet: the file is declared to keep UTC, but its weekends read"):
        merge_files(home, DATA, "EURUSD", late, early)


def test_other_prices_show_in_the_overlap(home, tmp_path):
    bars = hourly_bars(400)
    wrong = bars[:300].with_columns(pl.col("open", "high", "low", "close") + 0.001)
    late, early = written(bars[100:], tmp_path / "late.parquet"), written(wrong, tmp_path / "early.parquet")
    overlap = merge_files(home, DATA, "EURUSD", late, early).overlap
    assert overlap.median_difference == pytest.approx(0.001)


def test_a_file_that_adds_nothing_or_is_not_there_is_refused(home, tmp_path):
    bars = hourly_bars(60)
    late = written(bars, tmp_path / "late.parquet")
    with pytest.raises(SourceError, match=r"has no bar before .*late.parquet, which begins at 2025-02-14 12:00"):
        merge_files(home, DATA, "EURUSD", late, written(bars[10:], tmp_path / "early.parquet"))
    with pytest.raises(SourceError, match="there is no file"):
        merge_files(home, DATA, "EURUSD", tmp_path / "absent.parquet", None)
    with pytest.raises(SourceError, match=r"EURUSD: .* is a folder; columns are declared for one table"):
        merge_files(home, DATA, "EURUSD", tmp_path, None)


def test_nothing_is_filled_in_and_order_does_not_matter():
    bars = hourly_bars(30)
    gaps = bars.filter(pl.col("timestamp").dt.hour() != 5)
    assert active_bars(gaps.reverse()).equals(gaps)
