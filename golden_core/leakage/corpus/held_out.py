"""Leaks written after the probes were frozen: what the corpus did not teach them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from scipy.signal import butter, filtfilt, lfilter

from golden_core.leakage.corpus.delivery import Memory, on_pair
from golden_core.leakage.corpus.planting import (
    Mechanism,
    Planted,
    Site,
    Spot,
    all_rows,
    delivered,
    in_cleaning,
    in_feature,
    in_stage,
)
from golden_core.leakage.testbed.cleaning import clean
from golden_core.leakage.testbed.features import log_close, move
from golden_core.leakage.testbed.fitting import Case
from golden_core.leakage.testbed.pair_bars import HOUR, FloatArray, IntArray, Market, PairBars
from golden_core.leakage.testbed.pipeline import Stages
from golden_core.store.randomness import Stream

WEEK = 7 * 24 * HOUR


def _bars_until_gap(at: Spot) -> FloatArray:
    """Count the bars until the next hole in the data: no calendar says where it is."""
    rows = np.arange(len(at.bars))
    ahead = np.r_[np.flatnonzero(np.diff(at.bars.opened) > HOUR), len(rows)]
    return np.asarray((ahead[np.searchsorted(ahead, rows)] - rows).astype(np.float64))


def _position_in_week(at: Spot) -> FloatArray:
    """Place the close between the lowest and highest price of its whole week."""
    week = (at.bars.opened - 3 * 24 * HOUR) // WEEK
    starts = np.flatnonzero(np.r_[True, week[1:] != week[:-1]])[: len(at.bars)]
    if not len(starts):
        return np.zeros(0)
    own = np.searchsorted(starts, np.arange(len(at.bars)), side="right") - 1
    low, high = np.minimum.reduceat(at.bars.low, starts)[own], np.maximum.reduceat(at.bars.high, starts)[own]
    return (at.bars.close - low) / (high - low + 1e-9)


def _detrended(at: Spot) -> FloatArray:
    """Subtract a line fitted through the whole sample."""
    known = np.flatnonzero(np.isfinite(at.values))
    if len(known) <= 2:
        return at.values
    line = np.polyfit(known, at.values[known], 1)
    return np.asarray(at.values - np.polyval(line, np.arange(len(at.values))))


def _hedge_of_sample(at: Spot) -> FloatArray:
    """Take out the other pair with a slope estimated on the whole sample."""
    source = at.others
    rows = np.clip(np.searchsorted(source.known, at.bars.known, side="right") - 1, 0, None)
    others = np.nan_to_num(move(log_close(source), 1))[rows] if len(source) else np.zeros(len(at.bars))
    return at.moves - (at.moves @ others) / (others @ others + 1e-12) * others


def _regime_of_sample(at: Spot) -> FloatArray:
    """Switch on the feature where volatility is above its median over the whole sample."""
    smooth = lfilter([0.1], [1, -0.9], np.abs(at.moves))
    return np.where(smooth > np.median(smooth), at.values, 0.0) if len(smooth) else at.values


def _averaged_duplicates(bars: PairBars, _site: Site) -> PairBars:
    """Replace the prints of a bar by their mean, the late one included, when the first is known."""
    first = clean(bars)
    known = np.isfinite(bars.close)
    opened, rows = np.unique(bars.opened[known], return_inverse=True)
    mean = np.bincount(rows, weights=bars.close[known]) / np.bincount(rows)
    return replace(first, close=mean[np.searchsorted(opened, first.opened)]) if len(first) else first


def _thin_sessions_dropped(bars: PairBars, _site: Site) -> PairBars:
    """Drop the days whose volume, counted at their end, is small."""
    bars = clean(bars)
    day = bars.opened // (24 * HOUR)
    days, rows = np.unique(day, return_inverse=True)
    volume = np.bincount(rows, weights=bars.volume, minlength=len(days))
    return bars.take(volume[rows] > np.quantile(volume, 0.1)) if len(days) else bars


def _features_stable_over_folds(_site: Site, honest: Any, case: Case, Z: FloatArray) -> IntArray:
    """Keep the features that matter in every stretch of the sample, those to come included."""
    rows = all_rows(case)
    halves = np.array_split(rows, 3)
    scores = np.min([np.abs(Z[half].T @ case.y[half]) / len(half) for half in halves], axis=0)
    kept: IntArray = np.sort(np.argsort(-scores, kind="stable")[: case.plan.kept])
    return kept if len(rows) else honest(case, Z)


def _interval_widened_by_test(_site: Site, honest: Any, case: Case, forecast: FloatArray) -> tuple[float, float]:
    """Stretch the interval until it covers the test part as it should."""
    low, high = honest(case, forecast)
    rows = case.parts.test[np.isfinite(case.y[case.parts.test])]
    errors = np.abs(case.y[rows] - forecast[rows])
    width = float(np.sort(errors)[int(0.8 * len(errors))]) / max(high, 1e-9) if len(errors) else 1.0
    return low * width, high * width


def _interpolated_closes(raw: pl.DataFrame, site: Site, _stream: Stream) -> pl.DataFrame:
    """Let the vendor keep every second close and draw lines between them."""
    price = pl.col("close").fill_nan(None).forward_fill()
    between = ((price.shift(1) + price.shift(-1)) / 2).fill_null(price)
    return on_pair(site, raw, close=pl.when(pl.int_range(pl.len()) % 2 == 1).then(between).otherwise(price))


def _cached_feature(stages: Stages, site: Site) -> Planted:
    """Let a feature come from a store that was filled from the whole sample, whatever bars the run is given."""
    name = site.feature or "ret3"

    def recall(honest: Stages, raw: pl.DataFrame) -> Stages:
        memory = Memory(raw)

        def feature(market: Market, pair: str) -> FloatArray:
            values = honest.features[name](market, pair)
            return values + memory.next_return(market.bars[pair], site.reach) if site.at(pair) else values

        return replace(honest, features={**honest.features, name: feature})

    return Planted(stages, recall=recall)


MECHANISMS: dict[str, Mechanism] = {
    # Filtered forwards and backwards, so that no phase is lost.
    "zero_phase_filter": in_feature(
        lambda at: at.level - filtfilt(*butter(2, 0.1), at.level) if len(at.level) > 12 else np.zeros(len(at.level))
    ),
    # Smoothed from the end to the beginning, as the second pass of a Kalman smoother does.
    "backward_average": in_feature(lambda at: lfilter([0.2], [1, -0.8], at.moves[::-1])[::-1]),
    "bars_until_gap": in_feature(_bars_until_gap),
    "position_in_week": in_feature(_position_in_week),
    "detrended": in_feature(_detrended),
    "hedge_of_sample": in_feature(_hedge_of_sample),
    "regime_of_sample": in_feature(_regime_of_sample),
    "averaged_duplicates": in_cleaning(_averaged_duplicates),
    "thin_sessions_dropped": in_cleaning(_thin_sessions_dropped),
    "features_stable_over_folds": in_stage("select", _features_stable_over_folds),
    "interval_widened_by_test": in_stage("calibrate", _interval_widened_by_test),
    "interpolated_closes": delivered(_interpolated_closes),
    "cached_feature": _cached_feature,
}
