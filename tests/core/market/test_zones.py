"""Clocks read off weekends: files made with zoneinfo, in every way that vendors blur or mislabel them."""

import datetime as dt
import functools
import itertools
import re
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from golden_core.market.weekends import explained, find_weekends
from golden_core.market.zones import ZoneError, active_times, read_clock, verify_zone

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
CLOCKS = ["UTC", "EET", "EET_US", "America/New_York", "Europe/London", "Europe/Berlin", "UTC-05:00", "UTC+02:00"]
CLOCKS += ["UTC+03:00", "UTC-12:00", "UTC+14:00"]


@pytest.mark.parametrize("truth", CLOCKS)
def test_every_pair_of_clocks_is_told_apart(truth):
    times = shown(TWO_YEARS, truth)
    found = read_clock(times)
    assert (found.verdict, found.segments[0].zones[0], len(found.segments)) == ("read", truth, 1)
    assert (found.weekends, found.agreeing) == (103, 103)
    for declared in CLOCKS:
        if declared == truth:
            # Moscow has been three hours ahead since 2014.
            assert verify_zone(times, declared).verdict == ("consistent" if truth == "UTC+03:00" else "verified")
        else:
            with pytest.raises(ZoneError, match=r"declared to keep .*, but its weekends read"):
                verify_zone(times, declared)


def test_the_message_has_both_readings_the_shares_and_the_first_weeks():
    with pytest.raises(ZoneError) as caught:
        verify_zone(shown(TWO_YEARS, "EET"), "UTC")
    assert str(caught.value) == (
        "the file is declared to keep UTC, but its weekends read EET (weeks of 2021-01-11 to 2022-12-26: 103 of 103 "
        "weekends). UTC explains 0 of 103 weekends, the reading 103. Against UTC: week of 2021-01-11: last bar Fri "
        "23:00, first bar Mon 00:00, where UTC has the market close at Fri 22:00 and open at Sun 22:00; week of "
        "2021-01-18: last bar Fri 23:00, first bar Mon 00:00, where UTC has the market close at Fri 22:00 and open at "
        "Sun 22:00; week of 2021-01-25: last bar Fri 23:00, first bar Mon 00:00, where UTC has the market close at Fri "
        "22:00 and open at Sun 22:00; and 100 more. Declare EET, or get a file that keeps the clock it names"
    )


@pytest.mark.parametrize("weeks", [30, 60])
def test_a_switch_in_mid_history_is_found_with_its_week(weeks):
    cut = weeks * PER_WEEK
    times = pl.concat([shown(TWO_YEARS[:cut], "UTC"), shown(TWO_YEARS[cut:], "EET")])
    found = read_clock(times)
    assert [segment.zones for segment in found.segments] == [("UTC",), ("EET",)]
    # The weekend at which the file switches ends on one clock and begins on the other.
    assert found.segments[1].first == JANUARY_2021 + dt.timedelta(weeks=weeks + 1) + DAY
    for declared in ("UTC", "EET"):
        with pytest.raises(ZoneError, match=rf"Split the file at the week of {found.segments[1].first}"):
            verify_zone(times, declared)


def test_a_switch_from_american_to_european_rules_shows_when_they_next_differ():
    times = around_weekends(trading_times(dt.date(2014, 1, 5), 6 * 52))
    switched = dt.datetime(2017, 1, 1, tzinfo=UTC)
    parts = [shown([t for t in times if t < switched], "EET_US"), shown([t for t in times if t >= switched], "EET")]
    found = read_clock(pl.concat(parts))
    assert [segment.zones[0] for segment in found.segments] == ["EET_US", "EET"]
    assert dt.date(2016, 10, 31) <= found.segments[1].first <= dt.date(2017, 3, 20)


def test_a_stretch_on_another_clock_is_found():
    cuts = (0, 40 * PER_WEEK, 55 * PER_WEEK, len(TWO_YEARS))
    parts = [TWO_YEARS[a:b] for a, b in itertools.pairwise(cuts)]
    times = pl.concat([shown(part, zone) for part, zone in zip(parts, ("UTC", "UTC+01:00", "UTC"), strict=True)])
    found = read_clock(times)
    assert [segment.zones for segment in found.segments] == [("UTC",), ("UTC+01:00",), ("UTC",)]
    assert found.segments[1].weekends in (14, 15, 16)


