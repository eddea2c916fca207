"""Where the published test set lies in a file of bars: found by the variance of its targets, not taken on trust."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from golden_core.inputs.windows import FloatArray, IntArray
from golden_core.legacy.audit import Interval
from golden_core.legacy.audit.headings import Metric
from golden_core.legacy.audit.intervals import between, names, number, plural
from golden_core.legacy.reproduction.bars import active_bars
from golden_core.legacy.reproduction.published import PublishedSplit, Record, RecordError, read_record

_SHOWN = 5
# A running variance loses some digits; what comes this near to an interval is computed again from its own closes.
_NEAR = 1e-6


@dataclass(frozen=True)
class SplitWindow:
    """The test targets of one split of the record, as this file has them."""

    shares: str
    variants: tuple[str, ...]
    targets: int
    first_target: dt.datetime  # open of the bar
    last_target: dt.datetime
    variance: float
    published: Interval | None
    random_walk: Mapping[Metric, float]  # its errors on these targets, in prices

    @property
    def fits(self) -> bool:
        """Whether the published numbers can be errors on these targets."""
        return self.published is not None and self.variance in self.published


@dataclass(frozen=True)
class Window:
    """The published test window in a file of bars."""

    active_bars: int
    inactive_bars: int
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
    return Window(active.height, bars.height - active.height, tried, ends, splits, _verdict(splits, ends, tried))


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
        shares=split.shares,
        variants=split.variants,
        targets=split.targets,
        first_target=times[first],
        last_target=times[end],
        variance=float(np.var(truth)),
        published=split.variance,
        random_walk=price_errors(before, truth),
    )


def _verdict(splits: Sequence[SplitWindow], ends: Sequence[dt.datetime], tried: int) -> str:
    last = splits[0].last_target
    if all(split.fits for split in splits):
        alone = "it is the only one" if len(ends) == 1 else f"{plural(len(ends), 'bar')} would do"
        found = "; ".join(f"{split.shares}: {split.targets} targets, variance {split.variance:.6g}" for split in splits)
        return f"recovered: the window up to the bar of {clock(last)} fits ({found}); of {tried} ends tried {alone}"
    faults = [_fault(split) for split in splits if not split.fits]
    shown = f"{names([clock(end) for end in ends[:_SHOWN]])} (of {len(ends)})" if ends else "no bar of the file"
    return f"not recovered: up to the bar of {clock(last)}, {'; '.join(faults)}. Ends that fit every split: {shown}"


def _fault(split: SplitWindow) -> str:
    if split.published is None:
        return f"{split.shares}: the published rows ({names(split.variants)}) cannot have had one test set"
    return (
        f"{split.shares}: the {split.targets} targets have a variance of {number(split.variance, 6)}, the published "
        f"numbers allow {between(split.published)}"
    )
