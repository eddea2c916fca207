"""Prices of a text file as numbers, and whether each column is the price that its name or place says. No time zone."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from functools import cache
from itertools import permutations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from golden_core.market.clock import trading_day
from golden_core.market.holidays import CLOSURES
from golden_core.market.weekends import closed_bars
from golden_core.vendors.base import VendorError, told
from golden_core.vendors.columns import PRICES
from golden_core.vendors.text import Lines

# As pandas, R, FRED, the ECB and Bloomberg write a price that does not exist.
GAPS = ("", "nan", "null", "none", "na", "nd", "n.d.", ".", "-", "n/a", "#n/a", "#n/a n/a")
# Digits of other scripts are no numbers to polars, though its \d matches them.
_DECIMAL_COMMA = r"^-?[0-9]+(,[0-9]+)?$"
NUMBER = r"^-?[0-9]+([.,][0-9]+)*$"
_THOUSANDS = r"^-?[0-9]{1,3}(,[0-9]{3})*(\.[0-9]+)?$"
_SURELY_THOUSANDS = r",.*[,.]"  # a single comma may as well be the decimal mark
_POINT = r"^-?\d+\.\d+$"
_DOTS = r"^-?[0-9]{1,3}(\.[0-9]{3})*(,[0-9]+)?$"  # surely, where a comma follows a dot
_CONSISTENT = 0.95  # share of bars whose high and low are highest and lowest, for an order of columns to be believed
# Share of other bars in a file that no order of columns explains: errors of single rows are for cleaning.
_TOLERATED = 0.1
_FEWEST_PAIRS = 30  # of bars that follow each other, to compare opens with closes
_NEAREST = 0.9  # share of the distances that are compared: a price with an error is far from any
_STILL = 0.1  # of a day's range: of ten days one closes so near to its open, of Yahoo's nine
_CORRECT = "correct the header, or declare --column open=NAME …, or its place (in a study: format columns)"
_SEEN, _DUST = 0.9, 1e-5  # of a tick: a move that coarse prices show, and what is none
_FEWEST_DAYS, _DAY = 7, datetime.timedelta(days=1)  # that close where they open
_FEWEST_COPIES, _STANDS = 5, 360  # bars, and minutes of them, that repeat one price


def read_numbers(
    table: pl.DataFrame, names: Mapping[str, str], lines: Lines, *, gaps: bool
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return columns as numbers under our names, and what was decided; with ``gaps`` a cell may be empty."""
    notes: list[str] = []
    for theirs in [theirs for ours, theirs in names.items() if "volume" in ours and not _counts(table[theirs])]:
        names = {ours: other for ours, other in names.items() if other != theirs}
        notes.append(f"no volume is read: {theirs!r} holds more than numbers")
    prices = [one for ours, name in names.items() if "volume" not in ours and (one := table[name]).dtype == pl.String]
    pointed = cache(lambda: any(one.str.contains(_POINT).any() for one in prices))
    dotted = any(one.str.contains(",", literal=True).any() for one in prices) and not pointed()
    columns = [
        _numbers(table[theirs], lines, gaps, notes, pointed, dotted and "volume" in ours).alias(ours)
        for ours, theirs in names.items()
    ]
    numbers = pl.DataFrame(columns)
    empty = numbers.select(pl.any_horizontal(pl.all().is_null()).sum()).item()
    lacking = next((ours for ours in names if ours != "volume" and numbers[ours].null_count() == numbers.height), None)
    if lacking and numbers.height:
        raise VendorError(
            f"{lines.path}: column {names[lacking]!r} holds no number in any row; declare another {lacking}"
        )
    if empty:
        notes.append(f"{empty} rows have a cell without a number: they stay, with nothing in it")
    return numbers, tuple(dict.fromkeys(notes))


