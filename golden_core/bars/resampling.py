"""Longer bars from shorter ones, on the FX clock: counted from 17:00 in New York. Nothing is filled in."""

from __future__ import annotations

import datetime

import polars as pl

from golden_core.market.clock import MINUTES, bar_close, bar_open, expected_opens, require_bar
from golden_core.store.schema import BARS

PARTIAL = "partial"


class ResamplingError(ValueError):
    """Bars that cannot be put together into longer ones; the message says which, what was expected, and the fix."""


def resample(bars: pl.DataFrame, to: str) -> pl.DataFrame:
    """Put the bars of one pair together into longer ones, ``1h``, ``4h`` or ``1d``.

    Those of four hours and of a day are counted from 17:00 in New York: in UTC they move with daylight saving. A new
    bar is ``partial`` if a shorter one that the calendar expects in it is missing or partial itself, if the table ends
    before it does, or if the market is closed over all of it; absences that a closure explains
    (``clock.expected_opens``) do not count, unless there are no others. ``available_at`` is its close, or when the last
    of its bars is known, if later.

    Raises
    ------
    ResamplingError
        If the bars are of several pairs or lengths, not shorter, out of order, or lie across a border.
    """
    require_bar(to)
    partial = bars[PARTIAL] if PARTIAL in bars.columns else pl.repeat(False, bars.height, eager=True)
    bars = BARS.conform(bars.drop(PARTIAL, strict=False)).with_columns(partial.alias(PARTIAL))
    if bars.is_empty():
        return bars
    length = _length(bars, to)
    bars = bars.with_columns(bin=bar_open(pl.col("timestamp"), to))
    _require_order(bars)
    _require_inside(bars, length, to)
    made = bars.group_by("pair", "bin", maintain_order=True).agg(_aggregates(bars.columns))
    made = made.rename({"bin": "timestamp"}).with_columns(
        available_at=pl.max_horizontal(bar_close(pl.col("timestamp"), to), "available_at")
    )
    flagged = _flag(made, bars, length, to)
    return BARS.conform(flagged.drop(PARTIAL)).with_columns(flagged[PARTIAL])


def _aggregates(columns: list[str]) -> list[pl.Expr]:
    """First open, highest high, lowest low, last close, total volume, of the columns that there are."""
    rules = {
        "open": pl.col("open").first(),
        "high": pl.col("high").max(),
        "low": pl.col("low").min(),
        "close": pl.col("close").last(),
        "volume": pl.when(pl.col("volume").is_not_null().all()).then(pl.col("volume").sum()),
        "available_at": pl.col("available_at").max(),
    }
    return [rule for name, rule in rules.items() if name in columns]


def _flag(made: pl.DataFrame, bars: pl.DataFrame, length: str, to: str) -> pl.DataFrame:
    """Add ``partial`` to the new bars, by the shorter ones that the calendar expects in each."""
    day = datetime.timedelta(days=1)
    first, last = bars["timestamp"][0].date() - day, bars["timestamp"][-1].date() + day
    present = bars.select("timestamp", whole=~pl.col(PARTIAL))
    expected, there = pl.col("closure").is_null(), pl.col("whole").fill_null(False)
    wanted = (
        expected_opens(first, last, length)
        .join(present, on="timestamp", how="left", maintain_order="left")
        .group_by(timestamp=bar_open(pl.col("timestamp"), to))
        .agg(whole=pl.when(expected.any()).then((there | ~expected).all()).otherwise(there.all()))
    )
    end = bars["available_at"].max()
    return (
        made.join(wanted, on="timestamp", how="left", maintain_order="left")
        .with_columns(partial=~pl.col("whole").fill_null(False) | (bar_close(pl.col("timestamp"), to) > end))
        .drop("whole")
    )


def _length(bars: pl.DataFrame, to: str) -> str:
    """Return the length of the bars: the usual time from a bar's open to when it is known."""
    if bars["pair"].n_unique() != 1:
        raise ResamplingError(f"resampling takes the bars of one pair, got {', '.join(bars['pair'].unique().sort())}")
    pair = bars["pair"][0]
    minutes = (bars["available_at"] - bars["timestamp"]).dt.total_minutes().mode().sort()
    name = {minute: name for name, minute in MINUTES.items()}.get(minutes[0])
    if name is None or len(minutes) > 1:
        raise ResamplingError(
            f"{pair}: bars are known {' or '.join(map(str, minutes))} minutes after they open, "
            f"expected one of {', '.join(MINUTES)} for all"
        )
    if MINUTES[name] >= MINUTES[to]:
        raise ResamplingError(f"{pair}: bars of {name} cannot be put together into bars of {to}")
    return name


def _require_order(bars: pl.DataFrame) -> None:
    late = bars.filter(pl.col("timestamp") <= pl.col("timestamp").shift(1))
    if not late.is_empty():
        raise ResamplingError(
            f"{bars['pair'][0]}: bar {late['timestamp'][0]} does not come after the one before it "
            f"({late.height} such bars): clean the bars first"
        )


def _require_inside(bars: pl.DataFrame, length: str, to: str) -> None:
    """Refuse bars that reach beyond the new bar they begin in: their prices belong to two."""
    across = bars.filter(bar_close(pl.col("timestamp"), length) > bar_close(pl.col("bin"), to))
    if not across.is_empty():
        raise ResamplingError(
            f"{bars['pair'][0]}: bar {across['timestamp'][0]} of {length} lies across the end of a bar of {to} "
            f"({across.height} such bars): the bars are not counted from 17:00 in New York; start from shorter ones"
        )
