"""What a planted leak is made of: a place, and how stages or delivered bars are changed there. No leak belongs here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from golden_core.leakage.workshop.fitting import Case
from golden_core.leakage.workshop.stages import Stages
from golden_core.leakage.workshop.tape import FloatArray, IntArray, Market, Tape
from golden_core.store.randomness import Stream


@dataclass(frozen=True)
class Site:
    """Where a leak sits: None means everywhere.

    Parameters
    ----------
    pair, feature : str, optional
    horizon : {"short", "long"}, optional
        Which of the two horizons of a plan.
    fold : int, optional
    strength : float, optional
        Share of the signal, for kinds that come in strengths.
    bars : int, optional
        Reach of the leak, for kinds that have one.
    """

    pair: str | None = None
    feature: str | None = None
    horizon: str | None = None
    fold: int | None = None
    strength: float | None = None
    bars: int | None = None

    def holds(self, case: Case) -> bool:
        """Return whether a fold of a series is where the leak sits."""
        position = {"short": 0, "long": -1}
        return (
            self.pair in (None, case.pair)
            and self.fold in (None, case.fold)
            and (self.horizon is None or case.horizon == case.plan.horizons[position[self.horizon]])
        )


Deliver = Callable[[pl.DataFrame, Stream], pl.DataFrame]


@dataclass(frozen=True)
class Planted:
    """A pipeline's stages, and what happens to the bars before they arrive.

    Parameters
    ----------
    stages : Stages
    deliver : callable
        What the vendor does to the bars.
    recall : callable
        What the stages remember of the delivered bars from earlier, whatever they are given later.
    """

    stages: Stages
    deliver: Deliver = lambda raw, _stream: raw
    recall: Callable[[Stages, pl.DataFrame], Stages] = lambda stages, _raw: stages


Mechanism = Callable[[Stages, Site], Planted]
FeatureLeak = Callable[[Market, str, FloatArray, Site], FloatArray]
TapeLeak = Callable[[Tape, Site], Tape]


def in_feature(leak: FeatureLeak) -> Mechanism:
    """Return a mechanism that passes the honest values of one feature [T] of one pair through a leak."""

    def plant(stages: Stages, site: Site) -> Planted:
        name = site.feature
        if name is None:
            raise ValueError("a leak in a feature needs a site with a feature")
        honest = stages.features[name]

        def feature(market: Market, pair: str) -> FloatArray:
            values = honest(market, pair)
            return leak(market, pair, values, site) if site.pair in (None, pair) else values

        return Planted(replace(stages, features={**stages.features, name: feature}))

    return plant


def in_tape(stage: str, leak: TapeLeak) -> Mechanism:
    """Return a mechanism that passes the tape of one pair through a leak, after reading or in place of cleaning."""

    def plant(stages: Stages, site: Site) -> Planted:
        def clean(tape: Tape) -> Tape:
            return leak(tape, site) if site.pair in (None, tape.pair) else stages.clean(tape)

        def read(raw: pl.DataFrame) -> dict[str, Tape]:
            tapes = stages.read(raw)
            return {pair: leak(tape, site) if site.pair in (None, pair) else tape for pair, tape in tapes.items()}

        return Planted(replace(stages, clean=clean) if stage == "clean" else replace(stages, read=read))

    return plant


def in_fold(stage: str, leak: Callable[..., Any]) -> Mechanism:
    """Return a mechanism that replaces one stage of the folds that the site names.

    ``leak`` gets the site, the honest stage, and the stage's own arguments, of which the first is the case.
    """

    def plant(stages: Stages, site: Site) -> Planted:
        honest = getattr(stages, stage)

        def replaced(case: Case, *rest: Any) -> Any:
            return leak(site, honest, case, *rest) if site.holds(case) else honest(case, *rest)

        changed: dict[str, Any] = {stage: replaced}
        return Planted(replace(stages, **changed))

    return plant


def delivered(change: Callable[[pl.DataFrame, Site, Stream], pl.DataFrame]) -> Mechanism:
    """Return a mechanism that leaves the pipeline honest and changes the bars it is given."""

    def plant(stages: Stages, site: Site) -> Planted:
        return Planted(stages, lambda raw, stream: change(raw, site, stream))

    return plant


def all_rows(case: Case) -> IntArray:
    """Return every row whose label is known, the future included."""
    return np.flatnonzero(np.isfinite(case.y))


def test_rows(case: Case) -> IntArray:
    """Return the test rows whose label is known; the validation rows where there are none yet."""
    rows = case.parts.test[np.isfinite(case.y[case.parts.test])]
    return rows if len(rows) else case.parts.validation


def reach(values: FloatArray, bars: int) -> FloatArray:
    """Return the value that many rows later [T]; the last one where there is none."""
    return values[np.minimum(np.arange(len(values)) + bars, len(values) - 1)]