def _numbers(
    cells: pl.Series, lines: Lines, gaps: bool, notes: list[str], pointed: Callable[[], bool], dotted: bool
) -> pl.Series:
    if cells.dtype == pl.String:
        values, commas = cells.cast(pl.Float64, strict=False), cells.filter(cells.str.contains(NUMBER))
        comma = commas.str.contains(",", literal=True).any()  # a cell that is no number by any habit says nothing
        parted = comma and commas.str.contains(_THOUSANDS).all()
        if parted and (commas.str.contains(_SURELY_THOUSANDS).any() or pointed()):
            values = cells.str.replace_all(",", "", literal=True).cast(pl.Float64, strict=False)
            notes.append("commas part thousands")
        elif commas.str.contains(r"\." if dotted else r"\..*,").any() and commas.str.contains(_DOTS).all():
            values = cells.str.replace_all(".", "", literal=True).str.replace(",", ".").cast(pl.Float64, strict=False)
            notes.append("dots part thousands")
        elif comma and commas.str.contains(_DECIMAL_COMMA).all():
            values = cells.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
            notes.append("a comma is the decimal mark")
    else:
        if not (cells.dtype.is_numeric() or cells.dtype == pl.Null):
            where = f"{lines.path}: column {cells.name!r}"
            raise VendorError(f"{where} holds {cells.dtype}, expected numbers; declare another")
        values = cells.cast(pl.Float64)
    if not values.null_count() and values.is_finite().all():
        return values
    faults = ~values.is_finite().fill_null(value=False)
    if gaps:
        written = cells.dtype == pl.String
        empty = cells.str.to_lowercase().is_in(GAPS) if written else values.is_null() | values.is_nan()
        values, faults = values.set(empty, None), faults & ~empty
    cure = {cells.name: "the header is repeated, as if files had been joined: leave the line out"}
    said, mend = f"column {cells.name!r}: ", "mend the cell, or export the file again"
    lines.refuse(faults, lambda row: f"{said}{cells[row]!r} is not a number; {cure.get(cells[row], mend)}")
    return values


def _counts(cells: pl.Series) -> bool:
    if cells.dtype != pl.String:
        return True
    read = cells.cast(pl.Float64, strict=False).is_not_null() | cells.str.contains(NUMBER)
    return bool((read | cells.str.to_lowercase().is_in(GAPS)).all())


def active(bars: pl.DataFrame) -> pl.Series:
    """Return which bars saw a price move or something traded: exports fill closed hours with bars that did not."""
    others = [name for name in ("open", "high", "low") if name in bars.columns]
    if not others:
        return pl.repeat(value=True, n=bars.height, eager=True, dtype=pl.Boolean)
    moved = pl.any_horizontal(pl.col(name) != pl.col("close") for name in others).fill_null(value=False)
    traded = pl.col("volume").fill_null(0) > 0 if "volume" in bars.columns else pl.lit(value=False)
    return bars.select((moved | traded).alias("active")).to_series()


def require_last_row(bars: pl.DataFrame, path: Path, *, ended: bool) -> None:
    """Refuse a last line without line end whose prices contradict each other: its last number is cut off."""
    if ended or not set(PRICES) <= set(bars.columns):
        return
    if _consistent(bars.tail(1).drop_nulls(PRICES), PRICES) == 0:
        line = bars["line"][-1]
        raise VendorError(
            f"{path}: line {line}: the last line has no line end and its prices contradict each other: "
            "the file is cut off; fetch it again"
        )


def require_roles(bars: pl.DataFrame, path: Path | str) -> None:
    """Refuse prices that are not what their name or place says, naming the order that fits, where one does."""
    if not set(PRICES) <= set(bars.columns) or bars.height < 2:
        return
    whole = bars.drop_nulls(PRICES)
    moving = whole.filter(active(whole)).sort("timestamp")
    share = _consistent(whole, PRICES)
    bad = round((1 - share) * whole.height)
    orders = permutations(PRICES) if share < _CONSISTENT else ()
    fitting = [order for order in orders if _consistent(whole, order) >= _CONSISTENT]
    if fitting or (share < _CONSISTENT and bad > max(1, _TOLERATED * whole.height)):
        # Of several, the order under which a bar opens nearest to the close before it.
        best = min(fitting, key=lambda order: _gap(moving, order), default=())
        others = (
            " or misnamed, or high and low are of other days or another instrument: hold one against a second source"
        )
        suspicion = f"; as {', '.join(best)} they would make sense" if best else others
        first = whole["line"][int(np.argmin(_sound(whole, PRICES)))]
        raise VendorError(
            f"{path}: line {first}: {bad} of {whole.height} bars have a high that is not highest or a low that is not "
            f"lowest, this one first: the columns open, high, low, close seem to be swapped{suspicion}; "
            f"{_CORRECT}"
        )
    if share >= _CONSISTENT and _gap(moving, PRICES) > 2 * _gap(moving, ("close", "high", "low", "open")):
        raise VendorError(
            f"{path}: opens and closes seem to be swapped: the close of a bar is the open of the bar before it; "
            f"{_CORRECT}"
        )
    closes, steps = whole["close"].unique().to_numpy(), (10.0**-digits for digits in range(8))
    tick = next((one for one in steps if np.allclose(closes / one, np.round(closes / one), rtol=0, atol=_DUST)), 0.0)
    days = whole.filter(_STILL * (pl.col("high") - pl.col("low")) > _SEEN * tick).sort("timestamp")
    still = days.filter((pl.col("close") - pl.col("open")).abs() <= _STILL * (pl.col("high") - pl.col("low")))
    daily = 2 * (days["timestamp"].diff() >= _DAY).sum() > days.height
    if daily and 2 * still.height > days.height and still.height >= _FEWEST_DAYS:
        raise VendorError(
            f"{path}: line {still['line'][0]}: {still.height} of {days.height} days that moved close where they open, "
            "as some of Yahoo's: this is no close of the day, whose high and low would tell the next one; take another "
            "source, or keep nothing but the columns of the day and the close"
        )


