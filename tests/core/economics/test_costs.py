"""Fills are never before the cutoff, half-spreads follow the sessions, Wednesday's night counts three."""

import datetime
import itertools
import zoneinfo

import numpy as np
import polars as pl
import pytest
from support.money import bars, section

from golden_core.economics.costs import FIXING, OPEN, nights, quotes
from golden_core.economics.positions import signals


def at(*texts):
    return pl.Series([datetime.datetime.fromisoformat(text) for text in texts]).dt.replace_time_zone("UTC")


def test_a_decision_is_filled_at_the_first_price_not_before_it():
    hourly, daily = (quotes(bars(opens=opens), "EURUSD", section()) for opens in (True, False))
    known = bars()["available_at"][:5]
    assert hourly.fills(known).tolist() == [1, 2, 3, 4, 5]  # the open at the very instant of the close before it
    assert hourly.prices.tolist() == bars()["open"].to_list()
    late = bars(opens=False)["available_at"][:5]
    assert daily.fills(late).tolist() == [1, 2, 3, 4, 5]  # known after its fixing, so the next one
    assert (hourly.filled_at, daily.filled_at) == (OPEN, FIXING)
    for one, cutoffs in ((hourly, known), (daily, late)):
        assert (one.times.gather(one.fills(cutoffs)) >= cutoffs).all()
    assert daily.fills(bars(opens=False)["available_at"][-1:]).tolist() == [700]


def test_the_year_of_hourly_bars_and_of_weekdays():
    assert quotes(bars(), "EURUSD", section()).per_year == pytest.approx(24 * 365.25)
    days = bars(n=120).with_columns(timestamp=pl.col("timestamp").first() + pl.duration(days=pl.int_range(120)))
    weekdays = days.filter(pl.col("timestamp").dt.weekday() <= 5)
    assert quotes(weekdays, "EURUSD", section()).per_year == pytest.approx(261, abs=1)


def test_the_narrowest_session_at_work_is_paid():
    """Tokyo and Sydney; Tokyo and London; London and New York; New York; Sydney alone; nobody on a Saturday."""
    times = at("2024-01-10 03:00", "2024-01-10 08:30", "2024-01-10 14:00", "2024-01-10 21:30", "2024-01-10 23:30",
               "2024-01-13 12:00")  # fmt: skip
    paid = quotes(bars(n=6).with_columns(timestamp=times), "EURUSD", section(spread=0.5)).half_spread
    np.testing.assert_allclose(paid / 1e-4, [1.0, 0.5, 0.5, 0.5, 1.5, 2.0])


def test_yen_have_another_pip():
    assert quotes(bars("USDJPY"), "USDJPY", section()).slippage == pytest.approx(0.001)


@pytest.mark.parametrize(("pair", "pip"), [("EURUSD", 1e-4), ("USDJPY", 1e-2)])
def test_a_night_is_charged_in_pips_of_the_side_that_is_held(pair, pip):
    week = pl.Series([datetime.datetime(2024, 1, day, 12, tzinfo=datetime.UTC) for day in (8, 9, 10, 11, 12, 15)])
    found = quotes(bars(pair, n=6).with_columns(timestamp=week), pair, section(long=-0.6, short=0.2))
    charged = np.array([0, 1, 1, 3, 1, 1])
    np.testing.assert_allclose(found.long, -0.6 * pip * charged, rtol=1e-12)
    np.testing.assert_allclose(found.short, 0.2 * pip * charged, rtol=1e-12)


def test_nights_of_a_week_are_seven_and_wednesdays_three():
    # 17:00 in New York is 22:00 UTC in winter, 21:00 from 10 March 2024 on.
    week = at("2024-01-08 12:00", "2024-01-09 12:00", "2024-01-10 12:00", "2024-01-11 12:00", "2024-01-12 12:00",
              "2024-01-15 12:00")  # fmt: skip
    assert nights(week).tolist() == [0, 1, 1, 3, 1, 1]
    around = at("2024-01-10 21:59", "2024-01-10 22:00", "2024-01-11 21:59", "2024-03-13 20:59", "2024-03-13 21:00")
    assert nights(around).tolist()[1:3] == [3, 0]
    assert nights(around)[-1] == 3
    assert nights(at("2024-01-12 21:59", "2024-01-12 22:00", "2024-01-14 23:00", "2024-01-15 12:00")).tolist() == [
        0,
        1,
        0,
        0,
    ]


def test_nights_by_counting_every_five_o_clock():
    """A year of hours, against Python's own calendar of New York."""
    zone, start = zoneinfo.ZoneInfo("America/New_York"), datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    hours = [start + datetime.timedelta(hours=7 * step) for step in range(1250)]
    counted = [0.0]
    for before, after in itertools.pairwise(hours):
        total = 0
        for day in range(2):
            local = (before.astimezone(zone) + datetime.timedelta(days=day)).replace(hour=17, minute=0)
            if before < local <= after and local.weekday() < 5:
                total += 3 if local.weekday() == 2 else 1
        counted.append(total)
    assert nights(pl.Series(hours)).tolist() == counted


def test_rules_of_position():
    y, vol = np.array([-0.03, -0.001, 0.0, 0.001, np.nan, 0.03]), np.full(6, 0.005)
    sign = section({"rule": "sign", "threshold": 0.2}, limit=2.0)
    assert signals(y, vol, 4, sign).tolist() == [-2, 0, 0, 0, 0, 2]
    assert signals(y, vol, 4, section()).tolist() == [-1, -1, 0, 1, 0, 1]
    scaled = section({"rule": "scaled", "gain": 0.5}, limit=1.0)
    np.testing.assert_allclose(signals(y, vol, 4, scaled), [-1, -0.05, 0, 0.05, 0, 1], atol=1e-15)
    np.testing.assert_array_equal(signals(-y, vol, 4, scaled), -signals(y, vol, 4, scaled))
    np.testing.assert_array_equal(signals(y, 0 * vol, 4, scaled), [-1, -1, 0, 1, 0, 1])
