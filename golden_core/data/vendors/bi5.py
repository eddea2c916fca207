"""Reader of Dukascopy's `.bi5` files, one or a folder of them. How their bytes and paths read is said elsewhere."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from golden_core.data.vendors.base import Claim, VendorError, VendorTable
from golden_core.data.vendors.bi5_records import read_candles, read_ticks
from golden_core.data.vendors.bi5_tree import read_tree, tick_bars
from golden_core.data.vendors.dukascopy_feed import CANDLES, Place, locate

TICK_BAR = "1m"  # short enough to be resampled into any bar of a study


class Bi5Reader:
    """Reader of candles, and of ticks as BID bars of one minute."""

    name = "bi5"

    def sniff(self, path: Path) -> Claim | None:
        """Claim what ends in ``.bi5``, whatever it holds, and a folder that has such files."""
        if path.is_dir():
            example = next(path.rglob("*.bi5"), None)
            return Claim(self.name, f"the folder holds {example.relative_to(path)}") if example else None
        return Claim(self.name, "its name ends in .bi5") if path.suffix == ".bi5" else None

    def read(self, path: Path, pair: str) -> VendorTable:
        """Read a file, or all files of a pair in a folder.

        Raises
        ------
        VendorError
            If a file is damaged or not where the feed has it; see :func:`~golden_core.data.vendors.bi5_tree.read_tree`.
        """
        if path.is_dir():
            tree = read_tree(path, pair)
            return VendorTable(tree.bars, self.name, "UTC", tree.bar, tree.side, tree.notes)
        place = locate(path)
        if not place.matches(pair):
            raise VendorError(f"{path}: its folder says {place.pair}, but {pair} is asked for")
        if place.kind == "ticks":
            return self._ticks(path, place, pair)
        bars = read_candles(path, place, pair)
        notes = [_origin(place, path), *_silent(bars)]
        return VendorTable(bars, self.name, "UTC", CANDLES[place.kind], place.side, tuple(notes))

    def _ticks(self, path: Path, place: Place, pair: str) -> VendorTable:
        ticks = read_ticks(path, place, pair)
        bars = tick_bars(ticks, TICK_BAR, "bid")
        bars = bars.with_columns(line=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
        late = int((ticks["timestamp"].diff().dt.total_microseconds() < 0).sum())
        notes = [
            _origin(place, path),
            f"{ticks.height} ticks give {bars.height} BID bars of {TICK_BAR}; a minute without ticks has no bar.",
            *([f"{late} ticks are earlier than the one before them; they were put in order."] if late else []),
        ]
        return VendorTable(bars, self.name, "UTC", TICK_BAR, "bid", tuple(notes))


BI5 = Bi5Reader()


def _origin(place: Place, path: Path) -> str:
    what = "ticks" if place.kind == "ticks" else f"{place.side} candles of {CANDLES[place.kind]}"
    unnamed = "" if place.pair else "; no folder above the year names the pair"
    return f"{path.name} holds {what} from {place.start} UTC, as its folders say (months from 00){unnamed}."


def _silent(bars: pl.DataFrame) -> list[str]:
    silent = int((bars["volume"] == 0).sum())
    return [f"{silent} of {bars.height} bars have no volume: the feed fills silence with flat bars."] if silent else []
