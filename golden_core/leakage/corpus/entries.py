"""The corpus as data: kinds of leaks with class, sites, the probe expected to catch them, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import Field, TypeAdapter
from ruamel.yaml import YAML

from golden_core.leakage.artefacts import Finding, Pipeline
from golden_core.leakage.corpus import bars, delivery, features, fitting, held_out
from golden_core.leakage.corpus.planting import Mechanism, Site
from golden_core.leakage.testbed import CLEAN, Plan, build_testbed, draw_plan, raw_bars
from golden_core.store.lake import shipped
from golden_core.store.randomness import Stream

FOLDER = shipped("leakage")
CORPUS, HELD_OUT = FOLDER / "corpus.yaml", FOLDER / "held_out.yaml"
MECHANISMS: Mapping[str, Mechanism] = {
    **features.MECHANISMS,
    **bars.MECHANISMS,
    **fitting.MECHANISMS,
    **delivery.MECHANISMS,
    **held_out.MECHANISMS,
}


@dataclass(frozen=True)
class Entry:
    """One kind of leak."""

    id: str
    leak_class: Annotated[str, Field(alias="class")]  # after Kapoor & Narayanan (2023), Patterns 4(9), table 1
    kind: Literal["deterministic", "statistical"]  # whether a probe shows it with certainty, or by its effect
    mechanism: str  # name in ``MECHANISMS``
    probe: str  # the probe expected to catch it
    # Any of them is a right answer to where it is: asset → patterns of columns, ``{feature}`` being that of the site.
    places: Annotated[dict[str, tuple[str, ...]], Field(alias="place")]
    reason: str  # why it is a leak
    sites: tuple[Site, ...]
    plan: dict[str, Any] = field(default_factory=dict)  # settings of the plan without which the leak cannot be

    def names(self, finding: Finding, site: Site) -> bool:
        """Return whether a finding points to a place of the leak at a site."""
        return any(
            fnmatchcase(finding.column, column.format(feature=site.feature))
            for column in self.places.get(finding.asset, ())
        )


@dataclass(frozen=True, eq=False)
class Specimen:
    """A pipeline to be examined, and the bars to run it on."""

    plan: Plan
    pipeline: Pipeline
    raw: pl.DataFrame


def read_entries(path: Path) -> tuple[Entry, ...]:
    """Read a file of kinds."""
    return TypeAdapter(tuple[Entry, ...]).validate_python(YAML(typ="safe").load(path))


def clean_specimen(stream: Stream) -> Specimen:
    """Return a random honest testbed and random bars for it."""
    plan = draw_plan(stream)
    return Specimen(plan, build_testbed(plan, stream), raw_bars(plan, stream))


def planted_specimen(entry: Entry, site: Site, stream: Stream) -> Specimen:
    """Return a random testbed with one leak at one site, and bars for it."""
    plan = replace(draw_plan(stream), **entry.plan)
    planted = MECHANISMS[entry.mechanism](CLEAN, site)
    raw = planted.deliver(raw_bars(plan, stream), stream.child("delivery"))
    stages = planted.recall(planted.stages, raw)
    return Specimen(plan, build_testbed(plan, stream, stages, name=entry.id), raw)
