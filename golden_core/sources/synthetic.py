"""Source `synthetic`: seeded daily prices from processes whose truth is known. Nothing here resembles a forecast."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, Field, RootModel, model_validator
from pydantic_core import PydanticCustomError

from golden_core.market.clock import expected_days
from golden_core.sources.base import Source, SourceError, fixing_bars, parse_settings, require_fixing_clock
from golden_core.store.randomness import Stream
from golden_core.study import DataSection, Section
from golden_core.study.messages import SAID

FloatArray = npt.NDArray[np.float64]
Probability = Annotated[float, Field(gt=0, lt=1)]
Volatility = Annotated[float, Field(gt=0, lt=1, description="standard deviation of one-bar log returns")]


class GarchSettings(Section):
    """Random walk with GARCH(1,1) volatility: no forecast of the return beats zero."""

    process: Literal["garch"]
    initial_price: float = Field(gt=0)
    volatility: Volatility
    alpha: float = Field(ge=0, description="weight of the last squared return")
    beta: float = Field(ge=0, description="weight of the last variance; alpha + beta < 1")

    @model_validator(mode="after")
    def _stationary(self) -> GarchSettings:
        if self.alpha + self.beta >= 1:
            total = self.alpha + self.beta
            raise PydanticCustomError(
                SAID, "alpha + beta must be < 1, or there is no variance, got {total}", {"total": total}
            )
        return self


class ArSettings(Section):
    """AR(1) returns: the best one-bar forecast has exactly this population R² against zero."""

    process: Literal["ar"]
    initial_price: float = Field(gt=0)
    volatility: Volatility
    r2: float = Field(ge=0, lt=1, description="population R² of the best one-bar forecast")


class RegimesSettings(Section):
    """Two regimes in turn, each with its own mean and volatility."""

    process: Literal["regimes"]
    initial_price: float = Field(gt=0)
    means: tuple[float, float] = Field(description="mean one-bar log return in each regime")
    volatilities: tuple[Volatility, Volatility]
    stay: tuple[Probability, Probability] = Field(description="chance that the next bar is in the same regime")


ProcessSettings = GarchSettings | ArSettings | RegimesSettings


class SyntheticSettings(RootModel[Annotated[ProcessSettings, Field(discriminator="process")]]):
    """The settings of the process named by ``process``."""


class Synthetic(Source):
    """Daily bars at the ECB's times, one independent series per pair."""

    Settings: ClassVar[type[BaseModel]] = SyntheticSettings
    made_up = True

    def read(self, data: DataSection, root_seed: int, home: Path) -> pl.DataFrame:  # noqa: ARG002
        """Return bars (``schema.BARS``); a later ``data.end`` leaves the earlier bars as they were."""
        require_fixing_clock(data)
        settings = parse_settings(SyntheticSettings, data).root
        dates = expected_days(data.start, data.end)
        if dates.is_empty():
            raise SourceError(f"there is no weekday from {data.start} to {data.end}")
        stream = Stream(root_seed).child("synthetic")
        return pl.concat([_pair_bars(settings, dates, pair, stream.child(pair)) for pair in data.pairs])

    def bars(self, raw: pl.DataFrame, data: DataSection, pair: str) -> pl.DataFrame:  # noqa: ARG002
        """Return the bars of one pair."""
        return raw.filter(pl.col("pair") == pair)

    def describe(self, data: DataSection, home: Path) -> dict[str, str]:  # noqa: ARG002
        """Return the process and its settings."""
        settings = parse_settings(SyntheticSettings, data).root
        return {
            "source": "synthetic",
            "first_day": str(data.start),
            "last_day": str(data.end),
            "licence": "none needed: generated",
            **{name: str(value) for name, value in settings.model_dump(mode="json").items()},
        }


def simulate(settings: ProcessSettings, count: int, stream: Stream) -> FloatArray:
    """Return one-bar log returns [count]; a longer run begins with the shorter one, bit for bit."""
    return _PROCESSES[settings.process](settings, count, stream)


def _pair_bars(settings: ProcessSettings, dates: pl.Series, pair: str, stream: Stream) -> pl.DataFrame:
    returns = simulate(settings, len(dates) - 1, stream)
    close = settings.initial_price * np.exp(np.concatenate([[0.0], np.cumsum(returns)]))
    return fixing_bars(pair, pl.DataFrame({"date": dates, "close": close}))


def _garch(settings: GarchSettings, count: int, stream: Stream) -> FloatArray:
    """Return σₜzₜ with σ²ₜ₊₁ = ω + (αzₜ² + β)σ²ₜ, from the unconditional variance on (Bollerslev 1986, section 3)."""
    shocks = _normal(count, stream)
    omega = settings.volatility**2 * (1 - settings.alpha - settings.beta)
    gains = settings.alpha * shocks**2 + settings.beta
    # A recursion in the random gains: accumulate runs it in order, which also makes every prefix exact.
    variance = accumulate(
        gains.tolist(), lambda variance, gain: omega + gain * variance, initial=settings.volatility**2
    )
    return shocks * np.sqrt(np.fromiter(variance, dtype=np.float64))[:count]


def _ar(settings: ArSettings, count: int, stream: Stream) -> FloatArray:
    """Return rₜ = φrₜ₋₁ + εₜ with φ² = R², from the stationary distribution on."""
    phi = math.sqrt(settings.r2)
    shocks = _normal(count, stream) * settings.volatility
    shocks[1:] *= math.sqrt(1 - settings.r2)
    return np.fromiter(accumulate(shocks.tolist(), lambda last, shock: phi * last + shock), dtype=np.float64)


def _regimes(settings: RegimesSettings, count: int, stream: Stream) -> FloatArray:
    """Return μ(s) + σ(s)z for a stationary two-state Markov chain s (Hamilton 1989, section 2)."""
    leave = [1 - stay for stay in settings.stay]
    draws = stream.child("regimes").generator().random(count)
    first = int(draws[0] < leave[0] / sum(leave)) if count else 0
    states = accumulate(draws[1:].tolist(), lambda state, draw: state ^ (draw < leave[state]), initial=first)
    state = np.fromiter(states, dtype=np.int64)[:count]
    return np.array(settings.means)[state] + np.array(settings.volatilities)[state] * _normal(count, stream)


def _normal(count: int, stream: Stream) -> FloatArray:
    return stream.child("shocks").generator().standard_normal(count)


_PROCESSES: dict[str, Callable[[Any, int, Stream], FloatArray]] = {
    "garch": _garch,
    "ar": _ar,
    "regimes": _regimes,
}
