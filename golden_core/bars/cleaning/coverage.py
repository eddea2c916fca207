"""Which bars a feed should have: its days, clock, length of a bar, and the calendar. No price belongs here."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import polars as pl

from golden_core.bars.cleaning.rules import FIXING_SOURCES
from golden_core.market.clock import (
    MINUTES,
    MONTH,
    bar_close,
    bar_open,
    closures,
    expected_days,
    expected_opens,
    market_open,
    month_ends,
)
from golden_core.market.clock import on_grid as on_new_york_grid
from golden_core.market.local_time import parse_clock
from golden_core.study import DataSection

NEIGHBOURHOOD = datetime.timedelta(days=366)
_MOMENT = pl.duration(microseconds=1)


@dataclass(frozen=True)
class Coverage:
    """What cleaning knows about a file outside a study: days, both included, length of a bar and the vendor's clock."""

    source: str
    bar: str
    start: datetime.date
    end: datetime.date
    time_zone: str


Covered = Coverage | DataSection


def has_hours(covered: Covered) -> bool:
    """Say whether the feed is of a market with a trading week, not of fixings."""
    return covered.source not in FIXING_SOURCES


def coverage_of(bars: pl.DataFrame, bar: str, zone: str) -> Coverage:
    """Return the range of the bulk of the times: one row of 1970 or 2099 does not stretch it.

    Times further from the middle half than twice its length and a year belong to no run of bars.
    """
    times = bars["timestamp"].sort()
    first, last = times[len(times) // 4], times[(3 * len(times)) // 4]
    reach = 2 * (last - first) + NEIGHBOURHOOD
    bulk = times.filter((times >= first - reach) & (times <= last + reach))
    day = datetime.timedelta(days=1)  # whatever the vendor's clock shows at that instant
    return Coverage("files", bar, bulk[0].date() - day, bulk[-1].date() + day, zone)


def share_of_week(opens: pl.Expr, closes: pl.Expr) -> pl.Expr:
    """Return which share of each bar, at most a day long, lies in a trading week, by elapsed time."""
    first, last = market_open(opens), market_open(closes - _MOMENT)
    until = bar_close(bar_open(opens, "1d"), "1d") - opens
    since = closes - bar_open(closes - _MOMENT, "1d")
    inside = pl.when(first).then(until).otherwise(since)
    part = inside.dt.total_microseconds() / (closes - opens).dt.total_microseconds()
    return pl.when(first & last).then(1.0).when(first | last).then(part).otherwise(0.0)


def within_closures(bars: pl.DataFrame, covered: Covered) -> pl.Series:
    """Say which bars [T] have a part in the trading week, and none that no closure explains.

    By the hours that each of them touches: the grid of a file shows only in all of its bars, later ones included.
    """
    day, length = datetime.timedelta(days=1), covered.bar if MINUTES[covered.bar] < 60 else "1h"
    hours = expected_opens(covered.start - day, covered.end + day, length)

    def touched(opens: pl.Series) -> pl.Series:
        begun = opens.search_sorted(bars["available_at"], side="left").cast(pl.Int64)
        over = bar_close(pl.col("timestamp"), length)
        ended = opens.to_frame("timestamp").select(over).to_series().search_sorted(bars["timestamp"], side="right")
        return begun - ended.cast(pl.Int64)

    shut = touched(hours.filter(pl.col("closure").is_not_null())["timestamp"])
    return (shut > 0) & (touched(hours.filter(pl.col("closure").is_null())["timestamp"]) <= 0)


def expected_bars(bars: pl.DataFrame, covered: Covered) -> pl.DataFrame:
    """Return the bars that the calendar asks for, on the vendor's own grid: ``timestamp`` and ``closure`` or null.

    From the opens of ``bars`` it is learnt where 4-hour and daily bars are counted from, and the time of fixings.
    """
    if not has_hours(covered):
        return _fixings(bars, covered)
    # UTC days that hold the vendor's days, then cut to these.
    day = datetime.timedelta(days=1)
    start, end = covered.start - day, covered.end + day
    shown = on_wall(pl.col("timestamp"), covered.time_zone)
    asked = shown.dt.date().is_between(covered.start, covered.end)
    new_york, vendor = bars.select(
        new_york=on_new_york_grid(pl.col("timestamp"), covered.bar).sum(),
        vendor=(shown.dt.truncate(covered.bar) == shown).sum(),
    ).row(0)
    if MINUTES[covered.bar] <= 60 or new_york > vendor:
        return expected_opens(start, end, covered.bar).filter(asked)
    hours = expected_opens(start, end, "1h").group_by(wall=shown.dt.truncate(covered.bar), maintain_order=True)
    open_hours = pl.col("closure").is_null()
    grid = hours.agg(
        hours=pl.len(), closure=pl.when(open_hours.any()).then(None).otherwise(pl.col("closure").drop_nulls().first())
    )
    enough = pl.col("hours") * 60 * 2 >= MINUTES[covered.bar]  # a Sunday of two hours is not asked for
    return (
        grid.filter(enough, pl.col("wall").dt.date().is_between(covered.start, covered.end))
        .select(timestamp=_from_wall(pl.col("wall"), covered.time_zone), closure="closure")
        .sort("timestamp")
    )


def asked_days(covered: Covered) -> pl.Series:
    """Return the days that should have a bar, or an explanation: weekdays, or the last of every month."""
    if covered.bar == MONTH:
        return month_ends(covered.source, covered.start, covered.end)
    return expected_days(covered.start, covered.end)


def on_wall(times: pl.Expr, zone: str) -> pl.Expr:
    """Return what the vendor's clock shows (naive) at UTC instants."""
    clock = parse_clock(zone)
    return times.dt.convert_time_zone(clock.zone).dt.replace_time_zone(None) + clock.shift


def _from_wall(naive: pl.Expr, zone: str) -> pl.Expr:
    clock = parse_clock(zone)
    local = (naive - clock.shift).dt.replace_time_zone(clock.zone, ambiguous="earliest", non_existent="null")
    return local.dt.convert_time_zone("UTC")


def _fixings(bars: pl.DataFrame, covered: Covered) -> pl.DataFrame:
    days = asked_days(covered).to_frame()
    holidays = closures(covered.source, covered.start, covered.end).rename({"explanation": "closure"})
    shown = on_wall(pl.col("timestamp"), covered.time_zone)
    present = bars.select(timestamp="timestamp", date=shown.dt.date()).unique("date", keep="first")
    noon = pl.col("date").dt.combine(datetime.time(12), time_unit="us")
    found = days.join(holidays, on="date", how="left").join(present, on="date", how="left")
    return found.sort("date").select(
        timestamp=pl.coalesce("timestamp", _from_wall(noon, covered.time_zone)), closure="closure"
    )
