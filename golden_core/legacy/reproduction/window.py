"""The bars of the record, active ones only and nothing filled in, and where the published test set lies in them.

The window is found by the variance of its targets, not taken on trust.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from golden_core.inputs.windows import FloatArray, IntArray
from golden_core.legacy.audit.headings import Metric
from golden_core.legacy.audit.intervals import between, names, number
from golden_core.legacy.reproduction.published import PublishedSplit, Record, RecordError, read_record
from golden_core.sources import source
from golden_core.sources.base import SourceError
from golden_core.store.lake import Home, hash_file
from golden_core.study import DataSection
from golden_core.study.faults import plural

_SHOWN = 5
# A running variance loses some digits; what comes this near to an interval is computed again from its own closes.
_NEAR = 1e-6


@dataclass(frozen=True)
class SplitWindow:
    """The test targets of one split of the record, as this file has them."""

    of: PublishedSplit
    first_target: dt.datetime  # open of the bar
    last_target: dt.datetime
    variance: float
    random_walk: Mapping[Metric, float]  # its errors on these targets, in prices

    @property
    def fits(self) -> bool:
        """Whether the published numbers can be errors on these targets."""
        return self.of.variance is not None and self.variance in self.of.variance


@dataclass(frozen=True)
class Window:
    """The published test window in a file of bars."""

    tried: int  # bars that were looked at as the last one of a window
    ends: tuple[dt.datetime, ...]  # those of them at which every split fits
    splits: tuple[SplitWindow, ...]
    verdict: str

    @property
    def recovered(self) -> bool:
        """Whether every split fits."""
        return all(split.fits for split in self.splits)


def published_window(bars: pl.DataFrame, record: Record | None = None) -> Window:
    """Find the test window of the published results in hourly bars, in any order; by default those of data/legacy.

    Every active bar is tried as the last target. A window ends there if, for every split of the record, the variance
    of the last targets lies in what the published numbers leave possible, RMSE² / (1 − R²) with their rounding. If
    exactly one end fits, it is the window; else the last active bar of the record's last day is looked at, and the
    verdict says what differs there. Fewer active bars than a test part, up to that day, are a ``RecordError``.
    """
    record = record or read_record()
    active = active_bars(bars)
    closes, times = active["close"].to_numpy(), active["timestamp"]
    longest = max(split.test_rows for split in record.splits.values())
    if active.height < longest:
        raise RecordError(f"the file has {active.height} active bars, the published test part alone has {longest}")
    fitting = _fitting_ends(closes, record.splits.values())
    end = int(fitting[0]) if len(fitting) == 1 else int((times.dt.date() <= record.last_day).sum()) - 1
    if end + 1 < longest:
        raise RecordError(
            f"the file has {end + 1} active bars up to {record.last_day}, the record's last day; its test part has "
            f"{longest}"
        )
    splits = tuple(_split_window(split, closes, times, end) for split in record.splits.values())
    ends, tried = tuple(times.gather(fitting).to_list()), active.height - longest + 1
    return Window(tried, ends, splits, _verdict(splits, ends, tried))


def clock(time: dt.datetime) -> str:
    """Return a time in UTC as text."""
    return f"{time.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"


def price_errors(forecast: FloatArray, truth: FloatArray) -> dict[Metric, float]:
    """Return the errors of forecasts [N] of prices [N]; R² is 1 − SSE/SST about the mean of the truth."""
    if truth.min() == truth.max():
        raise RecordError(f"{len(truth)} targets are the same price, {truth[0]:g}: R² is undefined")
    error = forecast - truth
    mse = float(np.mean(error**2))
    r2 = 1 - mse / float(np.var(truth))
    return {"mae": float(np.mean(np.abs(error))), "mse": mse, "rmse": float(np.sqrt(mse)), "r2": r2}


def _fitting_ends(closes: FloatArray, splits: Iterable[PublishedSplit]) -> IntArray:
    """Rows that can be the last target of every split at once."""
    series, fitting = pl.Series(closes), np.arange(len(closes))
    for split in splits:
        if split.variance is None:
            return fitting[:0]
        low, high = (float(end) if end is not None else np.inf for end in (split.variance.low, split.variance.high))
        running = series.rolling_var(split.targets, ddof=0).to_numpy()[fitting]
        near = (running >= low * (1 - _NEAR)) & (running <= high * (1 + _NEAR))
        fitting = fitting[near & (fitting >= split.test_rows - 1)]
        exact = np.array([np.var(closes[end - split.targets + 1 : end + 1]) for end in fitting])
        fitting = fitting[[variance in split.variance for variance in exact]]
    return fitting


def _split_window(split: PublishedSplit, closes: FloatArray, times: pl.Series, end: int) -> SplitWindow:
    first = end - split.targets + 1
    truth, before = closes[first : end + 1], closes[first - 1 : end]
    return SplitWindow(
        of=split,
        first_target=times[first],
        last_target=times[end],
        variance=float(np.var(truth)),
        random_walk=price_errors(before, truth),
    )


def _verdict(splits: Sequence[SplitWindow], ends: Sequence[dt.datetime], tried: int) -> str:
    last = splits[0].last_target
    if all(split.fits for split in splits):
        alone = "it is the only one" if len(ends) == 1 else f"{plural(len(ends), 'bar')} would do"
        found = "; ".join(
            f"{split.of.shares}: {split.of.targets} targets, variance {split.variance:.6g}" for split in splits
        )
        return f"recovered: the window up to the bar of {clock(last)} fits ({found}); of {tried} ends tried {alone}"
    faults = [_fault(split) for split in splits if not split.fits]
    shown = f"{names([clock(end) for end in ends[:_SHOWN]])} (of {len(ends)})" if ends else "no bar of the file"
    return f"not recovered: up to the bar of {clock(last)}, {'; '.join(faults)}. Ends that fit every split: {shown}"


def _fault(split: SplitWindow) -> str:
    if split.of.variance is None:
        return f"{split.of.shares}: the published rows ({names(split.of.variants)}) cannot have had one test set"
    return (
        f"{split.of.shares}: the {split.of.targets} targets have a variance of {number(split.variance, 6)}, the "
        f"published numbers allow {between(split.of.variance)}"
    )


# ------------------------------------------------------------------------------------------------------------- the bars


@dataclass(frozen=True, eq=False)
class Merged:
    """Active bars in the order of time, and where each came from.

    ``overlap`` is how far two files agree where both have a bar: a shifted clock or another price would show there.
    """

    bars: pl.DataFrame
    files: tuple[dict[str, str | int], ...]
    overlap: Mapping[str, Any] | None


def active_bars(bars: pl.DataFrame) -> pl.DataFrame:
    """Return the bars that count, in the order of time.

    A bar is inactive if its four prices are one and, where the table has volumes, nothing was traded: exports fill
    closed hours with such bars. An hour of trading at a single price has a volume and stays.
    """
    moved = pl.any_horizontal(pl.col("open") != pl.col(name) for name in ("high", "low", "close"))
    traded = pl.col("volume").fill_null(0) > 0 if "volume" in bars.columns else pl.lit(value=False)
    return bars.filter(moved | traded).sort("timestamp")


def merge_files(home: Home, data: DataSection, pair: str, path: Path, earlier: Path | None) -> Merged:
    """Read the user's files of one pair as the source ``files`` does, and join them.

    The last bars of ``path`` are the test set; ``earlier`` gives the bars before its first one, and nothing else. A
    ``SourceError`` if a file is missing or malformed, has no bar in the days of the study, or adds none.
    """
    later = _read(home, data, pair, path)
    if earlier is None:
        return Merged(active_bars(later), (_account(path, later, later),), None)
    older = _read(home, data, pair, earlier)
    before = older.filter(pl.col("timestamp") < later["timestamp"].min())
    if active_bars(before).is_empty():
        raise SourceError(
            f"{pair}: {earlier} has no bar before {path}, which begins at {later['timestamp'].min()!s}; "
            "leave it out, or name a file with older bars"
        )
    files = (_account(earlier, older, before), _account(path, later, later))
    both = active_bars(older).join(active_bars(later), on="timestamp", suffix="_later")
    gaps = (both["close"] - both["close_later"]).abs()
    overlap = {"bars": len(gaps), "median_difference": gaps.median(), "largest_difference": gaps.max()}
    return Merged(pl.concat([active_bars(before), active_bars(later)]), files, overlap if len(gaps) else None)


def _read(home: Home, data: DataSection, pair: str, path: Path) -> pl.DataFrame:
    settings = {**dict(data.settings), "paths": {pair: str(path.expanduser().resolve())}}
    own = data.model_copy(update={"settings": settings, "pairs": (pair,)})
    files = source("files")
    return files.bars(files.read(own, 0, home.root), own, pair)


def _account(path: Path, read: pl.DataFrame, offered: pl.DataFrame) -> dict[str, str | int]:
    """Return what a file gave; superseded are its bars from the first bar of the later file on."""
    used = active_bars(offered)
    return {
        "name": path.name,
        "sha256": hash_file(path),
        "read": read.height,
        "inactive": offered.height - used.height,
        "superseded": read.height - offered.height,
        "used": used.height,
        "first": str(used["timestamp"].min()),
        "last": str(used["timestamp"].max()),
    }
