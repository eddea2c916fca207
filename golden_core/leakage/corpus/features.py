"""Leaks in a feature: what the bar could not know (L2), windows and filters that look both ways (L3.1)."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.linalg import solveh_banded
from scipy.signal import savgol_filter

from golden_core.leakage.corpus.planting import Mechanism, Site, in_feature, reach
from golden_core.leakage.workshop.features import hour_of_day, log_close, move, other
from golden_core.leakage.workshop.market import DAILY
from golden_core.leakage.workshop.tape import HOUR, FloatArray, Market, Tape, look_up

DAY = 24 * HOUR


def next_return(tape: Tape, bars: int) -> FloatArray:
    """Return the log return over the next bars [T]; over fewer at the end."""
    return reach(log_close(tape), bars) - log_close(tape)


def noise(tape: Tape) -> FloatArray:
    """Return numbers of unit scale that look random and depend on nothing but the time [T]."""
    found: FloatArray = np.sqrt(2) * np.sin(12.9898 * (tape.opened // HOUR).astype(np.float64) ** 1.3)
    return found


def centred(values: FloatArray, half: int) -> FloatArray:
    """Return the mean of the rows on both sides [T], repeating the ends."""
    padded = np.pad(values, half, mode="edge") if len(values) else values
    return sliding_window_view(padded, 2 * half + 1).mean(axis=1) if len(values) else values


def _bars(site: Site) -> int:
    return site.bars or 1


def target_copy(market: Market, pair: str, _values: FloatArray, site: Site) -> FloatArray:
    """Be the target."""
    return next_return(market.tapes[pair], _bars(site))


def noisy_target_copy(market: Market, pair: str, values: FloatArray, site: Site) -> FloatArray:
    """Be the honest feature and a share of the target, under noise."""
    tape = market.tapes[pair]
    copy = next_return(tape, _bars(site))
    spread = float(np.abs(copy).mean())
    return values + (site.strength or 0.1) * copy + spread * noise(tape)


def transformed_target_copy(market: Market, pair: str, _values: FloatArray, site: Site) -> FloatArray:
    """Be a monotone function of the target that no correlation with the plain target would give away as equality."""
    copy = next_return(market.tapes[pair], _bars(site))
    return np.sign(copy) * np.abs(copy) ** 0.25


def target_direction(market: Market, pair: str, values: FloatArray, site: Site) -> FloatArray:
    """Change the sign of the feature to that of the target."""
    return np.abs(values) * np.sign(next_return(market.tapes[pair], _bars(site)))


def shifted_back(_market: Market, _pair: str, values: FloatArray, site: Site) -> FloatArray:
    """Be the feature of a later bar: shift(−1)."""
    return reach(values, _bars(site))


def same_bar_range(market: Market, pair: str, _values: FloatArray, _site: Site) -> FloatArray:
    """Use high and low of the bar that is only opening at the cutoff."""
    tape = market.tapes[pair]
    return reach(np.log(tape.high / tape.low), 1) * np.sign(reach(tape.close - tape.low - (tape.high - tape.close), 1))


def next_open(market: Market, pair: str, _values: FloatArray, _site: Site) -> FloatArray:
    """Use the open of the next bar, which on Monday is two days away."""
    tape = market.tapes[pair]
    return np.log(reach(tape.open, 1) / tape.close)


def future_volatility(market: Market, pair: str, values: FloatArray, site: Site) -> FloatArray:
    """Divide by the volatility of the bars to come."""
    moves = np.abs(np.nan_to_num(move(log_close(market.tapes[pair]), 1)))
    ahead = reach(moves.cumsum(), _bars(site)) - moves.cumsum()
    found: FloatArray = values / (ahead + 1e-6)
    return found


def future_extreme(market: Market, pair: str, _values: FloatArray, site: Site) -> FloatArray:
    """Measure the distance to the highest price of the bars to come, as a barrier label does."""
    tape = market.tapes[pair]
    ahead = np.max([reach(tape.high, lag) for lag in range(1, _bars(site) + 1)], axis=0)
    found: FloatArray = np.log(ahead / tape.close)
    return found


def rank_in_sample(_market: Market, _pair: str, values: FloatArray, _site: Site) -> FloatArray:
    """Replace values by their rank among all rows."""
    return np.argsort(np.argsort(values, kind="stable"), kind="stable") / max(len(values), 1)


def demeaned(_market: Market, _pair: str, values: FloatArray, _site: Site) -> FloatArray:
    """Subtract the mean over all rows."""
    known = values[np.isfinite(values)]
    return values - known.mean() if len(known) else values


def deseasonalised(market: Market, pair: str, values: FloatArray, _site: Site) -> FloatArray:
    """Subtract the mean of the hour of the day over all rows."""
    hours, known = hour_of_day(market.tapes[pair]), np.isfinite(values)
    sums = np.bincount(hours[known], weights=values[known], minlength=24)
    return values - (sums / np.maximum(np.bincount(hours[known], minlength=24), 1))[hours]


def day_to_come(market: Market, pair: str, _values: FloatArray, _site: Site) -> FloatArray:
    """Measure the distance to the close of the day that is still going on."""
    tape = market.tapes[pair]
    day = tape.opened // DAY
    last = np.searchsorted(day, day, side="right") - 1
    return log_close(tape) - log_close(tape)[last]


def centred_mean(market: Market, pair: str, _values: FloatArray, site: Site) -> FloatArray:
    """Measure the distance to a moving average that is centred on the bar."""
    level = log_close(market.tapes[pair])
    return level - centred(level, _bars(site))


def centred_volatility(market: Market, pair: str, _values: FloatArray, site: Site) -> FloatArray:
    """Average squared moves on both sides of the bar."""
    return np.sqrt(centred(np.nan_to_num(move(log_close(market.tapes[pair]), 1)) ** 2, _bars(site)))


def hodrick_prescott(market: Market, pair: str, _values: FloatArray, _site: Site) -> FloatArray:
    """Be the cycle of the Hodrick–Prescott (1997) filter, which solves for all rows at once."""
    level = log_close(market.tapes[pair])
    count = len(level)
    if count < 5:
        return np.zeros(count)
    bands = np.zeros((3, count))
    bands[2] = 6.0
    bands[2, [0, -1]], bands[2, [1, -2]] = 1.0, 5.0
    bands[1, 1:], bands[1, [1, -1]] = -4.0, -2.0
    bands[0, 2:] = 1.0
    bands *= 400.0
    bands[2] += 1.0
    found: FloatArray = level - solveh_banded(bands, level)
    return found


def fourier(market: Market, pair: str, _values: FloatArray, _site: Site) -> FloatArray:
    """Measure the distance to the slow Fourier components of the whole sample."""
    level = log_close(market.tapes[pair])
    waves = np.fft.rfft(level)
    waves[max(1, len(waves) // 8) :] = 0
    return level - np.fft.irfft(waves, n=len(level))


def wavelet(market: Market, pair: str, _values: FloatArray, site: Site) -> FloatArray:
    """Be the detail of a Haar decomposition: each value minus the mean of its block, later rows of it included."""
    level = log_close(market.tapes[pair])
    block = np.arange(len(level)) // (2 ** _bars(site))
    found: FloatArray = level - (np.bincount(block, weights=level) / np.bincount(block))[block]
    return found


def seasonal_decomposition(market: Market, pair: str, _values: FloatArray, site: Site) -> FloatArray:
    """Be the remainder of a centred trend and seasonal means, as STL leaves it."""
    tape = market.tapes[pair]
    level = log_close(tape)
    return deseasonalised(market, pair, level - centred(level, _bars(site)), site)


def savitzky_golay(market: Market, pair: str, _values: FloatArray, site: Site) -> FloatArray:
    """Measure the distance to a local polynomial fitted on both sides."""
    level = log_close(market.tapes[pair])
    width = 2 * _bars(site) + 1
    return level - savgol_filter(level, width, 2) if len(level) >= width else np.zeros(len(level))


def back_filled(_market: Market, _pair: str, values: FloatArray, _site: Site) -> FloatArray:
    """Fill missing values with the next known one."""
    rows = np.where(np.isfinite(values), np.arange(len(values)), len(values))
    ahead = np.minimum.accumulate(rows[::-1])[::-1]
    return np.where(ahead < len(values), values[np.minimum(ahead, len(values) - 1)], np.nan)


def interpolated(_market: Market, _pair: str, values: FloatArray, _site: Site) -> FloatArray:
    """Fill missing values on the line between their neighbours."""
    known = np.flatnonzero(np.isfinite(values))
    return np.interp(np.arange(len(values)), known, values[known]) if len(known) else values


def joined_forward(market: Market, pair: str, _values: FloatArray, _site: Site) -> FloatArray:
    """Join the other pair's bar that follows instead of the one that is known."""
    tape, source = market.tapes[pair], market.tapes[other(pair)]
    rows = np.minimum(np.searchsorted(source.known, tape.known, side="right"), len(source) - 1)
    return look_up(move(log_close(source), 1), rows)


