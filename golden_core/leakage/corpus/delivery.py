"""Leaks that arrive with the data or sit in a memory: nothing the pipeline computes shows them, only their effect."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import polars as pl

from golden_core.leakage.corpus.bars import SUMMER
from golden_core.leakage.corpus.planting import Mechanism, Planted, Site, delivered, in_stage, reach
from golden_core.leakage.testbed.cleaning import clean, read
from golden_core.leakage.testbed.features import log_close, move
from golden_core.leakage.testbed.fitting import Case, Labels
from golden_core.leakage.testbed.pair_bars import FloatArray, PairBars
from golden_core.leakage.testbed.pipeline import Stages
from golden_core.store.randomness import Stream

SOURCE_AGE = dt.timedelta(days=14)


def on_pair(site: Site, frame: pl.DataFrame, **changed: pl.Expr) -> pl.DataFrame:
    """Change columns of the site's pair, rows of a pair in the order of time."""
    mine = pl.lit(True) if site.pair is None else pl.col("pair") == site.pair
    return frame.with_columns(
        pl.when(mine).then(change.over("pair")).otherwise(pl.col(name)).alias(name) for name, change in changed.items()
    )


def _ahead(bars: int) -> pl.Expr:
    """Return the log return over the next bars, as the vendor's own database knows it; 0 where it does not."""
    level = pl.col("close").log().fill_nan(None).forward_fill()
    return (level.shift(-bars) - level).fill_null(0.0).clip(-0.01, 0.01)


def volume_knows(raw: pl.DataFrame, site: Site, _stream: Stream) -> pl.DataFrame:
    """Let the vendor's volume of a bar count trades of the bars after it, in the direction they went."""
    moved = _ahead(site.reach)
    return on_pair(site, raw, volume=pl.col("volume") * (moved / moved.std() * (site.strength or 0.5)).exp())


def clock_shifted(hours: int, *, summer: bool = False) -> Mechanism:
    """Let the vendor's clock of one pair be wrong, label and time of availability alike."""

    def change(raw: pl.DataFrame, site: Site, _stream: Stream) -> pl.DataFrame:
        shift = pl.duration(hours=hours * (site.reach))
        since = pl.col("timestamp").to_physical() >= SUMMER if summer else pl.lit(True)
        moved = {
            name: pl.when(since).then(pl.col(name) + shift).otherwise(pl.col(name))
            for name in ("timestamp", "available_at")
        }
        return on_pair(site, raw, **moved).sort("pair", "timestamp", "available_at")

    return delivered(change)


def smoothed_closes(raw: pl.DataFrame, site: Site, _stream: Stream) -> pl.DataFrame:
    """Let the vendor deliver closes that are means of three, the next one included."""
    price = pl.col("close").fill_nan(None).forward_fill()
    mean = (price.shift(1) + price + price.shift(-1)) / 3
    return on_pair(site, raw, close=mean.fill_null(price))


def open_ahead(raw: pl.DataFrame, site: Site, _stream: Stream) -> pl.DataFrame:
    """Let the vendor's column of opens slip by rows: a bar has the open of a later one."""
    return on_pair(site, raw, open=pl.col("open").shift(-(site.bars or 2)).fill_null(pl.col("open")))


def losers_left_out(raw: pl.DataFrame, site: Site, stream: Stream) -> pl.DataFrame:
    """Let the vendor lose bars that fell, more often than not, and splice the price over them."""
    ordered = raw.sort("pair", "timestamp", "available_at")
    level = pl.col("close").log().fill_nan(None).forward_fill().over("pair")
    moves = ordered.select(level.diff().over("pair").fill_null(0.0)).to_series().to_numpy()
    mine = np.ones(len(moves), dtype=np.bool_) if site.pair is None else (ordered["pair"] == site.pair).to_numpy()
    lost = mine & (moves < 0) & (stream.child("lost").generator().random(len(moves)) < (site.strength or 0.6))
    gone = ordered.select("pair", pl.Series("gone", np.where(lost, moves, 0.0)))
    factor = gone.select((-pl.col("gone").cum_sum().over("pair")).exp()).to_series()
    return ordered.with_columns(pl.col("open", "high", "low", "close") * factor).filter(~pl.Series(lost))


