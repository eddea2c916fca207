"""Why a published number deviates: a category is given only where an experiment supports it. Nothing is run here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from golden_core.legacy.audit.headings import Metric
from golden_core.legacy.reproduction.errors import (
    Spread,
    Verdict,
    distance,
    judge,
    on_published_rows,
    spread_of,
    trial_errors,
)
from golden_core.legacy.reproduction.published import Record

Category = Literal["data", "split", "initialisation", "optimiser", "precision", "selection", "unknown"]


@dataclass(frozen=True, eq=False)
class Experiment:
    """The same variants run again with one thing changed."""

    id: str
    category: Category
    change: str  # as one would set it: forecasters.v04.initialisers=keras_3.15
    forecasts: pl.DataFrame  # schema.FORECASTS, the random walk's among them


@dataclass(frozen=True)
class Attribution:
    """The category of a deviation, and the experiments that speak for it or that were tried in vain."""

    category: Category | None  # None: nothing deviates
    experiment: str  # ids that support it, or nothing
    tried: str  # ids that changed nothing about the verdict


@dataclass(frozen=True)
class Outcome:
    """What one experiment says about one variant: its runs and the verdict on every metric with the change."""

    id: str
    category: Category
    spreads: Mapping[Metric, Spread]
    verdicts: Mapping[Metric, Verdict]


def outcomes(experiments: Sequence[Experiment], record: Record, confidence: float) -> dict[str, list[Outcome]]:
    """Return what the experiments say, by variant.

    A variant whose changed runs were not made on the published test rows has no outcome: they explain nothing.
    """
    ids = [experiment.id for experiment in experiments]
    if len(set(ids)) < len(ids):
        raise ValueError(f"experiments need ids of their own, got {', '.join(sorted(ids))}")
    found: dict[str, list[Outcome]] = {}
    for experiment in experiments:
        errors = trial_errors(experiment.forecasts, record)
        for (_, name), trials in errors.group_by("study", "forecaster", maintain_order=True):
            row = record.rows.get(str(name))
            if row is None or not on_published_rows(trials["targets"][0], trials["variance"][0], row, record):
                continue
            spreads = {metric: spread_of(trials[metric].to_numpy(), confidence, metric) for metric in row.values}
            verdicts = {metric: judge(row.intervals[metric], spreads[metric], metric) for metric in row.values}
            outcome = Outcome(experiment.id, experiment.category, spreads, verdicts)
            found.setdefault(row.variant, []).append(outcome)
    return found


def attribute(
    verdict: Verdict,
    metric: Metric,
    published: float,
    spread: Spread,
    tried: Sequence[Outcome],
    elsewhere: Sequence[str],
) -> Attribution:
    """Return why a published number deviates from our runs.

    A change explains a deviation if, with it, the published number could be one more of our runs, and a typical run
    comes nearer to it: runs that only scatter more explain nothing, and no more does an experiment with fewer seeds,
    whose intervals are wider for that reason alone. If changes of different categories explain it, none is singled out.
    ``elsewhere`` are the studies in which the variant was run on the published test rows: what supports a split.
    """
    if verdict == "consistent":
        return Attribution(None, "", "")
    if verdict == "undecided":
        return Attribution("unknown", "", "")
    if verdict == "other_test_set":
        return Attribution("split" if elsewhere else "unknown", ", ".join(elsewhere), "")
    explaining = [
        outcome
        for outcome in tried
        if outcome.verdicts[metric] == "consistent"
        and outcome.spreads[metric].seeds >= spread.seeds
        and _nearer(published, outcome.spreads[metric], spread, metric)
    ]
    others = ", ".join(outcome.id for outcome in tried if outcome not in explaining)
    categories = {outcome.category for outcome in explaining}
    category = categories.pop() if len(categories) == 1 else "unknown"
    return Attribution(category, ", ".join(outcome.id for outcome in explaining), others)


def _nearer(published: float, changed: Spread, spread: Spread, metric: Metric) -> bool:
    """Say whether typical runs with the change are nearer to the published number than those without."""
    after, before = distance(published, changed, metric), distance(published, spread, metric)
    return after is not None and before is not None and abs(after) < abs(before)
