"""Prices written as integers, told from what a pair's price can be. Errors of single rows are for cleaning."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from golden_core.market.plausible import Plausible, plausible_pairs
from golden_core.vendors.base import VendorError, told
from golden_core.vendors.columns import PRICES

DUST = 1e-12  # of a whole number: 161250.00000000003 is one that was once multiplied by a thousand
_STRAY = 0.01  # share of rows on another scale that may be decimal slips
_FEW, _FEW_SHARE = 2, 0.2  # and how many may be in a short file
_SPAN, _LEAP = 1000, 3.0  # by which closes of one unit never differ that leap, log price: a peso fell so far in steps


@dataclass(frozen=True, eq=False)
class Scaled:
    """Bars with prices in units of the quote currency, what they were divided by, and why."""

    bars: pl.DataFrame
    divisor: int
    notes: tuple[str, ...]


def scale(bars: pl.DataFrame, pair: str, where: str) -> Scaled:
    """Bring integer prices to units of the quote currency: 112336 of EURUSD is 1.12336.

    A power of ten is believed only if all prices are whole numbers and it makes all rows plausible, but for a few,
    which are reported and left to cleaning; anything else is refused.
    """
    known = plausible_pairs().get(pair) or _inverse(pair)
    if known is None:
        low, high = (bars["close"].quantile(share) or 0.0 for share in (0.02, 0.98))
        closes = np.log(bars["close"].filter(bars["close"] > 0).to_numpy())
        if high > _SPAN * low > 0 and np.abs(np.diff(closes)).max(initial=0) > _LEAP:
            said = f"{where}: its closes lie between {low:.6g} and {high:.6g}: no currency leaps so far"
            raise VendorError(f"{said} without a new unit; split the file where the unit changes")
        return Scaled(bars, 1, (f"data/pairs.yaml knows no plausible prices of {pair}: they are taken as written",))
    names = [name for name in PRICES if name in bars.columns]
    written = bars.select(names).to_numpy().astype(np.float64)
    powers = _powers(written, known)
    told = powers[~np.isnan(powers)]
    if not len(told) or 2 * len(told) < np.count_nonzero(written > 0):
        raise VendorError(_implausible(written, pair, known, where))
    values, counts = np.unique(told, return_counts=True)
    power = int(values[counts.argmax()])
    notes = _strays(powers, power, np.isfinite(written).any(axis=1), bars["line"], where)
    usable = written[powers == power]
    if power and not np.allclose(usable, np.round(usable), rtol=DUST, atol=0):
        raise VendorError(_implausible(written, pair, known, where))
    if power:
        notes.insert(0, f"prices are whole numbers, divided by {10**power}: only so a price of {pair} is "
                        f"between {known.low:g} and {known.high:g}")  # fmt: skip
        # Dust off whole numbers, not off a price with decimals among them, which is for cleaning. Not by polars, which
        # multiplies by the rounded reciprocal: that is not the float nearest to 1.12336.
        whole = np.where(np.isclose(written, np.round(written), rtol=DUST, atol=0), np.round(written), written)
        prices = zip(names, (whole / 10**power).T, strict=True)
        bars = bars.with_columns(pl.Series(name, column, nan_to_null=True) for name, column in prices)
    return Scaled(bars, 10**power, tuple(notes))


def _inverse(pair: str) -> Plausible | None:
    known = plausible_pairs().get(pair[3:] + pair[:3])
    return known and known.model_copy(update={"low": 1 / known.high, "high": 1 / known.low})


def _powers(written: npt.NDArray[np.float64], known: Plausible) -> npt.NDArray[np.float64]:
    """Return the power of ten that makes each price plausible; NaN where none does. There is never more than one."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # The small excess keeps a price that equals the bound, whatever the rounding of its logarithm.
        powers = np.floor(np.log10(np.where(written > 0, written, np.nan) / known.low) + 1e-9)
        return np.where(written / 10.0**powers <= known.high * (1 + 1e-9), powers, np.nan)


def _strays(
    powers: npt.NDArray[np.float64], power: int, there: npt.NDArray[np.bool_], lines: pl.Series, where: str
) -> list[str]:
    """Report rows on another scale if they are few, refuse the file if they are not."""
    other = np.any((powers != power) & ~np.isnan(powers), axis=1)
    outside = np.all(np.isnan(powers), axis=1) & there
    count = int(other.sum())
    if count > max(_STRAY * len(other), min(_FEW, _FEW_SHARE * len(other))):
        first, same = int(np.argmax(other)), int(np.argmin(other))
        raise VendorError(
            f"{where}: rows are on different scales: line {lines[first]} differs from line {lines[same]} by a power of "
            f"ten, as do {count} of {len(other)} rows; split the file, or bring its prices to one unit"
        )
    found = {"on another power of ten": other, "no plausible price on any": outside}
    then = "; cleaning decides about them"
    return [
        note
        for what, rows in found.items()
        for note in told(lines.to_frame("line"), pl.Series(rows), f"rows are {what}", then)
    ]


def _implausible(written: npt.NDArray[np.float64], pair: str, known: Plausible, where: str) -> str:
    if not np.any(written > 0):
        return f"{where}: no price is above zero; check the columns"
    middle = float(np.median(written[written > 0]))
    others = [name for name, other in plausible_pairs().items() if other.low <= middle <= other.high]
    hint = f"; it could be one of {', '.join(others[:6])}" if others else ""
    return (
        f"{where}: {middle:.10g}, the median price, is none of {pair}, which lies between {known.low:g} and "
        f"{known.high:g}, and no power of ten makes whole numbers so{hint}; check the pair and the columns"
    )
