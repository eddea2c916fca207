"""A panel on one clock: asynchronous closes and missing bars give nulls, never the next bar and never an old one."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_core.bars.panel import panel

BEGIN = dt.datetime(2024, 1, 8, tzinfo=dt.UTC)


def at(minute: int) -> dt.datetime:
    return BEGIN + dt.timedelta(minutes=minute)


def instants(minutes: list[int]) -> pl.Series:
    return pl.Series([at(minute) for minute in minutes], dtype=pl.Datetime("us", "UTC"))


def table(minutes: list[int]) -> pl.DataFrame:
    """Return one row per minute at which it becomes known; its value is that minute."""
    return pl.DataFrame({"available_at": instants(minutes), "close": [float(minute) for minute in minutes]})


def test_a_missing_bar_is_null() -> None:
    found = panel({"EURUSD": table([60, 120, 180]), "USDJPY": table([60, 180])}, instants([60, 120, 180]))
    assert found["EURUSD.close"].to_list() == [60, 120, 180]
    assert found["USDJPY.close"].to_list() == [60, None, 180]


def test_a_later_close_counts_for_the_next_cutoff_only() -> None:
    # New York's day ends two hours before midnight UTC: the other pair's day is known one cutoff later.
    found = panel({"EURUSD": table([1320, 2760, 4200]), "USDJPY": table([1440, 2880])}, instants([1320, 2760, 4200]))
    assert found["USDJPY.close"].to_list() == [None, 1440, 2880]


def test_an_earlier_close_counts_at_once_and_is_not_carried_on() -> None:
    found = panel({"USDJPY": table([70, 90])}, instants([60, 120, 180, 240]))
    assert found["USDJPY.close"].to_list() == [None, 90, None, None]


def test_the_first_interval_has_no_past() -> None:
    assert panel({"USDJPY": table([0, 59])}, instants([60, 120]))["USDJPY.close"].to_list() == [None, None]
    assert panel({"USDJPY": table([0, 60])}, instants([60, 120]))["USDJPY.close"].to_list() == [60, None]


def test_what_cannot_be_placed_is_refused() -> None:
    with pytest.raises(ValueError, match="the table of EURUSD has no column 'available_at'; it has close"):
        panel({"EURUSD": table([1]).drop("available_at")}, instants([1]))
    with pytest.raises(ValueError, match="EURUSD: several rows become known at 2024-01-08 00:01:00"):
        panel({"EURUSD": table([1, 1])}, instants([1]))


MINUTES = st.lists(st.integers(0, 300), unique=True, max_size=40)


@given(cutoffs=st.lists(st.integers(0, 300), min_size=1, max_size=25), first=MINUTES, second=MINUTES)
def test_every_value_was_known_and_new(cutoffs: list[int], first: list[int], second: list[int]) -> None:
    found = panel({"EURUSD": table(first), "USDJPY": table(second)}, instants(cutoffs))
    clock = sorted(set(cutoffs))
    assert found["cutoff"].to_list() == [at(minute) for minute in clock]
    for pair, minutes in (("EURUSD", first), ("USDJPY", second)):
        for place, cutoff in enumerate(clock):
            after = clock[place - 1] if place else cutoff - 1
            known = [minute for minute in minutes if after < minute <= cutoff]
            value, known_at = found.select(f"{pair}.close", f"{pair}.available_at").row(place)
            assert value == (max(known) if known else None)
            assert known_at is None or known_at <= at(cutoff)


@given(cutoffs=st.lists(st.integers(0, 300), min_size=1, max_size=25), minutes=MINUTES, poison=st.integers(0, 300))
def test_the_future_changes_no_earlier_row(cutoffs: list[int], minutes: list[int], poison: int) -> None:
    honest = table(minutes)
    changed = honest.with_columns(close=pl.when(pl.col("available_at") > at(poison)).then(1e9).otherwise("close"))
    cut = honest.filter(pl.col("available_at") <= at(poison))
    past = pl.col("cutoff") <= at(poison)
    before = panel({"EURUSD": honest}, instants(cutoffs)).filter(past)
    for other in (changed, cut):
        assert panel({"EURUSD": other}, instants(cutoffs)).filter(past).equals(before)
