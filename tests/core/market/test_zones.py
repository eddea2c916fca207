"""Clocks read off weekends: files made with zoneinfo, in every way that vendors blur or mislabel them."""

import datetime as dt
import itertools
import re

import polars as pl
import pytest
from support.trading_weeks import (
    DAY,
    HABITS,
    HOUR,
    JANUARY_2021,
    LIES,
    PER_WEEK,
    TWO_YEARS,
    UTC,
    around_weekends,
    early_close,
    late_open,
    new_york,
    shown,
    trading_times,
    week_of,
)

from golden_core.market.zones import ZoneError, read_clock, verify_zone

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


@pytest.mark.parametrize("keeps", HABITS.values(), ids=HABITS)
@pytest.mark.parametrize("truth", ["UTC", "EET", "EET_US", "America/New_York"])
def test_vendors_habits_do_not_contradict_the_truth_nor_save_a_lie(keeps, truth):
    times = shown([t for t in TWO_YEARS if keeps(t)], truth)
    assert verify_zone(times, truth).verdict in ("verified", "consistent")
    for declared in set(LIES) - {truth}:
        with pytest.raises(ZoneError):
            verify_zone(times, declared)


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
