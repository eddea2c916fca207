"""One `.bi5` file of Dukascopy's feed: what its path declares, and its records under LZMA. No folder is walked here."""

from __future__ import annotations

import datetime as dt
import lzma
import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import numpy as np
import polars as pl

from golden_core.vendors.base import VendorError
from golden_core.vendors.columns import PRICES
from golden_core.vendors.prices import require_roles
from golden_core.vendors.ticks import require_spread

Kind = Literal["ticks", "min", "hour", "day"]
Side = Literal["bid", "ask"]

CANDLES: dict[Kind, str] = {"min": "1m", "hour": "1h", "day": "1d"}

FIRST_YEAR, LAST_YEAR = 1970, 2199

_NAME = re.compile(r"(?:(?P<hour>\d{2})h_ticks|(?P<side>BID|ASK)_candles_(?P<kind>min|hour|day)_1)\.bi5")
_DEPTH: dict[Kind, int] = {"ticks": 3, "min": 3, "hour": 2, "day": 1}  # folders that carry the date: year, month, day
_PAIR = re.compile(r"[A-Z]{6}")
_DECLARED = "Declare it by its folders, months from 00: EURUSD/2019/01/04/00h_ticks.bi5 is of 4 February 2019, as are "
_DECLARED += "minutes there; hours lie in EURUSD/2019/01, days in EURUSD/2019"

_LAYOUT = ("open", "close", "low", "high")
CANDLE = np.dtype([("offset", ">i4"), *((name, ">i4") for name in _LAYOUT), ("volume", ">f4")])
TICK = np.dtype([("offset", ">i4"), ("ask", ">i4"), ("bid", ">i4"), ("ask_volume", ">f4"), ("bid_volume", ">f4")])
SECONDS = {"min": 60, "hour": 3600, "day": 86_400}

# Points per unit of the quote currency, as the feed scales its prices (dukascopy-node, instrument meta data,
# decimalFactor). A currency that is not listed is refused: a wrong scale looks like a price.
_TENTH_OF_A_PIP = "AUD CAD CHF CNH DKK GBP HKD ILS MXN NOK NZD PLN SEK SGD TRY USD ZAR"
POINTS = dict.fromkeys(_TENTH_OF_A_PIP.split(), 100_000) | dict.fromkeys(("CZK", "RON", "THB"), 10_000)
POINTS |= dict.fromkeys(("HUF", "JPY"), 1_000)
METALS = dict.fromkeys(("XAU", "XAG"), 1_000)  # whatever they are quoted in

MAX_TICKS = 1_000_000  # in one hour; the busiest hours of EURUSD have some 50,000
MAX_DICTIONARY = 64 << 20  # bytes that the decompressor may use; the feed's own dictionaries have 4 MiB


@dataclass(frozen=True)
class Place:
    """What the path of a ``.bi5`` file declares. ``pair`` is None where no folder above the year names one."""

    kind: Kind
    side: Side | None
    start: dt.datetime
    pair: str | None

    @property
    def end(self) -> dt.datetime:
        """The first instant after the file."""
        if self.kind == "ticks":
            return self.start + dt.timedelta(hours=1)
        if self.kind == "min":
            return self.start + dt.timedelta(days=1)
        following = self.start.replace(day=1) + dt.timedelta(days=31 if self.kind == "hour" else 366)
        return following.replace(day=1)


def locate(path: Path) -> Place:
    """Read pair, kind, side and first instant (UTC) from ``EURUSD/2019/01/04/00h_ticks.bi5``, 4 February 2019."""
    name = _NAME.fullmatch(path.name)
    if name is None:
        raise VendorError(
            f"{path}: the name is none of Dukascopy's, which are 00h_ticks.bi5 and BID_candles_min_1.bi5 (hour, day;"
            " ASK). Records count from the hour, day, month or year of their file, which only its path says"
        )
    kind: Kind = "ticks" if name["hour"] else name["kind"]  # type: ignore[assignment]
    side: Side | None = {"BID": "bid", "ASK": "ask"}.get(name["side"] or "")  # type: ignore[assignment]
    depth = _DEPTH[kind]
    # Links are not followed: a link's own folders are what somebody declared with it.
    path = Path(os.path.normpath(path.absolute()))
    folders = path.parent.parts[-depth:]
    digits = ("[0-9]{4}", "[0-9]{2}", "[0-9]{2}")[:depth]
    if len(folders) < depth or not all(map(re.fullmatch, digits, folders)):
        raise VendorError(f"{path}: the path does not say when its records begin. {_DECLARED}")
    try:
        start = _start(folders, int(name["hour"] or 0))
    except ValueError as error:
        raise VendorError(
            f"{path}: {'/'.join(folders)} is no date ({error}); months count from 00 (January) to 11 (December)"
        ) from None
    above = path.parents[depth].name
    return Place(kind, side, start, above if _PAIR.fullmatch(above) else None)


def _start(folders: tuple[str, ...], hour: int) -> dt.datetime:
    year, month, day = (*map(int, folders), *(0, 1)[len(folders) - 1 :])
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"year {year} is not within {FIRST_YEAR} to {LAST_YEAR}")
    # Naive, as all readers give times; the feed's clock is UTC.
    return dt.datetime(year, month + 1, day, hour)  # noqa: DTZ001


