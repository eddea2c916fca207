"""What is reported of a bar that stays. Only here may a later bar be looked at: nothing is removed or changed."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from golden_core.bars.cleaning.evidence import shared
from golden_core.bars.cleaning.own import flat_bars, run_length
from golden_core.bars.cleaning.rules import PRICES

STALE = 3  # bars in a row with one close
CONSTANT = 24  # bars in a row with one volume


def findings(bars: pl.DataFrame, pair: str, bound: float, others: Mapping[str, pl.DataFrame]) -> dict[str, pl.Series]:
    """Return which rule of reporting sees which bar [T] of one pair, in the order of time."""
    found = jumps(bars, pair, bound, others)
    if {"high", "low"} <= set(bars.columns):
        found["implausible_range"] = (bars["high"] / bars["low"]).log() > bound
    if set(PRICES) <= set(bars.columns):
        found["flat_bar"] = bars.select(flat_bars()).to_series()
    found["stale_price"] = bars.select(run_length("close") >= STALE).to_series()
    if "volume" in bars.columns:
        constant = (run_length("volume") >= CONSTANT) & pl.col("volume").is_not_null()
        found["constant_volume"] = bars.select(constant).to_series()
    return found


def jumps(bars: pl.DataFrame, pair: str, bound: float, others: Mapping[str, pl.DataFrame]) -> dict[str, pl.Series]:
    """Tell log returns beyond the bound apart: shared, undone by the next bar (no jump of its own), or neither."""
    steps = bars["close"].log().diff()
    jump = (steps.abs() > bound).fill_null(False)
    back = (steps + steps.shift(-1)).abs() <= bound
    spike = (jump & jump.shift(-1) & back).fill_null(False)
    undoing = spike.shift(1, fill_value=False)
    alike = shared(pl.DataFrame({"timestamp": bars["timestamp"], "step": steps}), pair, others) if jump.any() else ~jump
    alike = jump & alike if jump.any() else jump
    return {"shared_jump": alike, "reverting_spike": spike & ~undoing, "implausible_jump": jump & ~spike & ~undoing}