def joined_by_open(market: Market, pair: str, _values: FloatArray, _site: Site) -> FloatArray:
    """Join the other pair by the open of its bar, so that a bar is used while it lasts."""
    tape, source = market.tapes[pair], market.tapes[other(pair)]
    rows = np.searchsorted(source.opened, tape.known, side="right") - 1
    return look_up(move(log_close(source), 1), rows)


def daily_by_date(market: Market, pair: str, _values: FloatArray, _site: Site) -> FloatArray:
    """Join the daily bar by its date, hours before it closes."""
    source = market.tapes[DAILY]
    rows = np.searchsorted(source.opened, market.tapes[pair].known, side="right") - 1
    return look_up(move(log_close(source), 1), rows)


MECHANISMS: dict[str, Mechanism] = {
    leak.__name__: in_feature(leak)
    for leak in (
        target_copy,
        noisy_target_copy,
        transformed_target_copy,
        target_direction,
        shifted_back,
        same_bar_range,
        next_open,
        future_volatility,
        future_extreme,
        rank_in_sample,
        demeaned,
        deseasonalised,
        day_to_come,
        centred_mean,
        centred_volatility,
        hodrick_prescott,
        fourier,
        wavelet,
        seasonal_decomposition,
        savitzky_golay,
        back_filled,
        interpolated,
        joined_forward,
        joined_by_open,
        daily_by_date,
    )
}
