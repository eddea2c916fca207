"""Bad bars planted just before a time: they make a cleaning rule act, so that one that waits for the next bar shows."""

from __future__ import annotations

import datetime as dt

import polars as pl

FAULTS = ("spike", "slip", "stale", "hole", "gap")
_FACTORS = {"spike": 1.5, "slip": 100.0, "stale": 1.0, "hole": float("nan"), "gap": 1.0}


def faulty(raw: pl.DataFrame, time: dt.datetime, turn: int) -> pl.DataFrame:
    """Return raw bars whose last bar of each pair known by a time is bad; the kinds take turns over the pairs.

    Parameters
    ----------
    raw : DataFrame
        ``schema.BARS`` of all pairs.
    time : datetime
        UTC.
    turn : int
        Position in ``FAULTS`` of the kind that the first pair gets: a ``spike`` to one and a half times the price, a
        decimal ``slip`` by two digits, a ``stale`` copy of the bar before, a ``hole`` of NaN, or a ``gap``: no bar.
    """
    kinds = {pair: FAULTS[(turn + place) % len(FAULTS)] for place, pair in enumerate(raw["pair"].unique().sort())}
    values = [name for name, dtype in raw.schema.items() if dtype.is_float() and name != "volume"]
    known = raw.with_row_index("_row").filter(pl.col("available_at") <= time).sort("timestamp", maintain_order=True)
    bad = known.group_by("pair", maintain_order=True).agg(
        pl.col("_row").last(),
        *(pl.col(name).last().alias(f"{name} now") for name in values),
        *(pl.col(name).shift(1).last().alias(f"{name} before") for name in values),
    )
    bad = bad.with_columns(kind=pl.col("pair").replace_strict(kinds, return_dtype=pl.String)).drop("pair")
    factor = pl.col("kind").replace_strict(_FACTORS, return_dtype=pl.Float64)
    rows = raw.with_row_index("_row").join(bad, on="_row", how="left", maintain_order="left")
    now = {name: pl.col(f"{name} now") * factor for name in values}
    stale = {name: pl.col(f"{name} before") for name in values}
    replaced = (
        pl.when(kind="stale").then(stale[name]).when(pl.col("kind").is_not_null()).then(now[name]).otherwise(name)
        for name in values
    )
    marked = rows.with_columns(expr.alias(name) for expr, name in zip(replaced, values, strict=True))
    return marked.filter(pl.col("kind").is_null() | (pl.col("kind") != "gap")).select(raw.columns)
