"""Bad bars planted just before a time: they make a cleaning rule act, so that one that waits for the next bar shows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import polars as pl

TWIN = "twin"
FAULTS = ("spike", "slip", "stale", "hole", "gap", "jump", "zero", TWIN)
# What becomes of every price. A jump stays plausible: only what follows tells it from news.
_FACTORS = {
    "spike": 1.5, "slip": 100.0, "stale": 1.0, "hole": float("nan"), "gap": 1.0, "jump": 1.02, "zero": 0.0, TWIN: 1.0,
}  # fmt: skip
_MOVED = ("spike", "slip", "jump", "zero")
_SECOND_PRINT = 1.001


def faulty(
    raw: pl.DataFrame, time: dt.datetime, turn: int, kinds: Sequence[str] = FAULTS, *, alone: bool = False
) -> pl.DataFrame:
    """Return raw bars whose last bar of each pair known by a time is bad; the kinds take turns over the pairs.

    Parameters
    ----------
    raw : DataFrame
        ``schema.BARS`` of all pairs.
    time : datetime
        UTC.
    turn : int
        Position in ``kinds`` of the kind that the first pair gets: a ``spike`` to one and a half times the price, a
        decimal ``slip`` by two digits, a ``stale`` copy of the bar before, a ``hole`` of NaN, a ``gap``: no bar, a
        ``jump`` by two per cent, a price of ``zero``, or a ``twin``: a second print at another price.
    kinds : sequence of str
        Some of ``FAULTS``: a table with one price per pair and day has no room for a twin.
    alone : bool
        All pairs get the same kind, and only one of them if it moves the price: in prices that others are computed
        from, faults cancel or blur each other.
    """
    pairs = raw["pair"].unique().sort()
    dealt = {pair: kinds[(turn + place) % len(kinds)] for place, pair in enumerate(pairs)}
    if alone:
        kind = kinds[turn % len(kinds)]
        dealt = dict.fromkeys([pairs[turn % len(pairs)]] if kind in _MOVED else pairs, kind)
    values = [name for name, dtype in raw.schema.items() if dtype.is_float() and name != "volume"]
    known = raw.with_row_index("_row").filter(pl.col("available_at") <= time).sort("timestamp", maintain_order=True)
    bad = known.group_by("pair", maintain_order=True).agg(
        pl.col("_row").last(),
        *(pl.col(name).last().alias(f"{name} now") for name in values),
        *(pl.col(name).shift(1).last().alias(f"{name} before") for name in values),
    )
    bad = bad.with_columns(kind=pl.col("pair").replace_strict(dealt, default=None, return_dtype=pl.String)).drop("pair")
    factor = pl.col("kind").replace_strict(_FACTORS, return_dtype=pl.Float64)
    rows = raw.with_row_index("_row").join(bad, on="_row", how="left", maintain_order="left")
    now = {name: pl.col(f"{name} now") * factor for name in values}
    stale = {name: pl.col(f"{name} before") for name in values}
    replaced = (
        pl.when(kind="stale").then(stale[name]).when(pl.col("kind").is_not_null()).then(now[name]).otherwise(name)
        for name in values
    )
    marked = rows.with_columns(expr.alias(name) for expr, name in zip(replaced, values, strict=True))
    twins = marked.filter(kind=TWIN).with_columns(pl.col(name) * _SECOND_PRINT for name in values)
    printed = pl.concat([marked.filter(pl.col("kind").is_null() | (pl.col("kind") != "gap")), twins])
    return printed.sort("_row", maintain_order=True).select(raw.columns)
