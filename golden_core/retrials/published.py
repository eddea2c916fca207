"""What was claimed, as data, and what the published numbers say by themselves. Nothing is measured on prices here."""

from __future__ import annotations

from pathlib import Path

import scipy
from pydantic import Field, TypeAdapter
from ruamel.yaml import YAML

from golden_core.store.lake import shipped
from golden_core.study import Section

PUBLISHED: Path = shipped("retrials.yaml")


class Leak(Section):
    """The regression that a leak is shown on."""

    lags: int = Field(ge=1)
    means: tuple[int, ...] = Field(min_length=1)


class Retrial(Section):
    """A published claim, and the studies by which it is retried."""

    name: str
    title: str
    source: str
    claimed: str
    statistic: float | None = Field(description="Diebold–Mariano, as published")
    p_value: float | None = Field(description="two-sided, as published")
    mape: float | None = Field(description="percent, as published")
    months: int | None = Field(description="length of the series, as published")
    studies: tuple[str, ...] = Field(min_length=1)
    forecasters: tuple[str, ...] = Field(description="any of these would bear the claim out; none: it is not retried")
    claim: str = Field(description="kind of claim of the studies' protocol that it comes to")
    leak: Leak | None


def retrials() -> tuple[Retrial, ...]:
    """Return the claims that are retried, in the order of the file."""
    with PUBLISHED.open(encoding="utf-8") as file:
        entries = YAML(typ="safe", pure=True).load(file)
    return TypeAdapter(tuple[Retrial, ...]).validate_python(entries, strict=False)


def implied_forecasts(statistic: float, p_value: float, most: int, *, decimals: int = 4) -> list[int]:
    """Return how many forecasts a published statistic and its two-sided p-value, rounded, can rest on.

    By Student's t with one degree of freedom fewer than forecasts (Harvey, Leybourne & Newbold 1997).
    """
    half = 0.5 * 10**-decimals
    found = {n: 2 * float(scipy.stats.t.sf(abs(statistic), df=n - 1)) for n in range(2, most + 1)}
    return [n for n, p in found.items() if abs(p - p_value) <= half]
