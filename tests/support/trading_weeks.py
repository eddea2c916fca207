"""Instants of whole trading weeks, what clocks show at them, and the habits by which vendors blur that."""

import datetime as dt
import functools
from zoneinfo import ZoneInfo

import polars as pl

NEW_YORK, UTC = ZoneInfo("America/New_York"), dt.UTC
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


@functools.cache
def trading_times(start, weeks, minutes=60):
    """Return the UTC opens of bars of whole trading weeks; ``start`` is a Sunday."""
    assert start.weekday() == 6
    times = []
    for week in range(weeks):
        sunday = start + 7 * week * DAY
        first = dt.datetime.combine(sunday, dt.time(17), NEW_YORK).astimezone(UTC)
        times += [first + dt.timedelta(minutes=minutes * bar) for bar in range(5 * 1440 // minutes)]
    return tuple(times)


def around_weekends(times):
    """Keep what is within half a day of a weekend: nothing else is evidence."""
    return tuple(t for t in times if new_york(t + 7 * HOUR).weekday() in (0, 4))


def shown(times, zone):
    """Return what a clock shows at UTC instants, by the standard library."""
    return _shown(tuple(times), zone)


@functools.cache
def _shown(times, zone):
    if zone == "EET_US":
        naive = [t.astimezone(NEW_YORK).replace(tzinfo=None) + 7 * HOUR for t in times]
    elif zone.startswith("UTC") and len(zone) > 3:
        ahead = int(zone[4:6]) * HOUR + int(zone[7:]) * HOUR / 60
        naive = [t.replace(tzinfo=None) + (-ahead if zone[3] == "-" else ahead) for t in times]
    else:
        naive = [t.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for t in times]
    return pl.Series("timestamp", naive, pl.Datetime("us"))


def new_york(time):
    return time.astimezone(NEW_YORK)


JANUARY_2021 = dt.date(2021, 1, 3)
TWO_YEARS = around_weekends(trading_times(JANUARY_2021, 104))
PER_WEEK = len(TWO_YEARS) // 104


def late_open(t):
    return not (new_york(t).weekday() == 6 and new_york(t).hour == 17)


def early_close(t):
    return not (new_york(t).weekday() == 4 and new_york(t).hour == 16)


def no_holidays(t):
    day = new_york(t + 7 * HOUR).date()
    return (day.month, day.day) not in {(12, 25), (12, 26), (1, 1)} and not (
        (day.month, day.day) in {(12, 24), (12, 31)} and new_york(t).hour >= 12
    )


def week_of(t):
    return (t.date() - JANUARY_2021).days // 7


HABITS = {
    **{"late_open": late_open, "early_close": early_close, "no_holidays": no_holidays},
    **{"no_utc_sunday": lambda t: t.weekday() != 6, "no_third_week": lambda t: week_of(t) % 3 != 0},
    "every_second_hour_thin": lambda t: t.hour % 2 == 0 or week_of(t) % 4 != 0,
}
LIES = ("UTC", "EET", "EET_US", "America/New_York", "Europe/London")
