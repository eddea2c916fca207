"""Vendors' wall clocks to UTC and back, against zoneinfo; hours that are skipped or repeated."""

import datetime as dt
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_core.market.local_time import ZoneError, from_utc, parse_clock, resolve

# Lord Howe changes by half an hour; Samoa crossed the date line and had no 30 December 2011.
ZONES = (
    "UTC", "EET", "Europe/London", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "Pacific/Apia",
    "Asia/Kathmandu",
)  # fmt: skip


def day(*parts):
    return dt.datetime(*parts)  # noqa: DTZ001 - the wall clock of a vendor has no zone


NAIVE = st.datetimes(day(1999, 1, 1), day(2035, 12, 31))


def shown(time, zone):
    """Return what a clock shows, by the standard library."""
    if zone == "EET_US":
        return time.astimezone(ZoneInfo("America/New_York")).replace(tzinfo=None) + dt.timedelta(hours=7)
    if zone.startswith("UTC"):
        sign = -1 if zone[3:4] == "-" else 1
        hours, minutes = (zone[4:] or "00:00").split(":")
        return time.replace(tzinfo=None) + sign * dt.timedelta(hours=int(hours), minutes=int(minutes))
    return time.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def series(*times):
    return pl.Series("timestamp", times, pl.Datetime("us"))


@given(NAIVE, st.sampled_from([*ZONES, "EET_US", "UTC+02:00", "UTC-05:30", "UTC+14:00"]))
def test_what_a_clock_shows_agrees_with_zoneinfo(time, zone):
    times = pl.Series([time], dtype=pl.Datetime("us")).dt.replace_time_zone("UTC")
    assert from_utc(times, zone)[0] == shown(time.replace(tzinfo=dt.UTC), zone)


@given(NAIVE, st.sampled_from([*ZONES, "EET_US", "UTC+02:00"]))
def test_a_time_that_a_clock_shows_once_comes_back(time, zone):
    instant = time.replace(tzinfo=dt.UTC)
    naive = shown(instant, zone)
    others = (instant + dt.timedelta(minutes=m) for m in (-1440, -60, -30, 30, 60, 1440))
    if all(shown(other, zone) != naive for other in others):
        assert resolve(series(naive), zone, "EURUSD").times.to_list() == [instant]
    else:
        with pytest.raises(ZoneError, match=r"EURUSD: line 1: .* happens twice"):
            resolve(series(naive), zone, "EURUSD")


@pytest.mark.parametrize("zone", [*ZONES, "EET_US"])
@pytest.mark.parametrize("minutes", [10, 30])
def test_a_sequence_comes_back_through_every_change_of_clock_of_a_year(zone, minutes):
    first = dt.datetime(2011, 1, 1, tzinfo=dt.UTC)
    steps = 365 * 1440 // minutes
    times = pl.datetime_range(
        first, first + dt.timedelta(minutes=minutes * (steps - 1)), f"{minutes}m", time_unit="us", eager=True
    )
    found = resolve(from_utc(times, zone), zone, "EURUSD")
    assert found.times.to_list() == times.to_list()
    # Samoa took up daylight saving in 2010, so that 2011 has one repeated hour, as everywhere that has any.
    assert len(found.notes) == (zone not in ("UTC", "Asia/Tokyo", "Asia/Kathmandu"))


def test_a_repeated_hour_is_told_apart_by_order_and_reported():
    naive = series(*(day(2024, 10, 27, hour) for hour in (2, 3, 3, 4)))
    found = resolve(naive, "EET", "EURUSD: file.csv")
    assert found.times.dt.hour().to_list() == [23, 0, 1, 2]
    assert found.notes == (
        "lines 2 to 3: 2 rows from 2024-10-27 03:00:00, an hour that EET has twice, told apart by their order",
    )
    assert found.times.name == "timestamp"


UNTOLD = pytest.mark.parametrize(
    "clock",
    [
        [(2, 0), (3, 0), (4, 0)],  # once only: the first or the second?
        [(2, 0), (3, 0), (3, 0), (3, 0), (4, 0)],  # three times: one is a duplicate
        [(2, 59), (3, 0), (3, 1), (3, 1), (3, 2), (4, 0)],  # a duplicated minute is no second pass
        [(2, 0), (3, 0), (3, 30), (4, 0)],  # half an hour each, one pass
        [(3, 30), (3, 0), (3, 30), (3, 0)],  # out of order
        [(4, 0), (3, 0), (3, 0), (4, 0)],  # steps back into it
        [(2, 0), (3, 0), (3, 0), (2, 30)],  # and back out of it
    ],
)