def repeated_stretch(noise: float) -> Mechanism:
    """Deliver a stretch of bars two weeks later again, continued at the level of its new place."""

    def change(raw: pl.DataFrame, site: Site, stream: Stream) -> pl.DataFrame:
        opens = raw.filter(pl.col("pair") == "EURUSD")["timestamp"].unique().sort()
        start = opens[345 + 137 * (site.fold or 0)]  # in the test part of the fold; its source in the training part
        inside = pl.col("timestamp").is_between(start, start + dt.timedelta(hours=site.bars or 96))
        if site.pair is not None:
            inside &= pl.col("pair") == site.pair
        names = ("open", "high", "low", "close", "volume")
        first = raw.sort("available_at").unique(["pair", "timestamp"], keep="first", maintain_order=True)
        source = first.select("pair", pl.col("timestamp") + SOURCE_AGE, *(pl.col(n).alias(f"_{n}") for n in names))
        joined = raw.join(source, on=["pair", "timestamp"], how="left", maintain_order="left")
        mine = inside & pl.col("_close").is_not_null()
        level = (pl.col("close") / pl.col("_close")).filter(mine).first().over("pair")
        wobble = pl.Series(1 + noise * stream.child("wobble").generator().standard_normal(raw.height))
        return joined.with_columns(
            pl.when(mine)
            .then(pl.col(f"_{n}") * wobble * (1.0 if n == "volume" else level))
            .otherwise(pl.col(n))
            .alias(n)
            for n in names
        ).drop(f"_{n}" for n in names)

    return delivered(change)


class Memory:
    """Clean bars as they were delivered, whatever bars a run is given: a store, or the data of a pretraining."""

    def __init__(self, raw: pl.DataFrame) -> None:
        self._bars = {pair: clean(bars) for pair, bars in read(raw).items()}

    def next_return(self, bars: PairBars, count: int) -> FloatArray:
        """Return what is known to have followed each bar [T], ``count`` bars on."""
        known = self._bars[bars.pair]
        level = log_close(known)
        rows = np.minimum(np.searchsorted(known.opened, bars.opened), len(known) - 1)
        return (reach(level, count) - level)[rows]


def remembered_prices(stages: Stages, site: Site) -> Planted:
    """Let the forecaster have been pretrained on data that hold the test period: it recalls a part."""

    def recall(honest: Stages, raw: pl.DataFrame) -> Stages:
        memory = Memory(raw)

        def predict(case: Case, forecast: FloatArray) -> FloatArray:
            values, rows = honest.predict(case, forecast), case.parts.test
            if not site.holds(case):
                return values
            followed = memory.next_return(case.bars, case.horizon)[rows] / case.unit[rows]
            return np.asarray(values + (site.strength or 0.3) * followed)

        return replace(honest, predict=predict)

    return Planted(stages, recall=recall)


MECHANISMS: dict[str, Mechanism] = {
    "volume_knows": delivered(volume_knows),
    "vendor_early": clock_shifted(-1),
    "vendor_late": clock_shifted(1),
    "vendor_early_in_summer": clock_shifted(-1, summer=True),
    "smoothed_closes": delivered(smoothed_closes),
    "open_ahead": delivered(open_ahead),
    "losers_left_out": delivered(losers_left_out),
    "repeated_exactly": repeated_stretch(0.0),
    "repeated_nearly": repeated_stretch(1e-8),
    "remembered_prices": remembered_prices,
    # The target is the move up to the cutoff instead of the move after it.
    "same_bar_target": in_stage(
        "label", lambda _site, honest, bars, n: Labels(move(log_close(bars), n), honest(bars, n).end)
    ),
}
