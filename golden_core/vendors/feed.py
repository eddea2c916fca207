"""Whether prices are what a feed quotes, bar by bar: told from how moves, gaps and ranges follow each other."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import polars as pl

from golden_core.vendors.base import VendorError, told
from golden_core.vendors.columns import PRICES

# Moves of no currency go with the next at more than 0.24, each cut at so many medians; those of candles averaged at
# 0.39, of hours cut in two at 0.49. A tenth at least go either way: those of a crawling peg are ticks, all one way.
_CLIPPED, _FOLLOWS, _FEWEST_MOVES, _BOTH_WAYS = 3, 0.3, 300, 0.1
_WEEKEND = datetime.timedelta(hours=40), datetime.timedelta(hours=80)
# How often the gap of a weekend is larger than another, share of others that it exceeds, and how many must show it.
_BESIDE, _USUAL, _FEWEST_WEEKENDS = 5, 0.95, 7
_IN_A_ROW = 24  # closes that are never twice the same, half of them moves
_JUMPS = 0.4  # of an hour's range: where it opens from the close before, of feeds 0.01
_FEWEST_RANGES, _HOLDS = 100, 0.97  # bars that hold the next close, which of a feed six in ten do
_BEHIND, _CHANCE = 3, 9  # how often more of them lack the close two bars before: of quotes that bounce, none do


def require_moves(bars: pl.DataFrame, path: Path) -> None:
    """Refuse closes of which one move goes with the next: averages, and prices filled in between, know a later one."""
    steps = bars.filter(pl.col("close") > 0).sort("timestamp")["close"].log().diff().drop_nulls()
    moves = steps.filter(steps != 0).to_numpy()
    judged = len(moves) >= _FEWEST_MOVES and _BOTH_WAYS < (moves > 0).mean() < 1 - _BOTH_WAYS
    bound = _CLIPPED * float(np.median(np.abs(moves))) if judged else 0.0
    cut = pl.Series(np.clip(moves, -bound, bound))
    follows = pl.select(pl.corr(cut[:-1], cut[1:])).item() if bound else None
    if follows is not None and follows > _FOLLOWS:
        raise VendorError(
            f"{path}: one move of its closes goes with the next (correlation {follows:.2f}, of markets about 0): they "
            "are averages, such as Heikin-Ashi's, or were filled in and tell the later price; export candles"
        )


def require_own(bars: pl.DataFrame, path: Path) -> None:
    """Refuse prices of the next bar, or the last, beside which the gaps of weekends lie; and ranges of bars to come."""
    if not set(PRICES) <= set(bars.columns):
        return
    whole = bars.drop_nulls(PRICES).sort("timestamp")
    close, width = pl.col("close"), pl.col("high") - pl.col("low")
    step, at = pl.col("timestamp").diff(), pl.col("at")
    gaps = whole.select(
        at=step.is_between(*_WEEKEND), next=step == step.mode().min(), gap=(pl.col("open") - close.shift(1)).abs()
    ).drop_nulls()
    sides = at.shift(-1, fill_value=False), at.shift(1, fill_value=False)
    across, before, after = (
        float(gaps.filter(rows)["gap"].quantile(0.5) or 0) for rows in (at, *(side & pl.col("next") for side in sides))
    )
    others = gaps.filter(~at & ~sides[0] & ~sides[1])["gap"]
    least = max(_BESIDE * across, _BESIDE * (others.quantile(0.5) or 0), others.quantile(_USUAL) or 0)
    if gaps["at"].sum() >= _FEWEST_WEEKENDS and max(before, after) > least:
        side, other = ("before", "next") if before > after else ("after", "last")
        raise VendorError(
            f"{path}: the gaps of its weekends lie a bar {side} them: rows were moved, and prices are of the {other} "
            "bar; export the file again"
        )
    moved = whole.with_columns(next=close.shift(-1), last=close.shift(2))
    moved = moved.filter((pl.col("next") != close) & (width > 0)).drop_nulls()
    inside, behind = (int(moved[other].is_between(moved["low"], moved["high"]).sum()) for other in ("next", "last"))
    lacks = moved.height - behind > _BEHIND * (moved.height - inside) + _CHANCE
    if moved.height >= _FEWEST_RANGES and inside > _HOLDS * moved.height and lacks:
        raise VendorError(
            f"{path}: {inside} of {moved.height} bars hold the close of the next one, of markets half do: their high "
            "and low are of later bars, too; export candles"
        )


def oddities(bars: pl.DataFrame, minutes: int) -> tuple[str, ...]:
    """Say if bars of hours open far from the close before them, or have no range; and where closes come again."""
    if not set(PRICES) <= set(bars.columns) or bars.height < _FEWEST_RANGES:
        return ()
    close, jump = pl.col("close"), (pl.col("open") - pl.col("close").shift(1)).abs()
    whole = bars.drop_nulls(PRICES).unique("timestamp", keep="first").sort("timestamp")
    found = whole.select(
        far=jump.median() > _JUMPS * (pl.col("high") - pl.col("low")).median(),
        twice=pl.struct(pl.struct("high", "close").shift(-n).alias(str(n)) for n in range(_IN_A_ROW)).is_duplicated()
        & ((close.diff() != 0).cast(pl.Int64).rolling_sum(_IN_A_ROW).shift(1 - _IN_A_ROW) > _IN_A_ROW / 2),
    )
    apart = ("bars open far from the close before them (median): rows between them may be left out",)
    flat = whole["high"] == whole["low"]
    alone = told(whole, flat & (minutes >= 60 and 2 * flat.sum() > whole.height), "bars have one price: closes alone?")
    again = f"rows begin {_IN_A_ROW} whose closes are those of another time: a gap may have been filled with them"
    return (*(apart if minutes >= 60 and found.item(0, "far") else ()), *alone, *told(whole, found["twice"], again))
