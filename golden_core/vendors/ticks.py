"""Ticks into bars, whatever format the ticks came in. No file is read here."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import polars as pl

from golden_core.vendors.base import VendorError

TickBar = Literal["1m", "5m", "15m", "30m", "1h"]
# Longer bars end at 17:00 in New York, which is the resampler's business.
TICK_BARS: tuple[TickBar, ...] = ("1m", "5m", "15m", "30m", "1h")

_PRICES: dict[str, pl.Expr] = {
    "bid": pl.col("bid"),
    "ask": pl.col("ask"),
    "mid": (pl.col("bid") + pl.col("ask")) / 2,
}


def bars_from_ticks(ticks: pl.DataFrame | pl.LazyFrame, bar: str, side: str = "bid") -> pl.DataFrame:
    """Make bars of ticks: first, highest, lowest and last price, and the sum of volumes.

    A bar without ticks does not exist: nothing is filled. Ticks may be out of order; of two ticks at one instant, the
    first in the table is the earlier one.

    Parameters
    ----------
    ticks : pl.DataFrame or pl.LazyFrame
        ``timestamp`` (microseconds; its zone, or none, is kept), ``bid`` and ``ask`` as the side needs, and
        ``volume`` if there is one.
    bar : str
        ``1m``, ``5m``, ``15m``, ``30m`` or ``1h``.
    side : str
        ``bid``, ``ask``, or ``mid``, their mean.

    Returns
    -------
    pl.DataFrame
        ``timestamp`` (open of the bar), ``open``, ``high``, ``low``, ``close``, ``volume`` if given; by time.

    Raises
    ------
    VendorError
        If bar or side is none of these, a column is missing, or a tick has no time or no finite price.
    """
    lazy = ticks.lazy()
    columns = lazy.collect_schema()
    _require(columns, bar, side)
    time, price = pl.col("timestamp"), pl.col("price")
    volume = {"volume": pl.col("volume").cast(pl.Float64).sum()} if "volume" in columns else {}
    bars = (
        lazy.select(time, *volume.keys(), price=_PRICES[side].cast(pl.Float64))
        # Stable, so that of several ticks at the first or last instant the table's order decides.
        .sort("timestamp", maintain_order=True)
        .group_by(opens=time.dt.truncate(bar), maintain_order=True)
        .agg(
            open=price.first(),
            high=price.max(),
            low=price.min(),
            close=price.last(),
            **volume,
            faults=(time.is_null() | ~price.is_finite().fill_null(value=False)).sum(),
        )
        .rename({"opens": "timestamp"})
        .collect()
    )
    faults = int(bars["faults"].sum())
    if faults:
        raise VendorError(f"{faults} ticks have no time or no finite {side} price; give only ticks that have both")
    return bars.drop("faults")


def require_spread(ticks: pl.DataFrame, path: Path, bid: str, ask: str) -> None:
    """Refuse ticks of which more than half are bid above ask: the columns must be swapped.

    Parameters
    ----------
    ticks : pl.DataFrame
        ``bid`` and ``ask``.
    path : Path
    bid, ask : str
        The file's words for the two columns.

    Raises
    ------
    VendorError
        With the count.
    """
    crossed = int((ticks["bid"] > ticks["ask"]).sum())
    if 2 * crossed > ticks.height:
        raise VendorError(
            f"{path}: in {crossed} of {ticks.height} ticks the bid ({bid}) is above the ask ({ask}): the columns seem "
            "to be swapped; export the file again"
        )


def _require(columns: pl.Schema, bar: str, side: str) -> None:
    if bar not in TICK_BARS:
        raise VendorError(
            f"bar {bar!r} cannot be made of ticks: make 1h bars, and resample them ({', '.join(TICK_BARS)})"
        )
    if side not in _PRICES:
        raise VendorError(f"side {side!r} is none of {', '.join(_PRICES)}")
    needed = ["timestamp", *(["bid", "ask"] if side == "mid" else [side])]
    missing = [name for name in needed if name not in columns]
    if missing:
        raise VendorError(f"ticks lack the column {', '.join(missing)}; they have {', '.join(columns)}")
    kind = columns["timestamp"]
    if not (isinstance(kind, pl.Datetime) and kind.time_unit == "us"):
        raise VendorError(f"timestamps of ticks are {kind}, expected Datetime in microseconds")
