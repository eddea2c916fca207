"""Honest files that rules for broken ones must not hit: pegs, coarse prices, habits of vendors. All is invented."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import polars as pl
import pytest

from golden_core.market.clock import bar_open, market_open
from golden_core.market.local_time import from_utc
from golden_core.market.zones import verify_zone

HEADER = "time,open,high,low,close"
PRICES = ("open", "high", "low", "close")
HOUR = dt.timedelta(hours=1)


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


def test_opens_and_closes_of_a_peg_are_not_taken_for_each_other(parse: Any) -> None:
    """Half of the moves of a peg are none: which median is a tick and which is none, chance decides."""
    times = _times("1h", 1)
    for seed in range(20):
        assert parse(_peg(times, 2, 3, seed=seed), pair="USDSAR").bars.height == len(times)


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


def test_a_feed_that_is_silent_on_christmas_and_new_year_does_not_stand_still(parse: Any) -> None:
    times = _times("1h", 4, "2023-12-10")
    walk = 1.08 + np.random.default_rng(2).normal(0, 5e-4, (len(times), 4)).cumsum().reshape(-1, 4)
    for start in (dt.datetime(2023, 12, 24, 23), dt.datetime(2023, 12, 31, 23)):  # noqa: DTZ001
        still = times.dt.replace_time_zone(None).is_between(start, start + dt.timedelta(hours=22)).to_numpy()
        walk[still] = walk[still.argmax(), 0]
    assert not any("repeat one price" in note for note in parse(_candles(times, walk, 6)).notes)
    assert any("repeat one price" in note for note in parse(_peg(times, 1, 2), pair="USDSAR").notes)


def _local(times: pl.Series, zone: str, *left_out: int) -> pl.Series:
    local = from_utc(times, zone)
    return local.filter(~local.dt.weekday().is_in(left_out))


def test_a_vendor_without_sundays_keeps_the_clock_of_europe_in_a_summer_and_a_winter() -> None:
    """Over the weeks between the changes of America and Europe its week begins an hour after the market."""
    assert verify_zone(_local(_times("1h", 35, "2018-07-10"), "EET", 7), "EET").verdict == "consistent"


def test_a_vendor_who_came_to_open_on_time_kept_his_clock() -> None:
    times = _times("1h", 450, "2010-01-10")
    late = (times.diff() > 40 * HOUR).fill_null(value=True) & (times.dt.year() < 2014)
    assert verify_zone(_local(times.filter(~late), "Asia/Tokyo", 6), "Asia/Tokyo").verdict == "consistent"


def test_a_vendor_whose_week_ends_earlier_than_before_may_keep_the_only_clock_that_fits() -> None:
    times = _times("1h", 200, "2019-01-06")
    last = (times.diff() > 40 * HOUR).shift(-1, fill_value=False) & (times.dt.year() >= 2021)
    found = verify_zone(_local(times.filter(~last), "Australia/Sydney"), "Australia/Sydney")
    assert found.verdict == "unverifiable"
    assert "or the clock changed. Nothing is verified" in found.summary


def test_late_weeks_of_a_vendor_are_later_still_where_america_alone_has_not_changed() -> None:
    """For three weeks of a year its prices are those of Berlin's Monday to Friday, and trickle in after the close."""
    every = pl.datetime_range(dt.datetime(2011, 1, 2), dt.datetime(2011, 12, 30), "1h", time_zone="UTC", eager=True)  # noqa: DTZ001
    berlin = from_utc(every, "Europe/Berlin")
    autumn = berlin.is_between(dt.datetime(2011, 10, 22), dt.datetime(2011, 11, 12))  # noqa: DTZ001
    open_ = every.to_frame("t").select(market_open(pl.col("t")))["t"]
    kept = every.filter((autumn & (berlin.dt.weekday() <= 5)) | (~autumn & open_))
    assert verify_zone(from_utc(kept, "EET_US"), "EET_US").verdict == "verified"


def test_days_without_the_fridays_of_two_holidays_at_the_end_of_a_file_are_not_named_by_their_evening() -> None:
    days = pl.datetime_range(dt.datetime(2015, 9, 6), dt.datetime(2016, 1, 7), "1d", eager=True)  # noqa: DTZ001
    holidays = [dt.date(2015, 12, 25), dt.date(2016, 1, 1)]
    kept = days.filter((days.dt.weekday() != 6) & ~days.dt.date().is_in(holidays))
    assert verify_zone(kept, "UTC").verdict == "unverifiable"


def test_days_of_which_some_are_missing_are_not_named_by_their_evening() -> None:
    days = pl.datetime_range(dt.datetime(2012, 1, 1), dt.datetime(2024, 1, 6), "1d", eager=True)  # noqa: DTZ001
    days = days.filter(days.dt.weekday() != 6)
    some = days.filter(pl.Series(np.random.default_rng(4).random(len(days)) > 0.2))
    assert verify_zone(some, "UTC").verdict == "unverifiable"
