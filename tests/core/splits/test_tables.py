"""The folds table: its contents, its way back, and the checks that must find planted violations."""

import dataclasses
import datetime
import re

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.folds import daily, even_clock, walk_forward_section
from support.folds import fold as make_fold

from golden_core.checks.inputs import input_checks
from golden_core.preparation.catalogue import load_study
from golden_core.splits.closures import Crossings
from golden_core.splits.folds import Crossed, Part, RowClock
from golden_core.splits.tables import fold_accounts, folds_table, read_folds
from golden_core.splits.verification import (
    embargo_violations,
    foreign_schemes,
    label_overlaps,
    reused_test_rows,
    unaccounted_rows,
)
from golden_core.splits.walk_forward import walk_forward
from golden_core.store import schema

HORIZON, EMBARGO, CONTEXT = 5, 3, 4


def bars(n):
    opened = datetime.datetime(2020, 1, 1, 13, tzinfo=datetime.UTC)
    timestamp = pl.datetime_range(opened, opened + datetime.timedelta(days=n - 1), "1d", time_unit="us", eager=True)
    return pl.DataFrame({"timestamp": timestamp}).select(
        pl.lit("EURUSD").alias("pair"),
        pl.col("timestamp").cast(schema.UTC_TIME),
        (pl.col("timestamp") + pl.duration(hours=2)).cast(schema.UTC_TIME).alias("available_at"),
        pl.lit(1.1).alias("close"),
    )


def walk(n=200, horizon=HORIZON, **changes):
    settings = {"window": "rolling", "train": 60, "validation": 25, "test": 20, "step": 20, "embargo": EMBARGO}
    section = walk_forward_section(**{**settings, **changes})
    return walk_forward(range(10, n), section, even_clock(n + horizon, horizon)).folds


def table(folds=None, horizon=HORIZON, pair="EURUSD", scheme="walk_forward"):
    chosen = walk() if folds is None else folds
    return folds_table("study", pair, horizon, chosen, bars(400), scheme=scheme, context_length=CONTEXT)


def weekly_clock(n, horizon, closed=7):
    """Every seventh bar opens behind a closure."""
    behind = np.cumsum(np.arange(n) % closed == 0)
    ahead = np.minimum(np.arange(n) + horizon, n - 1)
    back = np.maximum(np.arange(n) - CONTEXT + 1, 0)
    return RowClock(daily(n), horizon, Crossings(behind > behind[back], behind[ahead] > behind))


def plant(folds, fold, part, **values):
    """Overwrite columns of one row of the table."""
    chosen = (pl.col("fold") == fold) & (pl.col("part") == part)
    return folds.with_columns(
        pl.when(chosen).then(pl.lit(value, folds.schema[name])).otherwise(name).alias(name)
        for name, value in values.items()
    )


def docstring_sql():
    return folds_table.__doc__.partition("code-block:: sql")[2]


def test_columns_by_hand():
    train_part = Part((range(10, 62),), laid=60, purged=5, embargoed=3, dropped=0, crossed=Crossed(12, 14, 22))
    fold = dataclasses.replace(make_fold(3, range(1), range(70, 87), range(95, 115)), train=train_part)
    train, validation, test = table([fold]).to_dicts()

    def at(days, hours):
        return datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(days=days, hours=hours)

    key = {"study": "study", "pair": "EURUSD", "horizon": 5, "fold": 3, "part": "train", "segment": 0}
    laid = {"scheme": "walk_forward", "row_start": 10, "row_stop": 62, "rows": 52, "laid_rows": 60, "purged_rows": 5}
    dropped = {"embargoed_rows": 3, "closure_dropped_rows": 0}
    closures = {"closure_rows": 22, "closure_windows": 12, "closure_labels": 14}
    bars_of_rows = {"first_timestamp": at(10, 13), "last_timestamp": at(61, 13)}
    cutoffs = {"first_cutoff": at(10, 15), "last_cutoff": at(61, 15)}
    window = {"window_start": at(7, 13)}  # a window of four bars ends at row 10
    label = {"label_stop": 67, "label_end": at(66, 15)}  # the label of row 61 reads rows 62 … 66
    assert train == key | laid | dropped | closures | bars_of_rows | cutoffs | window | label
    assert (validation["part"], validation["laid_rows"], validation["closure_rows"]) == ("validation", 17, None)
    assert (test["part"], test["purged_rows"], test["embargoed_rows"], test["label_stop"]) == ("test", 0, 0, 120)


LENGTHS = (st.integers(1, 30), st.integers(0, 20), st.integers(1, 60), st.integers(0, 30))


