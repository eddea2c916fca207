"""Fetching hourly candles from Dukascopy's public feed: which months, kept where, stitched into one table per pair."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import polars as pl

from golden_core.sources.base import SourceError
from golden_core.sources.https import DownloadError, ask, require_safe
from golden_core.store.lake import hash_bytes, hash_file, read_json, replacing, write_json, write_parquet
from golden_core.store.schema import BARS
from golden_core.vendors.base import VendorError
from golden_core.vendors.bi5 import BI5
from golden_core.vendors.bi5_files import CANDLE, decode_candles, locate, month_path, points

BASE_URL = "https://datafeed.dukascopy.com/datafeed"
MAX_BYTES = 31 * 24 * CANDLE.itemsize + 4096  # a month of candles that do not compress
SETTLES = dt.timedelta(days=1)  # after its end, a month's file does not change any more


class FetchError(SourceError):
    """A month could not be fetched; what was fetched is kept, and the next run goes on from there."""


@dataclass(frozen=True)
class Month:
    """What became of one month of a pair. ``detail`` says why, where there is something to say."""

    pair: str
    month: dt.date
    state: Literal["fetched", "cached", "absent"]
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


class Cache:
    """The raw files of one folder below ``root``, as at the server, and the manifest beside them."""

    def __init__(self, root: Path, folder: str) -> None:
        self.root = root
        self.manifest = root / folder / "manifest.json"
        self._known = self._load()

    def look(self, path: PurePosixPath, url: str, settled: dt.datetime) -> Literal["cached", "absent"] | None:
        """Say what is known of a file (its path below the root), or None if it must be asked for.

        Another address, or an answer from before the file was ``settled`` (UTC), is not trusted.
        """
        entry = self._known.get(str(path))
        if entry is None or entry["url"] != url or dt.datetime.fromisoformat(entry["asked_at"]) < settled:
            return None
        if entry["state"] == "absent":
            return "absent"
        return None if self.altered(path) or not (self.root / path).is_file() else "cached"

    def altered(self, path: PurePosixPath) -> bool:
        """Tell whether a file is here, but is not the one that was fetched."""
        fetched, local = self._known.get(str(path), {}).get("sha256"), self.root / path
        return fetched is not None and local.is_file() and hash_file(local) != fetched

    def keep(self, path: PurePosixPath, body: bytes, url: str, asked_at: dt.datetime) -> None:
        """Write a file, then its entry: a process killed in between asks for it anew."""
        with replacing(self.root / path) as temporary:
            temporary.write_bytes(body)
        self._enter(path, {"state": "fetched", "url": url, "sha256": hash_bytes(body), "bytes": len(body)}, asked_at)

    def keep_absence(self, path: PurePosixPath, url: str, asked_at: dt.datetime) -> None:
        """Record that the server has no such file."""
        self._enter(path, {"state": "absent", "url": url}, asked_at)

    def _enter(self, path: PurePosixPath, entry: dict[str, Any], asked_at: dt.datetime) -> None:
        self._known[str(path)] = entry | {"asked_at": asked_at.isoformat(timespec="seconds")}
        write_json({"files": self._known}, self.manifest)

    def _load(self) -> dict[str, dict[str, Any]]:
        if not self.manifest.exists():
            return {}
        try:
            known = dict(read_json(self.manifest)["files"])
            for entry in known.values():
                asked_at = dt.datetime.fromisoformat(entry["asked_at"])
                sound = entry["state"] == "absent" or (entry["state"] == "fetched" and entry["sha256"])
                if not sound or asked_at.tzinfo is None or not isinstance(entry["url"], str):
                    raise ValueError(f"the entry {entry}")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SourceError(f"{self.manifest} is damaged ({error}): delete it and fetch again") from error
        return known


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
    days, both included; ``progress`` is told of every month when it is settled. FetchError at the first that fails.
    """
    base_url = base_url.rstrip("/")
    began = now()
    _require_request(pairs, start, end, base_url, began.date())
    months: dict[str, list[Month]] = {pair: [] for pair in pairs}
    for pair in pairs:
        cache = Cache(folder(home) / "raw", pair)
        for month in months_between(start, end):
            months[pair].append(_settled(cache, pair, month, base_url, now))
            progress(months[pair][-1])
    return [_stitch(home, pair, months[pair], start, end, began, base_url) for pair in pairs]


def _settled(cache: Cache, pair: str, month: dt.date, base_url: str, now: Callable[[], dt.datetime]) -> Month:
    path = month_path(pair, month)
    url, local = f"{base_url}/{path}", cache.root / path
    place = locate(local)
    known = cache.look(path, url, place.end.replace(tzinfo=dt.UTC) + SETTLES)
    if known is not None:
        return Month(pair, month, known)
    altered, asked_at = cache.altered(path), now()
    try:
        body = ask(url, max_bytes=MAX_BYTES, check=lambda body: decode_candles(body, place, pair, url))
    except DownloadError as error:
        raise FetchError(
            f"{pair} {month:%Y-%m}: {error}. What was fetched is kept: run the command again to go on from there"
        ) from error
    if body is not None:
        cache.keep(path, body, url, asked_at)
        return Month(pair, month, "fetched", "the kept file had been altered" if altered else "")
    if local.exists():
        raise FetchError(f"{url} is gone, but {local} is here: delete it if it is wrong")
    cache.keep_absence(path, url, asked_at)
    return Month(pair, month, "absent")


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


def _stitch(
    home: Path, pair: str, months: Sequence[Month], start: dt.date, end: dt.date, known_by: dt.datetime, base_url: str
) -> Fetched:
    """Read the kept files as any file is read, and write the days asked for as one table."""
    paths = [folder(home) / "raw" / month_path(pair, one.month) for one in months if one.state != "absent"]
    try:
        tables = [BI5.read(path, pair).bars for path in paths]
    except VendorError as error:
        raise FetchError(f"{error}; delete that file and fetch again") from error
    none = FetchError(f"{pair}: the feed has no candles from {start} to {end}")
    if not any(table.height for table in tables):
        raise none
    opens = pl.col("timestamp").dt.replace_time_zone("UTC")
    bars = BARS.conform(
        pl.concat(tables)
        .filter(pl.col("timestamp").dt.date().is_between(start, end))
        .with_columns(pair=pl.lit(pair), timestamp=opens, available_at=opens.dt.offset_by("1h"))
        .filter(pl.col("available_at") <= known_by)
        .drop("line")
    )
    if bars.is_empty():
        raise none
    path = folder(home) / f"{pair}_1h_bid.parquet"
    path.with_suffix(".json").unlink(missing_ok=True)  # no table ever lies beside the account of another
    write_parquet(bars, path)
    first, last = bars["timestamp"][0], bars["timestamp"][-1]
    found = Fetched(pair, path, hash_file(path), bars.height, first, last, tuple(months))
    account = {
        "pair": pair, "bar": "1h", "side": "bid", "clock": "UTC", "sha256": found.sha256, "bars": found.bars,
        "from": str(start), "to": str(end), "base_url": base_url, "months": len(months),
        "absent": [f"{one.month:%Y-%m}" for one in months if one.state == "absent"],
    }  # fmt: skip
    write_json(account, path.with_suffix(".json"))
    return found
