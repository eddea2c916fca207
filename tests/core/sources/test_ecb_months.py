"""Bars of a month from reference rates: the last fixing or the mean, of whole months, known when the last one is."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from golden_core.bars.cleaning import clean
from golden_core.market.clock import month_ends
from golden_core.preparation.catalogue import load_study
from golden_core.sources import SourceError
from golden_core.sources.ecb import Ecb
from golden_core.splits.closures import crossings
from golden_core.study import StudyError

WEEKDAYS = pl.date_range(dt.date(2024, 1, 1), dt.date(2024, 4, 19), eager=True)


@pytest.fixture
def months(make_data, tmp_path):
    """Return a function: bars of EURUSD whose rate is the number of the day, to 19 April 2024, without these days."""

    def bars(price="last", without=(), **days):
        closed = {dt.date(2024, 1, 1), dt.date(2024, 3, 29), dt.date(2024, 4, 1), *without}
        kept = [day for day in WEEKDAYS if day.weekday() < 5 and day not in closed]
        rows = [f"{day},{day.timetuple().tm_yday}," for day in reversed(kept)]
        (tmp_path / "months.csv").write_text("\n".join(["Date,USD,", *rows]) + "\n")
        span = {"start": dt.date(2024, 1, 1), "end": dt.date(2024, 4, 30)} | days
        data = make_data(settings={"path": "months.csv"}, pairs=("EURUSD",), bar="1mo", price=price, **span)
        return Ecb().bars(Ecb().read(data, 0, tmp_path), data, "EURUSD"), data

    return bars


def test_a_month_has_its_last_fixing_and_is_known_when_that_is_published(months):
    bars, _ = months()
    assert bars["close"].to_list() == [31, 60, 88]  # 29 March was Good Friday; April is not over
    assert bars["timestamp"].dt.date().to_list() == [dt.date(2024, 1, 31), dt.date(2024, 2, 29), dt.date(2024, 3, 28)]
    assert (bars["available_at"] - bars["timestamp"] == dt.timedelta(hours=1, minutes=45)).all()


def test_or_the_mean_of_its_fixings_known_no_sooner(months):
    (last, _), (mean, _) = months(), months("mean")
    assert mean.drop("close").equals(last.drop("close"))
    assert mean["close"][1] == np.mean([day for day in range(32, 61) if WEEKDAYS[day - 1].weekday() < 5])


def test_a_month_that_the_days_of_the_study_cut_has_no_bar(months):
    assert months(start=dt.date(2024, 1, 3))[0].height == 2
    assert months(start=dt.date(2024, 1, 2))[0].height == 3  # New Year's Day has no fixing
    assert months(end=dt.date(2024, 3, 27))[0].height == 2
    with pytest.raises(
        SourceError, match="no whole month from 2024-02-05 to 2024-02-29 has a rate of both EUR and USD"
    ):
        months(start=dt.date(2024, 2, 5), end=dt.date(2024, 2, 29))


def test_a_month_without_its_last_fixing_is_missing_and_nothing_stands_in(months):
    bars, data = months(without=[dt.date(2024, 2, 29)], end=dt.date(2024, 3, 31))
    cleaned = clean(bars, data, max_abs_log_return=5.0)
    assert cleaned.bars.height == 2
    assert cleaned.calendar.rows(named=True) == [
        {"pair": "EURUSD", "date": dt.date(2024, 2, 29), "explanation": None},
    ]  # fmt: skip
    assert crossings(bars["timestamp"], "1mo", context_length=2, horizon=1).labels.tolist() == [True, False]


def test_no_month_since_1999_lies_behind_a_closure_and_every_month_has_its_last_fixing(make_data, tmp_path):
    data = make_data(pairs=("USDCAD",), bar="1mo", start=dt.date(1999, 1, 4), end=dt.date(2026, 9, 30))
    bars = Ecb().bars(Ecb().read(data, 0, tmp_path), data, "USDCAD")
    assert bars.height == len(month_ends("ecb", data.start, data.end)) == 27 * 12 + 9
    assert not crossings(bars["timestamp"], "1mo", context_length=3, horizon=2).either.any()


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["data.price=mean"], "data.price: may be mean for bars of 1mo of source ecb, and for files"),
        (["data.bar=1mo"], "there are at most 24 bars"),
        (["data.bar=4h"], "must be 1d or 1mo for source ecb"),
    ],
)
def test_what_a_study_cannot_ask_is_said(overrides, said):
    with pytest.raises(StudyError, match=said):
        load_study("smoke", overrides)


def test_a_study_of_last_prices_is_what_it_was_before_there_was_a_choice():
    assert load_study("smoke", ["data.price=last"]).hash() == load_study("smoke").hash()
    assert "price" not in load_study("smoke").model_dump()["data"]


def test_months_are_made_of_fixings_alone_and_files_may_hold_means():
    with pytest.raises(StudyError, match="1mo is made of fixings, and source synthetic_hours has none"):
        load_study("placebo_hours", ["data.bar=1mo"])
    with pytest.raises(StudyError, match="may be mean for bars of 1mo of source ecb"):
        load_study("placebo_hours", ["data.price=mean", "economics=null", "protocol.kinds=[more_accurate]"])
    assert load_study("legacy", ["data.price=mean"]).data.price == "mean"
