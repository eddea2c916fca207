"""The folds table: written from folds, read back, and verified from its own columns. No fold is made here."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from golden_core import schema
from golden_core.splits.walk_forward import Fold

_SERIES = ("study", "pair", "horizon")
_LATER_PARTS = pl.DataFrame(
    {"part": ["train", "train", "validation"], "later_part": ["validation", "test", "test"]},
)


def folds_table(study: str, pair: str, horizon: int, folds: Sequence[Fold], bars: pl.DataFrame) -> pl.DataFrame:
    """Return one row per fold and part, with the rows it spans and when they and their labels are known.

    Parameters
    ----------
    study, pair : str
    horizon : int
        Length of a label, in bars.
    folds : sequence of Fold
    bars : DataFrame
        The pair's bars (``schema.BARS``), oldest first: the table that the rows of the folds are positions in.

    Returns
    -------
    DataFrame
        ``schema.FOLDS``.

    Examples
    --------
    No label of an earlier part may be known only when a later part has begun. In the warehouse this finds no row:

    .. code-block:: sql

        SELECT earlier.pair, earlier.horizon, earlier.fold, earlier.part, later.part
        FROM folds AS earlier
        JOIN folds AS later USING (study, pair, horizon, fold)
        WHERE (earlier.part, later.part) IN (('train', 'validation'), ('train', 'test'), ('validation', 'test'))
          AND (earlier.label_end >= later.first_cutoff OR earlier.row_stop + horizon > later.row_start)
    """
    parts = pl.DataFrame(
        [
            (study, pair, horizon, fold.index, part, rows.start, rows.stop)
            for fold in folds
            for part, rows in fold.parts.items()
        ],
        schema={name: schema.FOLDS.dtypes[name] for name in (*_SERIES, "fold", "part", "row_start", "row_stop")},
        orient="row",
    )
    # A test part has no next part (null): nothing is dropped at its end.
    dropped = (pl.col("row_start").shift(-1).over("fold") - pl.col("row_stop")).fill_null(0)
    purged = pl.min_horizontal(dropped, pl.lit(horizon, pl.Int64))
    timestamp, available_at = bars["timestamp"], bars["available_at"]
    first, last, label_last = parts["row_start"], parts["row_stop"] - 1, parts["row_stop"] + horizon - 1
    return schema.FOLDS.conform(
        parts.with_columns(
            (pl.col("row_stop") - pl.col("row_start")).alias("rows"),
            purged.alias("purged_rows"),
            (dropped - purged).alias("embargoed_rows"),
            timestamp.gather(first).alias("first_timestamp"),
            timestamp.gather(last).alias("last_timestamp"),
            available_at.gather(first).alias("first_cutoff"),
            available_at.gather(last).alias("last_cutoff"),
            (label_last + 1).alias("label_stop"),
            available_at.gather(label_last).alias("label_end"),
        )
    )


def read_folds(table: pl.DataFrame) -> tuple[Fold, ...]:
    """Return the folds that a folds table of one series describes: the inverse of :func:`folds_table`.

    Raises
    ------
    ValueError
        If the table holds no series or more than one.
    """
    series = table.select(_SERIES).n_unique()
    if series != 1:
        raise ValueError(f"a folds table of one study, pair and horizon is needed, got {series} of them")
    parts = table.select("fold", "part", "row_start", "row_stop").iter_rows()
    rows = {(fold, part): range(start, stop) for fold, part, start, stop in parts}
    indices = sorted({fold for fold, _ in rows})
    return tuple(Fold(k, rows[k, "train"], rows[k, "validation"], rows[k, "test"]) for k in indices)


def label_overlaps(table: pl.DataFrame) -> list[str]:
    """Return a sentence for every part whose labels reach a later part of its fold, by row or by clock.

    Parts out of order, or missing, are found by the same comparison.

    Parameters
    ----------
    table : DataFrame
        ``schema.FOLDS``, any number of series. Nothing else is read.
    """
    clear = (_reach() <= pl.col("later_start")) & (pl.col("label_end") < pl.col("later_cutoff"))
    return _sentences(
        _part_pairs(table).filter(~clear.fill_null(False)),
        "labels of {} read up to row {} ({}), but {} starts at row {} ({})",
        ("part", _reach() - 1, "label_end", "later_part", "later_start", "later_cutoff"),
    )


def embargo_violations(table: pl.DataFrame, embargo: int) -> list[str]:
    """Return a sentence for every part whose labels end fewer than ``embargo`` rows before a later part.

    Parameters
    ----------
    table : DataFrame
        ``schema.FOLDS``, any number of series. Nothing else is read.
    embargo : int
        Rows that the study asks for between the last label and the next part.
    """
    gap = pl.col("later_start") - _reach()
    return _sentences(
        _part_pairs(table).filter(~(gap >= embargo).fill_null(False)),
        f"{{}} rows lie between the labels of {{}} and {{}}, the embargo is {embargo}",
        (gap, "part", "later_part"),
    )


def reused_test_rows(table: pl.DataFrame) -> list[str]:
    """Return a sentence for every fold whose test rows another fold has already tested on.

    Parameters
    ----------
    table : DataFrame
        ``schema.FOLDS``, any number of series. Nothing else is read.
    """
    tested_before = pl.col("row_stop").cum_max().shift(1).over(_SERIES)
    return _sentences(
        table.filter(pl.col("part") == "test")
        .sort(*_SERIES, "row_start", "fold")
        .with_columns(tested_before=tested_before)
        .filter(pl.col("row_start") < pl.col("tested_before")),
        "test rows {} to {} were tested on before, up to row {}",
        ("row_start", pl.col("row_stop") - 1, pl.col("tested_before") - 1),
    )


def _reach() -> pl.Expr:
    """One past the last row a label reads; recomputed, so that a wrong label_stop cannot hide an overlap."""
    return pl.max_horizontal("label_stop", pl.col("row_stop") + pl.col("horizon"))


def _part_pairs(table: pl.DataFrame) -> pl.DataFrame:
    """Every part beside every later part of its fold; nulls where one of them is missing."""
    fold = [*_SERIES, "fold"]
    later = table.select(*fold, later_part="part", later_start="row_start", later_cutoff="first_cutoff")
    return (
        table.select(fold)
        .unique(maintain_order=True)
        .join(_LATER_PARTS, how="cross")
        .join(table, on=[*fold, "part"], how="left")
        .join(later, on=[*fold, "later_part"], how="left")
    )


def _sentences(rows: pl.DataFrame, text: str, values: tuple[str | pl.Expr, ...]) -> list[str]:
    written = [
        (pl.col(value) if isinstance(value, str) else value).cast(pl.String).fill_null("missing") for value in values
    ]
    return rows.select(pl.format("{} {}_h{} fold {}: " + text, *_SERIES, "fold", *written)).to_series().to_list()
