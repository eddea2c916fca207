"""Rows are matched by key and stamp and compared bit by bit; what is missing or additional is a difference."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from golden_core.leakage.artefacts import COMPLETE
from golden_core.leakage.report import ROW, compare

TIMES = [dt.datetime(2020, 1, day, tzinfo=dt.UTC) for day in range(1, 6)]


def table(values, **more):
    stamps = pl.Series(TIMES[: len(values)], dtype=pl.Datetime("us", "UTC"))
    return pl.DataFrame({"key": ["a"] * len(values), "stamp": stamps, "x": values, **more})


def columns(honest, again, until=None):
    return [difference.column for difference in compare(honest, again, until)[0]]


def test_equal_bits_are_no_difference():
    values = [1.0, float("nan"), None, 0.1 + 0.2, 5.0]
    assert compare(table(values), table(values)) == ([], 5)


@pytest.mark.parametrize(("before", "after"), [
    ([1.0], [np.nextafter(1.0, 2)]), ([0.0], [-0.0]), ([None], [float("nan")]), ([1.0], [None]), ([1], [2]),
    (["a"], ["b"]), ([1.0], [1]),
])  # fmt: skip
def test_one_bit_is_a_difference(before, after):
    assert columns(table(before), table(after)) == ["x"]


def test_windows_are_compared_bit_by_bit():
    one = table([[1.0, 2.0], [3.0, float("nan")]]).with_columns(pl.col("x").cast(pl.Array(pl.Float32, 2)))
    other = table([[1.0, 2.0], [3.5, float("nan")]]).with_columns(pl.col("x").cast(pl.Array(pl.Float32, 2)))
    assert columns(one, one) == []
    differences, _ = compare(one, other)
    assert [d.stamp for d in differences] == [TIMES[1]]


def test_the_first_place_is_named_and_later_rows_do_not_count():
    honest, again = table([1.0, 2.0, 3.0, 4.0]), table([1.0, 9.0, 9.0, 4.0])
    differences, rows = compare(honest, again, TIMES[2])
    assert rows == 3
    assert (differences[0].stamp, differences[0].detail) == (TIMES[1], "was 2 and is 9")
    assert columns(honest, again, TIMES[0]) == []


def test_missing_and_additional_rows_and_columns():
    honest = table([1.0, 2.0, 3.0])
    assert columns(honest, honest[:2]) == [ROW]
    assert columns(honest[:2], honest) == [ROW]
    assert columns(honest, honest.filter(pl.col("x") != 2), TIMES[2]) == [ROW]
    assert columns(honest, honest.drop("x")) == ["x"]
    twice = pl.concat([honest[:1], honest])
    assert columns(honest, twice) == [ROW]


def test_a_row_that_is_complete_later_may_be_missing_but_not_changed():
    done = pl.Series([TIMES[0], TIMES[4], TIMES[4]], dtype=pl.Datetime("us", "UTC"))
    honest = table([1.0, 2.0, 3.0], **{COMPLETE: done})
    assert columns(honest, honest[:1], TIMES[3]) == []
    assert columns(honest[:1], honest, TIMES[3]) == []
    assert columns(honest, honest[1:], TIMES[3]) == [ROW]
    assert columns(honest, honest[:1], TIMES[4]) == [ROW]
    assert columns(honest, honest.with_columns(x=pl.lit(7.0)), TIMES[3]) == ["x"]


def test_rows_of_a_fold_that_both_runs_have_are_not_chosen_by_what_follows():
    done = pl.Series([TIMES[4]] * 3, dtype=pl.Datetime("us", "UTC"))
    honest = table([1.0, 2.0, 3.0], **{COMPLETE: done})
    without = honest.filter(pl.col("x") != 2)
    assert compare(honest, without, TIMES[3])[0] == []
    differences, _ = compare(honest, without, TIMES[3], same_clock=True)
    assert [(one.column, one.stamp) for one in differences] == [(ROW, TIMES[1])]
    assert compare(honest, honest.clear(), TIMES[3], same_clock=True)[0] == []