@given(st.sampled_from(["rolling", "expanding"]), *LENGTHS)
def test_any_walk_conforms_verifies_and_reads_back(window, horizon, embargo, length, extra):
    part = horizon + embargo + length
    folds = walk(350, horizon, window=window, train=part, validation=part, test=60, step=60 + extra, embargo=embargo)
    written = table(folds, horizon)
    assert written.equals(schema.FOLDS.conform(written))
    assert read_folds(written) == folds
    assert written.height == 3 * len(folds)
    assert label_overlaps(written) == embargo_violations(written, embargo) == reused_test_rows(written) == []
    dropped = written.select("purged_rows", "embargoed_rows").rows()
    assert dropped == [(horizon, embargo), (horizon, embargo), (0, 0)] * len(folds)
    assert len(embargo_violations(written, embargo + 1)) == 2 * len(folds)


def test_several_series_in_one_table_are_kept_apart():
    both = pl.concat([table(), table(pair="USDJPY"), table(walk(horizon=1), horizon=1)])
    assert label_overlaps(both) == embargo_violations(both, EMBARGO) == reused_test_rows(both) == []
    with pytest.raises(ValueError, match="got 3"):
        read_folds(both)


def test_a_fold_outside_the_bars_is_refused():
    with pytest.raises(pl.exceptions.OutOfBoundsError):
        folds_table("study", "EURUSD", HORIZON, walk(), bars(100), scheme="walk_forward", context_length=CONTEXT)


OVERLAPPING = {
    "train into validation": ((30, 86), (90, 107), (115, 135), "labels of train read up to row 90 .* validation"),
    "validation into test": ((30, 82), (90, 111), (115, 135), "labels of validation read up to row 115 .* test"),
    "train into test": ((30, 120), (90, 107), (115, 135), "labels of train read up to row 124 .* test"),
    "swapped": ((90, 107), (30, 82), (115, 135), "labels of train read up to row 111 .* validation"),
    "reversed": ((115, 135), (90, 107), (30, 82), "labels of train read .* test starts at row 30"),
}


@pytest.mark.parametrize(("train", "validation", "test", "words"), OVERLAPPING.values(), ids=list(OVERLAPPING))
def test_label_overlaps_finds_it(train, validation, test, words):
    fold = make_fold(1, range(*train), range(*validation), range(*test))
    found = label_overlaps(table([walk()[0], fold, walk()[2]]))
    assert any(re.search(words, sentence) for sentence in found)
    assert all(sentence.startswith("study EURUSD_h5 fold 1: ") for sentence in found)


def test_label_overlaps_is_strict_to_the_row():
    # The first validation row is 90: a label may read row 89 and no further.
    for stop, found in ((85, 0), (86, 1)):
        fold = make_fold(0, range(30, stop), range(90, 107), range(115, 135))
        assert len(label_overlaps(table([fold]))) == found


def test_label_overlaps_believes_neither_label_stop_nor_rows_alone():
    leaking = table([make_fold(0, range(30, 89), range(90, 107), range(115, 135))])
    early = leaking["first_cutoff"].min()
    assert label_overlaps(plant(leaking, 0, "train", label_stop=80, label_end=early))
    honest = table()
    late = honest.filter(fold=0, part="validation")["first_cutoff"].item()
    assert len(label_overlaps(plant(honest, 0, "train", label_end=late))) == 1
    assert len(label_overlaps(plant(honest, 0, "train", label_stop=honest["row_start"][1] + 1))) == 1


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_a_missing_part_is_found(part):
    cut = table().filter(~((pl.col("fold") == 1) & (pl.col("part") == part)))
    assert any("missing" in sentence for sentence in label_overlaps(cut))
    assert any("missing" in sentence for sentence in embargo_violations(cut, EMBARGO))


def test_embargo_violations_finds_one_row_too_few():
    fold = make_fold(0, range(30, 83), range(90, 107), range(115, 135))
    assert embargo_violations(table([fold]), 3) == [
        "study EURUSD_h5 fold 0: 2 rows lie between the labels of train and validation, the embargo is 3"
    ]
    assert embargo_violations(table([fold]), 2) == []


def test_reused_test_rows_finds_them_also_behind_a_longer_part():
    folds = [
        make_fold(0, range(10, 30), range(40, 60), range(70, 110)),
        make_fold(1, range(10, 30), range(40, 60), range(110, 120)),
        make_fold(2, range(10, 30), range(40, 60), range(119, 130)),
        make_fold(3, range(10, 30), range(40, 60), range(75, 80)),
        make_fold(4, range(10, 30), range(40, 60), range(100, 105)),
    ]
    assert reused_test_rows(table(folds)) == [
        "study EURUSD_h5 fold 3: test rows 75 to 79 are tested on 2 times, expected 1",
        "study EURUSD_h5 fold 4: test rows 100 to 104 are tested on 2 times, expected 1",
        "study EURUSD_h5 fold 2: test rows 119 to 119 are tested on 2 times, expected 1",
    ]