AUTUMN_2021 = around_weekends(trading_times(dt.date(2021, 8, 15), 28))
NOVEMBER = dt.datetime(2021, 11, 20, tzinfo=UTC)


def _berlin_then_athens(*, sundays):
    """Return what a server shows that moves from Berlin to Athens, and that may drop what it dates on a Sunday."""
    parts = [[t for t in AUTUMN_2021 if t < NOVEMBER], [t for t in AUTUMN_2021 if t >= NOVEMBER]]
    times = pl.concat([shown(parts[0], "Europe/Berlin"), shown(parts[1], "EET")])
    return times if sundays else times.filter(times.dt.weekday() != 7)


def test_a_clock_is_judged_by_era_and_where_the_habit_changes_nothing_is_verified():
    """Without Sundays, Berlin looks like Athens with a vendor who stops an hour early: two readings, none is proven."""
    times = _berlin_then_athens(sundays=False)
    found = verify_zone(times, "EET")
    assert (found.verdict, found.agreeing, found.weekends) == ("unverifiable", 27, 27)
    assert (
        "from the week of 2021-11-29 its weeks end at another hour than before. Either the vendor's hours changed then "
        "and the clock is EET throughout, or the clock changed: Europe/Berlin and then EET. Nothing is verified: split "
        "the file at that week, or hold it against a second source" in found.summary
    )
    cut = dt.datetime.fromisoformat("2021-11-20")
    assert verify_zone(times.filter(times > cut), "EET").verdict == "consistent"
    assert verify_zone(times.filter(times < cut), "Europe/Berlin").verdict == "consistent"


@pytest.mark.parametrize(("declared", "sundays"), [("Europe/Berlin", False), ("Europe/Berlin", True), ("EET", True)])
def test_half_of_the_weekends_do_not_verify_the_other_half(declared, sundays):
    with pytest.raises(
        ZoneError, match=r"Split the file at the week of 2021-11-29 and .*, or hold it against a second"
    ):
        verify_zone(_berlin_then_athens(sundays=sundays), declared)


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


@pytest.mark.parametrize("keeps", HABITS.values(), ids=HABITS)
@pytest.mark.parametrize("truth", ["UTC", "EET", "EET_US", "America/New_York"])
def test_vendors_habits_do_not_contradict_the_truth_nor_save_a_lie(keeps, truth):
    times = shown([t for t in TWO_YEARS if keeps(t)], truth)
    assert verify_zone(times, truth).verdict in ("verified", "consistent")
    for declared in set(LIES) - {truth}:
        with pytest.raises(ZoneError):
            verify_zone(times, declared)


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


def test_a_vendors_slip_of_three_weeks_is_no_switch():
    def stopped(t):
        return 50 <= week_of(t) < 53 and new_york(t).weekday() == 4 and new_york(t).hour >= 15

    found = verify_zone(shown([t for t in TWO_YEARS if not stopped(t)], "UTC"), "UTC")
    assert (found.verdict, found.agreeing, len(found.segments)) == ("verified", 100, 1)


def test_ragged_closes_are_no_switch():
    # In the first weeks prices after the close, three times of four: an hour later reads better there, but not well.
    trading = [t for t in TWO_YEARS if late_open(t) or week_of(t) >= 32]
    strays = [t + HOUR for t in trading if not early_close(t) and week_of(t) < 32 and week_of(t) % 4 < 3]
    found = verify_zone(shown(trading + strays, "UTC"), "UTC")
    assert (found.verdict, len(found.segments)) == ("verified", 1)


def test_an_hour_of_slack_leaves_an_hour_of_doubt():
    times = shown([t for t in TWO_YEARS if late_open(t)], "UTC")
    found = verify_zone(times, "UTC")
    assert found.verdict == "consistent"
    assert found.summary == "UTC explains 103 of 103 weekends; they cannot distinguish UTC from UTC+01:00"


def test_clocks_that_show_the_same_are_one():
    times = shown(TWO_YEARS, "EET")
    assert verify_zone(times, "Europe/Athens").verdict == "verified"
    assert verify_zone(shown(TWO_YEARS, "EET_US"), "America/New_York+07:00").verdict == "verified"
    assert verify_zone(shown(TWO_YEARS, "UTC"), "Etc/UTC").verdict == "verified"


def test_a_zone_that_is_no_candidate_is_verified_when_declared():
    assert verify_zone(shown(TWO_YEARS, "Asia/Jerusalem"), "Asia/Jerusalem").agreeing == 103


