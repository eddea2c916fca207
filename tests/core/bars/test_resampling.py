"""Longer bars against a naive second implementation, one bar at a time with zoneinfo; what makes a bar partial."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from support.examples import few

from golden_core.bars.resampling import ResamplingError
from golden_core.bars.resampling import resample as longer
from golden_core.market.clock import MINUTES
from golden_core.store.schema import BARS

HOURLY = Path(__file__).parents[3] / "../shared/data/hourly"
NEW_YORK, UTC = ZoneInfo("America/New_York"), dt.UTC
HOUR, DAY, MINUTE = dt.timedelta(hours=1), dt.timedelta(days=1), dt.timedelta(minutes=1)
LENGTHS = {"1h": HOUR, "4h": 4 * HOUR, "1d": DAY}

# The weeks of the American and the European changes of clock, and one of no change.
SUNDAYS = (dt.date(2024, 3, 3), dt.date(2024, 3, 10), dt.date(2024, 3, 24), dt.date(2024, 10, 27), dt.date(2024, 6, 2))


def resample(bars, to):
    """Put bars together, whose length is the least time from an open to when a bar is known."""
    known = (bars["available_at"] - bars["timestamp"]).min() or HOUR
    return longer(bars, {minutes * MINUTE: name for name, minutes in MINUTES.items()}[known], to)


def utc(*parts):
    return dt.datetime(*parts, tzinfo=UTC)


def opens(sunday, weeks, step):
    """Return the opens of all bars of whole trading weeks."""
    times = []
    for week in range(weeks):
        first = dt.datetime.combine(sunday + 7 * week * DAY, dt.time(17), NEW_YORK).astimezone(UTC)
        times += [first + bar * step for bar in range(int(5 * DAY / step))]
    return times


def make(times, step=HOUR, seed=0):
    """Return random bars that open at these instants."""
    random = np.random.default_rng([seed, len(times)])
    open_, close = 1 + random.random((2, len(times))) / 10
    frame = pl.DataFrame({"timestamp": times}, schema={"timestamp": pl.Datetime("us", "UTC")}).with_columns(
        pair=pl.lit("EURUSD"),
        available_at=pl.col("timestamp") + step,
        open=pl.Series(open_),
        high=pl.Series(np.maximum(open_, close) + random.random(len(times)) / 50),
        low=pl.Series(np.minimum(open_, close) - random.random(len(times)) / 50),
        close=pl.Series(close),
        # Whole numbers, so that sums do not depend on their order.
        volume=pl.Series(random.integers(1, 1000, len(times)).astype(float)),
    )
    return BARS.conform(frame)


def naive(bars, to):
    """Put bars together one at a time: walk back from each open to the last line of New York's grid."""
    groups: dict[dt.datetime, list[dict[str, Any]]] = {}
    for row in bars.iter_rows(named=True):
        local = row["timestamp"].astimezone(NEW_YORK)
        if to == "1h":
            line = local.replace(minute=0)
        else:
            line = local.replace(hour=17, minute=0)
            if line > local:
                line = (line.replace(tzinfo=None) - DAY).replace(tzinfo=NEW_YORK)
            while to == "4h" and (line.replace(tzinfo=None) + 4 * HOUR) <= local.replace(tzinfo=None):
                line = (line.replace(tzinfo=None) + 4 * HOUR).replace(tzinfo=NEW_YORK)
        groups.setdefault(line.astimezone(UTC), []).append(row)
    made = []
    for line, rows in groups.items():
        end = (line.astimezone(NEW_YORK).replace(tzinfo=None) + LENGTHS[to]).replace(tzinfo=NEW_YORK).astimezone(UTC)
        ends = {"timestamp": line, "available_at": end, "open": rows[0]["open"], "close": rows[-1]["close"]}
        high, low = max(row["high"] for row in rows), min(row["low"] for row in rows)
        volume = sum(row["volume"] for row in rows)
        made.append({"pair": "EURUSD", "high": high, "low": low, "volume": volume, **ends})
    return made


