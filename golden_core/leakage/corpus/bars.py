"""Leaks in the bars: clocks that are early, cleaning and reindexing that know the future (L1.2, L3.1, L3.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from golden_core.leakage.corpus.planting import Mechanism, Site, in_cleaning, in_reading, in_stage, reach
from golden_core.leakage.testbed.cleaning import before, clean, first_prints, priced, sound, spikes, stale
from golden_core.leakage.testbed.market import Plan
from golden_core.leakage.testbed.pair_bars import HOUR, Market, PairBars

Slow = Callable[[PairBars, Plan], PairBars]
SUMMER = 1_710_054_000_000_000  # 10 March 2024, 07:00 UTC: the clocks of New York go forward


def _early(bars: PairBars, site: Site, since: int = 0) -> PairBars:
    """Let bars from a time on be known when they begin: labels of the open taken for labels of the close."""
    shift = np.where(bars.opened >= since, site.reach * HOUR, 0)
    return replace(bars, opened=bars.opened - shift, known=bars.known - shift)


def _last_prints(bars: PairBars, _site: Site) -> PairBars:
    """Keep the last print of each bar, at the time of the first: revised values before the revision."""
    order = np.lexsort((bars.known, bars.opened))
    opened = bars.opened[order]
    first, last = np.r_[True, opened[1:] != opened[:-1]], np.r_[opened[1:] != opened[:-1], True]
    kept = replace(bars.take(order[last]), known=bars.known[order[first]])
    return sound(kept)


def _with_price(bars: PairBars) -> PairBars:
    """Return first prints with a price: what honest cleaning begins with."""
    bars = bars.take(first_prints(bars))
    return bars.take(priced(bars))


def _without_spikes(bars: PairBars) -> PairBars:
    bars = _with_price(bars)
    return bars.take(~spikes(bars.close))


def _spikes_by_sample(bars: PairBars, site: Site) -> PairBars:
    """Remove moves beyond a multiple of the standard deviation over all rows."""
    bars = _with_price(bars)
    moves = np.diff(np.log(bars.close), prepend=np.log(bars.close[:1]))
    bars = bars.take(np.abs(moves) <= (site.strength or 3.0) * moves.std())
    return bars.take(~stale(bars))


def _spikes_by_return(bars: PairBars, _site: Site) -> PairBars:
    """Remove a spike because the price comes back: the next bar decides."""
    bars = _with_price(bars)
    level = np.log(bars.close)
    moves = np.diff(level, prepend=level[:1])
    later = reach(moves, 1)
    typical = np.median(np.abs(before(moves, 24)), axis=1)
    bars = bars.take(~((np.abs(moves) > 3 * typical) & (moves * later < 0) & (np.abs(later) > 2 * typical)))
    return bars.take(~stale(bars))


def _winsorised_moves(bars: PairBars, site: Site) -> PairBars:
    """Clip the moves at quantiles of all rows and put the path together again."""
    bars = _without_spikes(bars)
    level = np.log(bars.close)
    moves = np.diff(level)
    if not len(moves):
        return bars
    low, high = np.quantile(moves, [site.strength or 0.01, 1 - (site.strength or 0.01)])
    path = level[0] + np.concatenate([[0.0], np.clip(moves, low, high).cumsum()])
    return replace(bars, close=np.exp(path))


def _flat_runs(bars: PairBars, site: Site) -> PairBars:
    """Remove whole flat runs: their first bars go because of the later ones."""
    bars = _without_spikes(bars)
    flat = (bars.volume == 0) & (bars.high == bars.low)
    edges = np.flatnonzero(np.diff(np.r_[False, flat, False].astype(np.int8)))
    kept = np.ones(len(flat), dtype=np.bool_)
    for start, stop in edges.reshape(-1, 2):
        kept[start:stop] = stop - start < (site.bars or 2)
    return bars.take(kept)


def _missing_by_next(bars: PairBars, _site: Site) -> PairBars:
    """Fill bars without a price from the next bar that has one."""
    bars = bars.take(first_prints(bars))
    good = np.flatnonzero(priced(bars))
    if not len(good):
        return bars.take(good)
    source = good[np.minimum(np.searchsorted(good, np.arange(len(bars))), len(good) - 1)]
    return sound(replace(bars, close=bars.close[source]))


def _back_adjusted(bars: PairBars, _site: Site) -> PairBars:
    """Multiply all prices so that the last one is round: every past price changes with the newest."""
    bars = clean(bars)
    if not len(bars):
        return bars
    factor = 1.0 / bars.close[-1]
    return replace(bars, **{name: getattr(bars, name) * factor for name in ("open", "high", "low", "close")})


def _in_alignment(how: str) -> Mechanism:
    """Return a mechanism that puts a pair on the full hourly grid before anything is split."""

    def leak(site: Site, _honest: Any, market: Market, _plan: Plan) -> Market:
        own = {pair: _regrid(bars, how) for pair, bars in market.bars.items() if site.at(pair) and len(bars)}
        return Market({**market.bars, **own}, market.slow)

    return in_stage("align", leak)


def _regrid(bars: PairBars, how: str) -> PairBars:
    grid = np.arange(bars.opened[0], bars.opened[-1] + 1, HOUR)
    ahead = np.minimum(np.searchsorted(bars.opened, grid), len(bars) - 1)
    gap = bars.opened[ahead] - bars.opened[np.maximum(np.searchsorted(bars.opened, grid, side="right") - 1, 0)]
    inside = gap <= 6 * HOUR  # holes within a week, not the weekend
    grid, ahead = grid[inside], ahead[inside]
    out = replace(bars.take(ahead), opened=grid, known=grid + HOUR)
    if how == "back_fill":
        return out
    at, have = grid.astype(np.float64), bars.opened.astype(np.float64)
    return replace(out, close=np.interp(at, have, bars.close), open=np.interp(at, have, bars.open))


def _final_slow_close(_site: Site, honest: Slow, bars: PairBars, plan: Plan) -> PairBars:
    """Use a slow bar from its first hour on, with the close of its last."""
    slow = honest(bars, plan)
    return replace(slow, known=slow.opened + HOUR)


def _slow_labelled_by_open(site: Site, honest: Slow, bars: PairBars, plan: Plan) -> PairBars:
    """Take the label of a slow bar, its open, for the time it is known, less some hours of caution."""
    slow = honest(bars, plan)
    return replace(slow, known=slow.known - min(site.reach, plan.slow - 1) * HOUR)


MECHANISMS: dict[str, Mechanism] = {
    "early": in_reading(_early),
    "early_in_summer": in_reading(lambda bars, site: _early(bars, site, SUMMER)),
    "last_prints": in_cleaning(_last_prints),
    "spikes_by_sample": in_cleaning(_spikes_by_sample),
    "spikes_by_return": in_cleaning(_spikes_by_return),
    "winsorised_moves": in_cleaning(_winsorised_moves),
    "flat_runs": in_cleaning(_flat_runs),
    "missing_by_next": in_cleaning(_missing_by_next),
    "back_adjusted": in_cleaning(_back_adjusted),
    "reindex_back_fill": _in_alignment("back_fill"),
    "reindex_interpolate": _in_alignment("interpolate"),
    "final_slow_close": in_stage("slow", _final_slow_close),
    "slow_labelled_by_open": in_stage("slow", _slow_labelled_by_open),
    # A pair is kept only if it still has prices when the sample ends: its last day decides about its first.
    "alive_at_the_end": in_reading(
        lambda bars, _site: bars if np.isfinite(bars.close[-5:]).any() else bars.take(slice(0, 0))
    ),
}
