"""Ways to replace the values of raw bars, and bad bars planted just before a time to make a cleaning rule act."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import polars as pl

from golden_core.store.randomness import Stream

# Of the future. The first three keep no information about it, the fourth and fifth keep its distribution.
POISONS = ("nan", "huge", "removed", "reshuffled", "reversed")
# Of undeclared bars on any side: plausible prices at the same times, so that no cleaning drops bars and moves the rest.
# Of a future that is put to use to choose between few things: it must favour now one, now another of them.
CHOICE_POISONS = ("trending", "reverting", "mirrored", "reshuffled")
RECORD_POISONS = ("mirrored", "reshuffled")

_HUGE = 1e9
_JITTER = 5e-4  # relative; far above the last bit, far below a bar's move


def poisoned(raw: pl.DataFrame, mask: pl.Series, poison: str, stream: Stream) -> pl.DataFrame:
    """Return raw bars whose masked rows hold other values. Pair and times stay, except for ``removed``.

    Takes ``schema.BARS`` of all pairs [T] in any order, and the mask [T]. The poison is ``nan``; ``huge``: 10⁹ times
    the value, unevenly; ``removed``: the rows are gone; ``reshuffled`` and ``reversed``: the values of each pair's
    masked bars in another order, those of a bar together; ``mirrored``: every price p becomes a²/p, a being the last
    unmasked close before it, so that returns change their sign, and wobbles a little; ``trending`` and ``reverting``:
    moves keep their size and take signs that persist, or alternate; ``frozen``: the last price before them, without
    volume; ``undone``: the last price but one, likewise. Bars of one pair and time are treated alike, so that a copy
    stays a copy.
    """
    return _POISONS[poison](raw, mask, stream)


def _values(raw: pl.DataFrame) -> list[str]:
    return [name for name, dtype in raw.schema.items() if dtype.is_float()]


def _replaced(raw: pl.DataFrame, mask: pl.Series, values: Mapping[str, pl.Expr | pl.Series]) -> pl.DataFrame:
    """Give masked rows other values by column."""
    return raw.with_columns(pl.when(mask).then(new).otherwise(pl.col(name)).alias(name) for name, new in values.items())


def _huge(raw: pl.DataFrame, mask: pl.Series, stream: Stream) -> pl.DataFrame:
    factor = _HUGE * _wobble(raw, 0.1, stream)
    return _replaced(raw, mask, {name: pl.col(name) * factor for name in _values(raw)})


def _reordered(raw: pl.DataFrame, mask: pl.Series, order: Callable[[int], np.ndarray]) -> pl.DataFrame:
    taken = np.arange(raw.height)
    later, pairs = mask.to_numpy(), raw["pair"].to_numpy()
    for pair in raw["pair"].unique().sort():
        rows = np.flatnonzero(later & (pairs == pair))
        taken[rows] = rows[order(len(rows))]
    return raw.with_columns(raw.select(_values(raw))[taken])


def _mirrored(raw: pl.DataFrame, mask: pl.Series, stream: Stream) -> pl.DataFrame:
    sound = pl.when(~mask & pl.col("close").is_finite() & (pl.col("close") > 0)).then(pl.col("close"))
    rows = raw.with_row_index("_row").with_columns(_anchor=sound).sort("pair", "timestamp")
    anchor = pl.col("_anchor").forward_fill().backward_fill().over("pair")
    rows = rows.with_columns(_anchor=anchor.fill_null(pl.col("close").median().over("pair"))).sort("_row")
    factor = _wobble(raw, _JITTER, stream)
    mirror = {name: rows["_anchor"] ** 2 / raw[name] * factor for name in _values(raw) if name != "volume"}
    if "high" in mirror and "low" in mirror:
        mirror["high"], mirror["low"] = mirror["low"], mirror["high"]
    if "volume" in raw.columns:
        mirror["volume"] = raw["volume"] * factor
    return _replaced(raw, mask, mirror)


def _frozen(raw: pl.DataFrame, mask: pl.Series, _stream: Stream, *, back: int) -> pl.DataFrame:
    """Let the feed stand still: masked bars repeat the last price before them, or an earlier one, and nobody trades."""
    sound = pl.when(~mask & pl.col("close").is_finite() & (pl.col("close") > 0)).then(pl.col("close"))
    rows = raw.with_row_index("_row").with_columns(_last=sound, _masked=mask)
    rows = rows.sort("timestamp", "available_at", maintain_order=True)
    earlier = pl.col("_last").filter(~pl.col("_masked")).shift(back).last().over("pair")
    repeated = pl.when("_masked").then(earlier if back else pl.col("_last").forward_fill().over("pair"))
    last = rows.with_columns(_last=repeated).sort("_row")["_last"]
    return _replaced(raw, mask, {name: last if name != "volume" else pl.lit(0.0) for name in _values(raw)})


def _walked(raw: pl.DataFrame, mask: pl.Series, stream: Stream, *, turn: float) -> pl.DataFrame:
    """Give the moves of masked bars other signs: each turns against the one before with some probability."""
    draw, values = stream.generator(), {name: raw[name].to_numpy().copy() for name in _values(raw) if name != "volume"}
    pairs, later, close = raw["pair"].to_numpy(), mask.to_numpy(), raw["close"].to_numpy()
    order = np.lexsort((raw["available_at"].to_numpy(), raw["timestamp"].to_numpy()))
    for pair in raw["pair"].unique().sort():
        rows = order[(pairs == pair)[order] & np.isfinite(close[order]) & (close[order] > 0)]
        new = later[rows]
        moves = np.abs(np.diff(np.log(close[rows]), prepend=np.log(close[rows[:1]])))
        signs = np.cumprod(np.where(draw.random(len(rows)) < turn, -1.0, 1.0)) * draw.choice([-1.0, 1.0])
        path = np.cumsum(np.where(new, signs * moves, np.diff(np.log(close[rows]), prepend=np.log(close[rows[:1]]))))
        factor = np.where(new, np.exp(path - np.log(close[rows] / close[rows[:1]])), 1.0)
        for column in values.values():
            column[rows] *= factor
    return raw.with_columns(pl.Series(name, column) for name, column in values.items())


def _wobble(raw: pl.DataFrame, size: float, stream: Stream) -> pl.Series:
    """Return one factor near 1 per row [T], the same for all rows of one pair and time."""
    group = raw.select(pl.struct("pair", "timestamp").rank("dense").cast(pl.Int64)).to_series().to_numpy() - 1
    factors = np.exp(stream.generator().normal(0.0, size, int(group.max(initial=-1)) + 1))
    return pl.Series("factor", factors[group])


_POISONS: dict[str, Callable[[pl.DataFrame, pl.Series, Stream], pl.DataFrame]] = {
    "nan": lambda raw, mask, _stream: _replaced(raw, mask, dict.fromkeys(_values(raw), pl.lit(np.nan))),
    "huge": _huge,
    "removed": lambda raw, mask, _stream: raw.filter(~mask),
    "reshuffled": lambda raw, mask, stream: _reordered(raw, mask, stream.generator().permutation),
    "reversed": lambda raw, mask, _stream: _reordered(raw, mask, lambda count: np.arange(count)[::-1]),
    "mirrored": _mirrored,
    "trending": partial(_walked, turn=0.15),
    "reverting": partial(_walked, turn=0.95),
    "frozen": partial(_frozen, back=0),
    "undone": partial(_frozen, back=1),
}


TWIN = "twin"
FAULTS = ("spike", "slip", "stale", "hole", "gap", "jump", "zero", TWIN)
# What becomes of every price. A jump stays plausible: only what follows tells it from news.
_FACTORS = {
    "spike": 1.5, "slip": 100.0, "stale": 1.0, "hole": float("nan"), "gap": 1.0, "jump": 1.02, "zero": 0.0, TWIN: 1.0,
}  # fmt: skip
_MOVED = ("spike", "slip", "jump", "zero")
_SECOND_PRINT = 1.001


def faulty(
    raw: pl.DataFrame, time: dt.datetime, turn: int, kinds: Sequence[str] = FAULTS, *, alone: bool = False
) -> pl.DataFrame:
    """Return raw bars whose last bar of each pair known by a time is bad; the kinds take turns over the pairs.

    The first pair gets the kind in place ``turn``: a ``spike`` to one and a half times the price, a decimal ``slip`` by
    two digits, a ``stale`` copy of the bar before, a ``hole`` of NaN, a ``gap``: no bar, a ``jump`` by two per cent, a
    price of ``zero``, or a ``twin``: a second print at another price, for which a table with one price per pair and day
    has no room. If ``alone``, all pairs get the same kind, and only one of them if it moves the price: in prices that
    others are computed from, faults cancel or blur each other.
    """
    pairs = raw["pair"].unique().sort()
    dealt = {pair: kinds[(turn + place) % len(kinds)] for place, pair in enumerate(pairs)}
    if alone:
        kind = kinds[turn % len(kinds)]
        dealt = dict.fromkeys([pairs[turn % len(pairs)]] if kind in _MOVED else pairs, kind)
    values = [name for name in _values(raw) if name != "volume"]
    known = raw.with_row_index("_row").filter(pl.col("available_at") <= time).sort("timestamp", maintain_order=True)
    bad = known.group_by("pair", maintain_order=True).agg(
        pl.col("_row").last(),
        *(pl.col(name).last().alias(f"{name} now") for name in values),
        *(pl.col(name).shift(1).last().alias(f"{name} before") for name in values),
    )
    bad = bad.with_columns(kind=pl.col("pair").replace_strict(dealt, default=None, return_dtype=pl.String)).drop("pair")
    factor = pl.col("kind").replace_strict(_FACTORS, return_dtype=pl.Float64)
    rows = raw.with_row_index("_row").join(bad, on="_row", how="left", maintain_order="left")
    now = {name: pl.col(f"{name} now") * factor for name in values}
    stale = {name: pl.col(f"{name} before") for name in values}
    replaced = (
        pl.when(kind="stale").then(stale[name]).when(pl.col("kind").is_not_null()).then(now[name]).otherwise(name)
        for name in values
    )
    marked = rows.with_columns(expr.alias(name) for expr, name in zip(replaced, values, strict=True))
    twins = marked.filter(kind=TWIN).with_columns(pl.col(name) * _SECOND_PRINT for name in values)
    printed = pl.concat([marked.filter(pl.col("kind").is_null() | (pl.col("kind") != "gap")), twins])
    return printed.sort("_row", maintain_order=True).select(raw.columns)
