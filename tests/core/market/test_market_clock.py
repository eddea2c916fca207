"""The FX clock against a second implementation with the standard library's zoneinfo, and against dates by hand."""

import datetime as dt
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_core.market.clock import (
    MINUTES,
    bar_close,
    bar_open,
    expected_opens,
    market_open,
    on_grid,
    sessions,
    trading_day,
)
from golden_core.market.holidays import CLOSURES
from golden_core.store.schema import UTC_TIME

NEW_YORK = ZoneInfo("America/New_York")
FIRST, LAST = dt.datetime(1999, 1, 1, tzinfo=dt.UTC), dt.datetime(2035, 12, 31, 23, 59, 59, tzinfo=dt.UTC)
INSTANTS = st.datetimes(FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None), timezones=st.just(dt.UTC))
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)

# Second implementations, one instant at a time, by other means: weekday and hour instead of a shifted clock.
LOCAL_HOURS = {
    "sydney": ("Australia/Sydney", 7, 16),
    "tokyo": ("Asia/Tokyo", 9, 18),
    "london": ("Europe/London", 8, 17),
    "new_york": ("America/New_York", 8, 17),
}


def reference_open(time):
    local = time.astimezone(NEW_YORK)
    if local.weekday() == 4:
        return local.hour < 17
    return local.weekday() < 4 or (local.weekday() == 6 and local.hour >= 17)


def reference_day(time):
    local = time.astimezone(NEW_YORK)
    return local.date() if local.hour < 17 else local.date() + DAY


def reference_sessions(time):
    found = {}
    for name, (zone, opens, closes) in LOCAL_HOURS.items():
        local = time.astimezone(ZoneInfo(zone))
        found[name] = reference_open(time) and local.weekday() < 5 and opens <= local.hour < closes
    return found


def reference_next_five(time):
    """Return the first 17:00 in New York after an instant."""
    local = time.astimezone(NEW_YORK)
    five = dt.datetime.combine(local.date(), dt.time(17), NEW_YORK).astimezone(dt.UTC)
    if five <= time:
        five = dt.datetime.combine(local.date() + DAY, dt.time(17), NEW_YORK).astimezone(dt.UTC)
    return five


def every_hour(start, end):
    return pl.datetime_range(start, end, "1h", time_unit="us", eager=True).alias("t")


def evaluate(expression, times):
    return times.to_frame().select(expression.alias("found")).to_series()


def utc(*parts):
    return dt.datetime(*parts, tzinfo=dt.UTC)


def test_the_week_and_the_day_agree_with_zoneinfo_at_every_hour_of_37_years():
    times = every_hour(FIRST, LAST)
    instants = times.to_list()
    assert evaluate(market_open(pl.col("t")), times).to_list() == [reference_open(t) for t in instants]
    assert evaluate(trading_day(pl.col("t")), times).to_list() == [reference_day(t) for t in instants]


@given(INSTANTS)
def test_the_week_and_the_day_agree_with_zoneinfo_at_any_instant(time):
    times = pl.Series("t", [time], UTC_TIME)
    assert evaluate(market_open(pl.col("t")), times)[0] == reference_open(time)
    assert evaluate(trading_day(pl.col("t")), times)[0] == reference_day(time)


@pytest.mark.parametrize(
    ("sunday", "opens"),
    [
        (dt.date(2024, 1, 7), 22),
        (dt.date(2024, 3, 3), 22),
        (dt.date(2024, 3, 10), 21),  # New York has changed its clocks this morning, Europe not for three weeks …
        (dt.date(2024, 3, 24), 21),
        (dt.date(2024, 7, 7), 21),
        (dt.date(2024, 10, 27), 21),  # … and Europe a week before New York
        (dt.date(2024, 11, 3), 22),
        (dt.date(2006, 3, 12), 22),  # until 2006 New York changed in April and October
        (dt.date(2006, 4, 2), 21),
        (dt.date(2007, 3, 11), 21),  # the Energy Policy Act's first spring
        (dt.date(2006, 10, 29), 22),
        (dt.date(2007, 10, 28), 21),
        (dt.date(2007, 11, 4), 22),
    ],
)
def test_a_week_is_half_open_in_both_regimes(sunday, opens):
    first = utc(sunday.year, sunday.month, sunday.day, opens)
    last = first + 5 * DAY
    minute = dt.timedelta(minutes=1)
    times = pl.Series("t", [first - minute, first, last - minute, last], UTC_TIME)
    assert evaluate(market_open(pl.col("t")), times).to_list() == [False, True, True, False]