def test_a_short_file_cannot_distinguish_clocks_that_agree_in_it():
    winter = shown(trading_times(dt.date(2024, 1, 7), 6), "EET")
    found = verify_zone(winter, "EET")
    assert found.verdict == "consistent"
    assert "cannot distinguish EET from EET_US, UTC+02:00" in found.summary
    assert verify_zone(winter, "EET_US").verdict == verify_zone(winter, "UTC+02:00").verdict == "consistent"
    with pytest.raises(ZoneError):
        verify_zone(winter, "UTC")


def test_three_weeks_in_march_tell_european_from_american_rules():
    march = trading_times(dt.date(2024, 2, 18), 12)
    for truth, lie in (("EET", "EET_US"), ("EET_US", "EET")):
        assert verify_zone(shown(march, truth), truth).verdict == "verified"
        with pytest.raises(ZoneError):
            verify_zone(shown(march, truth), lie)


def test_one_observation_is_too_little_to_contradict():
    # The weekends of 27 October and 3 November 2024: only one Friday shows that New York had not yet changed.
    autumn = shown(trading_times(dt.date(2024, 10, 20), 4), "EET_US")
    found = verify_zone(autumn, "EET")
    assert found.verdict == "unverifiable"
    assert "too little to tell it from what fits better: EET_US" in found.summary


def test_one_weekend_contradicts_but_does_not_verify():
    one = shown(trading_times(dt.date(2024, 7, 7), 2), "UTC")
    assert (verify_zone(one, "UTC").verdict, verify_zone(one, "UTC").weekends) == ("consistent", 1)
    with pytest.raises(ZoneError):
        verify_zone(one, "EET")
    two = verify_zone(shown(trading_times(dt.date(2024, 7, 7), 3), "UTC"), "UTC")
    assert two.verdict == "consistent"
    assert two.summary == "UTC explains 2 of 2 weekends; no other clock does, but 3 would be needed to verify it"
    assert verify_zone(shown(trading_times(dt.date(2024, 7, 7), 4), "UTC"), "UTC").verdict == "verified"


@pytest.mark.parametrize("declared", ["UTC", "EET"])
def test_a_file_without_a_weekend_is_unverifiable(declared):
    found = verify_zone(shown(trading_times(dt.date(2024, 7, 7), 1), "UTC"), declared)
    assert (found.verdict, found.segments, found.weekends) == ("unverifiable", (), 0)
    assert found.summary == f"{declared} cannot be verified: no weekend interrupts its bars"
    assert verify_zone(pl.Series([], dtype=pl.Datetime("us")), declared).verdict == "unverifiable"


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


def test_trading_round_the_clock_is_no_fx_clock():
    hours = pl.datetime_range(dt.date(2024, 1, 1), dt.date(2024, 6, 1), "1h", time_unit="us", eager=True)
    assert verify_zone(hours, "UTC").verdict == "unverifiable"


def test_ragged_weekends_are_no_clock():
    def kept(t):
        week, local = week_of(t), new_york(t)
        return (local.weekday() != 4 or local.hour < 9 + week * 5 % 8) and (
            local.weekday() != 6 or local.hour > 16 + week * 3 % 6
        )

    times = shown([t for t in TWO_YEARS if kept(t)], "UTC")
    for found in (read_clock(times), verify_zone(times, "UTC+12:00")):
        assert (found.verdict, found.weekends > 50) == ("unverifiable", True)
        assert "no known clock explains" in found.summary


@pytest.mark.parametrize(("minutes", "weeks"), [(1, 12), (5, 30), (15, 30), (30, 60), (240, 104)])
@pytest.mark.parametrize("truth", ["UTC", "EET_US", "Europe/Berlin"])
def test_bars_of_other_lengths(minutes, weeks, truth):
    times = shown(around_weekends(trading_times(dt.date(2024, 2, 4), weeks, minutes)), truth)
    assert verify_zone(times, truth).agreeing == weeks - 1
    with pytest.raises(ZoneError):
        verify_zone(times, "UTC-05:00")
    if minutes < 60:
        assert verify_zone(times, truth).verdict == "verified"


@pytest.mark.parametrize("truth", ["UTC+05:30", "UTC-03:30"])
def test_half_hours_are_read_from_bars_that_can_show_them(truth):
    for minutes in (30, 60):
        times = shown(around_weekends(trading_times(dt.date(2024, 2, 4), 30, minutes)), truth)
        assert truth in read_clock(times).segments[0].zones
        with pytest.raises(ZoneError):
            verify_zone(times, "UTC")
    times = shown(around_weekends(trading_times(dt.date(2024, 2, 4), 30, 30)), truth)
    assert read_clock(times).segments[0].zones == (truth,)


