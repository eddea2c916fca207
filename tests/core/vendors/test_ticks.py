"""Ticks into bars, against bars made one tick at a time."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_core.vendors.base import VendorError
from golden_core.vendors.ticks import bars_from_ticks, require_spread

START = dt.datetime(2019, 2, 4)  # noqa: DTZ001 -- readers give naive times
SECONDS = {"1m": 60, "5m": 300, "1h": 3600}
Row = tuple[int, float, float, float]


def _ticks(rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "timestamp": [START + dt.timedelta(milliseconds=row[0]) for row in rows],
            **{name: [row[place] for row in rows] for place, name in ((1, "bid"), (2, "ask"), (3, "volume"))},
        },
        schema={"timestamp": pl.Datetime("us"), "bid": pl.Float64, "ask": pl.Float64, "volume": pl.Float64},
    )


def _by_hand(rows: list[Row], seconds: int) -> list[tuple[object, ...]]:
    bars: dict[int, list[float]] = {}
    for at, bid, _, volume in sorted(rows, key=lambda row: row[0]):
        bar = bars.setdefault(at // (seconds * 1000), [bid, bid, bid, bid, 0.0])
        bar[1], bar[2], bar[3], bar[4] = max(bar[1], bid), min(bar[2], bid), bid, bar[4] + volume
    keyed = enumerate(sorted(bars.items()), start=1)
    return [(START + dt.timedelta(seconds=key * seconds), *bar, line) for line, (key, bar) in keyed]


PRICES = st.integers(100_000, 100_050).map(lambda points: points / 1e5)
ROWS = st.lists(st.tuples(st.integers(0, 7_200_000), PRICES, PRICES, st.integers(0, 9).map(float)), max_size=60)


@given(ROWS, st.sampled_from(sorted(SECONDS)))
def test_bars_are_those_made_one_tick_at_a_time(rows: list[Row], bar: str) -> None:
    assert bars_from_ticks(_ticks(rows), bar=bar).rows() == _by_hand(rows, SECONDS[bar])


def test_ticks_at_one_instant_keep_the_order_of_the_table() -> None:
    rows = [(5000, 1.2, 1.3, 1.0), (1000, 1.4, 1.5, 1.0), (1000, 1.1, 1.2, 1.0), (5000, 1.3, 1.4, 1.0)]
    assert bars_from_ticks(_ticks(rows)).row(0)[1:6] == (1.4, 1.4, 1.1, 1.3, 4.0)


def test_sides_and_their_volumes() -> None:
    ticks = _ticks([(0, 1.0, 2.0, 1.0), (1, 1.5, 3.5, 1.0)])
    assert bars_from_ticks(ticks, "ask").row(0)[1:5] == (2.0, 3.5, 2.0, 3.5)
    assert bars_from_ticks(ticks, "mid").row(0)[1:5] == (1.5, 2.5, 1.5, 2.5)
    assert "volume" not in bars_from_ticks(ticks.drop("volume")).columns
    both = ticks.drop("volume").with_columns(bid_volume=1.0, ask_volume=3.0)
    assert [bars_from_ticks(both, side)["volume"][0] for side in ("bid", "ask", "mid")] == [2.0, 6.0, 8.0]


def test_a_zone_is_kept() -> None:
    ticks = _ticks([(0, 1.0, 2.0, 1.0)]).with_columns(pl.col("timestamp").dt.replace_time_zone("UTC"))
    assert bars_from_ticks(ticks).schema["timestamp"] == pl.Datetime("us", "UTC")


def test_bids_above_asks_are_refused_when_they_are_most() -> None:
    require_spread(_ticks([(0, 1.2, 1.1, 1.0), (1, 1.0, 1.1, 1.0)]), "x.csv")
    with pytest.raises(VendorError, match=r"x\.csv: in 1 of 1 ticks the bid"):
        require_spread(_ticks([(0, 1.2, 1.1, 1.0)]), "x.csv")


@pytest.mark.parametrize("way", [1, -1])
def test_of_ticks_at_one_second_the_last_closes_the_minute_whichever_way_the_file_runs(way: int, parse: Any) -> None:
    quotes = [("58", 1.1), ("59", 1.2), ("59", 1.3), ("59", 1.15)]
    rows = [f"2024-03-15 10:00:{second},{bid},{bid + 0.01:.2f}" for second, bid in quotes]
    read = parse(["time,bid,ask", *rows[::way]])
    assert read.bars.select("open", "high", "low", "close").row(0) == (1.1, 1.3, 1.1, 1.15)
    assert ("they are read from the end" in " ".join(read.notes)) == (way < 0)
