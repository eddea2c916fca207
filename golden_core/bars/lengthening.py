"""Shorter bars of a file cleaned, then put together into longer ones: a bad minute must not spoil its hour."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from golden_core.bars.cleaning import clean
from golden_core.bars.cleaning.coverage import coverage_of
from golden_core.bars.cleaning.rules import PRICES
from golden_core.bars.quality import STYLES
from golden_core.bars.resampling import ResamplingError, resample
from golden_core.market.clock import bar_close, bar_open
from golden_core.store.schema import BARS
from golden_core.vendors.base import VendorError

BOUND = 0.05  # log price: a slip that lands further from its level is not repaired; what stays is judged by the study
SILENT = "flat_without_trade"  # a copy of the close before: it changes no price of a longer bar, and shows a whole one


def lengthen(
    bars: pl.DataFrame, lines: pl.Series, length: str, to: str, zone: str, path: Path
) -> tuple[pl.DataFrame, pl.DataFrame, tuple[str, ...]]:
    """Clean the bars of a file as a study cleans its bars, and put them together; with what was left out, and notes.

    ``bars`` (``schema.BARS`` of one pair) and their ``lines`` are in the order of the file, ``zone`` is its clock. What
    was left out has ``line``, ``timestamp`` and ``reason`` of the shorter bars.
    """
    cleaned = clean(bars, coverage_of(bars, length, zone), max_abs_log_return=BOUND)
    lost = cleaned.ledger.filter(pl.col("action") == "quarantined")
    # The close before is copied anew: the one in the file may have slipped.
    fills = bars[lost.filter(pl.col("rule") == SILENT)["position"] - 1].drop(PRICES, strict=False).sort("timestamp")
    copied = cleaned.bars.select("timestamp", *(pl.col("close").alias(name) for name in PRICES))
    silent = fills.join_asof(copied, on="timestamp").select(cleaned.bars.columns)
    lost = lost.filter(pl.col("rule") != SILENT)
    changed = cleaned.account.filter((pl.col("action") != "kept") & (pl.col("rule") != SILENT) & (pl.col("rows") > 0))
    said = ", ".join(
        f"{rows:,} {action} ({rule})" for rule, action, rows in changed.select("rule", "action", "rows").rows()
    )
    kept = pl.concat([cleaned.bars, silent]).sort("timestamp")
    if kept.is_empty():
        raise VendorError(f"{path}: none of its {bars.height} bars is sound: {said}; fetch the file again")
    try:
        made = resample(kept, length, to)
    except ResamplingError as error:
        raise VendorError(f"{path}: its bars cannot be made into bars of {to}: {error}") from error
    partial = made["partial"] & _spoilt(made, bars, lost, kept, to) if length == "1m" else made["partial"]
    mute, spoilt = int((made["partial"] & ~partial).sum()), int(partial.sum())
    some = f", {spoilt} of {made.height} of them partial: something is missing in them" if spoilt else ""
    quiet = f", {mute} of {made.height} of them with minutes of silence, which have no bar" if mute else ""
    notes = [f"bars of {length} were made into bars of {to}{some}{quiet}"]
    if said:
        notes.append(f"before that, {said} of {bars.height:,} bars of {length}")
    named = lost.filter(~pl.col("rule").is_in(STYLES))
    left_out = named.select(line=lines.gather(named["position"] - 1), timestamp="timestamp", reason="rule")
    return BARS.conform(made.drop("partial")), left_out, tuple(notes)


def _spoilt(made: pl.DataFrame, bars: pl.DataFrame, lost: pl.DataFrame, kept: pl.DataFrame, to: str) -> pl.Series:
    """Say of which bars one minute was left out, or the end is not there: a minute without ticks has no bar."""
    before = bars["timestamp"][(lost["position"] - 2).clip(0)]
    timeless = lost["rule"].is_in(["epoch_zero", "absurd_date"])
    at = lost.with_columns(before.alias("before")).select(
        at=bar_open(pl.when(timeless).then("before").otherwise("timestamp"), to)
    )
    unfinished = bar_close(pl.col("timestamp"), to) > kept["available_at"].max()
    return made.select(pl.col("timestamp").is_in(at["at"].implode()) | unfinished).to_series()
