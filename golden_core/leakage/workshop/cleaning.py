"""From raw bars to tapes: reading, cleaning, slow bars. Every rule looks back only."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.lib.stride_tricks import sliding_window_view

from golden_core.leakage.workshop.plan import Plan
from golden_core.leakage.workshop.tape import HOUR, BoolArray, FloatArray, IntArray, Tape, tape_of

SPIKE = 20.0  # typical moves away from the recent median
FLAT_RUN = 3  # bars in a row without a trade before the feed is held to be stale


def read(raw: pl.DataFrame) -> dict[str, Tape]:
    """Return one tape per pair with every print that the vendor delivered."""
    return {frame["pair"][0]: tape_of(frame) for frame in raw.partition_by("pair")}


def clean(tape: Tape) -> Tape:
    """Keep the first print of each bar; drop bars without a price, spikes, and the tail of flat runs."""
    tape = tape.take(first_prints(tape))
    tape = tape.take(priced(tape))
    tape = tape.take(~spikes(tape.close))
    return tape.take(~stale(tape))


def first_prints(tape: Tape) -> IntArray:
    """Return the positions of the first print of each bar, in the order of time; a print that comes late never counts.

    A bar whose first print is known only after a later bar would be in no feature of that later bar, and a hole in
    them cannot be filled afterwards.
    """
    order = np.lexsort((tape.known, tape.opened))
    opened = tape.opened[order]
    first = order[np.r_[True, opened[1:] != opened[:-1]][: len(order)]]
    soonest = np.minimum.accumulate(tape.known[first][::-1])[::-1]  # of this bar and all later ones
    found: IntArray = first[tape.known[first] == soonest]
    return found


def priced(tape: Tape) -> BoolArray:
    """Return which bars have a positive, finite close [T]."""
    return np.isfinite(tape.close) & (tape.close > 0)


def spikes(close: FloatArray) -> BoolArray:
    """Return which closes lie many typical moves from the median of the five before them [T]."""
    level = np.log(close)
    moves = np.abs(np.diff(level, prepend=level[:1]))
    centre, typical = np.median(before(level, 5), axis=1), np.median(before(moves, 24), axis=1)
    return np.abs(level - centre) > SPIKE * typical  # false where the past is too short: NaN compares false


def stale(tape: Tape) -> BoolArray:
    """Return which bars are at least the third in a row without a trade [T]."""
    flat = (tape.volume == 0) & (tape.high == tape.low)
    run = flat.copy()
    for lag in range(1, FLAT_RUN):
        run[lag:] &= flat[:-lag]
        run[:lag] = False
    found: BoolArray = run
    return found


def before(values: FloatArray, count: int) -> FloatArray:
    """Return the values before each row [T, count], without its own; NaN where there are none."""
    padded = np.concatenate([np.full(count, np.nan), values])
    return sliding_window_view(padded, count)[: len(values)]


def trailing(values: FloatArray, count: int) -> FloatArray:
    """Return the last values up to each row [T, count], its own included; NaN where there are none."""
    padded = np.concatenate([np.full(count, np.nan), values])
    return sliding_window_view(padded, count)[1:]


def slow_bars(tape: Tape, plan: Plan) -> Tape:
    """Return bars of ``plan.slow`` hours; each is known when its last hour has passed, not before."""
    width = plan.slow * HOUR
    bucket = tape.opened // width
    starts = np.flatnonzero(np.r_[True, bucket[1:] != bucket[:-1]])[: len(tape)]
    if not len(tape):
        return tape
    stops = np.r_[starts[1:], len(tape)] - 1
    return Tape(
        tape.pair,
        opened=bucket[starts] * width,
        known=(bucket[starts] + 1) * width,
        open=tape.open[starts],
        high=np.maximum.reduceat(tape.high, starts),
        low=np.minimum.reduceat(tape.low, starts),
        close=tape.close[stops],
        volume=np.add.reduceat(tape.volume, starts),
    )
