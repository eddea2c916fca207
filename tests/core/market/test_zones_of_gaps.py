"""Clocks read off bars that lack hours or days: bars of a day, nights, rests, and what vendors drop."""

import datetime as dt
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from support.trading_weeks import JANUARY_2021, LIES, TWO_YEARS, late_open, new_york, shown, trading_times

from golden_core.market.weekends import find_weekends
from golden_core.market.zones import ZoneError, read_clock, verify_zone


@pytest.mark.parametrize("truth", ["UTC", "EET", "America/New_York"])
def test_sundays_that_the_vendor_drops(truth):
    times = shown(TWO_YEARS, truth)
    times = times.filter(times.dt.weekday() != 7)
    assert verify_zone(times, truth).verdict in ("verified", "consistent")
    for declared in set(LIES) - {truth}:
        with pytest.raises(ZoneError):
            verify_zone(times, declared)


def test_berlin_without_sundays_may_be_a_vendor_in_athens_who_stops_an_hour_early():
    times = shown(TWO_YEARS, "Europe/Berlin")
    found = verify_zone(times.filter(times.dt.weekday() != 7), "Europe/Berlin")
    assert found.verdict == "consistent"
    assert found.summary.endswith("cannot distinguish Europe/Berlin from EET")


def test_a_week_that_begins_at_the_servers_midnight_but_is_written_in_utc():
    times = [t for t in TWO_YEARS if t.astimezone(ZoneInfo("Europe/Athens")).weekday() != 6]
    assert verify_zone(shown(times, "UTC"), "UTC").verdict == "verified"


DAYS = pl.date_range(dt.date(2020, 1, 1), dt.date(2021, 1, 1), "1d", eager=True).cast(pl.Datetime("us"))


def test_daily_bars_show_no_hour():
    found = verify_zone(DAYS.filter(DAYS.dt.weekday() <= 5), "EET")
    assert found.verdict == "unverifiable"
    assert found.summary == "EET cannot be verified: a day's bar does not show an hour"


def test_daily_bars_on_sundays_contradict_a_clock_that_has_them_closed():
    """A day's bar shows no hour, but a week that begins on Sunday does not begin at the midnight of New York plus 7."""
    days = DAYS.filter(DAYS.dt.weekday() != 6)
    assert verify_zone(days, "UTC").verdict == "unverifiable"
    message = r"EET_US, but 52 of its 53 weeks .* closed all day, first Sunday 2020-01-05.*such as UTC"
    with pytest.raises(ZoneError, match=message):
        verify_zone(days, "EET_US")
    few = days.filter((days.dt.weekday() != 7) | (days.dt.date() < dt.date(2020, 2, 1)))
    assert verify_zone(few, "EET_US").verdict == "unverifiable"


@pytest.mark.parametrize("declared", ["UTC", "America/New_York", "Europe/London"])
def test_days_that_are_named_by_their_evening_are_refused(declared):
    """Cut to its date, OANDA's day from Sunday 17:00 in New York would be known on Monday morning."""
    sunday_to_thursday, fridays = DAYS.filter(~DAYS.dt.weekday().is_in([5, 6])), DAYS.filter(DAYS.dt.weekday() == 5)
    message = (
        r"52 of its 53 weeks begin with a Sunday and lack their last day, 3 or more in a row .*"
        r"Thursday .* add a day to every date.* Fixings of"
    )
    with pytest.raises(ZoneError, match=message):
        verify_zone(sunday_to_thursday, declared)
    assert verify_zone(pl.concat([sunday_to_thursday, fridays]), "UTC").verdict == "unverifiable"


def test_daily_bars_stamped_at_their_close_are_refused():
    closes = DAYS.filter(DAYS.dt.weekday() <= 5) + dt.timedelta(hours=17)
    with pytest.raises(ZoneError, match=r"closed all day, first Friday 2020-01-03.*times of the close"):
        verify_zone(closes, "America/New_York")
    assert verify_zone(closes - dt.timedelta(days=1), "America/New_York").verdict == "unverifiable"


@pytest.mark.parametrize(("since", "hours"), [(0, 20), (15, 8)])  # the last of 65 hours of a weekend
def test_a_vendor_who_closes_every_night_shows_its_own_hours(since, hours):
    """Exotic pairs are quoted by day, and stop on Friday when they stop on Thursday."""
    times = [time for time in trading_times(dt.date(2019, 1, 6), 80) if (new_york(time).hour - 17 - since) % 24 < hours]
    found = verify_zone(shown(times, "UTC"), "UTC")
    assert (found.verdict, found.segments) == ("unverifiable", ())
    assert found.summary.endswith("the bars stop when they had stopped the day before, at hours of the vendor's own")


def test_an_hours_rest_at_the_markets_close_hides_nothing():
    """Metals rest from 17:00 to 18:00 in New York."""
    times = [time for time in trading_times(dt.date(2019, 1, 6), 80) if new_york(time).hour != 17]
    assert verify_zone(shown(times, "EET"), "EET").verdict == "verified"
    with pytest.raises(ZoneError, match="weekends read EET "):
        verify_zone(shown(times, "EET"), "UTC")


