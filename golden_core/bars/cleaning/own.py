"""Rules that a row decides by itself, or with rows of the same time: dates, duplicates, prices, trading week."""

from __future__ import annotations

import datetime

import polars as pl

from golden_core.bars.cleaning.coverage import NEIGHBOURHOOD, Covered, has_hours, share_of_week
from golden_core.bars.cleaning.rules import PRICES
from golden_core.bars.cleaning.scale import SETTLED, WINDOW

EPOCH = datetime.date(1970, 1, 1)
A_DAY_NEARLY = 20  # hours from which a bar is a day's, whatever the clocks do
ABSURD = 10_000  # times the largest of the bars before: news makes a hundred, another unit is one bar's surprise
FROZEN = 24  # equal candles in a row: real feeds have two, and quiet minutes some more


def own_rules(raw: pl.DataFrame, covered: Covered) -> dict[str, pl.Expr]:
    """Return the condition of each rule on raw bars (``schema.BARS`` and ``position``, in the order of the table)."""
    prices = [name for name in PRICES if name in raw.columns]
    day = pl.col("timestamp").dt.date()
    usable = pl.all_horizontal((pl.col(name).is_finite() & (pl.col(name) > 0)).fill_null(False) for name in prices)
    conditions = {
        "epoch_zero": epoch_zero(),
        "absurd_date": ~day.is_between(covered.start - NEIGHBOURHOOD, covered.end + NEIGHBOURHOOD),
        **_duplicates(raw),
        "unusable_price": ~usable,
    }
    if has_hours(covered):
        inside = share_of_week(pl.col("timestamp"), pl.col("available_at"))
        length = (pl.col("available_at") - pl.col("timestamp")).dt.total_hours()
        if set(PRICES) <= set(raw.columns):
            volume = pl.col("volume") if "volume" in raw.columns else pl.lit(None, pl.Float64)
            conditions["flat_while_closed"] = flat_bars() & (volume.fill_null(0.0) == 0) & (inside == 0)
        conditions["outside_trading_week"] = inside == 0
        conditions["weekend_stub"] = (inside < 0.5) & (length >= A_DAY_NEARLY)
    return conditions


def epoch_zero() -> pl.Expr:
    """Return whether a time was never written; a vendor's clock moves the epoch by some hours either way."""
    return pl.col("timestamp").dt.date().is_between(EPOCH - datetime.timedelta(days=1), EPOCH)


def _duplicates(raw: pl.DataFrame) -> dict[str, pl.Expr]:
    """Return the two conditions on times that several rows share; most feeds have none, and no more is asked then."""
    repeated = raw.filter(pl.col("timestamp").is_duplicated())
    first = pl.struct(pl.exclude("position")).is_first_distinct()
    judged = repeated.select("position", first=first, conflict=first.sum().over("timestamp") > 1)
    conflicting = judged.filter("conflict")["position"].implode()
    copies = judged.filter(~pl.col("first"))["position"].implode()
    place = pl.col("position")
    return {"conflicting_duplicate": place.is_in(conflicting), "identical_duplicate": place.is_in(copies)}


def inconsistent_range(columns: list[str]) -> pl.Expr:
    """Return whether the high is below, or the low above, another price of the bar."""
    prices = [name for name in PRICES if name in columns]
    found = pl.lit(False)
    if "high" in prices:
        found |= pl.col("high") < pl.max_horizontal(prices)
    if "low" in prices:
        found |= pl.col("low") > pl.min_horizontal(prices)
    return found


def flat_bars() -> pl.Expr:
    """Return whether open, high, low and close are equal."""
    return (pl.col("open") == pl.col("close")) & (pl.col("high") == pl.col("low")) & (pl.col("open") == pl.col("high"))


def frozen_candles() -> pl.Expr:
    """Return whether a bar ends a run of equal candles that no market makes; flat bars have other rules."""
    return (run_length(*PRICES) >= FROZEN) & (pl.col("high") > pl.col("low"))


def usable_volume() -> pl.Expr:
    """Return whether a volume, in the order of time, is one: no number below zero, and none out of all proportion."""
    volume = pl.col("volume")
    sound = (volume >= 0) & volume.is_finite()
    before = pl.when(sound).then(volume).shift(1).rolling_max(WINDOW, min_samples=SETTLED)
    return sound & ~((before > 0) & (volume > ABSURD * before)).fill_null(False)


def run_length(*columns: str) -> pl.Expr:
    """Return how many rows in a row with equal values end at each row; a null equals nothing."""
    place = pl.int_range(pl.len())
    starts = pl.any_horizontal(pl.col(name) != pl.col(name).shift(1) for name in columns).fill_null(True)
    return place - pl.when(starts).then(place).forward_fill() + 1
