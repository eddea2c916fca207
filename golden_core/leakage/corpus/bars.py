"""Leaks in the bars: clocks that are early, cleaning and reindexing that know the future (L1.2, L3.1, L3.3)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from golden_core.leakage.corpus.planting import Mechanism, Planted, Site, in_tape, reach
from golden_core.leakage.workshop import cleaning
from golden_core.leakage.workshop.plan import Plan
from golden_core.leakage.workshop.stages import Stages
from golden_core.leakage.workshop.tape import HOUR, BoolArray, Market, Tape

SUMMER = 1_710_054_000_000_000  # 10 March 2024, 07:00 UTC: the clocks of New York go forward


def early(tape: Tape, site: Site) -> Tape:
    """Take labels of the open for labels of the close: every bar is known when it begins."""
    shift = (site.bars or 1) * HOUR
    return replace(tape, opened=tape.opened - shift, known=tape.known - shift)


def early_in_summer(tape: Tape, site: Site) -> Tape:
    """Convert the vendor's clock without daylight saving: an hour early from March on."""
    shift = np.where(tape.opened >= SUMMER, (site.bars or 1) * HOUR, 0)
    return replace(tape, opened=tape.opened - shift, known=tape.known - shift)


def last_prints(tape: Tape, _site: Site) -> Tape:
    """Keep the last print of each bar, at the time of the first: revised values before the revision."""
    order = np.lexsort((tape.known, tape.opened))
    opened = tape.opened[order]
    first, last = np.r_[True, opened[1:] != opened[:-1]], np.r_[opened[1:] != opened[:-1], True]
    kept = replace(tape.take(order[last]), known=tape.known[order[first]])
    kept = kept.take(cleaning.priced(kept))
    kept = kept.take(~cleaning.spikes(kept.close))
    return kept.take(~cleaning.stale(kept))


def _causal(tape: Tape) -> Tape:
    """Return first prints with a price: what honest cleaning begins with."""
    tape = tape.take(cleaning.first_prints(tape))
    return tape.take(cleaning.priced(tape))


def spikes_by_sample(tape: Tape, site: Site) -> Tape:
    """Remove moves beyond a multiple of the standard deviation over all rows."""
    tape = _causal(tape)
    moves = np.diff(np.log(tape.close), prepend=np.log(tape.close[:1]))
    tape = tape.take(np.abs(moves) <= (site.strength or 3.0) * moves.std())
    return tape.take(~cleaning.stale(tape))


def spikes_by_return(tape: Tape, _site: Site) -> Tape:
    """Remove a spike because the price comes back: the next bar decides."""
    tape = _causal(tape)
    level = np.log(tape.close)
    moves = np.diff(level, prepend=level[:1])
    later = reach(moves, 1)
    typical = np.median(np.abs(cleaning.before(moves, 24)), axis=1)
    tape = tape.take(~((np.abs(moves) > 3 * typical) & (moves * later < 0) & (np.abs(later) > 2 * typical)))
    return tape.take(~cleaning.stale(tape))


def winsorised_moves(tape: Tape, site: Site) -> Tape:
    """Clip the moves at quantiles of all rows and put the path together again."""
    tape = tape.take(cleaning.first_prints(tape))
    tape = tape.take(cleaning.priced(tape))
    tape = tape.take(~cleaning.spikes(tape.close))
    level = np.log(tape.close)
    moves = np.diff(level)
    if not len(moves):
        return tape
    low, high = np.quantile(moves, [site.strength or 0.01, 1 - (site.strength or 0.01)])
    path = level[0] + np.concatenate([[0.0], np.clip(moves, low, high).cumsum()])
    return replace(tape, close=np.exp(path))


def flat_runs(tape: Tape, site: Site) -> Tape:
    """Remove whole flat runs: their first bars go because of the later ones."""
    tape = _causal(tape)
    tape = tape.take(~cleaning.spikes(tape.close))
    flat = (tape.volume == 0) & (tape.high == tape.low)
    return tape.take(~(flat & _run_of(flat, site.bars or 2)))


def _run_of(flags: BoolArray, length: int) -> BoolArray:
    """Return which rows lie in a run of at least some length [T]."""
    edges = np.flatnonzero(np.diff(np.r_[False, flags, False].astype(np.int8)))
    out = np.zeros(len(flags), dtype=np.bool_)
    for start, stop in edges.reshape(-1, 2):
        out[start:stop] = stop - start >= length
    return out


