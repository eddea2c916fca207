"""Puts one pipeline before all probes, cheaply: it stops where the first leak shows. Which pipelines is not here."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from golden_core.leakage.artefacts import Finding, Pipeline
from golden_core.leakage.poison import future_report, record_report
from golden_core.leakage.poisons import POISONS
from golden_core.leakage.statistical import Screen, statistical
from golden_core.leakage.structural import structural
from golden_core.leakage.times import telling_times
from golden_core.randomness import Stream


@dataclass(frozen=True)
class Effort:
    """How much is spent on one pipeline.

    Parameters
    ----------
    common, odd : int
        Times to poison after, as in :func:`golden_core.leakage.times.telling_times`.
    fits : int
        Fits whose record is replayed.
    """

    common: int
    odd: int
    fits: int


def deterministic(
    pipeline: Pipeline, raw: pl.DataFrame, effort: Effort, stream: Stream, *, embargo: int
) -> list[Finding]:
    """Return what structure, poison and replayed records find, in the order in which the pipeline makes things.

    Poisons take turns over the times, in random order; after each round of all poisons the first finding ends the
    search, since more of them would name consequences.
    """
    run = pipeline.run(raw)
    found = structural(run, raw, embargo=embargo)
    times = telling_times(run, raw, stream, common=effort.common, odd=effort.odd)
    draw = stream.child("turns").generator()
    turns = [times[at] for at in draw.permutation(len(times))]
    poisoned: list[Finding] = []
    for start in range(0, len(turns), len(POISONS)):
        for poison, time in zip(POISONS, turns[start : start + len(POISONS)], strict=False):
            poisoned += future_report(
                pipeline, raw, [time], stream.child(poison, start), [poison], honest=run
            ).findings
        if poisoned:
            break
    found += poisoned
    if not found and effort.fits:
        fits = [run.fits[at] for at in draw.choice(len(run.fits), size=min(effort.fits, len(run.fits)), replace=False)]
        whole = [fit for fit in run.fits if any((fit.asset, fit.key) == (some.asset, some.key) for some in fits)]
        found += record_report(pipeline, raw, stream.child("record"), fits=whole, poisons=("mirrored",)).findings
    place = {asset: number for number, asset in enumerate(run.artefacts)}
    return sorted(found, key=lambda finding: place.get(finding.asset, -1))


def effects(pipeline: Pipeline, raw: pl.DataFrame, screen: Screen, stream: Stream) -> list[Finding]:
    """Return what the statistical probes find."""
    return statistical(pipeline, raw, screen, stream)