WHOLE_WEEKS = trading_times(JANUARY_2021, 60)
MISSING = {
    **{f"of_new_york_{hours}": (True, hours) for hours in ((16,), (15, 16), (16, 17), (17, 18))},
    **{f"of_the_vendor_{hours}": (False, hours) for hours in ((23,), (22, 23), (23, 0), (0, 1))},
}


def without_hours(truth, of_new_york, hours):
    """Return whole weeks on a clock, of every day of which some hours are missing."""
    times = shown(WHOLE_WEEKS, truth)
    told = shown(WHOLE_WEEKS, "America/New_York") if of_new_york else times
    return times.filter(~told.dt.hour().is_in(hours))


@pytest.mark.parametrize(("of_new_york", "hours"), MISSING.values(), ids=MISSING)
@pytest.mark.parametrize("truth", ["UTC", "EET", "EET_US", "UTC+02:00", "UTC+03:00", "Europe/Berlin", "UTC+09:00"])
def test_hours_that_no_day_has_do_not_speak_against_the_truth_nor_save_a_lie(truth, of_new_york, hours):
    times = without_hours(truth, of_new_york, hours)
    assert verify_zone(times, truth).verdict in ("verified", "consistent")
    found = read_clock(times)
    assert (found.verdict, len(found.segments)) == ("read", 1)
    assert truth in found.segments[0].zones
    for lie in {*LIES, "UTC+03:00"} - {truth}:
        try:
            said = verify_zone(times, lie)
        except ZoneError:
            continue
        assert said.verdict == "consistent"
        assert truth in said.segments[0].zones


def test_a_vendor_who_drops_the_last_two_hours_of_new_york_may_be_one_or_two_hours_behind():
    times = without_hours("UTC", of_new_york=True, hours=(15, 16))
    said = "UTC explains 59 of 59 weekends; they cannot distinguish UTC from UTC-01:00, UTC-02:00"
    assert verify_zone(times, "UTC").summary == said
    for lie in ("EET", "EET_US", "Europe/London", "UTC+01:00", "UTC-03:00"):
        with pytest.raises(ZoneError):
            verify_zone(times, lie)


@pytest.mark.parametrize(
    ("truth", "of_new_york", "hours", "days"),
    [("UTC-05:00", True, (16,), (7,)), ("UTC+03:00", False, (22, 23), (6,)), ("EET_US", False, (23,), (6, 7))],
)
def test_hours_and_days_that_a_vendor_drops_do_not_speak_against_the_truth(truth, of_new_york, hours, days):
    times = without_hours(truth, of_new_york, hours)
    times = times.filter(~times.dt.weekday().is_in(days))
    assert verify_zone(times, truth).verdict in ("verified", "consistent")
    assert truth in read_clock(times).segments[0].zones


def test_an_hour_that_one_day_lacks_is_not_dropped():
    times = [t for t in WHOLE_WEEKS if new_york(t).hour != 17 or new_york(t).weekday() != 3]
    assert find_weekends(shown(times, "EET")).table["rest"].to_list() == [1.0] * 59


def test_a_missing_hour_that_wanders_on_a_clock_is_none_that_its_vendor_drops():
    """Of metals on EET the hour at midnight is missing, but for four weeks, in which Europe's summer has not begun."""
    for truth, lies in (("EET", ("UTC+03:00", "EET_US", "UTC+02:00")), ("UTC", ("Europe/London", "Europe/Berlin"))):
        times = without_hours(truth, of_new_york=True, hours=(17,))
        for lie in lies:
            with pytest.raises(ZoneError, match=f"its weekends read {truth} "):
                verify_zone(times, lie)


def test_a_late_opening_that_missing_hours_hide_in_one_season_is_as_late_in_the_other():
    late = [t for t in trading_times(dt.date(2021, 8, 29), 20) if late_open(t)]
    times = shown(late, "UTC+02:00")
    times = times.filter(~times.dt.hour().is_in((0, 1)))
    assert verify_zone(times, "UTC+02:00").verdict == "consistent"


@pytest.mark.parametrize("truth", ["UTC+03:00", "Asia/Tokyo", "Australia/Sydney", "UTC+04:00"])
def test_a_vendor_who_keeps_nothing_of_saturdays_is_not_taken_for_one_of_new_york(truth):
    """Weeks then end at midnight, as those of EET_US do, on which such weeks begin later in winter."""
    times = shown(TWO_YEARS, truth)
    times = times.filter(times.dt.weekday() <= 5)
    assert verify_zone(times, truth).agreeing == 103
    with pytest.raises(ZoneError, match="on EET_US weeks begin later in one half of the year"):
        verify_zone(times, "EET_US")
    assert verify_zone(shown(TWO_YEARS, "EET_US"), "EET_US").verdict == "verified"