def missing_by_next(tape: Tape, _site: Site) -> Tape:
    """Fill bars without a price from the next bar that has one."""
    tape = tape.take(cleaning.first_prints(tape))
    good = np.flatnonzero(cleaning.priced(tape))
    if not len(good):
        return tape.take(good)
    source = good[np.minimum(np.searchsorted(good, np.arange(len(tape))), len(good) - 1)]
    tape = replace(tape, close=tape.close[source])
    tape = tape.take(~cleaning.spikes(tape.close))
    return tape.take(~cleaning.stale(tape))


def back_adjusted(tape: Tape, _site: Site) -> Tape:
    """Multiply all prices so that the last one is round: every past price changes with the newest."""
    tape = cleaning.clean(tape)
    if not len(tape):
        return tape
    factor = 1.0 / tape.close[-1]
    prices = {name: getattr(tape, name) * factor for name in ("open", "high", "low", "close")}
    return replace(tape, **prices)


def _in_alignment(regrid: str) -> Mechanism:
    """Return a mechanism that puts a pair on the full hourly grid before anything is split."""

    def plant(stages: Stages, site: Site) -> Planted:
        def align(market: Market, plan: Plan) -> Market:
            tapes = {
                pair: _regrid(tape, regrid) if site.pair in (None, pair) and len(tape) else tape
                for pair, tape in market.tapes.items()
            }
            return stages.align(Market(tapes, market.slow), plan)

        return Planted(replace(stages, align=align))

    return plant


def _regrid(tape: Tape, how: str) -> Tape:
    grid = np.arange(tape.opened[0], tape.opened[-1] + 1, HOUR)
    ahead = np.minimum(np.searchsorted(tape.opened, grid), len(tape) - 1)
    gap = tape.opened[ahead] - tape.opened[np.maximum(np.searchsorted(tape.opened, grid, side="right") - 1, 0)]
    inside = gap <= 6 * HOUR  # holes within a week, not the weekend
    grid, ahead = grid[inside], ahead[inside]
    out = replace(tape.take(ahead), opened=grid, known=grid + HOUR)
    if how == "back_fill":
        return out
    at, have = grid.astype(np.float64), tape.opened.astype(np.float64)
    return replace(out, close=np.interp(at, have, tape.close), open=np.interp(at, have, tape.open))


def final_slow_close(stages: Stages, site: Site) -> Planted:
    """Use a slow bar from its first hour on, with the close of its last."""

    def slow(tape: Tape, plan: Plan) -> Tape:
        bars = stages.slow(tape, plan)
        return replace(bars, known=bars.opened + HOUR) if site.pair in (None, tape.pair) else bars

    return Planted(replace(stages, slow=slow))


def slow_labelled_by_open(stages: Stages, site: Site) -> Planted:
    """Take the label of a slow bar, its open, for the time it is known, less some hours of caution."""

    def slow(tape: Tape, plan: Plan) -> Tape:
        bars = stages.slow(tape, plan)
        shift = min(site.bars or 1, plan.slow - 1) * HOUR
        return replace(bars, known=bars.known - shift) if site.pair in (None, tape.pair) else bars

    return Planted(replace(stages, slow=slow))


def alive_at_the_end(stages: Stages, site: Site) -> Planted:
    """Keep a pair only if it still has prices when the sample ends: its last day decides about its first."""

    def read(raw: pl.DataFrame) -> dict[str, Tape]:
        tapes = stages.read(raw)
        return {
            pair: tape
            if site.pair not in (None, pair) or np.isfinite(tape.close[-5:]).any()
            else tape.take(slice(0, 0))
            for pair, tape in tapes.items()
        }

    return Planted(replace(stages, read=read))


MECHANISMS: dict[str, Mechanism] = {
    "early": in_tape("read", early),
    "early_in_summer": in_tape("read", early_in_summer),
    "last_prints": in_tape("clean", last_prints),
    "spikes_by_sample": in_tape("clean", spikes_by_sample),
    "spikes_by_return": in_tape("clean", spikes_by_return),
    "winsorised_moves": in_tape("clean", winsorised_moves),
    "flat_runs": in_tape("clean", flat_runs),
    "missing_by_next": in_tape("clean", missing_by_next),
    "back_adjusted": in_tape("clean", back_adjusted),
    "reindex_back_fill": _in_alignment("back_fill"),
    "reindex_interpolate": _in_alignment("interpolate"),
    "final_slow_close": final_slow_close,
    "slow_labelled_by_open": slow_labelled_by_open,
    "alive_at_the_end": alive_at_the_end,
}
