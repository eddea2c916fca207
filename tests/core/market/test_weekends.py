"""What counts as a weekend and as an active bar, and what explains one."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from support.trading_weeks import HOUR, JANUARY_2021, PER_WEEK, TWO_YEARS, late_open, new_york, shown, trading_times

from golden_core.market.weekends import explained, find_weekends
from golden_core.market.zones import ZoneError, active_times, verify_zone


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
