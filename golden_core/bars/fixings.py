"""Closes of a file against the ECB's rates: their level, which way round they are, and whether they come too early."""

from __future__ import annotations

import math
from pathlib import Path

import polars as pl

from golden_core.market.clock import fixing
from golden_core.vendors.base import VendorError

_FEWEST = 20  # days that show when closes are known, and a part of the file
_LEVEL = 5  # days that show a level
_FAR, _NEAR = 0.02, 0.01  # log price: medians of honest files lie within 0.002
_LONG, _OFF = 250, 0.004  # days whose median is so near, and how far a future lies off, or a fixing of other rules
_FAR_PART = 0.04  # daily ones of a lira lay 0.022 away for a month
_EARLY, _SURE = 0.1, 5.0  # correlation, and its standard errors
_HOURS, _SAME = 6, 0.1  # by which nobody knows a rate beforehand, and how near its moves one who copied it is


def require_fixings(bars: pl.DataFrame, pair: str, rates: pl.DataFrame, path: Path) -> tuple[str, ...]:
    """Refuse closes of the inverse, and such as are known too early; say if they lie elsewhere than the ECB's rates.

    ``bars`` are ``schema.BARS`` of one pair, ``rates`` ``schema.RATES``. Levels are medians of all days, and of every
    ``_FEWEST`` in a row. The last close that is known by a fixing, less the fixing, cannot go with the rate's move from
    the fixing before to the one after: what is late goes against it, what was quoted at another price, or fixed a
    little off, goes with neither, and only what comes early goes with it. A copy of the rates that is dated early does
    not: it has no difference at all, hours before anybody can know.
    """
    known = bars.sort("available_at").select("available_at", price=pl.col("close").log())
    days = _fixed(pair, rates).join_asof(known, left_on="at", right_on="available_at", tolerance="3d").drop_nulls()
    days = days.with_columns(off=pl.col("price") - pl.col("log")).filter(pl.col("off").is_finite())
    if days.height < _LEVEL:
        return ()
    off, turned = pl.col("off"), pl.col("price") + pl.col("log")
    whole = days.select(pl.col("at").max(), pl.len().cast(pl.Int64), off.median(), turned=turned.median())
    rolled = off.rolling_median(_FEWEST), turned.rolling_median(_FEWEST).alias("turned")
    parts = days.select("at", pl.lit(_FEWEST, pl.Int64).alias("len"), *rolled).drop_nulls()
    far = pl.concat(
        [whole.filter(off.abs() > (_FAR if days.height < _LONG else _OFF)), parts.filter(off.abs() > _FAR_PART)]
    )
    far = far.sort(pl.col("turned").abs() >= _NEAR, maintain_order=True)
    notes: tuple[str, ...] = ()
    if far.height:
        last, n, level, inverse = far.row(0)
        away = f"closes lie {100 * abs(math.expm1(level)):.1f} % from the ECB's rates (median of {n} days to {last:%F})"
        if abs(inverse) < _NEAR and abs(level) > _FAR:
            raise VendorError(
                f"{path}: its {away}, and near their inverse: they are of {pair[3:]}{pair[:3]}; import them so"
            )
        power = round(level / math.log(10))
        if power and abs(level - power * math.log(10)) < _FAR_PART:
            raise VendorError(
                f"{path}: its {away}, by a power of ten: they are of several units, or thousands were read as "
                "decimals; write what one unit costs, without marks between thousands"
            )
        notes = (f"{away}: they are of other days, another instrument, or made up",)
    days = days.filter(off.abs() <= _FAR_PART)  # the rest of the file still tells when its closes are known
    if days.height < _FEWEST or abs(whole.item(0, "off")) > _FAR:
        return notes
    early = days.select(pl.corr("off", "around")).item()
    before = days.filter(pl.col("at") - pl.col("available_at") >= pl.duration(hours=_HOURS))
    copied, moves = before.select(pl.col("off").abs().median(), pl.col("around").abs().median()).row(0)
    if before.height >= _FEWEST and copied < _SAME * moves:
        raise VendorError(
            f"{path}: its closes are known too early: {_HOURS} hours and more before the ECB fixes them they are its "
            "rates; add a day to every date, or declare another clock"
        )
    if early > _EARLY and early * math.sqrt(days.height) > _SURE:
        raise VendorError(
            f"{path}: its closes are known too early: at the ECB's fixings they go with how the rate moves afterwards "
            f"(correlation {early:.2f} over {days.height} days, where honest ones have none above zero). They may be "
            "stamped by their close, named by the evening on which their day begins, or of another clock; hold the "
            "file against a second source"
        )
    return notes


def _fixed(pair: str, rates: pl.DataFrame) -> pl.DataFrame:
    """Return the log rates of a pair, when they were fixed, and how they move around each."""
    legs = {pair[:3], pair[3:]} - {"EUR"}
    base, quote = (pl.col("rate").filter(pl.col("currency") == leg).log().sum() for leg in (pair[:3], pair[3:]))
    fixed = rates.filter(pl.col("currency").is_in(legs)).group_by("date").agg(legs=pl.len(), log=quote - base)
    fixed = fixed.filter(pl.col("legs") == len(legs)).sort("date")
    return fixed.select("log", at=fixing(pl.col("date")), around=pl.col("log").shift(-1) - pl.col("log").shift(1))