@pytest.mark.parametrize("year", [1999, 2007, 2024])
def test_sessions_agree_with_zoneinfo(year):
    times = every_hour(utc(year, 1, 1), utc(year, 12, 31, 23))
    assert evaluate(sessions(pl.col("t")), times).to_list() == [reference_sessions(t) for t in times.to_list()]


def test_london_and_new_york_overlap_an_hour_longer_between_their_changes_of_clock():
    def overlap(day):
        found = evaluate(sessions(pl.col("t")), every_hour(utc(2024, 3, day), utc(2024, 3, day, 23)))
        return int((found.struct.field("london") & found.struct.field("new_york")).sum())

    assert [overlap(day) for day in (6, 13, 20, 27)] == [4, 5, 5, 5]


def test_no_session_is_open_while_the_market_is_closed():
    # 20:00 UTC on a Sunday in January is 07:00 on Monday in Sydney, two hours before the week begins.
    times = pl.Series("t", [utc(2024, 1, 7, 20), utc(2024, 1, 7, 22)], UTC_TIME)
    assert evaluate(sessions(pl.col("t")), times).struct.field("sydney").to_list() == [False, True]


@pytest.mark.parametrize("bar", ["1h", "4h", "1d"])
def test_expected_opens_are_the_grid_filtered_hour_by_hour(bar):
    found = expected_opens(FIRST.date(), LAST.date(), bar)["timestamp"]
    hours = int(MINUTES[bar] / 60)
    want = [
        time
        for time in every_hour(FIRST, LAST).to_list()
        if reference_open(time) and (time.astimezone(NEW_YORK).hour - 17) % hours == 0
    ]
    assert found.to_list() == want


@pytest.mark.parametrize("bar", ["1m", "5m", "15m", "30m"])
def test_a_week_of_minutes_across_a_change_of_clock(bar):
    found = expected_opens(dt.date(2024, 3, 9), dt.date(2024, 3, 15), bar)
    assert found["timestamp"][0] == utc(2024, 3, 10, 21)
    assert found["timestamp"][-1] == utc(2024, 3, 15, 21) - dt.timedelta(minutes=MINUTES[bar])
    assert found.height == 5 * 1440 / MINUTES[bar]
    assert found.schema == {"timestamp": UTC_TIME, "closure": pl.String}


def test_days_are_whole_utc_days_and_both_included():
    found = expected_opens(dt.date(2024, 5, 7), dt.date(2024, 5, 8), "1h")["timestamp"]
    assert (found[0], found[-1], len(found)) == (utc(2024, 5, 7), utc(2024, 5, 8, 23), 48)
    assert expected_opens(dt.date(2024, 5, 11), dt.date(2024, 5, 11), "1h").is_empty()  # a Saturday


def test_holidays_and_early_closes_explain_absent_hours():
    found = expected_opens(dt.date(2024, 12, 23), dt.date(2025, 1, 3), "1h").drop_nulls("closure")
    spans = found.group_by("closure", maintain_order=True).agg(
        pl.col("timestamp").min().alias("first"), pl.col("timestamp").max().alias("last"), pl.len()
    )
    assert spans.rows() == [
        ("Christmas Eve, early close", utc(2024, 12, 24, 17), utc(2024, 12, 24, 21), 5),
        ("Christmas Day", utc(2024, 12, 24, 22), utc(2024, 12, 25, 21), 24),
        ("day after Christmas, late open", utc(2024, 12, 25, 22), utc(2024, 12, 26, 6), 9),
        ("New Year's Eve, early close", utc(2024, 12, 31, 18), utc(2024, 12, 31, 21), 4),
        ("New Year's Day", utc(2024, 12, 31, 22), utc(2025, 1, 1, 21), 24),
        ("day after New Year's Day, late open", utc(2025, 1, 1, 22), utc(2025, 1, 2, 6), 9),
    ]


