"""The times after which a leak must show: ordinary ones, first forecasts, first bars, and just before what is odd."""

import datetime as dt

import polars as pl
import pytest

from golden_core.leakage.artefacts import Run
from golden_core.leakage.examination import decisive_times, telling_times

START, HOUR = dt.datetime(2020, 1, 6, tzinfo=dt.UTC), dt.timedelta(hours=1)
BARS, FIRST_FORECAST, ROW = 240, 163, 150
WHEN = pl.Datetime("us", "UTC")


def hour(number):
    return START + HOUR * number


def table(*rows):
    return pl.DataFrame(rows, schema={"key": pl.String, "stamp": WHEN}, orient="row")


@pytest.fixture(scope="module")
def quiet():
    """Bars of two pairs of which nothing is odd: moves of one size, and a trade in each."""
    one = pl.DataFrame({"timestamp": [hour(i) for i in range(BARS)]}, schema={"timestamp": WHEN}).with_columns(
        available_at=pl.col("timestamp") + HOUR, close=1.1 + 1e-3 * (pl.int_range(BARS) % 2), volume=pl.lit(5.0)
    )
    return pl.concat([one.with_columns(pair=pl.lit(pair)) for pair in ("AUDUSD", "EURUSD")])


@pytest.fixture(scope="module")
def run():
    features = table(*(("EURUSD", hour(i + 1)) for i in range(BARS)))
    forecasts = table(*(("EURUSD_h1/0", hour(i)) for i in range(FIRST_FORECAST, BARS)))
    return Run({"features": features, "forecasts": forecasts}, ())


HERE = (pl.col("pair") == "EURUSD") & (pl.col("timestamp") == hour(ROW))
LATER = (pl.col("pair") == "EURUSD") & (pl.col("timestamp") >= hour(ROW))


def where(condition, **values):
    return lambda raw: raw.with_columns(pl.when(condition).then(v).otherwise(n).alias(n) for n, v in values.items())


ODD = {
    "a bar without a price": where(HERE, close=float("nan")),
    "a price of zero": where(HERE, close=0.0),
    "a bar without a trade": where(HERE, volume=0.0),
    "a second print": lambda raw: pl.concat([raw, raw.filter(HERE)]),
    "the first bar behind a hole": lambda raw: raw.filter(pl.col("timestamp") != hour(ROW - 1)),
    "a very large move": where(LATER, close=pl.col("close") * 1.02),
}


def test_of_quiet_bars_the_first_and_the_first_forecasts_tell(run, quiet, stream):
    assert telling_times(run, quiet, stream, common=0, odd=99) == [hour(1), hour(FIRST_FORECAST)]
    ordinary = set(telling_times(run, quiet, stream, common=7, odd=0)) - {hour(1), hour(FIRST_FORECAST)}
    assert 6 <= len(ordinary) <= 7
    assert min(ordinary) > hour(FIRST_FORECAST)


@pytest.mark.parametrize("what", ODD)
def test_just_before_something_odd_is_known_a_rule_that_looks_ahead_would_act(run, quiet, stream, what):
    times = telling_times(run, ODD[what](quiet), stream, common=0, odd=99)
    assert hour(ROW) in times
    assert set(times) - {hour(ROW), hour(ROW + 1)} == {
        hour(1),
        hour(FIRST_FORECAST),
    }  # a price that is bad is left, too


def test_of_a_fold_the_last_series_to_begin_decides():
    began = {"EURUSD_h1/0": 5, "EURUSD_h5/0": 9, "EURUSD_h1/1": 30, "EURUSD_h5/1": 34}
    rows = [(key, hour(first + later)) for key, first in began.items() for later in (3, 0, 1)]
    assert decisive_times(Run({"forecasts": table(*rows)}, ())) == [hour(9), hour(34)]
