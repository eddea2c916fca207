"""Fetching hourly candles from Dukascopy's public feed: which months, kept where, stitched into one table per pair."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from golden_core.sources.base import SourceError
from golden_core.sources.fetch_cache import Cache
from golden_core.sources.https import DownloadError, require_safe
from golden_core.sources.politeness import Politeness, StoppedError, Turns, ask
from golden_core.store.lake import hash_file, write_json, write_parquet
from golden_core.store.schema import BARS
from golden_core.vendors.base import VendorError
from golden_core.vendors.bi5 import BI5
from golden_core.vendors.bi5_records import CANDLE, decode_candles, points
from golden_core.vendors.dukascopy_feed import Place, locate, month_path

BASE_URL = "https://datafeed.dukascopy.com/datafeed"
MAX_BYTES = 31 * 24 * CANDLE.itemsize + 4096  # a month of candles that do not compress
SETTLES = dt.timedelta(days=1)  # after its end, a month's file does not change any more
SHOWN = 12

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
    politeness: Politeness,
    base_url: str = BASE_URL,
    progress: Callable[[Month], None] = lambda _: None,
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
) -> list[Fetched]:
    """Fetch what is not here yet, and stitch each pair's hours into one Parquet file.

    Raw files and manifests go to ``sources/dukascopy/raw`` of the home, tables beside it. ``start`` and ``end`` are UTC
    days, both included; ``progress`` is told of every month when it is settled; the result has the order of the pairs.

    Raises
    ------
    FetchError
        If a month cannot be fetched (all of them are listed), or the request makes no sense.
    """
    base_url = base_url.rstrip("/")
    began = now()
    _require_request(pairs, start, end, base_url, began.date())
    raw = folder(home) / "raw"
    caches = {pair: Cache(raw, pair) for pair in pairs}
    wanted = list(itertools.product(pairs, months_between(start, end)))
    work = _Work(caches, politeness, Turns(politeness.delay_s), base_url, now)
    with ThreadPoolExecutor(politeness.concurrency, thread_name_prefix="fetch") as pool:
        try:
            futures = [pool.submit(work.month, pair, month) for pair, month in wanted]
            months = _collect(futures, progress)
        except BaseException:  # also Ctrl-C: the workers must not go on asking
            work.turns.stop()
            pool.shutdown(cancel_futures=True)
            raise
    _require_complete(months)
    days = _Days(start, end, began)
    return [_stitch(home, pair, [one for one in months if one.pair == pair], days, base_url) for pair in pairs]


@dataclass(frozen=True)
class _Days:
    """First and last day of a table, and the instant after which a bar is still in the making."""

    start: dt.date
    end: dt.date
    known_by: dt.datetime

    def __str__(self) -> str:
        return f"{self.start} to {self.end}"


@dataclass(frozen=True)
class _Work:
    """What every worker needs."""

    caches: Mapping[str, Cache]
    politeness: Politeness
    turns: Turns
    base_url: str
    now: Callable[[], dt.datetime]

    def month(self, pair: str, month: dt.date) -> Month:
        """Settle one month."""
        settled = self._settle(pair, month)
        if settled.state in {"fetched", "absent", "failed"}:
            self.turns.settle(failed=settled.state == "failed")
        return settled

    def _settle(self, pair: str, month: dt.date) -> Month:
        path, cache = month_path(pair, month), self.caches[pair]
        url, place = f"{self.base_url}/{path}", locate(cache.root / path)
        known = cache.look(path, url, place.end.replace(tzinfo=dt.UTC) + SETTLES)
        if known is not None:
            return Month(pair, month, known)
        altered = cache.altered(path)
        asked_at = self.now()
        try:
            body = self._ask(url, place)
        except DownloadError as error:
            if not error.passing:
                self.turns.stop()  # the server's last word for one month is its last word for all
            return Month(pair, month, "failed", str(error))
        except StoppedError:
            return Month(pair, month, "not asked")
        if body is not None:
            cache.keep(path, body, url, asked_at)
            return Month(pair, month, "fetched", "the kept file had been altered" if altered else "")
        local = cache.root / path
        if local.exists():
            return Month(pair, month, "failed", f"{url} is gone, but {local} is here: delete it if it is wrong")
        cache.keep_absence(path, url, asked_at)
        return Month(pair, month, "absent")

    def _ask(self, url: str, place: Place) -> bytes | None:
        def check(body: bytes) -> None:
            decode_candles(body, place, place.pair or "", url)

        return ask(url, politeness=self.politeness, turns=self.turns, max_bytes=MAX_BYTES, check=check)


def _collect(futures: Iterable[Future[Month]], progress: Callable[[Month], None]) -> list[Month]:
    """Gather the months as they are settled."""
    settled = []
    for future in as_completed(futures):
        month = future.result()
        settled.append(month)
        progress(month)
    return sorted(settled, key=lambda one: (one.pair, one.month))


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
    if not any(table.height for table in tables):
        raise FetchError(f"{pair}: the feed has no candles from {days}")
    opens = pl.col("timestamp").dt.replace_time_zone("UTC")
    bars = BARS.conform(
        pl.concat(tables)
        .filter(pl.col("timestamp").dt.date().is_between(days.start, days.end))
        .with_columns(pair=pl.lit(pair), timestamp=opens, available_at=opens.dt.offset_by("1h"))
        .filter(pl.col("available_at") <= days.known_by)
        .drop("line")
    )
    if bars.is_empty():
        raise FetchError(f"{pair}: the feed has no candles from {days}")
    path = folder(home) / f"{pair}_1h_bid.parquet"
    write_parquet(bars, path)
    first, last = bars["timestamp"][0], bars["timestamp"][-1]
    found = Fetched(pair, path, hash_file(path), bars.height, first, last, tuple(months))
    _write_account(found, days, base_url)
    return found


def _write_account(found: Fetched, days: _Days, base_url: str) -> None:
    """Write what the table is made of beside it."""
    absent = [f"{one.month:%Y-%m}" for one in found.months if one.state == "absent"]
    account = {
        "pair": found.pair, "bar": "1h", "side": "bid", "clock": "UTC", "sha256": found.sha256, "bars": found.bars,
        "from": str(days.start), "to": str(days.end), "base_url": base_url, "months": len(found.months),
        "absent": absent,
    }  # fmt: skip
    write_json(account, found.path.with_suffix(".json"))
