"""What the weekends of a file show: the last bar before, the first after, and which clocks explain them. No verdict.

The market closes on Friday and opens on Sunday at 17:00 in New York (``clock``), so every weekend shows what the file's
clock said at two known instants. Vendors blur them: many open late, or drop what their server dates on a Sunday; some
stop early, or at their own midnight, or lack an hour of every day; holidays move either. A clock therefore explains the
end of a week if the last bar ends with it (or, for a vendor that always stops then, an hour before, or with its Friday;
an hour that no day has is not missed), and its beginning if the first bar does not come before the market.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from golden_core.market.clock import NEW_YORK
from golden_core.market.local_time import from_utc, parse_clock

Flags = npt.NDArray[np.bool_]

# In order of preference where several explain a file equally well: the common ones, fixed offsets, the rare ones.
NAMED = ("UTC", "EET_US", "EET", "America/New_York", "Europe/London", "Europe/Berlin", "America/Chicago")
FIXED_HOURS = range(-12, 15)
_AHEAD = ("05:00", "06:00", "08:00")  # of New York
RARE = ("Europe/Moscow", "Australia/Sydney", *(f"America/New_York+{hours}" for hours in _AHEAD))

GAP_HOURS = (40, 66)  # a holiday beside the weekend makes the gap longer; a holiday within the week is shorter
DROPPED = 0.85  # of the weekends that missing hours touch: before these they end alike, or no habit explains them
SATURDAY = -48.0  # hours from the Monday after a weekend to its Saturday
DAYS_BESIDE = 4  # on all of which an hour is missing if a vendor drops it
NIGHT = 2.5  # hours of silence beyond the usual step after which a vendor has closed for the night; metals rest for one
SILENCE = 0.25  # hours: a feed of minutes says nothing for some of them around a weekend, or a little too much


@dataclass(frozen=True, eq=False)
class Weekends:
    """The weekends of a file: ``week`` (the Monday after), ``last_bar`` and ``first_bar`` on the file's clock.

    ``rest`` and ``wait`` are the hours from the last bar to the next, and from the one before to the first, on days on
    which the market is open all day; ``bar_hours`` is the usual step, ``own_hours`` counts rests of a night.
    """

    table: pl.DataFrame
    bar_hours: float
    own_hours: int


def find_weekends(times: pl.Series) -> Weekends:
    """Return the weekends between naive opens of bars, given in any order."""
    times = times.drop_nulls().dt.cast_time_unit("us").unique().sort()
    steps = times.diff().drop_nulls()
    hours = float(steps.mode().sort()[0].total_seconds() / 3600) if len(steps) else 0.0
    last, first = pl.col("last_bar"), pl.col("first_bar")
    gap = (first - last).dt.total_minutes() / 60
    middle = last + (first - last) / 2
    weekends = (
        pl.DataFrame({"last_bar": times.shift(1), "first_bar": times})
        .filter(gap.is_between(*GAP_HOURS) & (middle.dt.weekday() >= 6))
        .select(week=middle.dt.truncate("1w").dt.offset_by("1w").dt.date(), last_bar=last, first_bar=first)
    )
    rest, wait = _rest(times, weekends["last_bar"], -1, hours), _rest(times, weekends["first_bar"], 1, hours)
    return Weekends(weekends.with_columns(rest=rest, wait=wait), hours, int((rest > hours + NIGHT).sum()))


def _rest(times: pl.Series, edges: pl.Series, side: int, hours: float) -> pl.Series:
    """Return the fewest hours from an edge's time of day to the bar further out, on days beside it that have one."""
    at = np.append(times.to_numpy(), 2 * [np.datetime64("NaT")])
    days = edges.to_numpy()[:, None] + side * np.arange(1, DAYS_BESIDE + 1) * np.timedelta64(1, "D")
    place = np.searchsorted(at[:-2], days)
    gaps = np.abs(_hours(at[place - side] - days))
    return pl.Series(np.where((at[place] == days) & (gaps < 24), gaps, np.inf).min(axis=1)).replace(np.inf, hours)


def closed_bars(times: pl.Series, zone: str, bar_hours: float) -> pl.Series:
    """Return the opens of bars over all of which a clock has the market closed: of days, or an hour from either end."""
    opens, hour = times.drop_nulls().dt.cast_time_unit("us").unique().sort(), datetime.timedelta(hours=1)
    closed, opened = (from_utc(at, zone) for at in _market(opens.dt.offset_by("3d").dt.truncate("1w").dt.date()))
    spare = (bar_hours < 24) * hour
    return opens.filter((opens >= closed + spare) & (opens + bar_hours * hour <= opened - spare))


def unended_weeks(times: pl.Series, zone: str) -> tuple[pl.Series, int]:
    """Return the last opens of weeks of daily bars, Sunday to Thursday whole, that lack a last day; and how many weeks.

    At least half a day of trade follows the last bar on the clock: what is lacking is no stub.
    """
    days = times.drop_nulls().dt.cast_time_unit("us").unique().sort().alias("last").to_frame()
    week = pl.col("last").dt.offset_by("1d").dt.truncate("1w").dt.offset_by("1w").dt.date()
    last = pl.col("last")
    weeks = days.group_by(week=week).agg(last.min().alias("first"), last.max(), pl.len().alias("days")).sort("week")
    closed = from_utc(_market(weeks["week"])[0], zone)
    lacking = (weeks["first"].dt.weekday() == 7) & (weeks["last"].dt.offset_by("36h") <= closed) & (weeks["days"] == 5)
    return weeks["last"].filter(lacking), weeks.height


