"""Puts one pipeline before all probes, cheaply, at the times that tell: it stops where the first leak shows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl

from golden_core.leakage import artefacts
from golden_core.leakage.artefacts import KEY, STAMP, Finding, Pipeline, Run
from golden_core.leakage.poison import future_report, record_report
from golden_core.leakage.poisons import CHOICE_POISONS, FAULTS, POISONS, faulty, poisoned
from golden_core.leakage.structural import structural
from golden_core.store.randomness import Stream


def telling_times(run: Run, raw: pl.DataFrame, stream: Stream, *, common: int, odd: int) -> list[dt.datetime]:
    """Return times, in order, at which a leak of one kind or another must show in a run made from raw bars.

    ``common`` are ordinary ones: stamps of features. ``odd`` are just before something out of the ordinary becomes
    known: a bar without a price or without a trade, a second print, the first bar behind a hole, a very large move. A
    rule that looks ahead does so there. The first forecasts of every fold are always among them, as the last moment
    before what is fitted is put to use, and so are the first bars of every pair, where a feature begins.
    """
    draw = stream.child("times").generator()
    firsts = run.artefacts[artefacts.FORECASTS].group_by(KEY).agg(pl.col(STAMP).min())[STAMP]
    begin = firsts.min()
    stamps = run.artefacts[artefacts.FEATURES][STAMP].unique().sort()
    later = stamps.filter(stamps >= begin)
    starts = raw.group_by("pair").agg(pl.col("available_at").min())["available_at"]
    drawn = [_some(later, common, draw), _some(_odd(raw, stamps), odd, draw)]
    return pl.concat([firsts, starts, *drawn]).unique().sort().to_list()


def decisive_times(run: Run) -> list[dt.datetime]:
    """Return one time per fold at which all is fitted and chosen and hardly anything is tested, in order.

    Folds of the same number begin their forecasts within a few bars of each other; the last of these times serves all.
    """
    folds = run.artefacts[artefacts.FORECASTS].with_columns(fold=pl.col(KEY).str.split("/").list.last())
    firsts = folds.group_by("fold", KEY).agg(pl.col(STAMP).min())
    return firsts.group_by("fold").agg(pl.col(STAMP).max())[STAMP].unique().sort().to_list()


def _odd(raw: pl.DataFrame, stamps: pl.Series) -> pl.Series:
    """Return the last stamps before something out of the ordinary becomes known."""
    ordered = raw.sort("pair", "timestamp", "available_at")
    move = pl.col("close").log().diff().abs().over("pair")
    gap = pl.col("timestamp").diff().over("pair")
    strange = ordered.filter(
        ~pl.col("close").is_finite()
        | (pl.col("close") <= 0)
        | (pl.col("volume") == 0)
        | (gap == pl.duration(hours=0))
        | (gap > 1.5 * gap.median().over("pair"))
        | (move > 8 * move.median().over("pair"))
    )["available_at"]
    rows = np.searchsorted(stamps.to_physical().to_numpy(), strange.unique().to_physical().to_numpy(), side="left") - 1
    return stamps[np.unique(rows[rows >= 0])]


def _some(pool: pl.Series, count: int, draw: np.random.Generator) -> pl.Series:
    return pool[np.sort(draw.choice(len(pool), size=min(count, len(pool)), replace=False))]


REFUSED = "(run)"
_BEHIND_FAULTS = ("removed", "frozen", "undone")


@dataclass(frozen=True)
class Effort:
    """How much is spent on one pipeline."""

    common: int  # times to poison after, as in :func:`golden_core.leakage.examination.telling_times`
    odd: int
    choices: int  # how often each poison that favours now one choice, now another, is tried on each fold
    fits: int  # fits whose record is replayed


def deterministic(
    pipeline: Pipeline, raw: pl.DataFrame, effort: Effort, stream: Stream, *, embargo: int
) -> list[Finding]:
    """Return what structure, poison and replayed records find, in the order in which the pipeline makes things.

    Poisons take turns over the times, in random order. The first round with a finding ends the search.
    """
    run = pipeline.run(raw)
    found = structural(run, raw, embargo=embargo)
    draw = stream.child("turns").generator()
    changed: list[Finding] = []
    for number, round_ in enumerate(_rounds(run, raw, effort, stream, draw)):
        for poison, time in round_:
            again = future_report(pipeline, raw, [time], stream.child(poison, number), [poison], honest=run)
            # A pipeline that refuses one poison by raising has not leaked; others are still to come.
            changed += [finding for finding in again.findings if finding.column != REFUSED]
        if changed:
            break
    if not changed:
        changed += _with_planted_faults(pipeline, run, raw, stream, draw)
    found += changed
    if not found and effort.fits:
        fits = [run.fits[at] for at in draw.choice(len(run.fits), size=min(effort.fits, len(run.fits)), replace=False)]
        whole = [fit for fit in run.fits if any((fit.asset, fit.key) == (some.asset, some.key) for some in fits)]
        found += record_report(pipeline, raw, stream.child("record"), fits=whole, poisons=("mirrored",)).findings
    place = {asset: number for number, asset in enumerate(run.artefacts)}
    return sorted(found, key=lambda finding: place.get(finding.asset, -1))


def _with_planted_faults(
    pipeline: Pipeline, run: Run, raw: pl.DataFrame, stream: Stream, draw: np.random.Generator
) -> list[Finding]:
    """Poison behind bars made bad on purpose: a cleaning rule that waits for the next bar acts on every one of them."""
    stamps = run.artefacts[artefacts.FEATURES][STAMP]
    caught: list[Finding] = []
    plants = [*(partial(faulty, turn=turn) for turn in range(len(FAULTS))), partial(_untraded, stream=stream)]
    for turn, plant in enumerate(plants):
        time = stamps[int(draw.integers(len(stamps) // 4, len(stamps)))]
        bad = plant(raw, time)
        report = future_report(pipeline, bad, [time], stream.child("faults", turn), _BEHIND_FAULTS)
        caught += [finding for finding in report.findings if finding.column != REFUSED]
    return caught


def _untraded(raw: pl.DataFrame, time: dt.datetime, stream: Stream) -> pl.DataFrame:
    """Let the last bar of each pair known by a time repeat the price before it, without a trade."""
    known = pl.col("available_at") <= time
    last = known & (pl.col("timestamp") == pl.col("timestamp").filter(known).max().over("pair"))
    return poisoned(raw, raw.select(last).to_series(), "frozen", stream)


def _rounds(
    run: Run, raw: pl.DataFrame, effort: Effort, stream: Stream, draw: np.random.Generator
) -> Iterator[list[tuple[str, dt.datetime]]]:
    """Yield poisons and times: each time once, the poisons in turn; then what was chosen in each fold."""
    times = telling_times(run, raw, stream, common=effort.common, odd=effort.odd)
    turns = [times[at] for at in draw.permutation(len(times))]
    for start in range(0, len(turns), len(POISONS)):
        yield list(zip(POISONS, turns[start : start + len(POISONS)], strict=False))
    decisive = decisive_times(run)
    for _ in range(effort.choices):
        yield from ([(poison, time) for time in decisive] for poison in CHOICE_POISONS)
