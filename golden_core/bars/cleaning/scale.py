"""The level of a price from the bars before it, and prices that are powers of ten away from it."""

from __future__ import annotations

import math

import polars as pl

from golden_core.bars.cleaning.coverage import Covered, has_hours
from golden_core.bars.cleaning.rules import PRICES
from golden_core.market.plausible import Plausible, plausible_pairs

WINDOW = 51  # odd, so that a median is a price that was
DIGITS = 15  # significant, which a double keeps
SETTLED = 5  # bars before which there is no level: two bad ones among them are outvoted
ROUNDING = 1e-9  # keeps a price that equals a bound
_LN10 = math.log(10)


def on_scale(bars: pl.DataFrame, pair: str, covered: Covered, bound: float) -> pl.DataFrame:
    """Return the bars of a pair, in the order of time, with their ``level`` and rescaled to it; see ``rescale``."""
    known = plausible_pairs().get(pair) if has_hours(covered) else None  # synthetic prices cost what a study says
    return rescale(bars.with_columns(level=levels(bars["close"], known)), bound, middle(known))


def levels(close: pl.Series, known: Plausible | None = None) -> pl.Series:
    """Return log10 of the level before each close [T]: the trailing median, in one decimal unit; null at first.

    The unit is the one in which the pair costs what it can; a price that it cannot cost in any unit tells no level. Of
    a pair of which nothing is known, it is that of the first level: when the median changes by a whole power of ten,
    the vendor has changed the unit, and the level does not follow. Bars of another unit are slips, every one.
    """
    log = close.log10()
    if known is not None:
        log = log.set(power_of_ten(log, known).is_null(), None)
    median = log.shift(1).rolling_quantile(0.5, "lower", window_size=WINDOW, min_samples=SETTLED).forward_fill()
    if known is not None:
        return median - power_of_ten(median, known)
    return median - median.diff().round().fill_null(0.0).cum_sum()


def power_of_ten(log: pl.Series, known: Plausible) -> pl.Series:
    """Return the power of ten by which prices (log10) are above what a pair can cost; null where none explains them."""
    power = (log - math.log10(known.low) + ROUNDING).floor()
    return power.set(log - power > math.log10(known.high) + ROUNDING, None)


def middle(known: Plausible | None) -> float | None:
    """Return log10 of the middle of what a pair can cost, the level of bars too early to have one; None if unknown."""
    return None if known is None else math.log10(known.low * known.high) / 2


def rescale(bars: pl.DataFrame, bound: float, first: float | None = None) -> pl.DataFrame:
    """Undo decimal slips, price by price, of bars with ``level``; add ``decimal_slip`` and ``off_scale_price``.

    ``bound`` is the largest log distance of a repaired price from its level, ``first`` the level of bars without one.
    """
    prices = [name for name in PRICES if name in bars.columns]
    level = pl.col("level").fill_null(pl.lit(first, pl.Float64))
    distance = {name: pl.col(name).log10() - level for name in prices}
    decades = {name: distance[name].round().fill_null(0.0) for name in prices}
    apart = {name: (distance[name] - decades[name]).abs() * _LN10 > bound for name in prices}
    slipped = {name: decades[name] != 0 for name in prices}
    lost = pl.any_horizontal(slipped[name] & apart[name] for name in prices)
    # A written price has fewer than 15 digits: rounding to these takes back what dividing adds (119.65 → 1.1965).
    undone = {name: (pl.col(name) * pl.lit(10.0).pow(-decades[name])).round_sig_figs(DIGITS) for name in prices}
    flagged = bars.with_columns(
        off_scale_price=lost.fill_null(False), decimal_slip=pl.any_horizontal(slipped.values()).fill_null(False)
    )
    return flagged.with_columns(
        pl.when(slipped[name] & ~pl.col("off_scale_price")).then(undone[name]).otherwise(pl.col(name)).alias(name)
        for name in prices
    )
