"""MetaTrader's history files: `.hst`, versions 400 and 401. What the broker's clock was is not theirs to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from golden_core.vendors.base import Claim, Reader, VendorError, VendorTable
from golden_core.vendors.names import side_in_name
from golden_core.vendors.prices import require_candles

HEADER = np.dtype(
    [
        ("version", "<i4"), ("copyright", "S64"), ("symbol", "S12"), ("period", "<i4"), ("digits", "<i4"),
        ("created", "<i4"), ("synchronised", "<i4"), ("unused", "V52"),
    ]
)  # fmt: skip
# The old records hold low before high; the new ones have them the other way round.
RECORDS = {
    400: np.dtype(
        [("time", "<i4"), ("open", "<f8"), ("low", "<f8"), ("high", "<f8"), ("close", "<f8"), ("volume", "<f8")]
    ),
    401: np.dtype(
        [
            ("time", "<i8"), ("open", "<f8"), ("high", "<f8"), ("low", "<f8"), ("close", "<f8"), ("volume", "<i8"),
            ("spread", "<i4"), ("real_volume", "<i8"),
        ]
    ),
}  # fmt: skip
LAYOUT = {400: ("open", "low", "high", "close"), 401: ("open", "high", "low", "close")}
PERIODS = {1: "1m", 5: "5m", 15: "15m", 30: "30m", 60: "1h", 240: "4h", 1440: "1d", 10080: "1w", 43200: "1mo"}
MAX_BYTES = 1 << 30
LAST_SECOND = 253_402_300_799  # the end of the year 9999, which is as far as a calendar goes
_PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True)
class Header:
    """What the first 148 bytes of the file say."""

    version: int
    copyright: str
    symbol: str
    period: int
    digits: int


class HstReader:
    """Reader of MetaTrader 4's binary history."""

    name = "hst"
    example = "EURUSD60.hst"
    choices: Sequence[str] = ()

    def chosen(self, choice: str) -> Reader:  # noqa: ARG002
        """Return itself: there is nothing to choose."""
        return self

    def sniff(self, path: Path) -> Claim | None:
        """Claim a file whose name ends in ``.hst``, or that begins like one: version, text, a known period."""
        if not path.is_file():
            return None
        with path.open("rb") as stream:
            start = stream.read(HEADER.itemsize)
        if path.suffix.lower() == ".hst":
            return Claim(self.name, "its name ends in .hst")
        header = np.frombuffer(start, HEADER)[0] if len(start) == HEADER.itemsize else None
        if header is not None and header["version"] in RECORDS and int(header["period"]) in PERIODS:
            return Claim(self.name, f"it begins with the header of version {header['version']}")
        return None

    def read(self, path: Path, pair: str) -> VendorTable:
        """Read all bars as written; refuse a file that is cut off, unknown, or of another symbol."""
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise VendorError(f"{path}: {size} bytes are more than the {MAX_BYTES} that a history may have")
        data = path.read_bytes()
        header = _header(data, path)
        notes = [*_symbol_notes(header, pair, path), _origin(header)]
        records = _records(data, header, path)
        bar = PERIODS[header.period]
        return VendorTable(_bars(records, header, path), self.name, None, bar, side_in_name(path), tuple(notes))


HST = HstReader()


def _header(data: bytes, path: Path) -> Header:
    if len(data) < HEADER.itemsize:
        raise VendorError(f"{path}: {len(data)} bytes, but an .hst file begins with a header of {HEADER.itemsize}")
    raw = np.frombuffer(data, HEADER, count=1)[0]
    version, period, digits = int(raw["version"]), int(raw["period"]), int(raw["digits"])
    if version not in RECORDS:
        raise VendorError(f"{path}: version {version} of .hst is not known, only {', '.join(map(str, RECORDS))}")
    if period not in PERIODS:
        raise VendorError(
            f"{path}: a period of {period} minutes is none of MetaTrader's: {', '.join(map(str, PERIODS))}"
        )
    if not 0 <= digits <= 8:
        raise VendorError(f"{path}: {digits} digits of a price cannot be; expected 0 to 8: the header is damaged")
    texts = [bytes(raw[name]).split(b"\0")[0].decode("latin-1").strip() for name in ("copyright", "symbol")]
    return Header(version, texts[0], texts[1], period, digits)


def _symbol_notes(header: Header, pair: str, path: Path) -> list[str]:
    """Refuse another symbol; a broker's prefix or suffix is said, since it may mean another account type."""
    if header.symbol == pair:
        return []
    if pair in header.symbol.upper().replace("/", ""):
        return [f"The header's symbol is {header.symbol}, taken for {pair}."]
    raise VendorError(f"{path}: the header's symbol is {header.symbol!r}, but {pair} is asked for")


def _origin(header: Header) -> str:
    owner = f", copyright {header.copyright!r}" if header.copyright else ""
    return (
        f"MetaTrader history, version {header.version}, {header.period} minutes, {header.digits} digits{owner}."
        " It does not say its clock: declare it."
    )


def _records(data: bytes, header: Header, path: Path) -> np.ndarray[Any, Any]:
    record = RECORDS[header.version]
    body = len(data) - HEADER.itemsize
    if body % record.itemsize:
        raise VendorError(
            f"{path}: {body} bytes after the header are no whole number of records of {record.itemsize} bytes"
            f" (version {header.version}): the file is cut off after record {body // record.itemsize}"
        )
    return np.frombuffer(data, record, offset=HEADER.itemsize)


def _bars(records: np.ndarray[Any, Any], header: Header, path: Path) -> pl.DataFrame:
    seconds = records["time"].astype(np.int64)
    # A negative or absurd time is not a time at all; zero is one, which cleaning knows for what it is.
    sound = (seconds >= 0) & (seconds <= LAST_SECOND)
    if not sound.all():
        record = int(np.argmin(sound))
        raise VendorError(f"{path}: record {record + 1}: {seconds[record]} seconds since 1970 is no time of a bar")
    require_candles(records, LAYOUT[header.version], str(path))
    prices = {name: records[name].astype(np.float64) for name in _PRICES}
    line = pl.int_range(1, len(seconds) + 1, dtype=pl.Int64, eager=True)
    times = (seconds * 1_000_000).astype("datetime64[us]")
    return pl.DataFrame({"timestamp": times, **prices, "volume": records["volume"].astype(np.float64), "line": line})