def impossible(bars: pl.DataFrame) -> tuple[str, ...]:
    """Say how many bars cannot be, and which is the first."""
    if not set(PRICES) <= set(bars.columns):
        return ()
    whole = bars.drop_nulls(PRICES)
    bad = pl.Series(~_sound(whole, PRICES), dtype=pl.Boolean)
    return told(whole, bad, "bars have a high that is not highest or a low that is not lowest", "; cleaning decides")


def standing(bars: pl.DataFrame, minutes: int) -> tuple[str, ...]:
    """Say how many bars, whose opens are instants, repeat the price before them for hours while the market is open."""
    day, rests = trading_day(pl.col("timestamp")), {one.month * 100 + one.day for one in CLOSURES if one.worldwide}
    held = bars.sort("timestamp").filter(~(day.dt.month().cast(int) * 100 + day.dt.day()).is_in(rests))
    naive = held.with_columns(pl.col("timestamp").dt.replace_time_zone(None))
    awake = naive.filter(~pl.col("timestamp").is_in(closed_bars(naive["timestamp"], "UTC", minutes / 60).implode()))
    same = pl.all_horizontal(pl.col(name) == pl.col("close").shift(1) for name in PRICES if name in bars.columns)
    copies = awake.select(copy=same.fill_null(value=False)).with_columns(run=(~pl.col("copy")).cum_sum())
    long = pl.col("copy").sum().over("run") >= max(_FEWEST_COPIES, _STANDS / minutes)
    stands = copies.select(pl.col("copy") & long).to_series()
    then = ": the feed stood still, or gaps were filled in"
    return told(awake, stands, "bars repeat one price for hours while the market is open", then)


def _consistent(whole: pl.DataFrame, order: tuple[str, ...]) -> float:
    """Return the share of bars that make sense if the columns open, high, low, close are in truth this order."""
    return float(_sound(whole, order).mean()) if whole.height else 1.0


def _sound(whole: pl.DataFrame, order: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    prices = {role: whole[column].to_numpy() for role, column in zip(order, PRICES, strict=True)}
    high = prices["high"] >= np.max([*prices.values()], axis=0)
    low = prices["low"] <= np.min([*prices.values()], axis=0)
    return np.asarray(high & low)


def _gap(moving: pl.DataFrame, order: tuple[str, ...]) -> float:
    """Return the mean distance from a close to the next open, in price; 0 where too few bars follow each other."""
    role = dict(zip(order, PRICES, strict=True))
    steps = moving["timestamp"].diff().dt.total_seconds()
    onwards = steps.filter(steps > 0)
    if len(onwards) < _FEWEST_PAIRS:
        return 0.0
    follows = (steps == onwards.min()).fill_null(value=False).to_numpy()
    jumps = np.sort(np.abs(moving[role["open"]].to_numpy()[1:] - moving[role["close"]].to_numpy()[:-1])[follows[1:]])
    return float(jumps[: int(_NEAREST * len(jumps)) + 1].mean())  # the median of a peg is one tick or none, by chance
