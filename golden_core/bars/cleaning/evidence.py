"""What other pairs say about a bar at the same time: whether they refute a spike, and whether they share a jump."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from golden_core.bars.cleaning.coverage import Covered
from golden_core.bars.cleaning.scale import on_scale
from golden_core.bars.crosschecks import legs, oriented

SHARED = 0.5  # a pair of the same currency shares a jump if it moves at least this part of it, the same way


def moves(others: Sequence[pl.DataFrame], data: Covered, bound: float) -> dict[str, pl.DataFrame]:
    """Return timestamp, log close and one-bar log return of other pairs' raw bars, the unusable left out.

    Slips are undone, and prices off the scale are no witnesses: else one pair's fault would remove another's bar.
    """
    found = {}
    for bars in others:
        if bars.height:
            usable = pl.col("close").is_finite() & (pl.col("close") > 0)
            table = bars.select("timestamp", "close").filter(usable).unique("timestamp", keep="none").sort("timestamp")
            pair, log = str(bars["pair"][0]), pl.col("close").log()
            heard = on_scale(table, pair, data, bound).filter(~pl.col("off_scale_price"))
            found[pair] = heard.select("timestamp", log=log, step=log.diff())
    return found


def refuted(bars: pl.DataFrame, pair: str, bound: float, others: Mapping[str, pl.DataFrame]) -> pl.Series:
    """Say which bars [T] leave their level or the bar before by more than the bound although no two other pairs follow.

    Two pairs that share a third currency imply a price of this one. They are heard only where both moved at that time:
    a frozen feed is no witness. One that agrees within the bound (log price) is enough to keep a bar.
    """
    log = pl.col("close").log()
    far = ((log - pl.col("level") * pl.lit(10.0).log()).abs() > bound) | (log.diff().abs() > bound)
    suspects = bars.select("timestamp", log=log, far=far.fill_null(False)).filter("far")
    if suspects.is_empty():
        return pl.repeat(False, bars.height, dtype=pl.Boolean, eager=True)
    distances = []
    for first, second in _bridges(pair, others):
        joined = suspects.select("timestamp").join(first, on="timestamp", how="left", maintain_order="left")
        joined = joined.join(second, on="timestamp", how="left", maintain_order="left", suffix="_second")
        witness = (pl.col("step") != 0) & (pl.col("step_second") != 0)
        implied = pl.when(witness).then(pl.col("log") + pl.col("log_second"))
        distances.append((suspects["log"] - joined.select(implied).to_series()).abs())
    if not distances:
        return pl.repeat(False, bars.height, dtype=pl.Boolean, eager=True)
    nearest = pl.DataFrame(distances, schema=[str(place) for place in range(len(distances))]).min_horizontal()
    refutations = suspects["timestamp"].filter((nearest > bound).fill_null(False))
    return bars["timestamp"].is_in(refutations.implode())


def shared(jumps: pl.DataFrame, pair: str, others: Mapping[str, pl.DataFrame]) -> pl.Series:
    """Say which jumps (log ``step``) another pair of the same currency makes at the time, ``SHARED`` of it or more."""
    found = pl.repeat(False, jumps.height, dtype=pl.Boolean, eager=True)
    for name, table in others.items():
        sign = _direction(pair, name)
        if sign:
            theirs = jumps.select("timestamp").join(table, on="timestamp", how="left", maintain_order="left")["step"]
            found |= (theirs * sign / jumps["step"] >= SHARED).fill_null(False)
    return found


def _direction(pair: str, other: str) -> int:
    """Return how another pair moves when a common currency does: 1 alike, −1 the other way, 0 with none in common."""
    base, quote = legs(pair)
    their_base, their_quote = legs(other)
    if pair == other:
        return 0
    if base == their_base or quote == their_quote:
        return 1
    return -1 if base == their_quote or quote == their_base else 0


def _bridges(pair: str, others: Mapping[str, pl.DataFrame]) -> list[tuple[pl.DataFrame, pl.DataFrame]]:
    """Return, for every third currency that two other pairs connect with this one's, the two oriented log prices."""
    base, quote = legs(pair)
    found = []
    for third in sorted({currency for name in others for currency in legs(name)} - {base, quote}):
        first, second = oriented(base, third, others), oriented(third, quote, others)
        if first is not None and second is not None:
            found.append((first, second))
    return found