def test_minutes_that_are_silent_around_the_weekend():
    minutes = around_weekends(trading_times(dt.date(2024, 2, 4), 12, 1))
    quiet = [t for t in minutes if not (new_york(t).weekday() == 4 and new_york(t).hour == 16 and t.minute > 52)]
    quiet = [t for t in quiet if not (new_york(t).weekday() == 6 and new_york(t).hour == 17 and t.minute < 7)]
    assert verify_zone(shown(quiet, "UTC"), "UTC").agreeing == 11
    with pytest.raises(ZoneError):
        verify_zone(shown(quiet, "EET"), "UTC")


def test_order_and_duplicates_do_not_matter():
    times = shown(TWO_YEARS, "EET_US")
    shuffled = pl.concat([times, times.head(500)]).shuffle(seed=3)
    assert verify_zone(shuffled, "EET_US").agreeing == 103


def test_epoch_zero_rows_do_not_matter():
    zero = pl.Series("timestamp", [0]).cast(pl.Datetime("us"))
    times = pl.concat([zero, shown(TWO_YEARS, "UTC")])
    assert verify_zone(times, "UTC").verdict == "verified"


def test_an_unknown_clock_is_refused():
    with pytest.raises(ZoneError, match="unknown clock 'EEST'"):
        verify_zone(shown(TWO_YEARS, "UTC"), "EEST")


@pytest.mark.parametrize(
    ("last_bar", "first_bar", "closes", "opens"),
    [
        ("Fri 21:00", "Sun 22:00", [True, False, False], True),
        ("Fri 20:00", "Sun 22:00", [False, True, False], True),  # the practice of a vendor who stops at 16:00
        ("Fri 19:00", "Sun 22:00", [False, False, False], True),
        ("Fri 22:00", "Sun 22:00", [False, False, False], True),  # prices after the market closed
        ("Fri 21:00", "Sun 21:00", [True, False, False], False),  # prices before it opened
        ("Fri 21:00", "Mon 03:00", [True, False, False], True),  # late, as some vendors are
    ],
)
def test_what_explains_a_weekend(last_bar, first_bar, closes, opens):
    dates = {"Fri": "2024-01-12", "Sun": "2024-01-14", "Mon": "2024-01-15"}
    edges = [dt.datetime.fromisoformat(f"{dates[edge[:3]]}T{edge[4:]}") for edge in (last_bar, first_bar)]
    times = [edges[0] - 2 * HOUR, edges[0] - HOUR, edges[0], edges[1], edges[1] + HOUR]
    found, late = explained(find_weekends(pl.Series(times, dtype=pl.Datetime("us"))), ["UTC"])
    assert found[0, :, 0, 0].tolist() == closes
    assert found[0, :, 1, 0].tolist() == [opens, opens, opens]
    assert late[1, 0, 0] == (times[3] - dt.datetime.fromisoformat("2024-01-14T22:00")) / HOUR
    assert late[0, 0, 0] == late[1, 0, 0]


@pytest.mark.parametrize("truth", ["UTC+03:00", "Asia/Tokyo", "Australia/Sydney", "UTC+04:00"])
def test_a_vendor_who_keeps_nothing_of_saturdays_is_not_taken_for_one_of_new_york(truth):
    """Weeks then end at midnight, as those of EET_US do, on which such weeks begin later in winter."""
    times = shown(TWO_YEARS, truth)
    times = times.filter(times.dt.weekday() <= 5)
    assert verify_zone(times, truth).agreeing == 103
    with pytest.raises(ZoneError, match="on EET_US weeks begin later in one half of the year"):
        verify_zone(times, "EET_US")
    assert verify_zone(shown(TWO_YEARS, "EET_US"), "EET_US").verdict == "verified"


