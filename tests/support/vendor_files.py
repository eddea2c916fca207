"""Writers of the binary formats that the readers read: their own second implementation, with struct alone."""

from __future__ import annotations

import lzma
import struct
from collections.abc import Iterable
from pathlib import Path

# The feed's own settings: a dictionary of 4 MiB and, unlike Python's, a header that knows the size.
FILTERS = [{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 22}]


def packed(body: bytes, *, size: int | None = None) -> bytes:
    """Compress as the feed does; ``size`` is what the header claims, the true size unless told otherwise."""
    if not body:
        return b""
    data = lzma.compress(body, lzma.FORMAT_ALONE, filters=FILTERS)
    return data[:5] + struct.pack("<Q", len(body) if size is None else size) + data[13:]


def candles(rows: Iterable[tuple[int, float, float, float, float, float]], scale: int = 100_000) -> bytes:
    """Return the file of candles (seconds, open, high, low, close, volume)."""
    return packed(b"".join(_candle(scale, *row) for row in rows))


def _candle(scale: int, at: int, opened: float, high: float, low: float, close: float, volume: float) -> bytes:
    return struct.pack(">5if", at, *(round(price * scale) for price in (opened, close, low, high)), volume)


def ticks(rows: Iterable[tuple[int, float, float, float, float]], scale: int = 100_000) -> bytes:
    """Return the file of ticks (milliseconds, bid, ask, bid volume, ask volume)."""
    return packed(
        b"".join(
            struct.pack(">3i2f", at, round(ask * scale), round(bid * scale), ask_volume, bid_volume)
            for at, bid, ask, bid_volume, ask_volume in rows
        )
    )


def hst(rows: Iterable[tuple[int, float, float, float, float, int]], version: int = 400, **header: object) -> bytes:
    """Return a history of bars (seconds since 1970, open, high, low, close, volume)."""
    said: dict[str, object] = {"copyright": "(c) tests", "symbol": "EURUSD", "period": 60, "digits": 5} | header
    copyright_, symbol = (str(said[name]).encode() for name in ("copyright", "symbol"))
    start = struct.pack("<i64s12siiii52x", version, copyright_, symbol, said["period"], said["digits"], 0, 0)
    if version == 401:
        return start + b"".join(struct.pack("<q4dqiq", at, o, h, low, c, v, 2, 0) for at, o, h, low, c, v in rows)
    return start + b"".join(struct.pack("<i5d", at, o, low, h, c, v) for at, o, h, low, c, v in rows)


def place(root: Path, path: str, data: bytes) -> Path:
    """Write a file of the feed at its path under a root."""
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    return target