@pytest.mark.parametrize("to", ["4h", "1d"])
@pytest.mark.parametrize("sunday", SUNDAYS)
@few(10)
@given(seed=st.integers(0, 10**6), kept=st.floats(0.05, 1))
def test_hours_agree_with_a_naive_implementation(sunday, to, seed, kept):
    bars = make(opens(sunday, 2, HOUR), seed=seed)
    chosen = np.random.default_rng(seed).random(bars.height) < kept
    chosen[0] = True
    bars = bars.filter(pl.Series(chosen))
    found = resample(bars, to)
    assert found.drop("partial").to_dicts() == naive(bars, to)
    lines = found["timestamp"].to_list()
    counts = dict.fromkeys(lines, 0)
    for time in bars["timestamp"].to_list():
        counts[max(line for line in lines if line <= time)] += 1
    assert found["partial"].to_list() == [count < LENGTHS[to] / HOUR for count in counts.values()]


@pytest.mark.parametrize("sunday", SUNDAYS)
def test_minutes_to_hours_to_days_is_minutes_to_days(sunday):
    minutes = make(opens(sunday, 1, MINUTE), MINUTE)
    hours, fours, days = (resample(minutes, to) for to in LENGTHS)
    assert (hours.height, fours.height, days.height) == (120, 30, 5)
    hours_alone = hours.drop("partial")
    assert_frame_equal(resample(hours_alone, "4h"), fours)
    assert_frame_equal(resample(hours_alone, "1d"), days)
    assert_frame_equal(resample(fours.drop("partial"), "1d"), days)
    assert hours.drop("partial").to_dicts() == naive(minutes, "1h")
    assert not days["partial"].any()


@few(8)
@given(seed=st.integers(0, 10**6), lost=st.integers(1, 400))
def test_a_lost_minute_makes_its_hour_its_four_hours_and_its_day_partial(seed, lost):
    keep = np.ones(5 * 1440, dtype=bool)
    keep[np.random.default_rng(seed).integers(0, keep.size, lost)] = False
    minutes = make(opens(dt.date(2024, 3, 10), 1, MINUTE), MINUTE, seed).filter(pl.Series(keep))
    for to, length in LENGTHS.items():
        whole = length // MINUTE
        counts = keep.reshape(-1, whole).sum(axis=1)
        assert resample(minutes, to)["partial"].to_list() == [count < whole for count in counts if count]


def test_days_begin_at_five_in_new_york_on_both_sides_of_a_change():
    days = resample(make(opens(dt.date(2024, 3, 3), 2, HOUR)), "1d")
    assert days["timestamp"].dt.hour().to_list() == [22] * 5 + [21] * 5
    assert days["available_at"].dt.hour().to_list() == [22] * 5 + [21] * 5
    fours = resample(make(opens(dt.date(2024, 3, 3), 2, HOUR)), "4h")
    assert fours["timestamp"].dt.hour().unique().sort().to_list() == [1, 2, 5, 6, 9, 10, 13, 14, 17, 18, 21, 22]


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 9, 23), (11, 2, 25)])
def test_a_feed_that_never_sleeps_has_a_day_of_23_and_one_of_25_hours(month, day, hours):
    saturday = dt.datetime(2024, month, day, 17, tzinfo=NEW_YORK).astimezone(UTC)
    times = [saturday + bar * HOUR for bar in range(hours + 24)]
    found = resample(make(times), "1d")
    assert found["timestamp"].to_list() == [saturday, saturday + hours * HOUR]
    assert found["available_at"].to_list() == [saturday + hours * HOUR, saturday + (hours + 24) * HOUR]
    # The market is closed over the first: whatever it holds is no day of trading.
    assert found["partial"].to_list() == [True, False]


def test_a_missing_hour_and_the_end_of_the_table_make_a_bar_partial():
    bars = make(opens(dt.date(2024, 6, 2), 1, HOUR))
    assert not resample(bars, "1d")["partial"].any()
    without = bars.filter(pl.col("timestamp") != utc(2024, 6, 4, 12))
    assert resample(without, "1d")["partial"].to_list() == [False, True, False, False, False]
    assert resample(without, "4h").filter("partial")["timestamp"].to_list() == [utc(2024, 6, 4, 9)]
    assert resample(bars.head(50), "1d")["partial"].to_list() == [False, False, True]
    assert resample(bars.tail(50), "1d")["partial"].to_list() == [True, False, False]


def test_nothing_is_filled_in():
    bars = make(opens(dt.date(2024, 6, 2), 1, HOUR))
    gap = bars.filter(~pl.col("timestamp").is_between(utc(2024, 6, 3, 21), utc(2024, 6, 4, 20)))
    found = resample(gap, "1d")
    assert found["timestamp"].dt.day().to_list() == [2, 4, 5, 6]
    assert not found["partial"].any()


