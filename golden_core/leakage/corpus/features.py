"""Leaks in a feature: what the bar could not know (L2), windows and filters that look both ways (L3.1)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.linalg import solveh_banded
from scipy.signal import savgol_filter

from golden_core.leakage.corpus.planting import Mechanism, Spot, in_feature, reach
from golden_core.leakage.testbed.features import hour_of_day, log_close, move
from golden_core.leakage.testbed.market import DAILY
from golden_core.leakage.testbed.pair_bars import HOUR, FloatArray, IntArray, PairBars, look_up


def _centred(values: FloatArray, half: int) -> FloatArray:
    """Return the mean of the rows on both sides [T], repeating the ends."""
    if len(values) == 0:
        return values
    windows = sliding_window_view(np.pad(values, half, mode="edge"), 2 * half + 1)
    return np.asarray(windows.mean(axis=1))


def _deseasonalised(at: Spot, values: FloatArray) -> FloatArray:
    """Subtract the mean of the hour of the day over all rows."""
    hours, known = hour_of_day(at.bars), np.isfinite(values)
    sums = np.bincount(hours[known], weights=values[known], minlength=24)
    return values - (sums / np.maximum(np.bincount(hours[known], minlength=24), 1))[hours]


def _hodrick_prescott(at: Spot) -> FloatArray:
    """Be the cycle of the Hodrick–Prescott (1997) filter, which solves for all rows at once."""
    count = len(at.level)
    if count < 5:
        return np.zeros(count)
    bands = np.zeros((3, count))
    bands[2] = 6.0
    bands[2, [0, -1]], bands[2, [1, -2]] = 1.0, 5.0
    bands[1, 1:], bands[1, [1, -1]] = -4.0, -2.0
    bands[0, 2:] = 1.0
    bands *= 400.0
    bands[2] += 1.0
    return np.asarray(at.level - solveh_banded(bands, at.level))


def _back_filled(at: Spot) -> FloatArray:
    rows = np.where(np.isfinite(at.values), np.arange(len(at.values)), len(at.values))
    ahead = np.minimum.accumulate(rows[::-1])[::-1]
    return np.where(ahead < len(at.values), at.values[np.minimum(ahead, len(at.values) - 1)], np.nan)


def _demeaned(at: Spot) -> FloatArray:
    known = at.values[np.isfinite(at.values)]
    return at.values - known.mean() if len(known) else at.values


def _day_to_come(at: Spot) -> FloatArray:
    """Measure the distance to the close of the day that is still going on."""
    day = at.bars.opened // (24 * HOUR)
    return at.level - at.level[np.searchsorted(day, day, side="right") - 1]


def _fourier(at: Spot) -> FloatArray:
    """Measure the distance to the slow Fourier components of the whole sample."""
    waves = np.fft.rfft(at.level)
    waves[max(1, len(waves) // 8) :] = 0
    return at.level - np.fft.irfft(waves, n=len(at.level))


def _interpolated(at: Spot) -> FloatArray:
    known = np.flatnonzero(np.isfinite(at.values))
    return np.interp(np.arange(len(at.values)), known, at.values[known]) if len(known) else at.values


def _noisy_copy(at: Spot) -> FloatArray:
    """Add a share of the target to the feature, under noise that depends on nothing but the time."""
    noise = np.sqrt(2) * np.sin(12.9898 * (at.bars.opened // HOUR).astype(np.float64) ** 1.3)
    size = float(np.abs(at.next_return).mean())
    return np.asarray(at.values + (at.site.strength or 0.1) * at.next_return + size * noise)


def _wavelet(at: Spot) -> FloatArray:
    """Be the detail of a Haar decomposition: each value minus the mean of its block, later rows of it included."""
    block = np.arange(len(at.level)) // (2**at.site.reach)
    return np.asarray(at.level - (np.bincount(block, weights=at.level) / np.bincount(block))[block])


def _joined(source: PairBars, times: IntArray, at: Spot, *, behind: int) -> FloatArray:
    """Join the last move of a source to the bars by the last of some times known at each, or the one behind it."""
    rows = np.searchsorted(times, at.bars.known, side="right") - 1 + behind
    return look_up(move(log_close(source), 1), np.minimum(rows, len(source) - 1))


LEAKS: dict[str, Callable[[Spot], FloatArray]] = {
    "target_copy": lambda at: at.next_return,
    "noisy_target_copy": _noisy_copy,
    # A monotone function, which no correlation with the plain target gives away as equality.
    "transformed_target_copy": lambda at: np.sign(at.next_return) * np.abs(at.next_return) ** 0.25,
    "target_direction": lambda at: np.abs(at.values) * np.sign(at.next_return),
    "shifted_back": lambda at: reach(at.values, at.site.reach),
    # High and low of the bar that is only opening at the cutoff.
    "same_bar_range": lambda at: (
        reach(np.log(at.bars.high / at.bars.low), 1)
        * np.sign(reach(at.bars.close - at.bars.low - (at.bars.high - at.bars.close), 1))
    ),
    "next_open": lambda at: np.log(reach(at.bars.open, 1) / at.bars.close),
    "future_volatility": lambda at: (
        at.values / (reach(np.abs(at.moves).cumsum(), at.site.reach) - np.abs(at.moves).cumsum() + 1e-6)
    ),
    # The distance to the highest price of the bars to come, as a barrier label has it.
    "future_extreme": lambda at: np.log(
        np.max([reach(at.bars.high, lag) for lag in range(1, at.site.reach + 1)], axis=0) / at.bars.close
    ),
    "rank_in_sample": lambda at: (
        np.argsort(np.argsort(at.values, kind="stable"), kind="stable") / max(len(at.values), 1)
    ),
    "demeaned": _demeaned,
    "deseasonalised": lambda at: _deseasonalised(at, at.values),
    "day_to_come": _day_to_come,
    "centred_mean": lambda at: at.level - _centred(at.level, at.site.reach),
    "centred_volatility": lambda at: np.sqrt(_centred(at.moves**2, at.site.reach)),
    "hodrick_prescott": _hodrick_prescott,
    "fourier": _fourier,
    "wavelet": _wavelet,
    # The remainder of a centred trend and seasonal means, as STL leaves it.
    "seasonal_decomposition": lambda at: _deseasonalised(at, at.level - _centred(at.level, at.site.reach)),
    # The distance to a local polynomial fitted on both sides.
    "savitzky_golay": lambda at: (
        at.level - savgol_filter(at.level, 2 * at.site.reach + 1, 2)
        if len(at.level) > 2 * at.site.reach
        else np.zeros(len(at.level))
    ),
    "back_filled": _back_filled,
    "interpolated": _interpolated,
    # The other pair's bar that follows instead of the one that is known.
    "joined_forward": lambda at: _joined(at.others, at.others.known, at, behind=1),
    # Bars joined by their open, so that one is used while it lasts.
    "joined_by_open": lambda at: _joined(at.others, at.others.opened, at, behind=0),
    "daily_by_date": lambda at: _joined(at.market.bars[DAILY], at.market.bars[DAILY].opened, at, behind=0),
}
MECHANISMS: dict[str, Mechanism] = {name: in_feature(leak) for name, leak in LEAKS.items()}
