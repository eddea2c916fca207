"""What a planted leak is made of: a place, and how stages or delivered bars are changed there. No leak belongs here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from golden_core.leakage.testbed.features import log_close, move, other
from golden_core.leakage.testbed.fitting import Case
from golden_core.leakage.testbed.pair_bars import FloatArray, IntArray, Market, PairBars
from golden_core.leakage.testbed.pipeline import Stages
from golden_core.store.randomness import Stream


@dataclass(frozen=True)
class Site:
    """Where a leak sits; None means everywhere. Horizons are ``short`` or ``long``, the two of a plan.

    ``strength`` is the share of the signal, ``bars`` the reach of the leak, for kinds that have one.
    """

    pair: str | None = None
    feature: str | None = None
    horizon: str | None = None
    fold: int | None = None
    strength: float | None = None
    bars: int | None = None

    @property
    def reach(self) -> int:
        """Bars that the leak reaches, 1 unless it says otherwise."""
        return self.bars or 1

    def at(self, pair: str) -> bool:
        """Return whether a pair is where the leak sits."""
        return self.pair in (None, pair)

    def within(self, fold: int, horizon: int, horizons: tuple[int, ...]) -> bool:
        """Return whether a fold of a horizon is where the leak sits."""
        named = {None: horizon, "short": horizons[0], "long": horizons[-1]}[self.horizon]
        return self.fold in (None, fold) and horizon == named

    def holds(self, place: object) -> bool:
        """Return whether the bars of a pair, or a fold of its series, are where the leak sits; of all else it is."""
        inside = not isinstance(place, Case) or self.within(place.fold, place.horizon, place.plan.horizons)
        return inside and (not isinstance(place, Case | PairBars) or self.at(place.pair))


@dataclass(frozen=True)
class Planted:
    """A pipeline's stages, what the vendor does to the bars, and what the stages remember of the delivered ones."""

    stages: Stages
    deliver: Callable[[pl.DataFrame, Stream], pl.DataFrame] = lambda raw, _stream: raw
    recall: Callable[[Stages, pl.DataFrame], Stages] = lambda stages, _raw: stages


@dataclass(frozen=True, eq=False)
class Spot:
    """The honest values [T] of one feature of one pair, and what a leak in it may look at."""

    market: Market
    pair: str
    values: FloatArray
    site: Site

    @property
    def bars(self) -> PairBars:
        """The pair's own bars."""
        return self.market.bars[self.pair]

    @property
    def others(self) -> PairBars:
        """Those of the other hourly pair."""
        return self.market.bars[other(self.pair)]

    @property
    def level(self) -> FloatArray:
        """The log close [T]."""
        return log_close(self.bars)

    @property
    def moves(self) -> FloatArray:
        """Its changes [T], the first zero."""
        return np.nan_to_num(move(self.level, 1))

    @property
    def next_return(self) -> FloatArray:
        """The log return over the bars that the leak reaches [T]; over fewer at the end."""
        return reach(self.level, self.site.reach) - self.level


Mechanism = Callable[[Stages, Site], Planted]


def in_feature(leak: Callable[[Spot], FloatArray]) -> Mechanism:
    """Return a mechanism that passes the honest values of the site's feature through a leak."""

    def plant(stages: Stages, site: Site) -> Planted:
        name = site.feature
        if name is None:
            raise ValueError("a leak in a feature needs a site with a feature")
        honest = stages.features[name]

        def feature(market: Market, pair: str) -> FloatArray:
            values = honest(market, pair)
            return leak(Spot(market, pair, values, site)) if site.at(pair) else values

        return Planted(replace(stages, features={**stages.features, name: feature}))

    return plant


def in_stage(stage: str, leak: Callable[..., Any]) -> Mechanism:
    """Return a mechanism that replaces a stage where the site is.

    ``leak`` gets the site, the honest stage, and the stage's own arguments. Where the first is neither bars nor a case,
    it has to look for the site itself.
    """

    def plant(stages: Stages, site: Site) -> Planted:
        honest = getattr(stages, stage)

        def replaced(place: Any, *rest: Any) -> Any:
            return leak(site, honest, place, *rest) if site.holds(place) else honest(place, *rest)

        changed: dict[str, Any] = {stage: replaced}
        return Planted(replace(stages, **changed))

    return plant


def in_reading(leak: Callable[[PairBars, Site], PairBars]) -> Mechanism:
    """Return a mechanism that passes the bars of the site's pair through a leak before they are cleaned."""
    return in_stage("clean", lambda site, honest, bars: honest(leak(bars, site)))


def in_cleaning(leak: Callable[[PairBars, Site], PairBars]) -> Mechanism:
    """Return a mechanism that puts a leak in place of cleaning."""
    return in_stage("clean", lambda site, _honest, bars: leak(bars, site))


def delivered(change: Callable[[pl.DataFrame, Site, Stream], pl.DataFrame]) -> Mechanism:
    """Return a mechanism that leaves the pipeline honest and changes the bars it is given."""
    return lambda stages, site: Planted(stages, lambda raw, stream: change(raw, site, stream))


def fitted_on(stage: str, part: str, rows: Callable[[Case], IntArray]) -> Mechanism:
    """Return a mechanism that fits a stage honestly, but on other rows than those of its part."""

    def leak(site: Site, honest: Any, case: Case, *rest: Any) -> Any:
        parts = replace(case.parts, **{part: rows(case)})
        wide = honest(replace(case, parts=parts), *rest)
        # Where the site names a feature, the others keep their honest statistics.
        return wide if site.feature is None else only_at(site.feature, case, wide, honest(case, *rest))

    return in_stage(stage, leak)


def only_at(feature: str, case: Case, leaky: Any, honest: Any) -> Any:
    """Put leaky statistics where one feature stands [..., F]."""
    return np.where(np.array(case.names) == feature, leaky, honest)


def all_rows(case: Case) -> IntArray:
    """Return every row whose label is known, the future included."""
    return np.flatnonzero(np.isfinite(case.y))


def test_rows(case: Case) -> IntArray:
    """Return the test rows whose label is known; the validation rows where there are none yet."""
    rows = case.parts.test[np.isfinite(case.y[case.parts.test])]
    return rows if len(rows) else case.parts.validation


def through_test(case: Case) -> IntArray:
    """Return all rows of the fold's three parts."""
    return np.concatenate([case.parts.train, case.parts.validation, test_rows(case)])


def reach(values: FloatArray, bars: int) -> FloatArray:
    """Return the value that many rows later [T]; the last one where there is none."""
    return values[np.minimum(np.arange(len(values)) + bars, len(values) - 1)]