def test_a_rest_shorter_than_a_bar_does_not_explain_its_absence():
    days = expected_opens(dt.date(2024, 12, 22), dt.date(2024, 12, 27), "1d").rows()
    assert days == [
        (utc(2024, 12, 22, 22), None),
        (utc(2024, 12, 23, 22), None),  # Christmas Eve, although some close at noon
        (utc(2024, 12, 24, 22), "Christmas Day"),
        (utc(2024, 12, 25, 22), None),
        (utc(2024, 12, 26, 22), None),
    ]
    fours = expected_opens(dt.date(2024, 12, 24), dt.date(2024, 12, 24), "4h").drop_nulls("closure")
    assert fours["timestamp"].to_list() == [utc(2024, 12, 24, 18), utc(2024, 12, 24, 22)]


def test_good_friday_and_thanksgiving_explain_nothing():
    for day in (dt.date(2024, 3, 29), dt.date(2024, 11, 28), dt.date(2024, 7, 4)):
        assert expected_opens(day, day, "1h")["closure"].null_count() == expected_opens(day, day, "1h").height > 0


def test_every_closure_has_a_source_and_a_place_in_its_day():
    assert all(rest.source and 0 <= rest.start < rest.stop <= 1440 for rest in CLOSURES)
    assert {rest.name for rest in CLOSURES if rest.worldwide} == {"Christmas Day", "New Year's Day"}


@given(INSTANTS, st.sampled_from(sorted(MINUTES)))
def test_an_instant_lies_in_its_bar(time, bar):
    times = pl.Series("t", [time], UTC_TIME)
    opened = evaluate(bar_open(pl.col("t"), bar), times)
    closed = evaluate(bar_close(pl.col("t"), bar), opened.alias("t"))
    assert opened[0] <= time < closed[0]
    assert evaluate(on_grid(pl.col("t"), bar), opened.alias("t"))[0]
    if bar == "1d":
        assert closed[0] == reference_next_five(time)
    elif bar != "4h":
        assert closed[0] - opened[0] == dt.timedelta(minutes=MINUTES[bar])


@given(INSTANTS)
def test_bars_of_four_hours_begin_at_five_or_a_multiple_of_four_hours_after(time):
    times = pl.Series("t", [time], UTC_TIME)
    opened = evaluate(bar_open(pl.col("t"), "4h"), times)[0]
    local = opened.astimezone(NEW_YORK)
    assert (local.hour % 4, local.minute, local.second, local.microsecond) == (1, 0, 0, 0)
    assert dt.timedelta() <= time - opened < 5 * HOUR


@pytest.mark.parametrize(
    ("opened", "day_hours", "four_opened", "four_hours"),
    [
        (utc(2024, 3, 9, 22), 23, utc(2024, 3, 10, 6), 3),  # Saturday 17:00 EST to Sunday 17:00 EDT
        (utc(2024, 11, 2, 21), 25, utc(2024, 11, 3, 5), 5),
        (utc(2006, 4, 1, 22), 23, utc(2006, 4, 2, 6), 3),
        (utc(2024, 5, 7, 21), 24, utc(2024, 5, 8, 5), 4),
    ],
)
def test_the_day_over_which_the_clocks_change(opened, day_hours, four_opened, four_hours):
    day = evaluate(bar_close(pl.col("t"), "1d"), pl.Series("t", [opened], UTC_TIME))
    four = evaluate(bar_close(pl.col("t"), "4h"), pl.Series("t", [four_opened], UTC_TIME))
    assert day[0] - opened == day_hours * HOUR
    assert four[0] - four_opened == four_hours * HOUR


def test_a_day_of_another_clock_is_not_known_before_it_ends():
    opened = utc(2024, 3, 10)  # midnight UTC, the day over which New York's clocks go forward
    closed = evaluate(bar_close(pl.col("t"), "1d"), pl.Series("t", [opened], UTC_TIME))
    assert closed[0] == opened + DAY


@pytest.mark.parametrize("call", [bar_open, bar_close, on_grid])
def test_an_unknown_length_is_refused(call):
    with pytest.raises(ValueError, match=r"bar must be one of 1m, 5m, .* got '2h'"):
        call(pl.col("t"), "2h")
    with pytest.raises(ValueError, match="got '2h'"):
        expected_opens(dt.date(2024, 1, 1), dt.date(2024, 1, 2), "2h")
