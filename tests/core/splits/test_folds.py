"""settle: the account of a fold, what becomes of rows that cross closures, and what is refused."""

import datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.folds import daily

from golden_core.splits.closures import Crossings
from golden_core.splits.folds import Crossed, RowClock, row_clock, settle
from golden_core.splits.segments import positions, segments, size
from golden_core.store import schema

LAID = {"train": (range(100),), "validation": (range(100, 130),), "test": (range(130, 160),)}
N = 170


def clock(windows=(), labels=(), horizon=2):
    flags = [np.isin(np.arange(N), list(rows)) for rows in (windows, labels)]
    return RowClock(daily(N), horizon, Crossings(*flags))


def settled(found, closures, embargo=1, **laid):
    return settle(0, **{**LAID, **laid}, clock=found, embargo=embargo, closures=closures)


def test_flag_keeps_and_counts_drop_removes_keep_does_not_look():
    found = clock(windows={5, 6, 97, 98, 129, 140}, labels={4, 5, 141, 142})
    kept, flagged, dropped = (settled(found, closures) for closures in ("keep", "flag", "drop"))
    assert kept.train.rows == flagged.train.rows == (range(97),)  # purge takes 98 and 99, the embargo 97
    assert [part.crossed for part in kept.parts.values()] == [None] * 3
    assert [part.dropped for part in (*kept.parts.values(), *flagged.parts.values())] == [0] * 6
    # By the time closures are looked at, rows 97, 98 and 129 are gone.
    expected = {"train": Crossed(2, 2, 3), "validation": Crossed(0, 0, 0), "test": Crossed(1, 2, 3)}
    for fold in (flagged, dropped):
        assert {name: part.crossed for name, part in fold.parts.items()} == expected
    assert dropped.train.rows == (range(4), range(7, 97))
    assert dropped.validation == flagged.validation
    assert dropped.test.rows == (range(130, 140), range(143, 160))
    assert [part.dropped for part in dropped.parts.values()] == [3, 0, 3]


@given(
    st.sets(st.integers(0, N - 1)),
    st.sets(st.integers(0, N - 1), max_size=20),
    st.integers(1, 10),
    st.integers(0, 10),
    st.sampled_from(["keep", "flag", "drop"]),
)
def test_every_laid_row_is_accounted_for_and_closures_move_no_boundary(windows, labels, horizon, embargo, closures):
    found = clock(windows, labels, horizon)
    kept = settled(found, "keep", embargo)
    crossing = windows | labels if closures == "drop" else set()
    if any(set(positions(part.rows).tolist()) <= crossing for part in kept.parts.values()):
        with pytest.raises(ValueError, match="nothing is left of fold 0"):
            settled(found, closures, embargo)
        return
    fold = settled(found, closures, embargo)
    for name, part in fold.parts.items():
        assert part.laid == size(LAID[name]) == size(part.rows) + part.purged + part.embargoed + part.dropped
        honest = kept.parts[name]
        assert (part.purged, part.embargoed) == (honest.purged, honest.embargoed)
        assert set(positions(part.rows).tolist()) == set(positions(honest.rows).tolist()) - crossing


def test_training_gives_way_to_validation_and_test_on_both_sides():
    laid = {"train": (range(40), range(60, 100)), "validation": (range(100, 130),), "test": (range(40, 60),)}
    fold = settled(clock(), "keep", **laid)
    assert fold.train.rows == (range(37), range(63, 97))
    assert (fold.train.purged, fold.train.embargoed) == (6, 3)
    assert fold.validation.rows == (range(100, 130),)
    assert fold.test.rows == (range(40, 60),)


@pytest.mark.parametrize(
    ("laid", "words"),
    [
        ({"train": (range(98, 100),)}, "fold 0 train: of 2 rows, the purge dropped 2, the embargo 0 and closures 0"),
        ({"train": (range(97, 100),)}, "fold 0 train: of 3 rows, the purge dropped 2, the embargo 1 and closures 0"),
        ({"train": (range(50, 60),)}, "fold 0 train: of 10 rows, the purge dropped 0, the embargo 0 and closures 10"),
        ({"test": (range(50, 55),)}, "fold 0 test: of 5 rows, the purge dropped 0, the embargo 0 and closures 5"),
    ],
)
def test_a_part_of_which_nothing_is_left_is_refused_with_its_account(laid, words):
    with pytest.raises(ValueError, match=words):
        settled(clock(windows=range(50, 60)), "drop", **laid)


def test_row_clock_takes_the_clock_of_the_bars():
    hours = [0, 1, 2, 50, 51, 52]
    opened = [datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(hours=hour) for hour in hours]
    bars = pl.DataFrame({"timestamp": pl.Series(opened, dtype=schema.UTC_TIME)}).with_columns(
        available_at=pl.col("timestamp") + pl.duration(hours=1)
    )
    found = row_clock(bars, "1h", context_length=2, horizon=1)
    assert found.available_at[:2].tolist() == [when.replace(tzinfo=None) for when in opened[1:3]]
    assert found.horizon == 1
    assert segments(np.flatnonzero(found.crossings.windows)) == (range(3, 4),)
    assert segments(np.flatnonzero(found.crossings.labels)) == (range(2, 3),)
