"""Several pairs on one clock: what was known of each at every cutoff. Nothing is carried on, nothing looks ahead."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

KNOWN = "available_at"


def panel(bars_by_pair: Mapping[str, pl.DataFrame], cutoffs: pl.Series) -> pl.DataFrame:
    """Place the rows of several pairs on the ``cutoffs`` (UTC) of one clock: ``cutoff`` and ``EURUSD.close`` and so on.

    A row becomes known at its ``available_at`` and counts for the first cutoff at or after that, and for no other; of
    several the last. Without one the pair is null there: neither an older row nor the next one stands in. What became
    known before the first cutoff counts only if it did so exactly at it: nobody says how far back that interval
    reaches.
    """
    clock = cutoffs.unique().sort().rename("cutoff")
    joined = clock.to_frame()
    for pair, table in bars_by_pair.items():
        if KNOWN not in table.columns:
            raise ValueError(f"the table of {pair} has no column {KNOWN!r}; it has {', '.join(table.columns)}")
        if table[KNOWN].is_duplicated().any():
            twice = table[KNOWN].filter(table[KNOWN].is_duplicated())[0]
            raise ValueError(f"{pair}: several rows become known at {twice}: clean the bars first")
        placed = _placed(table, clock)
        named = placed.rename({name: f"{pair}.{name}" for name in table.columns})
        joined = joined.join(named, on="cutoff", how="left", maintain_order="left")
    return joined


def _placed(table: pl.DataFrame, clock: pl.Series) -> pl.DataFrame:
    """Return the last row of each interval between cutoffs, with the cutoff that ends it."""
    ordered = table.sort(KNOWN)
    place = clock.search_sorted(ordered[KNOWN], side="left")
    ends = pl.DataFrame({"place": pl.int_range(len(clock), dtype=pl.UInt32, eager=True), "cutoff": clock})
    inside = ordered.with_columns(place=place.cast(pl.UInt32)).join(ends, on="place", maintain_order="left")
    counted = inside.filter((pl.col("place") > 0) | (pl.col(KNOWN) == pl.col("cutoff")))
    return counted.unique("cutoff", keep="last", maintain_order=True).drop("place")
