"""What the price of a pair can be: the one table of it, for importers, cleaning and costs alike."""

from __future__ import annotations

from functools import cache
from typing import Annotated

from pydantic import Field
from ruamel.yaml import YAML

from golden_core.store.lake import shipped
from golden_core.study.sections import Section
from golden_core.study.values import Pair

PAIRS = shipped("pairs.yaml")
_Positive = Annotated[float, Field(gt=0)]


class Plausible(Section):
    """What a price of a pair can be."""

    low: _Positive = Field(description="lowest plausible price")
    high: _Positive = Field(description="highest plausible price, below ten times the lowest")
    pip: _Positive = Field(description="customary smallest step of a quote")
    since: int = Field(default=1999, description="first year of the rates behind it")


class _Pairs(Section):
    pairs: dict[Pair, Plausible]


@cache
def plausible_pairs() -> dict[str, Plausible]:
    """Return what is known about every pair's price."""
    return _Pairs.model_validate(YAML(typ="safe", pure=True).load(PAIRS)).pairs
