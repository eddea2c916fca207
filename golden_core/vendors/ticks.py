"""Ticks into bars of one minute, whatever format the ticks came in: the only path. No file is read here."""

from __future__ import annotations

import polars as pl

from golden_core.vendors.base import VendorError

TICK_BAR = "1m"  # short enough to be resampled into any bar of a study
_PRICES = {"bid": pl.col("bid"), "ask": pl.col("ask"), "mid": (pl.col("bid") + pl.col("ask")) / 2}
_VOLUMES = {
    "bid": pl.col("bid_volume"),
    "ask": pl.col("ask_volume"),
    "mid": pl.col("bid_volume") + pl.col("ask_volume"),
}
QUOTES = ("bid", "ask", "bid_volume", "ask_volume", "volume")


def bars_from_ticks(ticks: pl.DataFrame, side: str = "bid", bar: str = TICK_BAR) -> pl.DataFrame:
    """Make bars of ticks: first, highest, lowest and last price, and the sum of volumes; nothing is filled.

    ``ticks`` has ``timestamp``, ``bid``, ``ask``, perhaps ``volume`` or both sides' volumes, in any order; of two at
    one instant the first in the table is the earlier. ``bar`` is at most an hour. ``line`` counts the bars.
    """
    volume = _VOLUMES[side] if "bid_volume" in ticks.columns else pl.col("^volume$")
    price = pl.col("price")
    return (
        # Stable, so that of several ticks at the first or last instant the table's order decides.
        ticks.select("timestamp", price=_PRICES[side], volume=volume)
        .sort("timestamp", maintain_order=True)
        .group_by(pl.col("timestamp").dt.truncate(bar), maintain_order=True)
        .agg(open=price.first(), high=price.max(), low=price.min(), close=price.last(), volume=pl.col("^volume$").sum())
        .with_columns(line=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
    )


def require_spread(ticks: pl.DataFrame, where: str, bid: str = "bid", ask: str = "ask") -> None:
    """Refuse ticks of which more than half have their bid above their ask: the columns must be swapped."""
    crossed = int((ticks["bid"] > ticks["ask"]).sum())
    if 2 * crossed > ticks.height:
        raise VendorError(
            f"{where}: in {crossed} of {ticks.height} ticks the bid ({bid}) is above the ask ({ask}): the columns seem "
            "to be swapped, or the file is damaged; fetch or export it again"
        )
