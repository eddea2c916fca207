"""Honest files that rules for broken ones must not hit: pegs, coarse prices, habits of vendors. All is invented."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import polars as pl
import pytest

from golden_core.market.clock import bar_open, market_open

HEADER = "time,open,high,low,close"
PRICES = ("open", "high", "low", "close")


def _times(every: str, weeks: int, first: str = "2024-01-07") -> pl.Series:
    """Return the opens of bars in UTC."""
    start = dt.datetime.fromisoformat(first)
    times = pl.datetime_range(start, start + dt.timedelta(weeks=weeks), every, time_zone="UTC", eager=True).alias("t")
    return times.to_frame().filter(market_open(pl.col("t")))["t"]


def _candles(times: pl.Series, quotes: np.ndarray[Any, Any], digits: int) -> list[str]:
    """Return rows of bars of which each is made of one row of quotes [N, quotes of a bar]."""
    bars = quotes[:, 0], quotes.max(axis=1), quotes.min(axis=1), quotes[:, -1]
    rows = zip(times, *bars, strict=True)
    return [HEADER, *(f"{t:%Y-%m-%d %H:%M}," + ",".join(f"{price:.{digits}f}" for price in row) for t, *row in rows)]


def _peg(times: pl.Series, levels: int, quotes: int, *, moves: float = 1, seed: int = 3) -> list[str]:
    """Return bars of a pair that is held at one price: its quotes bounce between a few ticks, and then stand."""
    draws = np.random.default_rng(seed)
    new = draws.random(len(times) * quotes) < moves
    ticks = draws.integers(0, levels, len(new))[np.maximum.accumulate(np.where(new, np.arange(len(new)), 0))]
    return _candles(times, 3.75 + 1e-3 * ticks.reshape(-1, quotes), 3)


@pytest.mark.parametrize(
    ("every", "weeks", "levels", "quotes", "moves"),
    [("1h", 10, 2, 6, 1), ("5m", 3, 3, 10, 1), ("15m", 6, 2, 4, 0.5), ("1h", 20, 2, 9, 1), ("30m", 8, 2, 4, 0.1)],
)
def test_quotes_of_a_peg_that_bounce_are_bars(
    every: str, weeks: int, levels: int, quotes: int, moves: float, parse: Any
) -> None:
    times = _times(every, weeks)
    assert parse(_peg(times, levels, quotes, moves=moves), pair="USDSAR").bars.height == len(times)


def test_a_peg_that_crawls_one_way_tick_by_tick_is_no_average(parse: Any) -> None:
    times = _times("1h", 160)
    price = np.round(15 + 3e-4 * np.arange(len(times)), 2)
    rows = ["time,close", *(f"{t:%Y-%m-%d %H:%M},{one:.2f}" for t, one in zip(times, price, strict=True))]
    columns = {"timestamp": "time", "close": "close"}
    assert parse(rows, pair="USDARS", columns=columns).bars.height == len(times)


def test_closes_of_a_peg_that_repeat_by_chance_fill_no_gap(parse: Any) -> None:
    times = _times("1m", 1)
    quotes = np.tile(3.75 + 1e-3 * np.array([0, 1]), len(times) // 2 + 1)[: len(times), None] + np.zeros(4)
    quotes[:, 1] += 1e-3 * np.random.default_rng(1).integers(1, 9, len(times))
    assert not any("of another time" in note for note in parse(_candles(times, quotes, 3), pair="USDSAR").notes)


@pytest.mark.parametrize(("every", "size"), [("1h", 3e-4), ("4h", 3e-4), ("1d", 3e-4), ("1d", 2e-4), ("1d", 1e-4)])
def test_a_currency_in_two_decimals_is_read(every: str, size: float, parse: Any) -> None:
    times = _times("1h", 150)
    walk = 0.9 + np.random.default_rng(5).normal(0, size, (len(times), 4)).cumsum().reshape(-1, 4)
    bars = pl.DataFrame({"t": times, **dict(zip(PRICES, walk.round(2).T, strict=True))})
    bars = bars.with_columns(high=pl.max_horizontal(PRICES), low=pl.min_horizontal(PRICES))
    bars = bars.group_by(bar_open(pl.col("t"), every), maintain_order=True).agg(
        pl.first("open"), pl.max("high"), pl.min("low"), pl.last("close")
    )
    rows = [HEADER, *(f"{t:%Y-%m-%d %H:%M},{o},{h},{lo},{c}" for t, o, h, lo, c in bars.rows())]
    assert parse(rows, pair="USDCHF").bars.height == bars.height


def test_hours_of_a_session_open_far_from_the_evening_before(parse: Any) -> None:
    """After the first bar of a week comes the morning of Monday: the market moved in the night between."""
    times = _times("1h", 12)
    walk = 1.08 + np.random.default_rng(2).normal(0, 5e-4, (len(times), 4)).cumsum().reshape(-1, 4)
    sunday, session = times.dt.weekday() == 7, times.dt.hour().is_between(6, 20)
    kept = (session | (sunday & (times.dt.hour() == 22))).to_numpy()
    rows = _candles(times.filter(pl.Series(kept)), walk[kept], 6)
    assert parse(rows).bars.height == kept.sum()


def test_a_peso_may_fall_a_thousandfold_in_twenty_years(parse: Any) -> None:
    days = pl.date_range(dt.date(2001, 1, 1), dt.date(2025, 12, 31), "1d", eager=True)
    days = days.filter(days.dt.weekday() <= 5)
    price = np.exp(np.linspace(0, 7.4, len(days)) + np.random.default_rng(1).normal(0, 5e-3, len(days)))
    rows = ["time,close", *(f"{day},{one:.4f}" for day, one in zip(days, price, strict=True))]
    columns = {"timestamp": "time", "close": "close"}
    assert parse(rows, pair="USDARS", columns=columns).bars.height == len(days)