@UNTOLD
def test_a_repeated_hour_that_order_does_not_tell_apart_is_refused(clock):
    """Jordan went back on Fridays at one in the morning, when the market is open."""
    naive = series(*(day(2021, 10, 28, 21) + dt.timedelta(hours=hour, minutes=minute) for hour, minute in clock))
    line = [hour for hour, _ in clock].index(3) + 1
    message = rf"EURUSD: line {line}: 2021-10-29 00:.* happens twice in Asia/Amman, and the order"
    with pytest.raises(ZoneError, match=message):
        resolve(naive, "Asia/Amman", "EURUSD")


@UNTOLD
def test_it_does_not_matter_while_the_market_is_closed(clock):
    """Europe goes back on Sunday morning: exports that fill weekends, and drop duplicates, have the hour once."""
    naive = series(*(day(2024, 10, 27, hour, minute) for hour, minute in clock))
    found = resolve(naive, "EET", "EURUSD")
    assert found.times.dt.hour().to_list() == [{2: 23, 3: 0, 4: 2}[hour] for hour, _ in clock]
    assert "the market is closed in both, and the first is taken" in found.notes[0]


@pytest.mark.parametrize(("zone", "time"), [
    ("EET", day(2024, 3, 31, 3, 30)), ("America/New_York", day(2024, 3, 10, 2)), ("EET_US", day(2024, 3, 10, 9, 30)),
    ("Australia/Lord_Howe", day(2024, 10, 6, 2, 15)), ("Pacific/Apia", day(2011, 12, 30)),
    ("Pacific/Apia", day(2011, 12, 30, 23, 59)),
])  # fmt: skip
def test_a_time_that_the_clock_skips_is_refused_with_its_line(zone, time):
    naive = series(time - dt.timedelta(days=2), time)
    with pytest.raises(ZoneError, match=rf"EURUSD: f.csv: line 8: {time:%Y-%m-%d %H:%M:%S} is not a time of {zone}"):
        resolve(naive, zone, "EURUSD: f.csv", lines=pl.Series([7, 8]))


def test_samoa_goes_from_the_29th_to_the_31st():
    found = resolve(series(day(2011, 12, 29, 23), day(2011, 12, 31)), "Pacific/Apia", "EURUSD").times
    assert found.dt.to_string("%d %H:%M").to_list() == ["30 09:00", "30 10:00"]


def test_lord_howe_repeats_half_an_hour():
    naive = series(*(day(2024, 4, 7, 1, minute) for minute in (0, 30)), day(2024, 4, 7, 1, 30), day(2024, 4, 7, 2))
    found = resolve(naive, "Australia/Lord_Howe", "AUDUSD").times
    assert found.dt.to_string("%d %H:%M").to_list() == ["06 14:00", "06 14:30", "06 15:00", "06 15:30"]


def test_the_american_rule_of_2007():
    naive = series(day(2006, 3, 12, 17), day(2007, 3, 11, 17))
    assert resolve(naive, "America/New_York", "x").times.dt.hour().to_list() == [22, 21]
    assert resolve(naive.dt.offset_by("7h"), "EET_US", "x").times.dt.hour().to_list() == [22, 21]
    assert resolve(naive.dt.offset_by("7h"), "EET", "x").times.dt.hour().to_list() == [22, 22]


def test_nulls_and_coarser_units_pass():
    naive = pl.Series([day(2024, 1, 1), None], dtype=pl.Datetime("ms"))
    found = resolve(naive, "UTC+02:00", "x").times
    assert found.dtype == pl.Datetime("us", "UTC")
    assert found.to_list() == [dt.datetime(2023, 12, 31, 22, tzinfo=dt.UTC), None]


@pytest.mark.parametrize(
    "name",
    ["EET_EU", "UTC+2", "GMT+0200", "", "Europe/Atlantis", "UTC+02:00+01:00", "../etc", "localtime", "UTC+15:00",
     "UTC-99:99"],
)  # fmt: skip
def test_an_unknown_clock_is_refused(name):
    with pytest.raises(ZoneError, match=r"unknown clock .*: expected an IANA name such as"):
        parse_clock(name)


def test_a_day_whose_midnight_a_clock_skipped_begins_with_its_first_hour():
    """Athens put its clocks forward at midnight on 1 April 1980; a file of days has that day nevertheless."""
    days = pl.Series([dt.datetime(1980, 3, 31), dt.datetime(1980, 4, 1), dt.datetime(1980, 4, 2)])  # noqa: DTZ001
    instants = resolve(days.cast(pl.Datetime("us")), "Europe/Athens", "x").times
    assert instants.dt.strftime("%m-%d %H").to_list() == ["03-30 22", "03-31 22", "04-01 21"]
    hours = days.cast(pl.Datetime("us")) + pl.Series([dt.timedelta(0), dt.timedelta(minutes=30), dt.timedelta(0)])
    with pytest.raises(ZoneError, match="its clocks skip it"):
        resolve(hours, "Europe/Athens", "x")
