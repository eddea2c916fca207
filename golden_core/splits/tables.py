"""The folds table: written from folds, read back, and summed up. Claims about it are verification.py's."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from golden_core.splits.folds import Crossed, Fold, Part
from golden_core.splits.segments import Segments
from golden_core.store import schema

SERIES = ("study", "pair", "horizon")
_COUNTS = (
    "laid_rows",
    "purged_rows",
    "embargoed_rows",
    "closure_dropped_rows",
    "closure_rows",
    "closure_windows",
    "closure_labels",
)


def folds_table(
    study: str, pair: str, horizon: int, folds: Sequence[Fold], bars: pl.DataFrame, *, scheme: str, context_length: int
) -> pl.DataFrame:
    """Return a row per fold, part and run of rows: what it spans, and when that and its labels are known.

    The rows of the folds are positions in ``bars`` (``schema.BARS``, oldest first); the result is ``schema.FOLDS``.

    Examples
    --------
    Labels of different parts of a fold must not touch, by the clock or by row, and parts come one after another.
    In the warehouse this finds no row:

    .. code-block:: sql

        SELECT DISTINCT earlier.pair, earlier.horizon, earlier.fold, earlier.part, later.part
        FROM folds AS earlier
        JOIN folds AS later USING (study, pair, horizon, fold)
        WHERE (earlier.part, later.part) IN (('train', 'validation'), ('train', 'test'), ('validation', 'test'))
          AND (earlier.label_end >= later.first_cutoff OR earlier.row_stop + horizon > later.row_start)
    """
    named = (*SERIES, "fold", "part", "segment", "row_start", "row_stop", *_COUNTS)
    runs = pl.DataFrame(
        [
            (study, pair, horizon, fold.index, name, segment, run.start, run.stop, *_counts(part, segment))
            for fold in folds
            for name, part in fold.parts.items()
            for segment, run in enumerate(part.rows)
        ],
        schema={name: schema.FOLDS.dtypes[name] for name in named},
        orient="row",
    )
    timestamp, available_at = bars["timestamp"], bars["available_at"]
    first, last, label_last = runs["row_start"], runs["row_stop"] - 1, runs["row_stop"] + horizon - 1
    return schema.FOLDS.conform(
        runs.with_columns(
            pl.lit(scheme).alias("scheme"),
            (pl.col("row_stop") - pl.col("row_start")).alias("rows"),
            timestamp.gather(first).alias("first_timestamp"),
            timestamp.gather(last).alias("last_timestamp"),
            timestamp.gather(first - context_length + 1).alias("window_start"),
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
    series = table.select(SERIES).n_unique()
    if series != 1:
        raise ValueError(f"a folds table of one study, pair and horizon is needed, got {series} of them")
    groups = table.sort("segment").group_by("fold", "part", maintain_order=True)
    parts = {(fold, name): _part(runs) for (fold, name), runs in groups}
    indices = sorted({fold for fold, _ in parts})
    return tuple(Fold(k, parts[k, "train"], parts[k, "validation"], parts[k, "test"]) for k in indices)


def read_rows(table: pl.DataFrame) -> dict[str, Segments]:
    """Return the rows of every part of one fold by name, from its rows of the folds table."""
    runs = table.sort("segment").select("part", "row_start", "row_stop").iter_rows()
    rows: dict[str, Segments] = {}
    for part, start, stop in runs:
        rows[part] = (*rows.get(part, ()), range(start, stop))
    return rows


def fold_accounts(table: pl.DataFrame) -> pl.DataFrame:
    """Return one row per fold and part: its runs, where its rows went, what crosses closures, and what it spans."""
    # The sum of nulls is 0 in polars: where closures were not looked at, no count may say that there are none.
    counts = [pl.col(name).sum() if name in _COUNTS[:4] else _sum_or_null(name) for name in ("rows", *_COUNTS)]
    return table.group_by(*SERIES, "fold", "part", maintain_order=True).agg(
        pl.len().alias("segments"), *counts, pl.col("first_cutoff").min(), pl.col("label_end").max()
    )


def _sum_or_null(name: str) -> pl.Expr:
    return pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum()).alias(name)


def _counts(part: Part, segment: int) -> tuple[int | None, ...]:
    """Return the account of a part in its first segment, zeros in the others."""
    crossed = part.crossed
    seen = (crossed.rows, crossed.windows, crossed.labels) if crossed else (None, None, None)
    account = (part.laid, part.purged, part.embargoed, part.dropped, *seen)
    return account if segment == 0 else tuple(None if count is None else 0 for count in account)


def _part(runs: pl.DataFrame) -> Part:
    first = runs.row(0, named=True)
    seen = tuple(first[f"closure_{name}"] for name in ("windows", "labels", "rows"))
    return Part(
        rows=tuple(range(start, stop) for start, stop in runs.select("row_start", "row_stop").iter_rows()),
        laid=first["laid_rows"],
        purged=first["purged_rows"],
        embargoed=first["embargoed_rows"],
        dropped=first["closure_dropped_rows"],
        crossed=None if None in seen else Crossed(*seen),
    )
