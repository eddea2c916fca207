"""Reader of Dukascopy's `.bi5` files, one or a folder of them. How their bytes and paths read is said elsewhere."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import polars as pl

from golden_core.vendors.base import Claim, VendorError, VendorTable
from golden_core.vendors.bi5_files import CANDLES, Kind, Place, locate, read_candles, read_ticks
from golden_core.vendors.ticks import TICK_BAR, bars_from_ticks

# Readings of a folder that holds several kinds of files; of ticks also the other side, and the middle.
_CHOICES: dict[str, tuple[Kind, str]] = {
    **{kind: (kind, "bid") for kind in get_args(Kind)},
    **{f"{kind}_ask": (kind, "ask") for kind in get_args(Kind)},
    "ticks_mid": ("ticks", "mid"),
}


@dataclass(frozen=True)
class Bi5Reader:
    """Reader of candles, and of ticks as bars of one minute: of BID, unless another side is chosen."""

    kind: Kind | None = None
    side: str = "bid"
    name = "bi5"
    example = "EURUSD/2024/02/15/10h_ticks.bi5 (months from 00), or a folder of such files"
    choices: Sequence[str] = tuple(_CHOICES)

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
        """Read a file, or all files of a pair in a folder, in order of time.

        Two files of one period, or of two kinds with none chosen, would be two readings of one price: they are refused.
        """
        files, left = self._files(path, pair)
        kind, side = files[0][0].kind, files[0][0].side or self.side
        bar = CANDLES.get(kind, TICK_BAR)
        pieces = _ticks(files, pair, side) if kind == "ticks" else (read_candles(p, place, pair) for place, p in files)
        bars = pl.concat(pieces).with_columns(line=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
        what = f"ticks made into {side} bars of {bar}" if kind == "ticks" else f"{side} candles of {bar}"
        span = f"{files[0][0].start} to {files[-1][0].end} UTC, as folders say (months from 00)"
        unnamed = "; no folder above the year names the pair" if files[0][0].pair is None else ""
        notes = [f"{what}, {span}: files {len(files)}, bars {bars.height}{unnamed}."]
        notes += [f"not read, of other pairs, sides or kinds: files {left}."] if left else []
        return VendorTable(bars, self.name, "UTC", bar, side, notes)

    def _files(self, root: Path, pair: str) -> tuple[list[tuple[Place, Path]], int]:
        """Return the files that are asked for, of a folder or one alone, and how many are not."""
        paths = root.rglob("*.bi5") if root.is_dir() else [root]
        found = sorted(((locate(path), path) for path in paths), key=lambda one: (one[0].start, one[1]))
        sides = {None, self.side} if root.is_dir() or self.kind else {None, "bid", "ask"}  # a file alone says its side
        files = [one for one in found if one[0].pair in {None, pair} and one[0].side in sides]
        files = [one for one in files if self.kind in {None, one[0].kind}]
        if not files:
            others = {f"{place.pair or 'a pair not named'} {place.side or ''} {place.kind}" for place, _ in found}
            there = ", ".join(" ".join(other.split()) for other in sorted(others)) or "none at all"
            asked = " ".join(filter(None, (pair, self.side, self.kind)))
            raise VendorError(f"{root}: no .bi5 file of {asked} as asked for; there are {there}")
        kinds = sorted({place.kind for place, _ in files})
        if len(kinds) > 1:
            raise VendorError(
                f"{root}: several kinds of files of {pair} {self.side}: name a folder that holds only one, or choose "
                f"one as the format: {', '.join(f'bi5:{kind}' for kind in kinds)}"
            )
        for (first, one), (second, other) in itertools.pairwise(files):
            if first.start == second.start:
                raise VendorError(f"{one} and {other} are of the same time: keep one of them")
        return files, len(found) - len(files)


BI5 = Bi5Reader()


def _ticks(files: Sequence[tuple[Place, Path]], pair: str, side: str) -> Iterator[pl.DataFrame]:
    """Yield the bars of one day after another, so that no more than a day of ticks is in memory."""
    for _, day in itertools.groupby(files, key=lambda one: one[0].start.date()):
        yield bars_from_ticks(pl.concat([read_ticks(path, place, pair) for place, path in day]), side)