@pytest.mark.parametrize(
    ("last_bar", "first_bar", "counts"),
    [
        ("2024-01-12T21:00", "2024-01-14T22:00", 1),
        ("2024-01-12T21:00", "2024-01-15T17:00", 0),  # a holiday beside the weekend
        ("2024-01-13T21:00", "2024-01-15T01:00", 0),  # too short
        ("2024-01-09T21:00", "2024-01-11T22:00", 0),  # a gap within the week
    ],
)
def test_what_counts_as_a_weekend(last_bar, first_bar, counts):
    last, first = dt.datetime.fromisoformat(last_bar), dt.datetime.fromisoformat(first_bar)
    times = [last - 2 * HOUR, last - HOUR, last, first, first + HOUR]
    assert find_weekends(pl.Series(times, dtype=pl.Datetime("us"))).table.height == counts


# What counts as an active bar.


def _bars(times, **columns):
    size = len(times)
    return pl.DataFrame({"timestamp": times, "high": [1.2] * size, "low": [1.1] * size} | columns)


def test_flat_weekends_are_not_active():
    hours = pl.datetime_range(dt.date(2021, 1, 3), dt.date(2022, 1, 2), "1h", time_unit="us", eager=True)
    trading = hours.is_in(shown(trading_times(JANUARY_2021, 52), "UTC").implode()).to_numpy()
    filled = _bars(hours, volume=np.where(trading, 900.0, 0.0), high=np.where(trading, 1.2, 1.1))
    for bars in (filled, filled.drop("volume"), filled.with_columns(volume=0.0)):
        assert verify_zone(active_times(bars), "UTC").verdict == "verified"
        with pytest.raises(ZoneError):
            verify_zone(active_times(bars), "EET")
    assert verify_zone(filled["timestamp"], "UTC").verdict == "unverifiable"


def test_prices_that_trickle_in_after_the_close_are_not_active():
    # One bar after each Friday's close, and nothing before 18:00 on Sundays: raw, it reads an hour off.
    trading = [t for t in TWO_YEARS if late_open(t)]
    strays = [t + HOUR for t in trading if new_york(t).weekday() == 4 and new_york(t).hour == 16]
    times = shown(trading + strays, "UTC")
    stray = np.arange(len(times)) >= len(trading)
    bars = _bars(times, volume=np.where(stray, 3.0, 900.0), high=np.where(stray, 1.1001, 1.2))
    with pytest.raises(ZoneError, match=r"weekends read UTC\+01:00"):
        verify_zone(bars["timestamp"], "UTC")
    for table in (bars, bars.drop("volume")):
        assert verify_zone(active_times(table), "UTC").verdict == "consistent"


def test_a_volume_that_changes_its_unit_keeps_its_bars():
    times = shown(TWO_YEARS, "UTC")
    volume = np.where(np.arange(len(times)) // PER_WEEK % 2 | (np.arange(len(times)) % 2), 5000.0, 0.005)
    assert active_times(_bars(times, volume=volume)).len() == len(times)


def test_bars_of_which_nothing_is_known_are_active():
    times = shown(TWO_YEARS, "UTC")
    assert active_times(pl.DataFrame({"timestamp": times, "close": 1.0})).equals(times)


@pytest.mark.parametrize("lie", ["UTC", "Europe/London", "America/New_York"])
@pytest.mark.parametrize("month", [1, 7])
def test_one_weekend_refuses_a_clock_on_which_bars_lie_in_it(lie, month):
    """A server's Friday ends hours after New York's; that its Monday begins at midnight, UTC would allow as well."""
    times = shown(trading_times(dt.date(2024, month, 7), 2), "EET_US")
    assert verify_zone(times, "EET_US").verdict == "consistent"
    message = (
        rf"keep {lie}, but \d+ bars that moved .* every market closed, first Fri 2024-0{month}-\d\d \d\d:00.*EET_US"
    )
    with pytest.raises(ZoneError, match=message):
        verify_zone(times, lie)


@pytest.mark.parametrize("keeps", [*HABITS.values(), lambda t: t.weekday() != 4 or t.hour < 17])
@pytest.mark.parametrize("truth", ["UTC", "EET", "America/New_York"])
def test_one_weekend_does_not_refuse_the_truth(keeps, truth):
    for week in range(0, 104, 3):
        some = [t for t in TWO_YEARS[week * PER_WEEK : (week + 2) * PER_WEEK] if keeps(t)]
        assert verify_zone(shown(some, truth), truth).verdict in ("consistent", "unverifiable")


def test_of_many_clocks_that_fit_three_are_named():
    said = verify_zone(shown(trading_times(dt.date(2024, 7, 7), 2), "EET_US"), "EET_US").summary
    assert re.search(r"cannot distinguish EET_US from EET, UTC\+03:00, Europe/Moscow and \d+ more$", said)
