"""A fold, its account, and what is dropped from it. Which rows are laid is said in walk_forward.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

from golden_core.inputs.windows import IntArray, TimeArray
from golden_core.splits.closures import Crossings, crossings
from golden_core.splits.purging import purge
from golden_core.splits.segments import Segments, positions, segments, size

PartName = Literal["train", "validation", "test"]
ClosureRule = Literal["keep", "drop", "flag"]


@dataclass(frozen=True)
class Crossed:
    """Rows of a part that reach across a closure, counted after the purge: by window, by label, and by either."""

    windows: int
    labels: int
    rows: int


@dataclass(frozen=True)
class Part:
    """The rows of one part of a fold, positions in the pair's bars, and where the others went."""

    rows: Segments
    laid: int  # size(rows) + purged + embargoed + dropped
    purged: int  # rows whose labels touch those of a held-out part
    embargoed: int  # further rows within the embargo
    dropped: int  # rows dropped for crossing a closure
    crossed: Crossed | None  # None where the study keeps such rows unseen


@dataclass(frozen=True)
class Fold:
    """One train/validation/test split."""

    index: int
    train: Part
    validation: Part
    test: Part

    @property
    def parts(self) -> dict[PartName, Part]:
        """The parts by name: train gives way to validation and test, validation to test."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


@dataclass(frozen=True)
class Layout:
    """The folds of a series, and the usable rows that no fold takes up."""

    folds: tuple[Fold, ...]
    unused_rows: int


@dataclass(frozen=True, eq=False)
class RowClock:
    """When each row of a pair's bars [T] is decided, how many bars its label reads on, and what it crosses."""

    available_at: TimeArray
    horizon: int
    crossings: Crossings


def row_clock(bars: pl.DataFrame, bar: str, *, context_length: int, horizon: int) -> RowClock:
    """Return the clock of the rows of a pair's bars (``schema.BARS``, oldest first)."""
    known = bars["available_at"].dt.replace_time_zone(None).to_numpy()
    return RowClock(known, horizon, crossings(bars["timestamp"], bar, context_length=context_length, horizon=horizon))


def usable_rows(n_bars: int, *, warm_up: int, context_length: int, horizon: int) -> range:
    """Return the rows that can be a cutoff: behind ``warm_up``, a full window of features behind, a label ahead."""
    return range(warm_up + context_length - 1, n_bars - horizon)


def settle(
    index: int,
    *,
    train: Segments,
    validation: Segments,
    test: Segments,
    clock: RowClock,
    embargo: int,
    closures: ClosureRule,
) -> Fold:
    """Make a fold of the rows laid for it: purge, embargo, then closures.

    Training rows give way to validation and test as they were laid, validation rows to test; test rows give way to
    nothing. So what is dropped at closures moves no other boundary.

    ``closures``: flag keeps rows whose window or label crosses a closure and counts them.

    Raises
    ------
    ValueError
        If nothing is left of a part; says what took its rows.
    """
    return Fold(
        index,
        train=_part(f"fold {index} train", train, (*validation, *test), clock, embargo, closures),
        validation=_part(f"fold {index} validation", validation, test, clock, embargo, closures),
        test=_part(f"fold {index} test", test, (), clock, embargo, closures),
    )


def _part(where: str, laid: Segments, held_out: Segments, clock: RowClock, embargo: int, closures: ClosureRule) -> Part:
    purged = purge(laid, held_out, clock.available_at, horizon=clock.horizon, embargo=embargo)
    rows = positions(purged.rows)
    crosses = clock.crossings.either[rows]
    kept = purged.rows if closures != "drop" else segments(rows[~crosses])
    part = Part(
        kept,
        laid=size(laid),
        purged=purged.purged,
        embargoed=purged.embargoed,
        dropped=len(rows) - size(kept),
        crossed=None if closures == "keep" else _count(clock.crossings, rows),
    )
    if not kept:
        raise ValueError(
            f"nothing is left of {where}: of {part.laid} rows, the purge dropped {part.purged}, the embargo "
            f"{part.embargoed} and closures {part.dropped}; lay longer parts in splits, or shorten the horizon, "
            "splits.embargo or, for splits.closures: drop, the context_length"
        )
    return part


def _count(crossings: Crossings, rows: IntArray) -> Crossed:
    flags = (crossings.windows[rows], crossings.labels[rows], crossings.either[rows])
    return Crossed(*(int(flag.sum()) for flag in flags))
