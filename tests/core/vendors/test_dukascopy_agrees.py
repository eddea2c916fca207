"""One vendor's three formats, where they cover the same hours: CSV, .hst and .bi5 must agree to the tick."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from golden_core.vendors.bi5 import BI5
from golden_core.vendors.bi5_files import locate, read_ticks
from golden_core.vendors.hst import HST
from golden_core.vendors.ticks import bars_from_ticks

VENDOR = Path(__file__).parents[4] / "../shared/data/vendor"
FEED = VENDOR / "dukascopy_bi5/EURUSD/2019"
PRICES = ["open", "high", "low", "close"]

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not VENDOR.is_dir(), reason="needs the vendors' files of ../shared"),
]


@pytest.fixture(scope="module")
def hst() -> pl.DataFrame:
    table = HST.read(next(VENDOR.glob("EURUSD*.hst")), "EURUSD")
    assert (table.bar, table.side, table.clock) == ("1h", "bid", None)
    assert table.bars.height == 61_000
    return table.bars


def _csv(name: str) -> pl.DataFrame:
    """Read a CSV of Dukascopy with nothing but polars: GMT, or a local time with its offset."""
    table = pl.read_csv(next(VENDOR.glob(name)), infer_schema_length=0)
    time = pl.col(table.columns[0])
    stamp = time.str.slice(0, 23).str.to_datetime("%d.%m.%Y %H:%M:%S%.f", time_unit="us")
    offset = time.str.extract(r"GMT([+-]\d{2})", 1).cast(pl.Int64).fill_null(0)
    prices = (pl.col(name.capitalize()).cast(pl.Float64).alias(name) for name in [*PRICES, "volume"])
    return table.select(*prices, timestamp=stamp - pl.duration(hours=offset))


def _both(left: pl.DataFrame, right: pl.DataFrame) -> pl.DataFrame:
    return left.join(right, on="timestamp", how="inner", suffix="_right")


def _equal(both: pl.DataFrame) -> bool:
    """Tell whether every price is the same double: agreement to the tick leaves no room for less."""
    return all(both[name].equals(both[f"{name}_right"].alias(name)) for name in PRICES)


@pytest.mark.parametrize(("name", "hours"), [("EURUSD*2020*.csv", 17_768), ("EURUSD*2024-01.01.2025.csv", 4_678)])
def test_history_and_csv(hst: pl.DataFrame, name: str, hours: int):
    both = _both(_csv(name), hst)
    assert both.height == hours
    assert _equal(both)


def test_feed_and_history(hst: pl.DataFrame):
    feed = BI5.read(FEED / "00/BID_candles_hour_1.bi5", "EURUSD").bars
    both = _both(feed, hst)
    assert (feed.height, both.height) == (744, 552)
    assert _equal(both)
    only_feed = feed.join(hst, on="timestamp", how="anti")
    assert (only_feed["volume"] == 0).all()  # the feed fills weekends with flat bars, the history has none


def test_minutes_of_the_feed_and_hours_of_the_history(hst: pl.DataFrame):
    minutes = BI5.read(FEED / "01/04/BID_candles_min_1.bi5", "EURUSD").bars
    hours = minutes.group_by(pl.col("timestamp").dt.truncate("1h"), maintain_order=True).agg(
        open=pl.col("open").first(), high=pl.col("high").max(), low=pl.col("low").min(), close=pl.col("close").last()
    )
    both = _both(hours, hst)
    assert both.height == 24
    assert _equal(both)


def test_ticks_and_minutes_of_the_feed():
    minutes = BI5.read(FEED / "01/04/BID_candles_min_1.bi5", "EURUSD").bars
    made = pl.concat([BI5.read(FEED / f"01/04/{hour:02}h_ticks.bi5", "EURUSD").bars for hour in range(4)])
    both = _both(made, minutes)
    assert both.height == 240
    assert _equal(both)
    assert ((both["volume"] - both["volume_right"]).abs() < 1e-4).all()


def test_ticks_of_the_feed_and_hours_of_the_history(hst: pl.DataFrame):
    paths = [FEED / f"01/04/{hour:02}h_ticks.bi5" for hour in range(4)]
    ticks = pl.concat([read_ticks(path, locate(path), "EURUSD") for path in paths])
    both = _both(bars_from_ticks(ticks, bar="1h"), hst)
    assert both.height == 4
    assert _equal(both)


def test_days_and_hours_of_the_feed():
    days = BI5.read(FEED / "BID_candles_day_1.bi5", "EURUSD").bars
    hours = BI5.read(FEED / "00/BID_candles_hour_1.bi5", "EURUSD").bars
    # A day's candle is made of its ticks: the flat hours that fill a closure are not in it.
    ticked = hours.filter(pl.col("volume") > 0)
    made = ticked.group_by(pl.col("timestamp").dt.truncate("1d"), maintain_order=True).agg(
        open=pl.col("open").first(), high=pl.col("high").max(), low=pl.col("low").min(), close=pl.col("close").last()
    )
    both = _both(days, made)
    assert both.height == 27
    assert _equal(both)
