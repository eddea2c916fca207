"""Times after which to poison: where a run does something, and where its bars are out of the ordinary."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl

from golden_core.leakage import artefacts
from golden_core.leakage.artefacts import KEY, STAMP, Run
from golden_core.store.randomness import Stream


def telling_times(run: Run, raw: pl.DataFrame, stream: Stream, *, common: int, odd: int) -> list[dt.datetime]:
    """Return times at which a leak of one kind or another must show.

    Parameters
    ----------
    run : Run
    raw : DataFrame
        The raw bars it was made from.
    stream : Stream
        Draws among the many.
    common : int
        Ordinary times: stamps of features.
    odd : int
        Times just before something out of the ordinary becomes known: a bar without a price or without a trade, a
        second print, the first bar behind a hole, a very large move. A rule that looks ahead does so there.

    Returns
    -------
    list of datetime
        In order. The first forecasts of every fold are always among them, as the last moment before what is fitted
        is put to use, and so are the first bars of every pair, where a feature begins.
    """
    draw = stream.child("times").generator()
    firsts = run.artefacts[artefacts.FORECASTS].group_by(KEY).agg(pl.col(STAMP).min())[STAMP]
    begin = firsts.min()
    stamps = run.artefacts[artefacts.FEATURES][STAMP].unique().sort()
    later = stamps.filter(stamps >= begin)
    starts = raw.group_by("pair").agg(pl.col("available_at").min())["available_at"]
    chosen = [
        firsts,
        starts,
        *(_some(pool, count, draw) for pool, count in ((later, common), (_odd(raw, stamps), odd))),
    ]
    return pl.concat(chosen).unique().sort().to_list()


def decisive_times(run: Run) -> list[dt.datetime]:
    """Return one time per fold at which all is fitted and chosen and hardly anything is tested, in order.

    Folds of the same number begin their forecasts within a few bars of each other; the last of these times serves all.
    """
    folds = run.artefacts[artefacts.FORECASTS].with_columns(fold=pl.col(KEY).str.split("/").list.last())
    firsts = folds.group_by("fold", KEY).agg(pl.col(STAMP).min())
    return firsts.group_by("fold").agg(pl.col(STAMP).max())[STAMP].unique().sort().to_list()


def _odd(raw: pl.DataFrame, stamps: pl.Series) -> pl.Series:
    """Return the last stamps before something out of the ordinary becomes known."""
    ordered = raw.sort("pair", "timestamp", "available_at")
    move = pl.col("close").log().diff().abs().over("pair")
    gap = pl.col("timestamp").diff().over("pair")
    strange = ordered.filter(
        ~pl.col("close").is_finite()
        | (pl.col("close") <= 0)
        | (pl.col("volume") == 0)
        | (gap == pl.duration(hours=0))
        | (gap > 1.5 * gap.median().over("pair"))
        | (move > 8 * move.median().over("pair"))
    )["available_at"]
    rows = np.searchsorted(stamps.to_physical().to_numpy(), strange.unique().to_physical().to_numpy(), side="left") - 1
    return stamps[np.unique(rows[rows >= 0])]


def _some(pool: pl.Series, count: int, draw: np.random.Generator) -> pl.Series:
    return pool[np.sort(draw.choice(len(pool), size=min(count, len(pool)), replace=False))]
