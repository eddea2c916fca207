"""Copies are found, exact or nearly so; a market that repeats itself by accident is not accused."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from golden_core.leakage.artefacts import Run
from golden_core.leakage.structural import duplicated_rows

START = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
TRAIN, TEST = 1200, 400


def market(generator, *, tick=0.0, flat=0.0):
    """Return one-bar log returns in standard deviations, rounded to ticks, some of them zero, calm in stretches."""
    calm = np.exp(np.convolve(generator.normal(0, 0.1, TRAIN + TEST + 200), np.ones(60), "same"))
    returns = generator.standard_t(4, TRAIN + TEST + 200) * calm
    returns[generator.random(len(returns)) < flat] = 0.0
    return np.round(returns / tick) * tick if tick else returns


def rows_of(returns, length):
    """Return windows [N, L] of returns and of their five-bar sums, and the next return."""
    sums = np.convolve(returns, np.ones(5))[: len(returns)]
    windows = [np.lib.stride_tricks.sliding_window_view(values, length)[100:] for values in (returns, sums)]
    count = TRAIN + TEST
    return windows[0][:count].copy(), windows[1][:count].copy(), returns[100 + length : 100 + length + count].copy()


def findings(r, s, y):
    times = pl.Series([START + dt.timedelta(hours=i) for i in range(len(y))], dtype=pl.Datetime("us", "UTC"))
    key = pl.lit("EURUSD_h1/0").alias("key")
    windows = pl.DataFrame({"timestamp": times, "stamp": times, "r": r, "s": s}).with_columns(key)
    part = np.repeat(["train", "test"], [TRAIN, len(y) - TRAIN])
    rows = pl.DataFrame({"timestamp": times, "cutoff": times, "y": y, "part": part}).with_columns(key)
    return list(duplicated_rows(Run({"windows": windows}, ()), rows))


@pytest.fixture
def generator(stream):
    return stream.child("duplicates").generator()


@pytest.mark.parametrize("length", [1, 2, 5, 20])
@pytest.mark.parametrize(("tick", "flat"), [(0.0, 0.0), (0.01, 0.0), (0.01, 0.3), (0.1, 0.1), (0.0, 0.9)])
def test_no_market_is_accused_of_repeating_itself(generator, length, tick, flat):
    for _ in range(3):
        assert findings(*rows_of(market(generator, tick=tick, flat=flat), length)) == []


@pytest.mark.parametrize("length", [2, 5, 20])
@pytest.mark.parametrize("noise", [0.0, 1e-5])
def test_copies_of_training_rows_are_found(generator, length, noise):
    r, s, y = rows_of(market(generator, tick=0.01, flat=0.1), length)
    chosen = generator.integers(0, TRAIN, 80)
    for values in (r, s, y):
        values[TRAIN : TRAIN + 80] = values[chosen] + noise * generator.standard_normal(values[chosen].shape)
    (finding,) = findings(r, s, y)
    assert (finding.probe, finding.asset, finding.column) == ("copied_row", "windows", "r")
    assert finding.timestamp >= START + dt.timedelta(hours=TRAIN)


def test_a_twin_with_another_label_is_no_copy(generator):
    r, s, y = rows_of(market(generator), 5)
    for values in (r, s):
        values[TRAIN : TRAIN + 80] = values[:80]
    assert findings(r, s, y) == []


def test_the_same_row_in_two_parts_needs_no_statistics(generator):
    _, _, y = rows_of(market(generator), 1)
    times = pl.Series([START] * 2, dtype=pl.Datetime("us", "UTC"))
    rows = pl.DataFrame({"timestamp": times, "cutoff": times, "y": y[:2], "part": ["train", "test"]}).with_columns(
        key=pl.lit("EURUSD_h1/0")
    )
    (finding,) = duplicated_rows(Run({}, ()), rows)
    assert finding.probe == "row_in_two_parts"
