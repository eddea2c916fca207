"""The section `economics`: how forecasts are traded and what that costs. Every setting says where it comes from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from golden_core.study.section import Section
from golden_core.study.values import Pair, freeze

Sourced = Annotated[str, Field(min_length=1, description="where the values come from, or that they are assumed")]
Pips = Annotated[float, Field(ge=0)]


class SignRule(Section):
    """The whole position limit, long or short, as the forecast is above or below zero."""

    rule: Literal["sign"] = Field(description="position by the sign of the forecast")
    threshold: float = Field(ge=0, description="smallest |forecast| traded, in trailing volatilities × √horizon")
    source: Sourced


class ScaledRule(Section):
    """A position in proportion to forecast over volatility, cut at the position limit."""

    rule: Literal["scaled"] = Field(description="position in proportion to forecast over volatility")
    gain: float = Field(gt=0, description="position of a forecast of one trailing volatility × √horizon")
    source: Sourced


class PositionLimit(Section):
    """How large a position may be."""

    multiple: float = Field(gt=0, description="largest position, as a multiple of the capital")
    source: Sourced


class SessionPips(Section):
    """Half-spreads of a pair: of the sessions at work the narrowest is paid."""

    sydney: Pips = Field(description="pips, while Sydney is at work")
    tokyo: Pips = Field(description="pips, while Tokyo is at work")
    london: Pips = Field(description="pips, while London is at work")
    new_york: Pips = Field(description="pips, while New York is at work")
    otherwise: Pips = Field(description="pips, while none of them is")


class HalfSpread(Section):
    """What crossing half the spread costs, by pair and session."""

    pips: Annotated[dict[Pair, SessionPips], AfterValidator(freeze)] = Field(description="half-spreads by pair")
    source: Sourced


class Slippage(Section):
    """By how much a fill is worse than the quote, on top of the half-spread."""

    pips: Pips = Field(description="pips a fill")
    source: Sourced


class NightPips(Section):
    """What a position earns overnight; negative is paid."""

    long: float = Field(description="pips a night, of a long position")
    short: float = Field(description="pips a night, of a short position")


class Swap(Section):
    """What a position earns or pays at 17:00 in New York; on Wednesdays three times, for the weekend's value days."""

    pips: Annotated[dict[Pair, NightPips], AfterValidator(freeze)] = Field(description="swap points by pair")
    source: Sourced


class EconomicsSection(Section):
    """What the forecasts earn: position by signal, next tradable price, costs."""

    signal: SignRule | ScaledRule = Field(discriminator="rule", description="how a forecast becomes a position")
    position_limit: PositionLimit
    half_spread: HalfSpread
    slippage: Slippage
    swap: Swap
    bootstrap_block: int = Field(ge=1, description="mean length of bootstrap blocks, bars; the horizon where longer")
