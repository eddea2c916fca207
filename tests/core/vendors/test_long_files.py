"""What only long files show: bars filled in, averages, weeks of another clock, a new unit. Every number is invented."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import polars as pl
import pytest
from support.vendor_files import hst

from golden_core.bars.fixings import require_fixings
from golden_core.bars.reading import read_bars
from golden_core.market.clock import market_open
from golden_core.market.local_time import ZoneError
from golden_core.vendors.base import VendorError

HEADER = "time,open,high,low,close"
FIRST = dt.datetime(2024, 1, 7)  # noqa: DTZ001
PRICES = ("open", "high", "low", "close")


def _bars(every: str, weeks: int = 6) -> pl.DataFrame:
    """Return bars of a random walk in UTC."""
    times = pl.datetime_range(FIRST, FIRST + dt.timedelta(weeks=weeks), every, eager=True).alias("t").to_frame()
    times = times.filter(market_open(pl.col("t").dt.replace_time_zone("UTC")))
    draws = np.random.default_rng(7)
    walk = 1.08 + draws.normal(0, 5e-4, times.height + 1).cumsum()
    tails = draws.exponential(2e-4, (2, times.height))
    high, low = np.maximum(walk[:-1], walk[1:]) + tails[0], np.minimum(walk[:-1], walk[1:]) - tails[1]
    return times.with_columns(open=pl.Series(walk[:-1]), high=pl.Series(high), low=pl.Series(low), close=walk[1:])


def _rows(bars: pl.DataFrame) -> list[str]:
    return [HEADER, *(f"{t:%Y-%m-%d %H:%M},{o:.7f},{h:.7f},{lo:.7f},{c:.7f}" for t, o, h, lo, c in bars.rows())]


def _every(bars: pl.DataFrame, every: str) -> pl.DataFrame:
    times = pl.datetime_range(bars["t"].min(), bars["t"].max(), every, eager=True).alias("t").to_frame()
    return times.filter(market_open(pl.col("t").dt.replace_time_zone("UTC")))


@pytest.mark.parametrize(("long", "short"), [("1h", "1m"), ("1h", "15m"), ("4h", "1h"), ("1h", "30m")])
def test_longer_bars_repeated_in_shorter_ones_are_refused(long: str, short: str, parse: Any) -> None:
    bars = _bars(long)
    filled = _every(bars, short).join_asof(bars, on="t")
    with pytest.raises(VendorError, match=r"bars repeat the one before, .* would be known too early"):
        parse(_rows(filled))
    assert parse(_rows(_bars(short))).bar == short


def test_a_part_of_which_longer_bars_are_repeated_is_refused(parse: Any) -> None:
    hours = _bars("1h").with_columns(pl.col("t").dt.offset_by("18w"))
    filled = _every(hours, "15m").join_asof(hours, on="t")
    with pytest.raises(VendorError, match=r"bars are 15m long, .* they are of 1h, and would be known too early"):
        parse(_rows(pl.concat([_bars("15m", 18), filled])))


def test_weeks_repeated_in_days_are_refused(parse: Any) -> None:
    """Of gold there are no fixings that would tell."""
    days = _bars("1d", 60)
    weeks = days.filter(pl.col("t").dt.weekday() == 1)
    with pytest.raises(VendorError, match="bars repeat the one before, with its high and its low"):
        parse(_rows(days.select("t").join_asof(weeks, on="t").drop_nulls()), pair="XAUUSD")


@pytest.mark.parametrize("closes", [False, True])
def test_a_smoothed_price_is_refused(closes: bool, parse: Any) -> None:
    bars = _bars("1h", 12)
    smooth = bars.with_columns(close=pl.col("close").rolling_mean(3, center=True)).drop_nulls()
    smooth = smooth.with_columns(high=pl.max_horizontal(PRICES), low=pl.min_horizontal(PRICES))
    rows = [row.rsplit(",", 4)[0] + row[row.rfind(",") :] for row in _rows(smooth)] if closes else _rows(smooth)
    with pytest.raises(VendorError, match="one move of its closes goes with the next"):
        parse(rows, columns={"timestamp": "time", "close": "close"} if closes else None)


def test_bars_that_are_a_single_price_show_their_weekends(parse: Any) -> None:
    rows = [HEADER, *(row[:16] + 4 * row[row.rfind(",") :] for row in _rows(_bars("1h", 12))[1:])]
    assert parse(rows).evidence.verdict == "consistent"
    with pytest.raises(ZoneError, match="is declared to keep EET_US"):
        parse(rows, zone="EET_US")


@pytest.mark.parametrize(("long", "short"), [("1h", "15m"), ("4h", "1h"), ("1h", "30m")])
def test_prices_filled_in_on_straight_lines_are_refused(long: str, short: str, parse: Any) -> None:
    bars = _bars(long, weeks=12)
    filled = _every(bars, short).join(bars, on="t", how="left").with_columns(pl.col(PRICES).interpolate())
    with pytest.raises(VendorError, match="one move of its closes goes with the next"):
        parse(_rows(filled))


def test_averages_of_heikin_ashi_are_no_prices(parse: Any) -> None:
    bars = _bars("1h")
    close = bars.select(pl.mean_horizontal(PRICES)).to_series()
    opens = [bars["open"][0]]
    for last in close[:-1]:
        opens.append((opens[-1] + last) / 2)
    bars = bars.with_columns(close=close, open=pl.Series(opens))
    bars = bars.with_columns(high=pl.max_horizontal(PRICES), low=pl.min_horizontal(PRICES))
    chart = hst([(int(t.timestamp()), *prices, 1) for t, *prices in bars.select("t", *PRICES).rows()])
    for content, name in ((_rows(bars), "x.csv"), (chart, "EURUSD60.hst")):
        with pytest.raises(VendorError, match="they are averages, such as Heikin-Ashi's"):
            parse(content, name=name)


def _gapped(every: str, weeks: int) -> pl.DataFrame:
    """Return bars that open after a weekend far from the close before it, as those of markets do."""
    bars = _bars(every, weeks)
    jump = pl.when(pl.col("t").diff() > dt.timedelta(hours=40)).then(5e-3).otherwise(0).cum_sum()
    return bars.with_columns(pl.col(PRICES) + jump)


@pytest.mark.parametrize(("every", "weeks"), [("1h", 12), ("1d", 40), ("15m", 10)])
@pytest.mark.parametrize(("by", "said"), [(-1, "before .* next bar"), (1, "after .* last")])
def test_rows_that_were_moved_are_told_by_the_gaps_of_weekends(
    every: str, weeks: int, by: int, said: str, parse: Any
) -> None:
    bars = _gapped(every, weeks)
    assert parse(_rows(bars)).bars.height == bars.height
    with pytest.raises(VendorError, match=f"the gaps of its weekends lie a bar {said}"):
        parse(_rows(bars.with_columns(pl.col(PRICES).shift(by)).drop_nulls()))


@pytest.mark.parametrize("many", [2, 4])
def test_ranges_of_bars_to_come_are_refused(many: int, parse: Any) -> None:
    bars = _bars("1h").reverse()
    ahead = bars.with_columns(pl.col("high").rolling_max(many), pl.col("low").rolling_min(many)).drop_nulls().reverse()
    with pytest.raises(VendorError, match="bars hold the close of the next one"):
        parse(_rows(ahead))


def test_a_week_that_was_copied_into_a_gap_is_told(parse: Any) -> None:
    bars, day = _bars("1h", 8), pl.col("t").dt.truncate("1d")
    week = dt.datetime(2024, 1, 21)  # noqa: DTZ001
    last = bars.filter(day.is_between(week - dt.timedelta(days=7), week, closed="left"))
    there = bars.filter(~day.is_between(week, week + dt.timedelta(days=7), closed="left"))
    rows = _rows(pl.concat([there, last.with_columns(pl.col("t").dt.offset_by("7d"))]).sort("t"))
    assert any("whose closes are those of another time" in note for note in parse(rows).notes)
    assert not parse(_rows(bars)).notes


def test_rows_of_which_every_fourth_was_kept_are_told(parse: Any) -> None:
    told = "bars open far from the close before them"
    assert any(told in note for note in parse(_rows(_bars("1h", 8).gather_every(4))).notes)
    assert not any(told in note for note in parse(_rows(_bars("4h", 8))).notes)


@pytest.mark.parametrize("hours", [-2, 1, 2, 3])
def test_a_single_week_of_another_clock_is_refused(hours: int, parse: Any) -> None:
    bars, week = _bars("1h", 20), dt.datetime(2024, 3, 24)  # noqa: DTZ001
    inside = pl.col("t").is_between(week, week + dt.timedelta(days=6))
    moved = bars.with_columns(t=pl.when(inside).then(pl.col("t").dt.offset_by(f"{-hours}h")).otherwise("t"))
    assert "explains 19 of 19 weekends" in parse(_rows(bars)).evidence.summary
    with pytest.raises(
        ZoneError, match=f"week of 2024-03-25 begins and ends {abs(hours)} hours (before|after) the mar"
    ):
        parse(_rows(moved))


def test_a_clock_is_proposed_alone_only_where_it_alone_explains_the_weekends(parse: Any) -> None:
    bars = _bars("1h", 30)
    with pytest.raises(VendorError, match=r"declare it: --zone UTC \(in"):
        parse(_rows(bars), zone=None)
    with pytest.raises(VendorError, match=r"declare it: --zone NAME, such as UTC, UTC\+01:00 \(in"):
        parse(_rows(bars.filter(pl.col("t").dt.weekday() <= 5)), zone=None)


def test_minutes_of_which_most_are_missing_are_minutes(parse: Any) -> None:
    minutes = _bars("1m", 3)
    some = minutes.filter(pl.Series(np.random.default_rng(1).random(minutes.height) < 0.35))
    assert parse(_rows(some)).bar == "1m"


def test_a_new_unit_is_refused_where_nothing_is_known_of_the_pair(parse: Any) -> None:
    bars = _bars("1d", 60)
    before = pl.when(pl.col("t") < dt.datetime(2024, 9, 1)).then(1e6).otherwise(1)  # noqa: DTZ001
    with pytest.raises(VendorError, match="no currency leaps so far without a new unit"):
        parse(_rows(bars.with_columns(pl.col(PRICES) * before)), pair="USDTRY")
    assert parse(_rows(bars), pair="USDTRY").bars.height == bars.height


def test_closes_a_power_of_ten_from_the_rates_are_refused(tmp_path: Any) -> None:
    """1,180 won for a dollar, whose comma parts thousands, is read as 1.18 where no other row tells."""
    days, won = _bars("1d", 12), 1305
    path = tmp_path / "x.csv"
    path.write_text("\n".join(["time;open;high;low;close", *(f"{t:%F};1,295;1,310;1,290;1,305" for t in days["t"])]))
    rates = pl.DataFrame({"date": days["t"].dt.date(), "KRW": won * 1.08, "USD": 1.08}).unpivot(
        index="date", variable_name="currency", value_name="rate"
    )
    with pytest.raises(
        VendorError, match="by a power of ten: they are of several units, or thousands were read as dec"
    ):
        require_fixings(read_bars(path, "USDKRW", zone="UTC").bars, "USDKRW", rates, path)


def test_midnight_written_as_24_is_said_to_be_no_time(parse: Any) -> None:
    with pytest.raises(VendorError, match=r"'2024-01-08 24:00' is not a time like .* mend the row"):
        parse([*_rows(_bars("1h"))[:40], "2024-01-08 24:00,1.08,1.09,1.07,1.08"])
