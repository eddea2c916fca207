"""Fetching hourly candles from Dukascopy's public feed: which months, kept where, stitched into one table per pair."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from golden_core.sources.base import SourceError
from golden_core.sources.fetch_cache import Cache
from golden_core.sources.https import DownloadError, ask, require_safe
from golden_core.store.lake import hash_file, write_json, write_parquet
from golden_core.store.schema import BARS
from golden_core.vendors.base import VendorError
from golden_core.vendors.bi5 import BI5
from golden_core.vendors.bi5_files import CANDLE, decode_candles, locate, month_path, points

BASE_URL = "https://datafeed.dukascopy.com/datafeed"
MAX_BYTES = 31 * 24 * CANDLE.itemsize + 4096  # a month of candles that do not compress
SETTLES = dt.timedelta(days=1)  # after its end, a month's file does not change any more
SHOWN = 12
GIVES_UP_AFTER = 3  # months in a row that failed after all attempts: the server is not well

State = Literal["fetched", "cached", "absent", "failed", "not asked"]


class FetchError(SourceError):
    """Some months could not be fetched; what was fetched is kept, and the next run goes on from there."""


@dataclass(frozen=True)
class Month:
    """What became of one month of a pair. ``detail`` says why, where there is something to say."""

    pair: str
    month: dt.date
    state: State
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.pair} {self.month:%Y-%m}"


@dataclass(frozen=True)
class Fetched:
    """One pair's table: BID candles of an hour (``schema.BARS``), stamped at their open."""

    pair: str
    path: Path
    sha256: str
    bars: int
    first: dt.datetime
    last: dt.datetime
    months: Sequence[Month]

    @property
    def counts(self) -> Mapping[str, int]:
        """Months by state."""
        return {state: sum(one.state == state for one in self.months) for state in ("fetched", "cached", "absent")}


def folder(home: Path) -> Path:
    """Return where everything from this feed lies under Golden's home."""
    return home / "sources" / "dukascopy"


