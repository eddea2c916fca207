"""Ticks into bars, against bars made one tick at a time."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_core.vendors.base import VendorError
from golden_core.vendors.ticks import TICK_BARS, bars_from_ticks

START = dt.datetime(2019, 2, 4)  # noqa: DTZ001 -- readers give naive times
SECONDS = {"1m": 60, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600}


def _ticks(rows: list[tuple[int, float, float, float]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "timestamp": [START + dt.timedelta(milliseconds=row[0]) for row in rows],
            "bid": [row[1] for row in rows],
            "ask": [row[2] for row in rows],
            "volume": [row[3] for row in rows],
        },
        schema={"timestamp": pl.Datetime("us"), "bid": pl.Float64, "ask": pl.Float64, "volume": pl.Float64},
    )


def _by_hand(rows: list[tuple[int, float, float, float]], seconds: int) -> list[tuple[object, ...]]:
    bars: dict[int, list[float]] = {}
    for at, bid, _, volume in sorted(rows, key=lambda row: row[0]):
        bar = bars.setdefault(at // (seconds * 1000), [bid, bid, bid, bid, 0.0])
        bar[1], bar[2], bar[3], bar[4] = max(bar[1], bid), min(bar[2], bid), bid, bar[4] + volume
    return [(START + dt.timedelta(seconds=key * seconds), *bar) for key, bar in sorted(bars.items())]


PRICES = st.integers(100_000, 100_050).map(lambda points: points / 1e5)
ROWS = st.lists(st.tuples(st.integers(0, 7_200_000), PRICES, PRICES, st.integers(0, 9).map(float)), max_size=60)


@given(ROWS, st.sampled_from(TICK_BARS), st.booleans())
def test_bars_are_those_made_one_tick_at_a_time(rows, bar, lazy):
    ticks = _ticks(rows)
    bars = bars_from_ticks(ticks.lazy() if lazy else ticks, bar)
    assert bars.rows() == _by_hand(rows, SECONDS[bar])


def test_ticks_at_one_instant_keep_the_order_of_the_table():
    rows = [(5000, 1.2, 1.3, 1.0), (1000, 1.4, 1.5, 1.0), (1000, 1.1, 1.2, 1.0), (5000, 1.3, 1.4, 1.0)]
    assert bars_from_ticks(_ticks(rows), "1m").row(0)[1:] == (1.4, 1.4, 1.1, 1.3, 4.0)


def test_sides():
    ticks = _ticks([(0, 1.0, 2.0, 1.0), (1, 1.5, 3.5, 1.0)])
    assert bars_from_ticks(ticks, "1h", "ask").row(0)[1:5] == (2.0, 3.5, 2.0, 3.5)
    assert bars_from_ticks(ticks, "1h", "mid").row(0)[1:5] == (1.5, 2.5, 1.5, 2.5)
    assert bars_from_ticks(ticks.drop("ask", "volume"), "1h").columns == ["timestamp", "open", "high", "low", "close"]


def test_a_zone_is_kept():
    ticks = _ticks([(0, 1.0, 2.0, 1.0)]).with_columns(pl.col("timestamp").dt.replace_time_zone("UTC"))
    assert bars_from_ticks(ticks, "1h").schema["timestamp"] == pl.Datetime("us", "UTC")


REFUSED = {
    "4h": ({"bar": "4h"}, "make 1h bars, and resample them"),
    "side": ({"side": "last"}, "side 'last' is none of bid, ask, mid"),
    "no ask": ({"side": "mid", "ticks": _ticks([]).drop("ask")}, "lack the column ask"),
    "milliseconds": (
        {"ticks": _ticks([]).with_columns(pl.col("timestamp").dt.cast_time_unit("ms"))},
        "expected Datetime in microseconds",
    ),
    "no price": ({"ticks": _ticks([(0, 1.0, 1.0, 1.0), (1, None, 1.0, 1.0)])}, "1 ticks have no time or no finite bid"),
    "nan": ({"ticks": _ticks([(0, float("nan"), 1.0, 1.0)])}, "1 ticks have"),
    "no time": (
        {"ticks": _ticks([(0, 1.0, 1.0, 1.0)]).with_columns(timestamp=pl.lit(None, pl.Datetime("us")))},
        "1 ticks",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    changes, message = REFUSED[case]
    with pytest.raises(VendorError, match=message):
        bars_from_ticks(**({"ticks": _ticks([(0, 1.0, 1.0, 1.0)]), "bar": "1m"} | changes))
