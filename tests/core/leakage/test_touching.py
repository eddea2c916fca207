"""Reads of the lake's files: code that does it is found, whoever reads beside it is not held against the code."""

import datetime as dt

import polars as pl
import pytest

from golden_core.leakage.batch_probe import LAKE, files_read, lake_read

STAMP = dt.datetime(2020, 1, 2, tzinfo=dt.UTC)


@pytest.fixture
def bars(tmp_path):
    path = tmp_path / "EURUSD.parquet"
    pl.DataFrame({"close": [1.1, 1.2]}).write_parquet(path)
    if files_read([path], path.read_bytes)[1] != [path]:
        pytest.skip("this file system keeps no access times")
    return path


def test_who_reads_every_time_is_found(bars):
    made, (finding,) = lake_read([bars], lambda: pl.read_parquet(bars)["close"].sum(), "features", "close", STAMP)
    assert made == pytest.approx(2.3)
    assert (finding.probe, finding.asset, finding.column, finding.timestamp) == (LAKE, "features", "close", STAMP)
    assert str(bars) in finding.detail


def test_a_read_by_another_program_is_not_held_against_the_code(bars):
    others = iter([bars.read_bytes])
    assert lake_read([bars], lambda: [read() for read in others], "features", "close", STAMP)[1] == []


def test_who_reads_nothing_is_not_asked_again(bars):
    calls = []
    assert lake_read([bars], lambda: calls.append(1), "features", "close", STAMP) == (None, [])
    assert calls == [1]