def month_path(pair: str, month: dt.date) -> PurePosixPath:
    """Return where the feed keeps a month of a pair's hourly BID candles."""
    return PurePosixPath(pair, f"{month.year:04}", f"{month.month - 1:02}", "BID_candles_hour_1.bi5")


def points(pair: str, where: str) -> int:
    """Return how many points of the feed make one unit of the quote currency; refuse a pair of which none knows."""
    found = METALS.get(pair[:3]) or POINTS.get(pair[3:])
    if found is None:
        raise VendorError(
            f"{where}: how Dukascopy scales {pair} is not known: add {pair[3:]} to POINTS in {Path(__file__).name}"
        )
    return found


def read_candles(path: Path, place: Place, pair: str) -> pl.DataFrame:
    """Read candles: naive UTC, prices, volume (millions of the base), record; silence is a flat bar."""
    return decode_candles(path.read_bytes(), place, pair, str(path))


def decode_candles(data: bytes, place: Place, pair: str, where: str) -> pl.DataFrame:
    """Decode the bytes of a file of candles; refuse what is damaged, or does not fit the place of the file."""
    capacity = int((place.end - place.start).total_seconds()) // SECONDS[place.kind]
    records = _unpack(data, CANDLE, capacity, where)
    offsets = _offsets(records, place, where)
    bar = f"seconds, which begins no bar of {CANDLES[place.kind]}"
    _require(offsets % SECONDS[place.kind] == 0, offsets, bar, where)
    _require(np.diff(offsets, prepend=-1) > 0, offsets, "seconds, not after the record before it", where)
    scale = points(pair, where)
    table = {name: records[name].astype(np.float64) / scale for name in PRICES}
    bars = _frame(offsets * 1_000_000, place, table | {"volume": records["volume"].astype(np.float64)})
    require_roles(bars, where)
    return bars


def read_ticks(path: Path, place: Place, pair: str) -> pl.DataFrame:
    """Read the ticks of one hour (an empty file has none): naive UTC, two sides, their volumes, record."""
    where = str(path)
    records = _unpack(path.read_bytes(), TICK, MAX_TICKS, where)
    offsets = _offsets(records, place, where)
    scale = points(pair, where)
    table = {name: records[name].astype(np.float64) / scale for name in ("bid", "ask")}
    volumes = {name: records[name].astype(np.float64) for name in ("bid_volume", "ask_volume")}
    ticks = _frame(offsets * 1_000, place, table | volumes)
    require_spread(ticks, where)
    return ticks


def _frame(microseconds: np.ndarray[Any, Any], place: Place, columns: dict[str, np.ndarray[Any, Any]]) -> pl.DataFrame:
    times = np.datetime64(place.start, "us") + microseconds.astype("timedelta64[us]")
    line = pl.int_range(1, len(times) + 1, dtype=pl.Int64, eager=True)
    return pl.DataFrame({"timestamp": times.astype("datetime64[us]"), **columns, "line": line})


def _unpack(data: bytes, record: np.dtype[np.void], most: int, where: str) -> np.ndarray[Any, Any]:
    """Decompress into records; a body that claims or yields more than fits its period is refused, not unpacked."""
    if not data:
        return np.empty(0, record)
    limit = most * record.itemsize
    machine = lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=MAX_DICTIONARY)
    try:
        body = machine.decompress(data, max_length=limit + 1)
    except lzma.LZMAError as error:
        raise VendorError(f"{where}: no sound LZMA stream ({error}); fetch the file again") from None
    if len(body) > limit:
        raise VendorError(f"{where}: unpacks to more than {limit} bytes, the {most} records that fit its period")
    if not machine.eof:
        raise VendorError(f"{where}: cut off after {len(data)} bytes ({len(body)} unpacked); fetch the file again")
    if machine.unused_data:
        raise VendorError(f"{where}: {len(machine.unused_data)} bytes follow the end of the LZMA stream")
    if len(body) % record.itemsize:
        raise VendorError(f"{where}: {len(body)} bytes are no whole number of records of {record.itemsize} bytes")
    return np.frombuffer(body, record)


def _offsets(records: np.ndarray[Any, Any], place: Place, where: str) -> np.ndarray[Any, Any]:
    """Return the offsets of records from the start of their file, in the unit of its kind; refuse others."""
    offsets = records["offset"].astype(np.int64)
    unit, per_second = ("milliseconds", 1000) if place.kind == "ticks" else ("seconds", 1)
    end = int((place.end - place.start).total_seconds()) * per_second
    fault = f"{unit}, outside the file's period of {end} {unit} from {place.start} UTC"
    _require((offsets >= 0) & (offsets < end), offsets, fault, where)
    return offsets


def _require(sound: np.ndarray[Any, Any], offsets: np.ndarray[Any, Any], fault: str, where: str) -> None:
    if not sound.all():
        record = int(np.argmin(sound))
        raise VendorError(f"{where}: record {record + 1}: offset {offsets[record]} {fault}")
