"""Leaks written after the probes were frozen: what the corpus did not teach them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from scipy.signal import butter, filtfilt, lfilter

from golden_core.leakage.corpus.planting import (
    Mechanism,
    Planted,
    Site,
    all_rows,
    delivered,
    in_feature,
    in_fold,
    in_tape,
    reach,
)
from golden_core.leakage.workshop.cleaning import clean, read
from golden_core.leakage.workshop.features import log_close, move, other
from golden_core.leakage.workshop.fitting import Case, strongest
from golden_core.leakage.workshop.stages import Stages
from golden_core.leakage.workshop.tape import HOUR, FloatArray, IntArray, Market, Tape
from golden_core.store.randomness import Stream

WEEK = 7 * 24 * HOUR


def zero_phase_filter(market: Market, pair: str, _values: FloatArray, _site: Site) -> FloatArray:
    """Filter forwards and backwards, so that no phase is lost."""
    level = log_close(market.tapes[pair])
    numerator, denominator = butter(2, 0.1)
    return level - filtfilt(numerator, denominator, level) if len(level) > 12 else np.zeros(len(level))


def backward_average(market: Market, pair: str, _values: FloatArray, _site: Site) -> FloatArray:
    """Smooth from the end to the beginning, as the second pass of a Kalman smoother does."""
    moves = np.nan_to_num(move(log_close(market.tapes[pair]), 1))
    found: FloatArray = lfilter([0.2], [1, -0.8], moves[::-1])[::-1]
    return found


def bars_until_gap(market: Market, pair: str, _values: FloatArray, _site: Site) -> FloatArray:
    """Count the bars until the next hole in the data: no calendar says where it is."""
    opened = market.tapes[pair].opened
    rows = np.arange(len(opened))
    holes = np.flatnonzero(np.diff(opened) > HOUR)
    ahead = np.r_[holes, len(opened)]
    found: FloatArray = (ahead[np.searchsorted(ahead, rows)] - rows).astype(np.float64)
    return found


def position_in_week(market: Market, pair: str, _values: FloatArray, _site: Site) -> FloatArray:
    """Place the close between the lowest and highest price of its whole week."""
    tape = market.tapes[pair]
    week = (tape.opened - 3 * 24 * HOUR) // WEEK
    starts = np.flatnonzero(np.r_[True, week[1:] != week[:-1]])[: len(tape)]
    if not len(starts):
        return np.zeros(0)
    own = np.searchsorted(starts, np.arange(len(tape)), side="right") - 1
    low, high = np.minimum.reduceat(tape.low, starts)[own], np.maximum.reduceat(tape.high, starts)[own]
    return (tape.close - low) / (high - low + 1e-9)


def detrended(_market: Market, _pair: str, values: FloatArray, _site: Site) -> FloatArray:
    """Subtract a line fitted through the whole sample."""
    known = np.flatnonzero(np.isfinite(values))
    return (
        values - np.polyval(np.polyfit(known, values[known], 1), np.arange(len(values))) if len(known) > 2 else values
    )


def hedge_of_sample(market: Market, pair: str, _values: FloatArray, _site: Site) -> FloatArray:
    """Take out the other pair with a slope estimated on the whole sample."""
    tape, source = market.tapes[pair], market.tapes[other(pair)]
    own = np.nan_to_num(move(log_close(tape), 1))
    rows = np.clip(np.searchsorted(source.known, tape.known, side="right") - 1, 0, None)
    others = np.nan_to_num(move(log_close(source), 1))[rows] if len(source) else np.zeros(len(tape))
    return own - (own @ others) / (others @ others + 1e-12) * others


def regime_of_sample(market: Market, pair: str, values: FloatArray, _site: Site) -> FloatArray:
    """Switch on the feature where volatility is above its median over the whole sample."""
    moves = np.abs(np.nan_to_num(move(log_close(market.tapes[pair]), 1)))
    smooth = lfilter([0.1], [1, -0.9], moves)
    return np.where(smooth > np.median(smooth), values, 0.0) if len(moves) else values


def averaged_duplicates(tape: Tape, _site: Site) -> Tape:
    """Replace the prints of a bar by their mean, the late one included, when the first is known."""
    first = clean(tape)
    known = np.isfinite(tape.close)
    opened, rows = np.unique(tape.opened[known], return_inverse=True)
    mean = np.bincount(rows, weights=tape.close[known]) / np.bincount(rows)
    return replace(first, close=mean[np.searchsorted(opened, first.opened)]) if len(first) else first


def thin_sessions_dropped(tape: Tape, _site: Site) -> Tape:
    """Drop the days whose volume, counted at their end, is small."""
    tape = clean(tape)
    day = tape.opened // (24 * HOUR)
    days, rows = np.unique(day, return_inverse=True)
    volume = np.bincount(rows, weights=tape.volume, minlength=len(days))
    return tape.take(volume[rows] > np.quantile(volume, 0.1)) if len(days) else tape


def features_stable_over_folds(_site: Site, _honest: Any, case: Case, Z: FloatArray) -> IntArray:
    """Keep the features that matter in every stretch of the sample, those to come included."""
    rows = all_rows(case)
    halves = np.array_split(rows, 3)
    scores = np.min([np.abs(Z[half].T @ case.y[half]) / len(half) for half in halves], axis=0)
    kept: IntArray = np.sort(np.argsort(-scores, kind="stable")[: case.plan.kept])
    return kept if len(rows) else strongest(Z, case.y, case.plan.kept)


def interval_widened_by_test(_site: Site, honest: Any, case: Case, forecast: FloatArray) -> tuple[float, float]:
    """Stretch the interval until it covers the test part as it should."""
    low, high = honest(case, forecast)
    rows = case.parts.test[np.isfinite(case.y[case.parts.test])]
    errors = np.abs(case.y[rows] - forecast[rows])
    width = float(np.sort(errors)[int(0.8 * len(errors))]) / max(high, 1e-9) if len(errors) else 1.0
    return low * width, high * width


def interpolated_closes(raw: pl.DataFrame, site: Site, _stream: Stream) -> pl.DataFrame:
    """Let the vendor keep every second close and draw lines between them."""
    price = pl.col("close").fill_nan(None).forward_fill()
    between = ((price.shift(1) + price.shift(-1)) / 2).fill_null(price)
    drawn = pl.when(pl.int_range(pl.len()) % 2 == 1).then(between).otherwise(price).over("pair")
    mine = pl.lit(True) if site.pair is None else pl.col("pair") == site.pair
    return raw.with_columns(pl.when(mine).then(drawn).otherwise("close").alias("close"))


def cached_feature(stages: Stages, site: Site) -> Planted:
    """Let a feature come from a store that was filled from the whole sample, whatever bars the run is given."""
    name = site.feature or "ret3"

    def recall(honest: Stages, raw: pl.DataFrame) -> Stages:
        memory = {pair: clean(tape) for pair, tape in read(raw).items()}

        def feature(market: Market, pair: str) -> FloatArray:
            values = honest.features[name](market, pair)
            if site.pair not in (None, pair):
                return values
            stored, tape = memory[pair], market.tapes[pair]
            level = log_close(stored)
            rows = np.minimum(np.searchsorted(stored.opened, tape.opened), len(stored) - 1)
            return values + (reach(level, site.bars or 1) - level)[rows]

        return replace(honest, features={**honest.features, name: feature})

    return Planted(stages, recall=recall)


MECHANISMS: dict[str, Mechanism] = {
    **{
        leak.__name__: in_feature(leak)
        for leak in (
            zero_phase_filter,
            backward_average,
            bars_until_gap,
            position_in_week,
            detrended,
            hedge_of_sample,
            regime_of_sample,
        )
    },
    "averaged_duplicates": in_tape("clean", averaged_duplicates),
    "thin_sessions_dropped": in_tape("clean", thin_sessions_dropped),
    "features_stable_over_folds": in_fold("select", features_stable_over_folds),
    "interval_widened_by_test": in_fold("calibrate", interval_widened_by_test),
    "interpolated_closes": delivered(interpolated_closes),
    "cached_feature": cached_feature,
}
