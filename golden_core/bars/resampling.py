"""Longer bars from shorter ones, on the FX clock: counted from 17:00 in New York. Nothing is filled in."""

from __future__ import annotations

import datetime

import polars as pl

from golden_core.market.clock import bar_close, bar_open, expected_opens, require_bar
from golden_core.store.schema import BARS

PARTIAL = "partial"


class ResamplingError(ValueError):
    """Bars that cannot be put together into longer ones; the message says which, what was expected, and the fix."""


def resample(bars: pl.DataFrame, length: str, to: str) -> pl.DataFrame:
    """Put the bars of one pair and ``length``, in their order, together into longer ones, ``1h``, ``4h`` or ``1d``.

    Those of four hours and of a day are counted from 17:00 in New York: in UTC they move with daylight saving. A new
    bar is ``partial`` if a shorter one that the calendar expects in it is missing, if the table ends before it does, or
    if the market is closed over all of it; absences that a closure explains (``clock.expected_opens``) do not count,
    unless there are no others. ``available_at`` is its close, or when the last of its bars is known, if later.

    Raises
    ------
    ResamplingError
        If bars lie across a border.
    """
    require_bar(to)
    if bars.is_empty():
        return bars.with_columns(pl.lit(value=False).alias(PARTIAL))
    bars = bars.with_columns(bin=bar_open(pl.col("timestamp"), to))
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
    present = bars.select("timestamp", whole=pl.lit(value=True))
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


def _require_inside(bars: pl.DataFrame, length: str, to: str) -> None:
    """Refuse bars that reach beyond the new bar they begin in: their prices belong to two."""
    across = bars.filter(bar_close(pl.col("timestamp"), length) > bar_close(pl.col("bin"), to))
    if not across.is_empty():
        raise ResamplingError(
            f"{bars['pair'][0]}: bar {across['timestamp'][0]} of {length} lies across the end of a bar of {to} "
            f"({across.height} such bars): the bars are not counted from 17:00 in New York; start from shorter ones"
        )
