"""Claims about folds, recomputed from the folds table alone; each function returns what speaks against the claim."""

from __future__ import annotations

import polars as pl

from golden_core.splits.tables import SERIES, fold_accounts

_FOLD = (*SERIES, "fold")
_HELD_OUT = pl.DataFrame({"part": ["train", "train", "validation"], "other": ["validation", "test", "test"]})


def label_overlaps(table: pl.DataFrame) -> list[str]:
    """Return a sentence for every run of rows whose labels touch those of a part that its fold holds out from it.

    Labels span the time from the cutoff to the moment when they are known. The held-out part must begin after that, by
    the clock and by row. Missing parts are found by the same comparison.
    """
    clear = (_reach() <= pl.col("other_start")) & (pl.col("label_end") < pl.col("other_cutoff"))
    return _sentences(
        _offending(table, clear),
        "labels of {} read up to row {} ({}), but {} starts at row {} ({})",
        ("part", _reach() - 1, "label_end", "other", "other_start", "other_cutoff"),
    )


def foreign_schemes(table: pl.DataFrame, scheme: str) -> list[str]:
    """Return a sentence for every fold that says it was laid otherwise than the study asks."""
    foreign = table.filter(pl.col("scheme").ne_missing(scheme)).select(*_FOLD, "scheme").unique(maintain_order=True)
    return _sentences(foreign, f"laid as {{}}, the study says {scheme}", ("scheme",))


def embargo_violations(table: pl.DataFrame, embargo: int) -> list[str]:
    """Return a sentence for every run of rows that keeps fewer than ``embargo`` rows from a held-out part."""
    gap = pl.col("other_start") - _reach()
    return _sentences(
        _offending(table, gap >= embargo),
        f"{{}} rows lie between the labels of {{}} and {{}}, the embargo is {embargo}",
        (gap, "part", "other"),
    )


def reused_test_rows(table: pl.DataFrame) -> list[str]:
    """Return a sentence for every run of rows that a series tests more than once."""
    tests = table.filter(pl.col("part") == "test")
    changes = pl.concat(
        [
            tests.select(*SERIES, "fold", row="row_start", change=pl.lit(1)),
            tests.select(*SERIES, "fold", row="row_stop", change=pl.lit(-1)),
        ]
    )
    times = (
        changes.group_by(*SERIES, "row")
        .agg(pl.col("change").sum(), pl.col("fold").max())
        .sort(*SERIES, "row")
        .with_columns(times=pl.col("change").cum_sum().over(SERIES), stop=pl.col("row").shift(-1).over(SERIES))
        .filter(pl.col("times") > 1)
    )
    return _sentences(
        times,
        "test rows {} to {} are tested on {} times, expected 1",
        ("row", pl.col("stop") - 1, "times"),
    )


def unaccounted_rows(table: pl.DataFrame) -> list[str]:
    """Return a sentence for every part whose kept and dropped rows are not the rows that were laid for it."""
    dropped = ("purged_rows", "embargoed_rows", "closure_dropped_rows")
    accounts = fold_accounts(table.with_columns(rows=pl.col("row_stop") - pl.col("row_start")))
    accounted = pl.sum_horizontal("rows", *dropped)
    return _sentences(
        accounts.filter(accounted.ne_missing(pl.col("laid_rows"))),
        "{} was laid {} rows; {} kept, {} purged, {} embargoed and {} dropped at closures make {}",
        ("part", "laid_rows", "rows", *dropped, accounted),
    )


def _reach() -> pl.Expr:
    """One past the last row a label reads; recomputed, so that a wrong label_stop cannot hide an overlap."""
    return pl.max_horizontal("label_stop", pl.col("row_stop") + pl.col("horizon"))


def _offending(table: pl.DataFrame, sound: pl.Expr) -> pl.DataFrame:
    """Pairs of runs that are not sound. Fold by fold: all pairs at once may be millions where closures cut the rows."""
    pairs = [_part_pairs(fold).filter(~sound.fill_null(False)) for fold in table.partition_by(_FOLD)]
    return pl.concat(pairs) if pairs else _part_pairs(table)


def _part_pairs(table: pl.DataFrame) -> pl.DataFrame:
    """Every run of rows beside every run that its fold holds out from it; nulls where a part is missing."""
    used = table.select(*_FOLD, "part", "row_start", "row_stop", "first_cutoff", "label_stop", "label_end")
    others = used.select(*_FOLD, other="part", other_start="row_start", other_cutoff="first_cutoff")
    return (
        table.select(_FOLD)
        .unique(maintain_order=True)
        .join(_HELD_OUT, how="cross")
        .join(used, on=[*_FOLD, "part"], how="left")
        .join(others, on=[*_FOLD, "other"], how="left")
    )


def _sentences(rows: pl.DataFrame, text: str, values: tuple[str | pl.Expr, ...]) -> list[str]:
    written = [
        (pl.col(value) if isinstance(value, str) else value).cast(pl.String).fill_null("missing") for value in values
    ]
    return rows.select(pl.format("{} {}_h{} fold {}: " + text, *_FOLD, *written)).to_series().to_list()
