"""Reader of Dukascopy's `.bi5` files, one or a folder of them. How their bytes and paths read is said elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from golden_core.vendors.base import Claim, VendorError, VendorTable
from golden_core.vendors.bi5_records import read_candles, read_ticks
from golden_core.vendors.bi5_tree import read_tree, tick_bars
from golden_core.vendors.dukascopy_feed import CANDLES, SPANS, Kind, Place, locate

TICK_BAR = "1m"  # short enough to be resampled into any bar of a study


# Readings of a folder that holds several kinds of files; of ticks also the other side, and the middle.
_CHOICES: dict[str, tuple[Kind, str]] = {
    **{kind: (kind, "bid") for kind in SPANS},
    **{f"{kind}_ask": (kind, "ask") for kind in SPANS},
    "ticks_mid": ("ticks", "mid"),
}


class Bi5Reader:
    """Reader of candles, and of ticks as bars of one minute: of BID, unless another side is chosen.

    Parameters
    ----------
    kind : str or None
        The kind of files that is chosen, or None where there is only one.
    side : str
        ``bid``, ``ask`` or ``mid``, of ticks and of folders; a single file of candles says its own.
    """

    name = "bi5"

    def __init__(self, kind: Kind | None = None, side: str = "bid") -> None:
        self.kind = kind
        self.side = side

    @property
    def choices(self) -> Sequence[str]:
        """Readings to choose from, such as ``ticks``, ``ticks_ask`` and ``hour``."""
        return tuple(_CHOICES)

    def chosen(self, choice: str) -> Bi5Reader:
        """Return the reader that takes one of them."""
        return Bi5Reader(*_CHOICES[choice])

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
            If a file is damaged or not where the feed has it; see :func:`~golden_core.vendors.bi5_tree.read_tree`.
        """
        if path.is_dir():
            tree = read_tree(path, pair, side=self.side, kind=self.kind)
            return VendorTable(tree.bars, self.name, "UTC", tree.bar, tree.side, tree.notes)
        place = locate(path)
        self._require(place, path, pair)
        if place.kind == "ticks":
            return self._ticks(path, place, pair)
        bars = read_candles(path, place, pair)
        notes = [_origin(place, path), *_silent(bars)]
        return VendorTable(bars, self.name, "UTC", CANDLES[place.kind], place.side, tuple(notes))

    def _require(self, place: Place, path: Path, pair: str) -> None:
        if not place.matches(pair):
            raise VendorError(f"{path}: its folder says {place.pair}, but {pair} is asked for")
        if self.kind not in {None, place.kind} or (self.kind and place.side not in {None, self.side}):
            said = " ".join(filter(None, (place.side, place.kind)))
            raise VendorError(f"{path}: its name says {said}, not {self.side} {self.kind}")

    def _ticks(self, path: Path, place: Place, pair: str) -> VendorTable:
        ticks = read_ticks(path, place, pair)
        bars = tick_bars(ticks, TICK_BAR, self.side)
        bars = bars.with_columns(line=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
        late = int((ticks["timestamp"].diff().dt.total_microseconds() < 0).sum())
        notes = [
            _origin(place, path),
            f"{ticks.height} ticks give {bars.height} {self.side} bars of {TICK_BAR}; a minute without has no bar.",
            *([f"{late} ticks are earlier than the one before them; they were put in order."] if late else []),
        ]
        return VendorTable(bars, self.name, "UTC", TICK_BAR, self.side, tuple(notes))


BI5 = Bi5Reader()


def _origin(place: Place, path: Path) -> str:
    what = "ticks" if place.kind == "ticks" else f"{place.side} candles of {CANDLES[place.kind]}"
    unnamed = "" if place.pair else "; no folder above the year names the pair"
    return f"{path.name} holds {what} from {place.start} UTC, as its folders say (months from 00){unnamed}."


def _silent(bars: pl.DataFrame) -> list[str]:
    silent = int((bars["volume"] == 0).sum())
    return [f"{silent} of {bars.height} bars have no volume: the feed fills silence with flat bars."] if silent else []