def test_rest_that_the_calendar_explains_leaves_a_whole_bar():
    bars = make(opens(dt.date(2024, 12, 22), 1, HOUR))
    eve = bars.filter(~pl.col("timestamp").is_between(utc(2024, 12, 24, 17), utc(2024, 12, 26, 6)))
    found = resample(eve, "1d")
    assert found["timestamp"].dt.day().to_list() == [22, 23, 25, 26]
    assert not found["partial"].any()
    # Six hours of prices on Christmas Day are no day, although none of its hours is expected.
    some = bars.filter(~pl.col("timestamp").is_between(utc(2024, 12, 25, 4), utc(2024, 12, 25, 21)))
    assert resample(some, "1d").filter("partial")["timestamp"].to_list() == [utc(2024, 12, 24, 22)]
    assert not resample(bars, "1d")["partial"].any()


def test_a_table_that_ends_before_an_early_close_does_not_have_the_whole_day():
    bars = make(opens(dt.date(2024, 12, 22), 1, HOUR))
    found = resample(bars.filter(pl.col("timestamp") < utc(2024, 12, 24, 17)), "1d")
    assert found["partial"].to_list() == [False, True]


def test_a_sunday_stub_is_partial():
    bars = make([utc(2024, 6, 2, 20), *opens(dt.date(2024, 6, 2), 1, HOUR)])  # an hour before the week begins
    found = resample(bars, "1d")
    assert found["timestamp"][0] == utc(2024, 6, 1, 21)
    assert found["partial"].to_list() == [True, False, False, False, False, False]


def test_a_bar_is_not_known_before_the_last_that_it_is_made_of():
    late = make(opens(dt.date(2024, 6, 2), 1, HOUR)).with_columns(
        available_at=pl.when(pl.col("timestamp") == utc(2024, 6, 3, 20))
        .then(pl.col("available_at") + 10 * MINUTE)
        .otherwise("available_at")
    )
    found = resample(late, "1d")["available_at"]
    assert found[:2].to_list() == [utc(2024, 6, 3, 21, 10), utc(2024, 6, 4, 21)]


def test_columns_that_are_not_there_stay_away_and_an_unknown_volume_is_unknown():
    bars = make(opens(dt.date(2024, 6, 2), 1, HOUR))
    closes = resample(bars.drop("open", "high", "low", "volume"), "1d")
    assert closes.columns == ["pair", "timestamp", "available_at", "close", "partial"]
    unknown = bars.with_columns(volume=pl.when(pl.col("timestamp") != utc(2024, 6, 3, 3)).then("volume"))
    assert resample(unknown, "1d")["volume"].is_null().to_list() == [True, False, False, False, False]
    assert resample(bars.clear(), "1d").columns == [*bars.columns, "partial"]


def test_bars_counted_from_midnight_utc_cannot_become_days():
    times = [utc(2024, 6, 3) + bar * 4 * HOUR for bar in range(12)]
    with pytest.raises(ResamplingError, match=r"EURUSD: bar 2024-06-03 20:00:00\+00:00 of 4h lies across the end of"):
        resample(make(times, 4 * HOUR), "1d")


def test_an_unknown_length_is_refused():
    with pytest.raises(ValueError, match="bar must be one of"):
        resample(make(opens(dt.date(2024, 6, 2), 1, HOUR)), "1w")


@pytest.mark.shared
def test_real_hours_become_days():
    path = HOURLY / "EURUSD_dukascopy_2015_2025.parquet"
    if not path.exists():
        pytest.skip(f"{path} is absent")
    bars = pl.read_parquet(path).filter(pl.col("volume") > 0)
    bars = BARS.conform(bars.with_columns(pair=pl.lit("EURUSD"), available_at=pl.col("timestamp") + HOUR))
    days = resample(bars, "1d")
    opened = days["timestamp"].dt.convert_time_zone("America/New_York").dt
    assert opened.hour().unique().to_list() == [17]
    assert opened.weekday().unique().sort().to_list() == [1, 2, 3, 4, 7]
    # Christmas Days of a few hours, and one New Year's Day of one.
    partial = days.filter("partial")["available_at"].dt.strftime("%m-%d").unique().sort().to_list()
    assert partial == ["01-01", "12-25"]