def candidates(weekends: Weekends, declared: str | None) -> tuple[str, ...]:
    """Return the clocks to try: the declared one first, none that equals it, half hours only for such bars."""
    phase = weekends.table["first_bar"].dt.minute()
    halves = weekends.bar_hours < 1 or bool((phase != 0).any())
    minutes = [60 * hour + half for hour in FIXED_HOURS for half in ((0, 30) if halves else (0,))]
    fixed = sorted((m for m in minutes if m), key=abs)
    names = [*NAMED, *(f"UTC{'-' if m < 0 else '+'}{abs(m) // 60:02}:{abs(m) % 60:02}" for m in fixed), *RARE]
    if declared is None:
        return tuple(names)
    return (declared, *(name for name in names if _by_weeks(name) != _by_weeks(declared)))


@functools.cache
def _by_weeks(zone: str) -> bytes:
    """Return what a clock shows once a week over a generation: two that agree there are one."""
    weeks = pl.date_range(datetime.date(1999, 1, 1), datetime.date(2035, 12, 31), "1w", eager=True)
    return from_utc(weeks.cast(pl.Datetime("us", "UTC")), zone).to_numpy().tobytes()


def expected(weekends: Weekends, zone: str) -> tuple[pl.Series, pl.Series]:
    """Return what a clock shows when the market closes before, and when it opens after, each weekend."""
    closed, opened = _market(weekends.table["week"])
    return from_utc(closed, zone), from_utc(opened, zone)


def other_weeks(weekends: Weekends, zone: str) -> pl.DataFrame:
    """Return ``week`` (its Monday) and ``hours`` by which whole weeks lie early on a clock; long bars hide it."""
    # An hour late may also be a vendor who opens late, and whose prices trickle in after the close; beside one, two.
    table, hour = weekends.table, datetime.timedelta(hours=1)
    closed, opened = expected(weekends, zone)
    begins, ends = table["first_bar"] - opened, (table["last_bar"] - closed).shift(-1) + weekends.bar_hours * hour
    habit = pl.select(pl.max_horizontal(begins.shift(1), begins.shift(-1), pl.lit(hour * 0))).to_series()
    off = (begins <= -hour) & (ends <= -hour) | (begins - habit > hour) & ((begins - ends).abs() <= hour / 4)
    off &= table["week"].shift(-1) - table["week"] == datetime.timedelta(days=7)
    return table.select("week", hours=begins.dt.total_minutes() / -60).filter(off & (weekends.bar_hours <= 1))


def explained(weekends: Weekends, zones: Sequence[str]) -> tuple[Flags, npt.NDArray[np.float64]]:
    """Say which ends and beginnings of weeks clocks explain, [zones, practices, 2, weekends], and how late weeks begin.

    The practices: the last bar ends with the week, an hour before it, or with the Friday of a clock on which the week
    ends no sooner. The first bar never begins before the week. Of the hours, [least and most, zones, weekends], the
    least leave out what the vendor drops; both are 0 where longer bars hide them.
    """
    table, length = weekends.table, weekends.bar_hours
    slack = SILENCE if length < 0.5 else 0.0
    market = pl.concat(_market(table["week"]))
    show = functools.cache(lambda zone: from_utc(market, zone).to_numpy().reshape(2, -1))
    clocks = [parse_clock(zone) for zone in zones]
    closed, opened = np.stack([show(clock.zone) + np.timedelta64(clock.shift) for clock in clocks], axis=1)
    last, rest = _hours(table["last_bar"].to_numpy() - table["week"].to_numpy()), table["rest"].to_numpy()
    left = _hours(closed - table["last_bar"].to_numpy())  # from the open of the last bar to the end of the week
    shut = rest > length + slack
    rest = np.where(_steady(last + rest, shut) | _steady(rest - left, shut), rest, length) + slack
    friday = (last < SATURDAY) & (last + rest >= SATURDAY) & (last + left >= SATURDAY)
    closes = ((left > -slack) & (left <= rest), (left > 1 - slack) & (left <= 1 + length + slack), friday)
    late = _hours(table["first_bar"].to_numpy() - opened)
    opens = late > -length - slack
    least = late - np.clip(late, 0, table["wait"].to_numpy() - length)
    edges = np.stack([np.stack([close, opens], axis=1) for close in closes], axis=1)
    return edges, np.stack([least, late]) * (length <= 1)


def _steady(ends: npt.NDArray[np.float64], shut: Flags) -> Flags:
    """Say where hours that no day has end as before nearly all the weekends that they touch."""
    if not shut.any():
        return shut
    usual = np.abs(ends - np.median(ends[..., shut], axis=-1, keepdims=True)) < 0.5
    return np.asarray(usual & (usual[..., shut].mean(axis=-1, keepdims=True) >= DROPPED))


def _market(weeks: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return when the market closed before and opened after each weekend, in UTC, from the Mondays that follow."""
    five = weeks.cast(pl.Datetime("us")) + datetime.timedelta(hours=17)
    closed, opened = (
        (five - datetime.timedelta(days=days)).dt.replace_time_zone(NEW_YORK).dt.convert_time_zone("UTC")
        for days in (3, 1)
    )
    return closed, opened


def _hours(spans: npt.NDArray[np.timedelta64]) -> npt.NDArray[np.float64]:
    return spans / np.timedelta64(1, "h")