def test_a_row_may_be_tested_never_and_the_check_does_not_say_otherwise():
    """A step longer than the test part leaves rows between; a fold that is gone looks the same."""
    folds = [make_fold(n, range(10, 30), range(40, 60), range(70 + 20 * n, 80 + 20 * n)) for n in range(3)]
    assert reused_test_rows(table(folds)) == reused_test_rows(table([folds[0], folds[2]])) == []
    (check,) = (check for check in input_checks(load_study("smoke")) if check.name == "no_label_overlap")
    assert check.says.endswith("and no row is tested twice.")


def test_the_sql_of_the_docstring_verifies_the_table():
    def rows(folds):
        with duckdb.connect() as connection:
            connection.register("folds", folds.to_arrow())
            return connection.execute(docstring_sql()).fetchall()

    assert rows(table()) == []
    leaking = [make_fold(1, range(30, 86), range(90, 107), range(115, 135))]
    assert rows(table(leaking)) == [("EURUSD", 5, 1, "train", "validation")]


CLOSURES = st.sampled_from(["keep", "drop", "flag"])


@given(CLOSURES, st.integers(1, 5))
def test_a_walk_with_closures_verifies_and_reads_back(closures, horizon):
    section = walk_forward_section(train=90, validation=40, test=40, step=40, closures=closures)
    folds = walk_forward(range(10, 390), section, weekly_clock(400, horizon, closed=15)).folds
    written = table(folds, horizon)
    assert read_folds(written) == folds
    assert label_overlaps(written) == embargo_violations(written, 2) == []
    assert reused_test_rows(written) == unaccounted_rows(written) == []
    assert written["closure_rows"].null_count() == (written.height if closures == "keep" else 0)
    assert (written["segment"].max() > 0) == (closures == "drop")


def test_accounts_sum_the_runs_of_a_part_and_say_nothing_of_closures_that_were_not_looked_at():
    clock = weekly_clock(400, HORIZON, closed=20)

    def written_with(closures):
        section = walk_forward_section(train=90, validation=40, test=40, step=40, closures=closures)
        return table(walk_forward(range(10, 380), section, clock).folds)

    written = written_with("drop")
    accounts = fold_accounts(written)
    assert accounts.height == 3 * 6
    for account in accounts.iter_rows(named=True):
        own = written.filter(fold=account["fold"], part=account["part"])
        dropped = account["purged_rows"] + account["embargoed_rows"] + account["closure_dropped_rows"]
        assert account["segments"] == own.height
        assert account["rows"] == own["rows"].sum() == account["laid_rows"] - dropped
        assert account["closure_dropped_rows"] == account["closure_rows"] > 0
        assert (account["first_cutoff"], account["label_end"]) == (own["first_cutoff"].min(), own["label_end"].max())
    kept = fold_accounts(written_with("keep"))
    assert kept["closure_rows"].null_count() == kept["closure_labels"].null_count() == kept.height
    assert kept["closure_dropped_rows"].to_list() == [0] * kept.height


def test_foreign_schemes_finds_folds_of_another_scheme():
    both = pl.concat([table()[:4], table(walk()[:1], scheme="combinatorial", pair="USDJPY")])
    assert foreign_schemes(both[:4], "walk_forward") == []
    assert foreign_schemes(both, "walk_forward") == [
        "study USDJPY_h5 fold 0: laid as combinatorial, the study says walk_forward"
    ]
    assert foreign_schemes(both.with_columns(scheme=pl.lit(None, pl.String)), "walk_forward") == [
        "study EURUSD_h5 fold 0: laid as missing, the study says walk_forward",
        "study EURUSD_h5 fold 1: laid as missing, the study says walk_forward",
        "study USDJPY_h5 fold 0: laid as missing, the study says walk_forward",
    ]


def test_unaccounted_rows_finds_a_wrong_count():
    written = table()
    assert unaccounted_rows(plant(written, 1, "train", purged_rows=4)) == [
        "study EURUSD_h5 fold 1: train was laid 60 rows; "
        "52 kept, 4 purged, 3 embargoed and 0 dropped at closures make 59"
    ]
    assert len(unaccounted_rows(plant(written, 1, "train", laid_rows=None))) == 1
