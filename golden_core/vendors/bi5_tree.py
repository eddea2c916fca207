"""A folder of `.bi5` files as one data set, read file by file: its bars, and the periods that have no file."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from golden_core.market.clock import expected_opens, market_open
from golden_core.vendors.base import VendorError
from golden_core.vendors.bi5_records import read_candles, read_ticks
from golden_core.vendors.dukascopy_feed import CANDLES, SPANS, Kind, Place, locate
from golden_core.vendors.ticks import bars_from_ticks

_VOLUMES = {
    "bid": pl.col("bid_volume"),
    "ask": pl.col("ask_volume"),
    "mid": pl.col("bid_volume") + pl.col("ask_volume"),
}
SHOWN = 20  # runs of missing periods that a note lists; the table has all of them


@dataclass(frozen=True, eq=False)
class Tree:
    """What a folder of ``.bi5`` files holds of one pair.

    Parameters
    ----------
    bars : pl.DataFrame
        ``timestamp`` (open; naive microseconds, UTC), ``open``, ``high``, ``low``, ``close``, ``volume``, ``line``.
    missing : pl.DataFrame
        One row per period of a file, between the first and the last file, in which the market was open but no file
        is there, or an empty one: ``start`` (UTC), ``reason`` (``no file``, ``empty file``), ``closure`` (the holiday
        that explains it, or null).
    kind : str
        ``ticks``, ``min``, ``hour`` or ``day``: what the files hold.
    bar, side : str
        Of the bars.
    files : int
        How many were read.
    notes : sequence of str
        What was decided, and what is missing, one sentence each.
    """

    bars: pl.DataFrame
    missing: pl.DataFrame
    kind: Kind
    bar: str
    side: str
    files: int
    notes: Sequence[str]


def read_tree(root: Path, pair: str, bar: str | None = None, side: str = "bid", kind: Kind | None = None) -> Tree:
    """Read every ``.bi5`` file of a pair under a folder, in order of time, a day of ticks at once.

    Parameters
    ----------
    root : Path
        Any folder of the feed's layout, ``EURUSD/2019/01/04/…`` with months from 00, or one above or below it.
    pair : str
        Such as ``EURUSD``.
    bar : str or None
        Which bars ticks are to be made into, by default ``1m``; candles are as long as their files have them.
    side : str
        ``bid`` or ``ask``; of ticks also ``mid``.
    kind : str or None
        ``ticks``, ``min``, ``hour`` or ``day``; needed only where the folder has files of several kinds.

    Returns
    -------
    Tree

    Raises
    ------
    VendorError
        If a file is damaged or its path does not say its time, the folder has no file of the pair and side, two files
        of one period, or files of two kinds and none is named: they would be two readings of the same prices.
    """
    found = sorted(((locate(path), path) for path in root.rglob("*.bi5")), key=lambda one: (one[0].start, one[1]))
    files = [(place, path) for place, path in found if place.matches(pair) and place.side in {None, side}]
    files = [(place, path) for place, path in files if kind in {None, place.kind}]
    kind = _only_kind(root, f"{pair} {side}", found, files)
    if kind == "ticks":
        bar = bar or "1m"
        pieces = list(_bars_of_ticks(files, pair, bar, side))
    else:
        bar = _own_bar(root, kind, bar)
        pieces = [_rows(read_candles(path, place, pair)) for place, path in files]
    bars = pl.concat(pieces)
    bars = bars.with_columns(line=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
    empty = [place for place, path in files if path.stat().st_size == 0]
    missing = _missing(files[0][0], files[-1][0], [place for place, _ in files], empty)
    notes = [_summary(files, kind, bars.height, bar, side), *_strange(bars, kind), *_missing_notes(missing, kind)]
    left = len(found) - len(files)
    notes += [f"{counted(left, 'file')} of other pairs, sides or kinds not read."] if left else []
    return Tree(bars, missing, kind, bar, side, len(files), tuple(notes))


def tick_bars(ticks: pl.DataFrame, bar: str, side: str) -> pl.DataFrame:
    """Make bars of the ticks of ``.bi5`` files: the volume of a side is what was offered on that side."""
    return bars_from_ticks(ticks.with_columns(volume=_VOLUMES[side]), bar, side)


def _only_kind(
    root: Path, wanted: str, found: Sequence[tuple[Place, Path]], files: Sequence[tuple[Place, Path]]
) -> Kind:
    if not files:
        others = sorted({f"{place.pair or 'a pair not named'} {place.side or ''} {place.kind}" for place, _ in found})
        there = ", ".join(" ".join(other.split()) for other in others) or "none at all"
        raise VendorError(f"{root}: no .bi5 file of {wanted} as asked for; there are {there}")
    kinds = sorted({place.kind for place, _ in files})
    if len(kinds) > 1:
        counts = ", ".join(f"{sum(place.kind == kind for place, _ in files)} of {kind}" for kind in kinds)
        raise VendorError(
            f"{root}: several kinds of files of {wanted} ({counts}): name a folder that holds only one, or choose one"
            f" as the format: {', '.join(f'bi5:{kind}' for kind in kinds)}"
        )
    for (first, one), (second, other) in itertools.pairwise(files):
        if first.start == second.start:
            raise VendorError(f"{one} and {other} are of the same time: keep one of them")
    return files[0][0].kind


def _own_bar(root: Path, kind: Kind, bar: str | None) -> str:
    own = CANDLES[kind]
    if bar not in {None, own}:
        raise VendorError(f"{root}: holds candles of {own}, not {bar}: read them as {own}, and resample")
    return own


def _bars_of_ticks(files: Sequence[tuple[Place, Path]], pair: str, bar: str, side: str) -> Iterator[pl.DataFrame]:
    """Yield the bars of one day after another, so that no more than a day of ticks is in memory."""
    for _, day in itertools.groupby(files, key=lambda one: one[0].start.date()):
        yield tick_bars(pl.concat([read_ticks(path, place, pair) for place, path in day]), bar, side)


def _rows(candles: pl.DataFrame) -> pl.DataFrame:
    return candles.drop("line")


def _missing(first: Place, last: Place, there: Sequence[Place], empty: Sequence[Place]) -> pl.DataFrame:
    """Return the periods between two files in which the market was open, and which have no file or an empty one."""
    hours = expected_opens(first.start.date(), last.end.date(), "1h").filter(
        pl.col("timestamp").dt.replace_time_zone(None).is_between(first.start, last.end, closed="left")
    )
    start = pl.col("timestamp").dt.truncate(SPANS[first.kind])
    # A day, month or year is explained by a closure only if every hour of it is.
    explained = pl.when(pl.col("closure").is_not_null().all()).then(pl.col("closure").first())
    periods = hours.group_by(start=start).agg(closure=explained).sort("start")
    empties = _starts(empty)
    reason = pl.when(pl.col("start").is_in(empties.implode())).then(pl.lit("empty file")).otherwise(pl.lit("no file"))
    full = pl.Series(sorted(set(_starts(there)) - set(empties)), dtype=pl.Datetime("us", "UTC"))
    return periods.filter(~pl.col("start").is_in(full.implode())).select("start", "closure", reason=reason)


def _starts(places: Sequence[Place]) -> pl.Series:
    starts = pl.Series("start", [place.start for place in places], dtype=pl.Datetime("us"))
    return starts.dt.replace_time_zone("UTC")


def _summary(files: Sequence[tuple[Place, Path]], kind: Kind, bars: int, bar: str, side: str) -> str:
    span = f"{files[0][0].start} to {files[-1][0].end} UTC"
    what = "ticks" if kind == "ticks" else f"{CANDLES[kind]} candles"
    return f"{counted(len(files), 'file')} of {what}, {span}: {counted(bars, f'{side} bar')} of {bar}."


def _strange(bars: pl.DataFrame, kind: Kind) -> list[str]:
    """Say so if ticks lie where the market is closed: the folders may have been numbered from 01."""
    if kind != "ticks":
        return []
    hours = bars.select(pl.col("timestamp").dt.truncate("1h").dt.replace_time_zone("UTC").unique().sort())
    closed = hours.filter(~market_open(pl.col("timestamp")))
    if closed.is_empty():
        return []
    return [
        f"{counted(closed.height, 'hour')} with ticks outside the trading week, first"
        f" {closed['timestamp'][0]:%Y-%m-%d %H:%M} UTC: are the folders of the months numbered from 00?"
    ]


def _missing_notes(missing: pl.DataFrame, kind: Kind) -> list[str]:
    period = {"ticks": "hour", "min": "day", "hour": "month", "day": "year"}[kind]
    unexplained = missing.filter(pl.col("closure").is_null())
    notes = []
    for (reason,), rows in unexplained.group_by("reason", maintain_order=True):
        runs = _runs(rows["start"], SPANS[kind])
        listed = "; ".join(runs[:SHOWN]) + (f"; and {len(runs) - SHOWN} more" if len(runs) > SHOWN else "")
        fault = "no file" if reason == "no file" else "an empty file"
        notes.append(f"{counted(rows.height, period)} of the trading week with {fault}: {listed}.")
    holidays = missing.height - unexplained.height
    return [*notes, *([f"{counted(holidays, period)} without ticks, on holidays."] if holidays else [])]


def counted(number: int, noun: str) -> str:
    """Return a number and its noun: ``1 file``, ``2 files``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _runs(starts: pl.Series, span: str) -> list[str]:
    """Join neighbours: ``2019-02-04 05:00 to 2019-02-04 07:00``, first and last of a run."""
    after = starts.shift(1).dt.offset_by(span)
    run = (starts != after).fill_null(value=True).cum_sum()
    ends = pl.DataFrame({"start": starts, "run": run}).group_by("run", maintain_order=True)
    table = ends.agg(first=pl.col("start").first(), last=pl.col("start").last())
    return [
        f"{a:%Y-%m-%d %H:%M}" if a == b else f"{a:%Y-%m-%d %H:%M} to {b:%Y-%m-%d %H:%M}"
        for a, b in zip(table["first"], table["last"], strict=True)
    ]
