"""Collects what a run makes, piece by piece, and turns it into artefacts and declared fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from golden_core.leakage.artefacts import STAMP, Fit, Run
from golden_core.leakage.testbed.pair_bars import FloatArray, IntArray, microseconds
from golden_core.store.schema import UTC_TIME


@dataclass(frozen=True, eq=False)
class Piece:
    """Rows of one key of one asset, N of them."""

    key: str
    stamps: IntArray  # microseconds since 1970 [N]
    names: Sequence[str]  # columns of numbers, C of them
    numbers: FloatArray  # [N, C]
    others: Mapping[str, pl.Series | IntArray]  # columns of another type [N]; integers are times like the stamps


@dataclass(frozen=True, eq=False)
class Recorder:
    """Pieces of artefacts by asset, and the fits."""

    raw: pl.DataFrame  # pair and timestamp of the raw bars, in the order in which they became known
    known: IntArray  # when each of them was, in microseconds
    pieces: dict[str, list[Piece]] = field(default_factory=dict)
    fits: list[Fit] = field(default_factory=list)

    def write(
        self,
        asset: str,
        key: str,
        stamps: IntArray,
        names: Sequence[str],
        numbers: FloatArray,
        **others: pl.Series | IntArray,
    ) -> None:
        """Add rows of one key; all pieces of an asset have the same columns."""
        self.pieces.setdefault(asset, []).append(Piece(key, stamps, names, numbers, others))

    def declare(self, asset: str, key: str, purpose: str, until: int) -> None:
        """Record a fit that read bars up to a time and nothing later."""
        count = int(np.searchsorted(self.known, until, side="right"))
        self.fits.append(Fit(asset, key, purpose, self.raw[:count]))

    def close(self) -> Run:
        """Return the run."""
        return Run({asset: _frame(pieces) for asset, pieces in self.pieces.items()}, tuple(self.fits))


def open_recorder(raw: pl.DataFrame) -> Recorder:
    """Return an empty recorder over raw bars."""
    known = microseconds(raw["available_at"])
    order = np.argsort(known, kind="stable")
    return Recorder(raw[["pair", "timestamp"]][order], known[order])


def times(values: IntArray) -> pl.Series:
    """Return microseconds as UTC times."""
    return pl.Series(values, dtype=pl.Int64).cast(UTC_TIME)


def _column(parts: Sequence[pl.Series | IntArray]) -> pl.Series:
    series = [part for part in parts if isinstance(part, pl.Series)]
    return pl.concat(series) if series else times(np.concatenate(parts))


def _frame(pieces: list[Piece]) -> pl.DataFrame:
    keys = pl.Series("key", [piece.key for piece in pieces], dtype=pl.String)
    owner = np.repeat(np.arange(len(pieces)), [len(piece.stamps) for piece in pieces])
    stamps = times(np.concatenate([piece.stamps for piece in pieces])).alias(STAMP)
    others = [_column([piece.others[name] for piece in pieces]).alias(name) for name in pieces[0].others]
    numbers = np.asfortranarray(np.concatenate([piece.numbers for piece in pieces]))
    table = pl.from_numpy(numbers, schema=list(pieces[0].names), orient="row") if pieces[0].names else pl.DataFrame()
    return pl.DataFrame([stamps, keys[owner], *others]).hstack(table)
