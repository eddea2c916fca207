"""The bars of the record: active ones only, from one file or from two that follow each other. Nothing is filled in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from golden_core.sources import source
from golden_core.sources.base import SourceError
from golden_core.store.lake import Home, hash_file
from golden_core.study import DataSection


@dataclass(frozen=True)
class FileAccount:
    """What one file gave: which bars were read, left out and used."""

    name: str
    sha256: str
    read: int
    inactive: int
    superseded: int  # from the first bar of the later file on
    used: int
    first: str
    last: str


@dataclass(frozen=True)
class Overlap:
    """How far two files agree where both have a bar: a shifted clock or another price would show here."""

    bars: int
    median_difference: float  # of closes, absolute
    largest_difference: float


@dataclass(frozen=True, eq=False)
class Merged:
    """Active bars in the order of time, and where each came from."""

    bars: pl.DataFrame
    files: tuple[FileAccount, ...]
    overlap: Overlap | None


def active_bars(bars: pl.DataFrame) -> pl.DataFrame:
    """Return the bars that count, in the order of time.

    A bar is inactive if its four prices are one and, where the table has volumes, nothing was traded: exports fill
    closed hours with such bars. An hour of trading at a single price has a volume and stays.
    """
    moved = pl.any_horizontal(pl.col("open") != pl.col(name) for name in ("high", "low", "close"))
    traded = pl.col("volume").fill_null(0) > 0 if "volume" in bars.columns else pl.lit(value=False)
    return bars.filter(moved | traded).sort("timestamp")


def merge_files(home: Home, data: DataSection, pair: str, path: Path, earlier: Path | None) -> Merged:
    """Read the user's files of one pair as the source ``files`` does, and join them.

    The last bars of ``path`` are the test set; ``earlier`` gives the bars before its first one, and nothing else. A
    ``SourceError`` if a file is missing or malformed, has no bar in the days of the study, or adds none.
    """
    later = _read(home, data, pair, path)
    if earlier is None:
        return Merged(active_bars(later), (_account(path, later, later),), None)
    older = _read(home, data, pair, earlier)
    before = older.filter(pl.col("timestamp") < later["timestamp"].min())
    if active_bars(before).is_empty():
        raise SourceError(
            f"{pair}: {earlier} has no bar before {path}, which begins at {later['timestamp'].min()!s}; "
            "leave it out, or name a file with older bars"
        )
    files = (_account(earlier, older, before), _account(path, later, later))
    both = active_bars(older).join(active_bars(later), on="timestamp", suffix="_later")
    gaps = (both["close"] - both["close_later"]).abs().to_numpy()
    overlap = Overlap(len(gaps), float(np.median(gaps)), float(gaps.max())) if len(gaps) else None
    return Merged(pl.concat([active_bars(before), active_bars(later)]), files, overlap)


def _read(home: Home, data: DataSection, pair: str, path: Path) -> pl.DataFrame:
    settings = {**dict(data.settings), "paths": {pair: str(path.expanduser().resolve())}}
    own = data.model_copy(update={"settings": settings, "pairs": (pair,)})
    files = source("files")
    return files.bars(files.read(own, 0, home.root), own, pair)


def _account(path: Path, read: pl.DataFrame, offered: pl.DataFrame) -> FileAccount:
    used = active_bars(offered)
    return FileAccount(
        name=path.name,
        sha256=hash_file(path),
        read=read.height,
        inactive=offered.height - used.height,
        superseded=read.height - offered.height,
        used=used.height,
        first=str(used["timestamp"].min()),
        last=str(used["timestamp"].max()),
    )
