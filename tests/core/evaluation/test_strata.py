"""Strata split the cutoffs of a series, the same way for every forecaster."""

import polars as pl
import pytest

from golden_core.evaluation.inputs import SERIES
from golden_core.evaluation.strata import STRATA, with_strata


def test_terciles_are_thirds_of_the_cutoffs_of_each_series(make_forecasts):
    forecasts = with_strata(make_forecasts(n=91), ["volatility_tercile"])
    cutoffs = forecasts.select(*SERIES, "cutoff", "volatility", "volatility_tercile").unique()
    assert len(cutoffs) == 4 * 91  # one tercile per cutoff, whoever forecasts
    for series in cutoffs.partition_by(SERIES):
        assert sorted(series["volatility_tercile"].value_counts()["count"]) == [30, 30, 31]
        ends = {"low": pl.col("volatility").min(), "high": pl.col("volatility").max()}
        bounds = series.group_by("volatility_tercile").agg(**ends)
        low, middle, high = (bounds.filter(volatility_tercile=label) for label in ("low", "middle", "high"))
        assert low["high"].item() < middle["low"].item()
        assert middle["high"].item() < high["low"].item()


def test_ties_go_by_time_whatever_the_order_of_rows(make_forecasts):
    forecasts = make_forecasts(("noisy",), ("EURUSD",), (1,), seeds=1, n=9).with_columns(volatility=pl.lit(0.01))
    for seed in range(3):
        shuffled = forecasts.sample(fraction=1.0, shuffle=True, seed=seed)
        named = with_strata(shuffled, ["volatility_tercile"]).filter(forecaster="noisy").sort("cutoff")
        assert named["volatility_tercile"].to_list() == ["low"] * 3 + ["middle"] * 3 + ["high"] * 3


@pytest.mark.parametrize(("n", "expected"), [(1, ["low"]), (2, ["low", "middle"]), (3, ["low", "middle", "high"])])
def test_few_cutoffs(make_forecasts, n, expected):
    forecasts = make_forecasts((), ("EURUSD",), (1,), n=n).sort("volatility")
    assert with_strata(forecasts, ["volatility_tercile"])["volatility_tercile"].to_list() == expected


def test_year_and_weekday_are_those_of_the_cutoff_in_utc(make_forecasts):
    # The last cutoff of 2019 is 23:30 UTC: next year already in Berlin, and still Tuesday in UTC.
    texts = pl.Series(["2019-12-31 23:30:00+00:00", "2020-01-01 00:00:00+00:00"])
    cutoffs = texts.str.to_datetime(time_unit="us", time_zone="UTC")
    forecasts = make_forecasts((), ("EURUSD",), (1,), n=2).with_columns(cutoff=cutoffs)
    named = with_strata(forecasts, ["year", "weekday"])
    assert named["year"].to_list() == ["2019", "2020"]
    assert named["weekday"].to_list() == ["Tuesday", "Wednesday"]


@pytest.mark.parametrize(
    ("cutoff", "session"),
    [
        ("2024-01-10 13:15", "london + new_york"),  # the ECB's fixing in winter
        ("2024-03-20 12:30", "london + new_york"),  # New York has changed its clocks, London has not
        ("2024-01-10 00:30", "sydney + tokyo"),
        ("2024-01-10 21:59", "sydney + new_york"),
        ("2024-01-10 22:30", "sydney"),
        ("2024-01-13 12:00", "none"),  # a Saturday
    ],
)
def test_sessions_follow_the_clocks_of_their_centres(make_forecasts, cutoff, session):
    at = pl.lit(cutoff).str.to_datetime("%Y-%m-%d %H:%M", time_unit="us", time_zone="UTC")
    forecasts = make_forecasts((), ("EURUSD",), (1,), n=1).with_columns(cutoff=at)
    assert with_strata(forecasts, ["session"])["session"].to_list() == [session]


def test_labels_are_the_names_that_occur(forecasts):
    named = with_strata(forecasts, STRATA)
    for kind, stratum in STRATA.items():
        assert stratum.description
        if stratum.labels:
            assert set(named[kind]) == set(stratum.labels)


def test_two_volatilities_at_one_cutoff_are_refused(forecasts):
    bad = forecasts.with_columns(volatility=pl.col("volatility") + (pl.col("forecaster") == "noisy") * 1e-9)
    with pytest.raises(ValueError, match="disagree about the volatility"):
        with_strata(bad, ["volatility_tercile"])
