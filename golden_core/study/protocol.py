"""The sections `protocol` and `placebo`: what may be claimed, and where the pipeline is tried on a known truth."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from golden_core.study.section import Rule, Section, SparseSection
from golden_core.study.values import Distinct

ClaimKind = Literal["more_accurate", "predicts", "equivalent", "covers", "profitable"]


def _within_shares(margin: float, level: float) -> str | None:
    widest = min(level, 1 - level)
    return None if margin < widest else f"must be < {widest:g}: a share lies between 0 and 1, got {margin}"


def asked_with(kind: str, reads: tuple[str, str], why: str) -> Rule:
    """Return the rule that a kind of claim comes with what it is about."""
    said = f"asks for {kind}, which {why}, or leave the kind out"
    return Rule(reads, lambda kinds, given: said if kind in kinds and given is None else None, absent_too=True)


class CoverageClaim(Section):
    """What it means that a central interval covers: its share of true values is the level, but for the margin."""

    level: float = Field(gt=0, lt=1, description="nominal level of the central interval, such as 0.9")
    margin: float = Field(gt=0, lt=1, description="difference of shares that is none, either side of the level")

    RULES: ClassVar = (Rule(("margin", "level"), _within_shares),)


class ProtocolSection(SparseSection):
    """What may be claimed of the study, fixed before its test parts are opened."""

    kinds: Annotated[tuple[ClaimKind, ...], Distinct] = Field(
        min_length=1, description="kinds of claim, each decided by one test"
    )
    scopes: Annotated[tuple[Literal["series", "pooled"], ...], Distinct] = Field(
        min_length=1, description="series by series, or the mean over pairs at each cutoff"
    )
    loss: Literal["squared", "absolute"] = Field(description="loss of a forecast log return")
    margin: float = Field(gt=0, lt=1, description="difference that is none, as a share of the random walk's loss")
    family: Literal["kind", "study"] = Field(description="over which tests Holm's adjustment runs")
    alpha: float = Field(gt=0, lt=0.5, description="chance of any false claim in a family")
    power: float = Field(gt=0.5, lt=1, description="chance of finding the effect that a non-claim is reported with")
    coverage: CoverageClaim | None = Field(default=None, description="the interval that `covers` is about, or null")

    RULES: ClassVar = (
        asked_with("covers", ("kinds", "coverage"), "needs to know of what: add `coverage: {level: …, margin: …}`"),
    )
    UNSAID: ClassVar = {"coverage": None}


class PlaceboArm(Section):
    """Universes in which there is nothing to find, and who looks for it there."""

    forecasters: Annotated[tuple[str, ...], Distinct] = Field(
        min_length=1, description="names from the section forecasters, beside the random walk"
    )
    universes: int = Field(ge=1, le=100_000, description="universes, each with bars of its own")


class PowerArm(PlaceboArm):
    """Universes in which a known part of the next bar's return can be forecast."""

    r2: Annotated[tuple[Annotated[float, Field(gt=0, lt=1)], ...], Distinct] = Field(
        min_length=1, description="population R² of the best one-bar forecast; as many universes with each"
    )


class PlaceboSection(Section):
    """The campaign against ourselves: how often the pipeline claims a skill where there is none, and where there is."""

    cheap: PlaceboArm = Field(description="the arm that shows the rate of false claims")
    network: PlaceboArm | None = Field(description="a smaller arm with forecasters that train, or null")
    power: PowerArm = Field(description="planted skill of the first pair, one bar ahead")
    block: int = Field(ge=1, le=1000, description="universes of one unit of work, and of one file")
