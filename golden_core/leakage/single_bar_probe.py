"""Features at every bar, cheaply: a leak that shows at month ends alone, or after large moves, must not hide between t.

Single bars far apart are changed in one run. A feature that looks back on a few bars keeps its rows just before each of
them; where one changes, the future is poisoned behind that very row, which decides.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import polars as pl

from golden_core.leakage.artefacts import FEATURES, KEY, STAMP, Finding, Pipeline
from golden_core.leakage.poison import FUTURE, attempt
from golden_core.leakage.poisons import poisoned
from golden_core.leakage.report import Cell, Report, compared, merged, unequal
from golden_core.store.randomness import Stream

ELSEWHERE = "values_from_elsewhere"
SINGLE = "single bars"
# Rows before a changed bar that are looked at: a look-ahead of a week of days shows at each of them.
REACH = 5
# A suspicion is settled behind the first suspicious row and some others: a feature with a long memory is suspicious
# everywhere, and honest.
_SETTLED = 3


@dataclass(frozen=True, eq=False)
class _Change:
    """One round: which bars are changed, every ``spacing``-th from ``offset`` on, and how."""

    offset: int
    spacing: int
    back: int
    poison: str
    mask: pl.Series
    stream: Stream


_Suspect = tuple[dt.datetime, _Change]  # a stamp, and the round in which its row changed


def single_bar_report(
    pipeline: Pipeline,
    bars: pl.DataFrame,
    stream: Stream,
    *,
    back: int,
    rounds: Mapping[str, int],
    needs: Mapping[str, bool],
) -> Report:
    """Change bars far apart, each in some round, and settle where a feature changes before one of them.

    The pipeline makes features of clean bars (``schema.BARS``, all pairs) that look ``back`` on so many; one that looks
    further back is only probed at some rows. Of the ``back`` + 7 rounds that together change every bar at most so many
    are drawn as ``rounds`` says of each poison. ``needs`` says of each feature whether it must follow prices.
    """
    honest = pipeline.run(bars).artefacts[FEATURES]
    ranks = pl.col("timestamp").rank("ordinal").over("pair").cast(pl.Int64)
    place = bars.select(ranks - 1).to_series()
    places = bars.select(pl.col("pair").alias(KEY), pl.col("available_at").alias(STAMP), place=place)
    rows, refused, suspects = 0, list[str](), dict[tuple[str, str], list[_Suspect]]()
    for change in _changes(place, back, rounds, stream):
        again = attempt(pipeline, poisoned(bars, change.mask, change.poison, change.stream))
        if isinstance(again, str):
            refused.append(f"{pipeline.name} with single bars replaced ({change.poison}): {again}")
            continue
        rows += again.artefacts[FEATURES].height
        for name, stamps in _suspicious(honest, again.artefacts[FEATURES], places, change):
            suspects.setdefault((name, change.poison), []).extend((stamp, change) for stamp in stamps)
    reports = [
        _settled(pipeline, bars, honest, stream.child("settle", *which), which[0], some)
        for which, some in suspects.items()
    ]
    first = next((finding for report in reports for finding in report.findings), None)
    elsewhere = tuple(_unmoved(pipeline, bars, honest, stream, needs))
    return merged([*reports, Report(elsewhere, (Cell(FEATURES, SINGLE, rows, first),), tuple(refused))])


def _changes(place: pl.Series, back: int, rounds: Mapping[str, int], stream: Stream) -> Iterator[_Change]:
    spacing = back + 2 + REACH
    for poison, most in rounds.items():
        draw = stream.child("rounds", poison).generator()
        for offset in draw.choice(spacing, min(most, spacing), replace=False).tolist():
            yield _Change(offset, spacing, back, poison, place % spacing == offset, stream.child(poison, offset))


def _suspicious(
    honest: pl.DataFrame, again: pl.DataFrame, places: pl.DataFrame, change: _Change
) -> Iterator[tuple[str, list[dt.datetime]]]:
    """Yield columns with a change in a row before a changed bar that no earlier changed bar explains, and where."""
    if again.height != honest.height:
        honest = honest.join(again.select(KEY, STAMP), on=[KEY, STAMP], how="semi", maintain_order="left")
    place = honest.join(places, on=[KEY, STAMP], how="left", maintain_order="left")["place"].to_numpy()
    since = (place - change.offset) % change.spacing
    # Behind a bar that is gone the same number of bars reaches one bar further back.
    unexplained = (since > change.back + 1) | (place < change.offset)
    for name in honest.columns:
        if name not in (KEY, STAMP, "timestamp"):
            changed = unequal(honest[name], again[name]) & unexplained
            if changed.any():
                yield name, honest[STAMP].gather(np.flatnonzero(changed)).to_list()


def _settled(
    pipeline: Pipeline, bars: pl.DataFrame, honest: pl.DataFrame, stream: Stream, name: str, suspects: list[_Suspect]
) -> Report:
    """Repeat the change behind the first suspicious row alone, then behind some others, until one shows a leak."""
    others = stream.generator().choice(len(suspects), min(_SETTLED - 1, len(suspects)), replace=False)
    first = min(suspects, key=lambda suspect: suspect[0])
    for stamp, change in [first, *(suspects[int(at)] for at in others)]:
        later = bars["available_at"] > stamp
        again = attempt(pipeline, poisoned(bars, change.mask & later, change.poison, change.stream))
        if isinstance(again, str):
            continue
        what = f"with single bars after {stamp:%Y-%m-%d %H:%M} UTC replaced ({change.poison})"
        report = compared(FUTURE, SINGLE, what, {FEATURES: honest}, again.artefacts, stamp)
        if any(finding.column == name for finding in report.findings):
            return report
    return Report((), (), ())


def _unmoved(
    pipeline: Pipeline, bars: pl.DataFrame, honest: pl.DataFrame, stream: Stream, needs: Mapping[str, bool]
) -> Iterator[Finding]:
    """Find features that keep every value when every bar changes: a cache or a file answers for them."""
    everything = pl.repeat(True, bars.height, eager=True)
    run = attempt(pipeline, poisoned(bars, everything, "mirrored", stream.child("everything")))
    if isinstance(run, str):
        return
    again = run.artefacts[FEATURES]
    for name, needed in needs.items():
        values = honest[name]
        varied = values.drop_nulls().n_unique() > 1
        if needed and varied and not unequal(values, again[name]).any():
            first = cast(dt.datetime, honest.filter(pl.col(name).is_not_null())[STAMP].min())
            detail = (
                "no value changes when every bar is replaced, though it says that it needs prices: they come from "
                "elsewhere, a cache or a file, where no probe can follow; it must be computed from the bars it is given"
            )
            yield Finding(ELSEWHERE, FEATURES, name, first, detail)
