"""The folds table: its contents, its way back, and the checks that must find planted violations."""

import datetime
import re

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_core import schema
from golden_core.splits.tables import embargo_violations, folds_table, label_overlaps, read_folds, reused_test_rows
from golden_core.splits.walk_forward import Fold, walk_forward
from golden_core.study import SplitsSection

HORIZON, EMBARGO = 5, 3


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
    return walk_forward(range(10, n), SplitsSection(scheme="walk_forward", **{**settings, **changes}), horizon).folds


def table(folds=None, horizon=HORIZON, pair="EURUSD"):
    return folds_table("study", pair, horizon, walk() if folds is None else folds, bars(400))


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
    fold = Fold(3, range(10, 62), range(70, 87), range(95, 115))
    train, validation, test = table([fold]).to_dicts()
    day = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    assert train == {
        "study": "study",
        "pair": "EURUSD",
        "horizon": 5,
        "fold": 3,
        "part": "train",
        "row_start": 10,
        "row_stop": 62,
        "rows": 52,
        "purged_rows": 5,
        "embargoed_rows": 3,
        "first_timestamp": day + datetime.timedelta(days=10, hours=13),
        "last_timestamp": day + datetime.timedelta(days=61, hours=13),
        "first_cutoff": day + datetime.timedelta(days=10, hours=15),
        "last_cutoff": day + datetime.timedelta(days=61, hours=15),
        "label_stop": 67,  # the label of row 61 reads rows 62 … 66
        "label_end": day + datetime.timedelta(days=66, hours=15),
    }
    assert (validation["part"], validation["purged_rows"], validation["embargoed_rows"]) == ("validation", 5, 3)
    assert (test["part"], test["purged_rows"], test["embargoed_rows"], test["label_stop"]) == ("test", 0, 0, 120)


@given(
    st.sampled_from(["rolling", "expanding"]),
    st.integers(1, 30),
    st.integers(0, 20),
    st.integers(1, 60),
    st.integers(0, 30),
)
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
        folds_table("study", "EURUSD", HORIZON, walk(), bars(100))


@pytest.mark.parametrize(
    ("fold", "words"),
    [
        (Fold(1, range(30, 86), range(90, 107), range(115, 135)), "labels of train read up to row 90 .* validation"),
        (Fold(1, range(30, 82), range(90, 111), range(115, 135)), "labels of validation read up to row 115 .* test"),
        (Fold(1, range(30, 120), range(90, 107), range(115, 135)), "labels of train read up to row 124 .* test"),
        (Fold(1, range(90, 107), range(30, 82), range(115, 135)), "labels of train read up to row 111 .* validation"),
        (Fold(1, range(115, 135), range(90, 107), range(30, 82)), "labels of train read .* test starts at row 30"),
    ],
    ids=["train into validation", "validation into test", "train into test", "swapped", "reversed"],
)
def test_label_overlaps_finds_it(fold, words):
    good, other = walk()[0], walk()[2]
    found = label_overlaps(table([good, fold, other]))
    assert any(re.search(words, sentence) for sentence in found)
    assert all(sentence.startswith("study EURUSD_h5 fold 1: ") for sentence in found)


def test_label_overlaps_is_strict_to_the_row():
    # The first validation row is 90: a label may read row 89 and no further.
    for stop, found in ((85, 0), (86, 1)):
        fold = Fold(0, range(30, stop), range(90, 107), range(115, 135))
        assert len(label_overlaps(table([fold]))) == found


def test_label_overlaps_believes_neither_label_stop_nor_rows_alone():
    leaking = table([Fold(0, range(30, 89), range(90, 107), range(115, 135))])
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
    fold = Fold(0, range(30, 83), range(90, 107), range(115, 135))
    assert embargo_violations(table([fold]), 3) == [
        "study EURUSD_h5 fold 0: 2 rows lie between the labels of train and validation, the embargo is 3"
    ]
    assert embargo_violations(table([fold]), 2) == []


def test_reused_test_rows_finds_them_also_behind_a_longer_part():
    folds = [
        Fold(0, range(10, 30), range(40, 60), range(70, 110)),
        Fold(1, range(10, 30), range(40, 60), range(110, 120)),
        Fold(2, range(10, 30), range(40, 60), range(119, 130)),
        Fold(3, range(10, 30), range(40, 60), range(75, 80)),
        Fold(4, range(10, 30), range(40, 60), range(100, 105)),
    ]
    assert reused_test_rows(table(folds)) == [
        "study EURUSD_h5 fold 3: test rows 75 to 79 were tested on before, up to row 109",
        "study EURUSD_h5 fold 4: test rows 100 to 104 were tested on before, up to row 109",
        "study EURUSD_h5 fold 2: test rows 119 to 129 were tested on before, up to row 119",
    ]


def test_the_sql_of_the_docstring_verifies_the_table():
    def rows(folds):
        with duckdb.connect() as connection:
            connection.register("folds", folds.to_arrow())
            return connection.execute(docstring_sql()).fetchall()

    assert rows(table()) == []
    leaking = [Fold(1, range(30, 86), range(90, 107), range(115, 135))]
    assert rows(table(leaking)) == [("EURUSD", 5, 1, "train", "validation")]
