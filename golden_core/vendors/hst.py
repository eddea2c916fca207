"""MetaTrader's history files: `.hst`, versions 400 and 401. What the broker's clock was is not theirs to say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from golden_core.vendors.base import Claim, Reader, VendorError, VendorTable, side_in_name
from golden_core.vendors.columns import PRICES
from golden_core.vendors.feed import require_moves, require_own
from golden_core.vendors.prices import require_roles

HEADER = np.dtype(
    [
        ("version", "<i4"), ("copyright", "S64"), ("symbol", "S12"), ("period", "<i4"), ("digits", "<i4"),
        ("created", "<i4"), ("synchronised", "<i4"), ("unused", "V52"),
    ]
)  # fmt: skip
# The old records hold low before high; the new ones have them the other way round.
LAYOUT = {400: ("open", "low", "high", "close"), 401: ("open", "high", "low", "close")}
RECORDS = {
    400: np.dtype([("time", "<i4"), *((name, "<f8") for name in LAYOUT[400]), ("volume", "<f8")]),
    401: np.dtype(
        [
            ("time", "<i8"), *((name, "<f8") for name in LAYOUT[401]), ("volume", "<i8"), ("spread", "<i4"),
            ("real_volume", "<i8"),
        ]
    ),
}  # fmt: skip
PERIODS = {1: "1m", 5: "5m", 15: "15m", 30: "30m", 60: "1h", 240: "4h", 1440: "1d", 10080: "1w", 43200: "1mo"}
LAST_SECOND = 253_402_300_799  # the end of the year 9999, which is as far as a calendar goes


class HstReader(Reader):
    """Reader of MetaTrader 4's binary history."""

    name = "hst"
    example = "EURUSD60.hst"

    def sniff(self, path: Path) -> Claim | None:
        """Claim a file whose name ends in ``.hst``."""
        return Claim(self.name, "its name ends in .hst") if path.is_file() and path.suffix.lower() == ".hst" else None

    def read(self, path: Path, pair: str) -> VendorTable:
        """Read all bars as written; refuse a file that is cut off, unknown, or of another symbol."""
        data = path.read_bytes()
        version, period, notes = _header(data, pair, path)
        bars = _bars(data[HEADER.itemsize :], version, path)
        return VendorTable(bars, self.name, None, PERIODS[period], side_in_name(path), notes)


HST = HstReader()


def _header(data: bytes, pair: str, path: Path) -> tuple[int, int, tuple[str, ...]]:
    """Return version, period in minutes, and what the header says; a broker's prefix or suffix of a pair is said."""
    if len(data) < HEADER.itemsize:
        raise VendorError(f"{path}: {len(data)} bytes, but an .hst file begins with a header of {HEADER.itemsize}")
    raw = np.frombuffer(data, HEADER, count=1)[0]
    version, period, digits = (int(raw[name]) for name in ("version", "period", "digits"))
    owner, symbol = (bytes(raw[n]).split(b"\0")[0].decode("latin-1").strip() for n in ("copyright", "symbol"))
    if version not in RECORDS:
        raise VendorError(f"{path}: version {version} of .hst is not known, only {', '.join(map(str, RECORDS))}")
    if period not in PERIODS:
        raise VendorError(
            f"{path}: a period of {period} minutes is none of MetaTrader's: {', '.join(map(str, PERIODS))}"
        )
    if not 0 <= digits <= 8:
        raise VendorError(f"{path}: {digits} digits of a price cannot be; expected 0 to 8: the header is damaged")
    if pair not in symbol.upper().replace("/", ""):
        raise VendorError(f"{path}: the header's symbol is {symbol!r}, but {pair} is asked for")
    taken = (f"The header's symbol is {symbol}, taken for {pair}.",) if symbol != pair else ()
    said = f"MetaTrader history, version {version}, {period} minutes, {digits} digits"
    owned = f", copyright {owner!r}" if owner else ""
    return version, period, (*taken, f"{said}{owned}. It does not say its clock: declare it.")


def _bars(body: bytes, version: int, path: Path) -> pl.DataFrame:
    size = RECORDS[version].itemsize
    if len(body) % size:
        raise VendorError(
            f"{path}: {len(body)} bytes after the header are no whole number of records of {size} bytes"
            f" (version {version}): the file is cut off after record {len(body) // size}"
        )
    records: np.ndarray[Any, Any] = np.frombuffer(body, RECORDS[version])
    seconds = records["time"].astype(np.int64)
    # A negative or absurd time is not a time at all; zero is one, which cleaning knows for what it is.
    sound = (seconds >= 0) & (seconds <= LAST_SECOND)
    if not sound.all():
        record = int(np.argmin(sound))
        raise VendorError(f"{path}: record {record + 1}: {seconds[record]} seconds since 1970 is no time of a bar")
    columns = {name: records[name].astype(np.float64) for name in (*PRICES, "volume")}
    line = pl.int_range(1, len(seconds) + 1, dtype=pl.Int64, eager=True)
    bars = pl.DataFrame({"timestamp": (seconds * 1_000_000).astype("datetime64[us]"), **columns, "line": line})
    for require in (require_roles, require_moves, require_own):  # charts of averages are kept in such files, too
        require(bars, path)
    return bars
