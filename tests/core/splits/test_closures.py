"""Closures: which bars open behind one, and which windows and labels reach across."""

import datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_core.splits.closures import crossings, opens_after_closure
from golden_core.store import schema


def opens(*texts):
    return pl.Series([datetime.datetime.fromisoformat(f"{text}+00:00") for text in texts], dtype=schema.UTC_TIME)


def test_an_hourly_weekend_a_missing_hour_and_nothing_else():
    times = opens(
        "2024-03-08 20:00", "2024-03-08 21:00", "2024-03-10 21:00", "2024-03-10 22:00", "2024-03-11 00:00"
    )  # fmt: skip
    assert opens_after_closure(times, "1h").tolist() == [False, False, True, False, True]
    assert opens_after_closure(times, "4h").tolist() == [False, False, True, False, False]


def test_a_weekend_is_a_closure_of_daily_fixings_and_a_clock_change_is_none():
    # Fixings at 14:15 in Frankfurt: Friday, Monday, and Tuesday at an hour's distance of more than a day by rights of
    # a clock that changed on Monday, as it does in some places.
    times = opens("2024-10-25 12:15", "2024-10-28 13:15", "2024-10-29 14:15", "2024-10-30 14:15", "2024-11-01 14:15")
    assert opens_after_closure(times, "1d").tolist() == [False, True, False, False, True]


def test_a_bar_that_is_a_microsecond_late_counts_as_late():
    times = opens("2024-01-01 00:00", "2024-01-01 01:00:00.000001", "2024-01-01 02:00:00.000001")
    assert opens_after_closure(times, "1h").tolist() == [False, True, False]


def test_crossings_by_hand():
    # Bars 0 1 2 | 3 4 5 6: a closure before bar 3. Windows of 2 bars, labels of 2.
    hours = [0, 1, 2, 50, 51, 52, 53]
    times = pl.Series([datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(hours=h) for h in hours])
    found = crossings(times, "1h", context_length=2, horizon=2)
    assert found.windows.tolist() == [False, False, False, True, False, False, False]
    assert found.labels.tolist() == [False, True, True, False, False, False, False]
    assert found.either.tolist() == [False, True, True, True, False, False, False]


@given(st.lists(st.integers(1, 3), min_size=1, max_size=40), st.integers(1, 6), st.integers(1, 6))
def test_agrees_with_the_definition(steps, context_length, horizon):
    times = np.datetime64("2024-01-01", "us") + np.cumsum(steps) * np.timedelta64(1, "h")
    found = crossings(pl.Series(times), "1h", context_length=context_length, horizon=horizon)

    def crosses(first, last):
        pairs = [(i, i + 1) for i in range(max(first, 0), min(last, len(times) - 1))]
        return any(times[b] - times[a] > np.timedelta64(1, "h") for a, b in pairs)

    rows = range(len(times))
    assert found.windows.tolist() == [crosses(row - context_length + 1, row) for row in rows]
    assert found.labels.tolist() == [crosses(row, row + horizon) for row in rows]


@pytest.mark.parametrize("bar", ["1d", "4h", "1h"])
def test_one_bar_has_no_closure_before_it(bar):
    assert opens_after_closure(opens("2024-01-01 00:00"), bar).tolist() == [False]
