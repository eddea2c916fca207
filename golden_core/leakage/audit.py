"""The whole audit of a study as a list of steps, so that whoever runs it can show how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from golden_core.forecasters import forecaster_class
from golden_core.leakage.poisons import POISONS
from golden_core.leakage.probes import (
    Fits,
    features_at_every_bar,
    poisoned_cleaning,
    poisoned_features,
    poisoned_inputs,
    replayed_scalers,
    shortened_source,
    structure,
)
from golden_core.leakage.report import Report, merged
from golden_core.leakage.screening import permuted_forecasts, screened_features
from golden_core.leakage.study_tables import Series
from golden_core.leakage.subject import Subject, drawn_fold
from golden_core.store.lake import Home
from golden_core.study import Study
from golden_core.trials import all_series

EVERY = {"mirrored": 10_000, "removed": 10_000}  # rounds of single bars: all there are


@dataclass(frozen=True)
class Step:
    """One part of an audit."""

    label: str
    run: Callable[[], Report]


def audit_steps(study: Study, home: Home, times: int, *, all_fits: bool) -> Iterator[Step]:
    """Yield the steps of a full audit; the first is taken when the first is asked for.

    Parameters
    ----------
    study, home
        What and where.
    times : int
        Times after which everything is replaced, by every poison.
    all_fits : bool
        Every fold and seed of every forecaster, instead of one fold per series and the first seed.
    """
    subject = Subject.of(study, home)
    lake = subject.lake
    for time in subject.times(times):
        when = f"{time:%Y-%m-%d %H:%M}"
        for poison in POISONS:
            yield Step(f"{poison} after {when}", partial(poisoned_inputs, subject, time, (poison,)))
        yield Step(f"features, {when}", partial(poisoned_features, subject, time))
        for turn in range(len(subject.faults)):
            yield Step(
                f"bad bars, {when}", partial(poisoned_cleaning, subject, time, turn, (*POISONS, "frozen", "undone"))
            )
        yield Step(f"source, {when}", partial(shortened_source, subject, time))
    tables = subject.clean_bars.partition_by("pair", as_dict=True, maintain_order=True)
    yield Step("screen", partial(screened_features, study, {str(pair): bars for (pair,), bars in tables.items()}))
    yield Step("features at every bar", partial(features_at_every_bar, subject, EVERY))
    for series in all_series(study):
        name = f"{series[0]}_h{series[1]}"
        yield Step(f"structure of {name}", partial(structure, study, subject.raw, series))
        yield Step(f"scalers of {name}", partial(replayed_scalers, subject, series, subject.folds(series)))
        for fold in subject.folds(series) if all_fits else [drawn_fold(subject, "audit", series)[1]]:
            for forecaster in sorted(study.forecasters):
                seeds = range(study.seeds.count if all_fits and not forecaster_class(forecaster).deterministic else 1)
                arguments = (study, subject.raw, series, fold, (forecaster,), tuple(seeds), lake)
                yield Step(f"{forecaster} on {name}/{fold}", partial(_fits, *arguments))
                permuted = partial(permuted_forecasts, study, subject.raw, series, fold, forecaster)
                yield Step(f"{forecaster} on permuted {name}/{fold}", permuted)


def _fits(
    study: Study,
    raw: pl.DataFrame,
    series: Series,
    fold: int,
    forecasters: Sequence[str],
    seeds: Sequence[int],
    lake: tuple[Path, ...],
) -> Report:
    fits = Fits.of(study, raw, series, fold, forecasters, seeds, lake)
    return merged([fits.poisoned(), fits.replayed()])
