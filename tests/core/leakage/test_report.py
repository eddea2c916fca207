"""Rows are matched by key and stamp and compared bit by bit; what is missing or additional is a difference."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from golden_core.leakage.artefacts import COMPLETE, Finding
from golden_core.leakage.report import ROW, Cell, Report, compare, merged, sentence

TIMES = [dt.datetime(2020, 1, day, tzinfo=dt.UTC) for day in range(1, 6)]


def table(values, **more):
    stamps = pl.Series(TIMES[: len(values)], dtype=pl.Datetime("us", "UTC"))
    return pl.DataFrame({"key": ["a"] * len(values), "stamp": stamps, "x": values, **more})


def columns(honest, again, until=None):
    return [difference.column for difference in compare(honest, again, until)[0]]


def test_equal_bits_are_no_difference():
    values = [1.0, float("nan"), None, 0.1 + 0.2, 5.0]
    assert compare(table(values), table(values)) == ([], 5)


def test_which_nan_it_was_says_nothing():
    assert compare(table([1.0, float("nan")]), table([1.0, -float("nan")])) == ([], 2)


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
    upside_down = compare(honest.reverse(), again.reverse())[0]
    assert (upside_down[0].stamp, upside_down[0].detail) == (TIMES[1], "was 2 and is 9")


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


def finding(asset, column, time=None, detail=""):
    return Finding("future_poison", asset, column, time, detail)


def test_reports_are_merged_to_the_earliest_of_each_and_what_is_made_first_is_the_cause():
    late, early, untimed = (finding("features", "x", time) for time in (TIMES[3], TIMES[1], None))
    follows, other = finding("forecasts", "ar", TIMES[0]), finding("features", "y", TIMES[2])
    one = Report(
        (follows, late, untimed), (Cell("forecasts", "nan", 3, follows), Cell("features", "nan", 2, None)), ("a",)
    )
    two = Report((early, other), (Cell("features", "nan", 5, early), Cell("features", "huge", 1, None)), ("b", "a"))
    whole = merged([one, two])
    assert [(f.asset, f.column, f.timestamp) for f in whole.findings] == [
        ("features", "x", TIMES[1]), ("features", "y", TIMES[2]), ("forecasts", "ar", TIMES[0]),
    ]  # fmt: skip
    assert [f.follows for f in whole.findings] == [None, None, "features.x"]
    cells = [(cell.asset, cell.poison, cell.rows, cell.finding) for cell in whole.cells]
    assert cells == [("features", "nan", 7, early), ("features", "huge", 1, None), ("forecasts", "nan", 3, follows)]
    assert (whole.rows, whole.refused) == (11, ("a", "b"))
    assert sentence(whole.findings[2]).endswith("(perhaps only because features.x does)")
    assert merged([Report((untimed,), (), ()), one]).findings[0].timestamp == TIMES[3], "a time says more than none"
