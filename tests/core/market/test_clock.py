"""The ECB's clock against zoneinfo, its weekdays against numpy, its holidays against the calendar."""

import datetime as dt
import zoneinfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_core.market.clock import closures, expected_days, fixing, publication
from golden_core.store.schema import UTC_TIME

DAYS = st.dates(dt.date(1999, 1, 1), dt.date(2040, 12, 31))


def _times(date):
    frame = pl.DataFrame({"date": [date]})
    found = frame.select(fixing=fixing(pl.col("date")), publication=publication(pl.col("date")))
    assert found.dtypes == [UTC_TIME, UTC_TIME]
    return found.row(0)


@pytest.mark.parametrize(
    ("date", "utc_hour"),
    [
        (dt.date(2024, 3, 29), 13),  # the last fixing in winter time …
        (dt.date(2024, 4, 2), 12),  # … and the first in summer time
        (dt.date(2024, 10, 25), 12),
        (dt.date(2024, 10, 28), 13),
        (dt.date(2024, 3, 31), 12),  # the Sunday itself: the clocks changed at 02:00
    ],
)
def test_fixing_follows_daylight_saving(date, utc_hour):
    observed, known = _times(date)
    assert observed == dt.datetime(date.year, date.month, date.day, utc_hour, 15, tzinfo=dt.UTC)
    assert known - observed == dt.timedelta(hours=1, minutes=45)


@given(DAYS)
def test_times_agree_with_zoneinfo(date):
    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    observed, known = _times(date)
    assert observed == dt.datetime.combine(date, dt.time(14, 15), berlin)
    assert known == dt.datetime.combine(date, dt.time(16), berlin)


@given(DAYS, st.integers(0, 800))
def test_expected_days_are_numpys_business_days(start, length):
    end = start + dt.timedelta(days=length)
    found = expected_days(start, end)
    assert len(found) == np.busday_count(start, end + dt.timedelta(days=1))
    assert found.dt.weekday().is_in([1, 2, 3, 4, 5]).all()
    assert found.is_between(start, end).all()


def test_a_good_friday_explains_a_gap_of_the_ecb_and_of_nobody_else():
    start, end = dt.date(2024, 3, 25), dt.date(2024, 5, 10)
    assert closures("ecb", start, end).rows() == [
        (dt.date(2024, 3, 29), "Good Friday"),
        (dt.date(2024, 4, 1), "Easter Monday"),
        (dt.date(2024, 5, 1), "Labour Day"),
    ]
    assert closures("files", start, end).is_empty()


def test_christmas_and_new_year_explain_a_gap_of_any_source():
    found = closures("files", dt.date(2023, 12, 1), dt.date(2024, 1, 31))
    assert found["date"].to_list() == [dt.date(2023, 12, 25), dt.date(2024, 1, 1)]