def months_between(start: dt.date, end: dt.date) -> list[dt.date]:
    """Return the first day of every month that two dates touch."""
    first, last = start.year * 12 + start.month - 1, end.year * 12 + end.month - 1
    return [dt.date(number // 12, number % 12 + 1, 1) for number in range(first, last + 1)]


def fetch(
    home: Path,
    pairs: Sequence[str],
    start: dt.date,
    end: dt.date,
    *,
    base_url: str = BASE_URL,
    progress: Callable[[Month], None] = lambda _: None,
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
) -> list[Fetched]:
    """Fetch what is not here yet, and stitch each pair's hours into one Parquet file, in the order of the pairs.

    Raw files and manifests go to ``sources/dukascopy/raw`` of the home, tables beside it. ``start`` and ``end`` are UTC
    days, both included; ``progress`` is told of every month when it is settled. FetchError lists months that failed.
    """
    base_url = base_url.rstrip("/")
    began = now()
    _require_request(pairs, start, end, base_url, began.date())
    months: dict[str, list[Month]] = {pair: [] for pair in pairs}
    failed, stopped = 0, False
    for pair in pairs:
        feed = _Feed(Cache(folder(home) / "raw", pair), base_url, now)
        for month in months_between(start, end):
            settled, last_word = (Month(pair, month, "not asked"), False) if stopped else feed.month(pair, month)
            failed = {"failed": failed + 1, "cached": failed}.get(settled.state, 0)
            # The server's last word for one month is its last word for all.
            stopped = stopped or last_word or failed >= GIVES_UP_AFTER
            months[pair].append(settled)
            progress(settled)
    _require_complete([month for settled in months.values() for month in settled])
    days = _Days(start, end, began)
    return [_stitch(home, pair, months[pair], days, base_url) for pair in pairs]


@dataclass(frozen=True)
class _Days:
    """First and last day of a table, and the instant after which a bar is still in the making."""

    start: dt.date
    end: dt.date
    known_by: dt.datetime

    def __str__(self) -> str:
        return f"{self.start} to {self.end}"


@dataclass(frozen=True)
class _Feed:
    """The feed, and what is here of it."""

    cache: Cache
    base_url: str
    now: Callable[[], dt.datetime]

    def month(self, pair: str, month: dt.date) -> tuple[Month, bool]:
        """Settle one month, and say whether the server's answer forbids to ask for others."""
        path, cache = month_path(pair, month), self.cache
        url, local = f"{self.base_url}/{path}", cache.root / path
        place = locate(local)
        known = cache.look(path, url, place.end.replace(tzinfo=dt.UTC) + SETTLES)
        if known is not None:
            return Month(pair, month, known), False
        altered, asked_at = cache.altered(path), self.now()
        try:
            body = ask(url, max_bytes=MAX_BYTES, check=lambda body: decode_candles(body, place, pair, url))
        except DownloadError as error:
            return Month(pair, month, "failed", str(error)), not error.passing
        if body is not None:
            cache.keep(path, body, url, asked_at)
            return Month(pair, month, "fetched", "the kept file had been altered" if altered else ""), False
        if local.exists():
            return Month(pair, month, "failed", f"{url} is gone, but {local} is here: delete it if it is wrong"), False
        cache.keep_absence(path, url, asked_at)
        return Month(pair, month, "absent"), False


def _require_request(pairs: Sequence[str], start: dt.date, end: dt.date, base_url: str, today: dt.date) -> None:
    if not pairs or len(set(pairs)) < len(pairs):
        raise FetchError(f"pairs must be named, each once, got {', '.join(pairs) or 'none'}")
    if not start <= end <= today:
        raise FetchError(f"days must run forward and end by today, {today}: got {start} to {end}")
    try:
        require_safe(base_url)
        for pair in pairs:
            if not (len(pair) == 6 and pair.isascii() and pair.isalpha() and pair.isupper()):
                raise FetchError(f"{pair!r} is no pair such as EURUSD")
            points(pair, "fetch")
    except (DownloadError, VendorError) as error:
        raise FetchError(str(error)) from error


def _require_complete(months: Sequence[Month]) -> None:
    lacking = [one for one in months if one.state in {"failed", "not asked"}]
    if not lacking:
        return
    failed = [one for one in lacking if one.state == "failed"]
    names = ", ".join(map(str, lacking[:SHOWN])) + (f" and {len(lacking) - SHOWN} more" if len(lacking) > SHOWN else "")
    raise FetchError(
        f"{len(lacking)} of {len(months)} months are missing: {names}. {len(failed)} failed, such as {failed[0]}:"
        f" {failed[0].detail}. What was fetched is kept: run the command again to go on from there"
    )


def _stitch(home: Path, pair: str, months: Sequence[Month], days: _Days, base_url: str) -> Fetched:
    """Read the kept files as any file is read, and write the days asked for as one table."""
    paths = [folder(home) / "raw" / month_path(pair, one.month) for one in months if one.state != "absent"]
    try:
        tables = [BI5.read(path, pair).bars for path in paths]
    except VendorError as error:
        raise FetchError(f"{error}; delete that file and fetch again") from error
    none = FetchError(f"{pair}: the feed has no candles from {days}")
    if not any(table.height for table in tables):
        raise none
    opens = pl.col("timestamp").dt.replace_time_zone("UTC")
    bars = BARS.conform(
        pl.concat(tables)
        .filter(pl.col("timestamp").dt.date().is_between(days.start, days.end))
        .with_columns(pair=pl.lit(pair), timestamp=opens, available_at=opens.dt.offset_by("1h"))
        .filter(pl.col("available_at") <= days.known_by)
        .drop("line")
    )
    if bars.is_empty():
        raise none
    path = folder(home) / f"{pair}_1h_bid.parquet"
    write_parquet(bars, path)
    first, last = bars["timestamp"][0], bars["timestamp"][-1]
    found = Fetched(pair, path, hash_file(path), bars.height, first, last, tuple(months))
    account = {
        "pair": pair, "bar": "1h", "side": "bid", "clock": "UTC", "sha256": found.sha256, "bars": found.bars,
        "from": str(days.start), "to": str(days.end), "base_url": base_url, "months": len(months),
        "absent": [f"{one.month:%Y-%m}" for one in months if one.state == "absent"],
    }  # fmt: skip
    write_json(account, path.with_suffix(".json"))
    return found
