"""What is probed of a study: in every run a sample that costs little beside the trials, or everything, in steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl
from joblib import delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError

from golden_core.forecasters import forecaster_class, forecaster_facts
from golden_core.leakage.poisons import POISONS, RECORD_POISONS
from golden_core.leakage.probes import (
    OF_FITS,
    Fits,
    Subject,
    drawn_fold,
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
from golden_core.leakage.study_pipeline import raw_bars
from golden_core.leakage.study_tables import Series
from golden_core.preparation import dated_study
from golden_core.store.lake import Home
from golden_core.study import Study
from golden_core.trials import all_series
from golden_core.trials.campaign import died, worker_pool
from golden_core.trials.run import TrialError

# After every time the bars that follow are reversed, which leaves as many as there were: no fold is refused for that.
ALWAYS = "reversed"
# A poison that cleaning removes, one that it may, and no bars at all: dealt out to the times.
DEALT = ("nan", "huge", "removed")
# The next bar says the same once more, or takes it back: what a rule that waits for it would notice.
OF_CLEANING = ("frozen", "undone")
EVERY = {"mirrored": 10_000, "removed": 10_000}  # rounds of single bars: all there are
# Some of them: with a warm-up of 20 bars or less, every bar is replaced in one of them.
ROUNDS = {"mirrored": 32, "removed": 8}


def sampled(study: Study, home: Home, *, backend: str, workers: int) -> tuple[Report, Report]:
    """Probe a study as every run does: every poison, every kind of bad bar, and every forecaster on one fold.

    Most poisons and all bad bars are dealt out to the study's sampled times, so that each costs one run, not several.

    Returns
    -------
    tuple of Report
        What depends on the future; what fits read beyond what they declare. Both start from the same honest fits.
    """
    subject = Subject.of(study, home)
    series, fold = drawn_fold(subject, "sample")
    fits = _begun(subject, series, fold, backend, workers)  # the workers fit while this process poisons their inputs
    times = subject.times(study.checks.poisoned_times)
    turns = list(subject.turns)
    future = []
    for number, time in enumerate(times):
        future.append(poisoned_inputs(subject, time, (*DEALT[number :: len(times)], ALWAYS)))
        future.append(poisoned_features(subject, time))
        future += [poisoned_cleaning(subject, time, turn, OF_CLEANING) for turn in turns[number :: len(times)]]
    future.append(features_at_every_bar(subject, ROUNDS))
    future.append(shortened_source(subject, subject.times(1)[0]))
    scalers = replayed_scalers(subject, series, [fold], RECORD_POISONS[:1])
    probed = fits()
    return merged([*future, *(one for one, _ in probed)]), merged([scalers, *(one for _, one in probed)])


def sampled_scalers(study: Study, home: Home) -> Report:
    """Examine what the scalers of the sampled fold read: of :func:`sampled`, what needs no forecaster."""
    subject = Subject.of(study, home)
    series, fold = drawn_fold(subject, "sample")
    return replayed_scalers(subject, series, [fold], RECORD_POISONS[:1])


def structures(study: Study, home: Home) -> Report:
    """Examine the structure of every series."""
    study = dated_study(home, study)
    raw = raw_bars(study, home)
    return merged(structure(study, raw, series) for series in all_series(study))


def _begun(
    subject: Subject, series: Series, fold: int, backend: str, workers: int
) -> Callable[[], list[tuple[Report, Report]]]:
    """Begin to probe the fits of all forecasters in the workers that will train them; what is returned waits for them.

    Those that draw are dealt out first: they take longest, and no worker shall have them all.
    """
    study = subject.study
    names = sorted(
        study.forecasters, key=lambda name: (forecaster_facts(name, study.forecasters[name]).deterministic, name)
    )
    task = partial(_probed, study, subject.raw, series, fold, lake=subject.lake)
    if backend == "sequential":
        return lambda: [task(names)]
    shares = [names[start::workers] for start in range(min(workers, len(names)))]
    running = worker_pool(study, backend, workers)(delayed(task)(share) for share in shares)

    def wait() -> list[tuple[Report, Report]]:
        try:
            return list(running)
        except TerminatedWorkerError:
            return [_probed_alone(study, task, name) for name in names]

    return wait


def _probed_alone(study: Study, task: Callable[[list[str]], tuple[Report, Report]], name: str) -> tuple[Report, Report]:
    """Probe one forecaster in a worker of its own, after one of several has ended theirs."""
    try:
        found: tuple[Report, Report] = next(iter(worker_pool(study, "loky", 2)([delayed(task)([name])])))
        return found
    except TerminatedWorkerError as error:
        raise TrialError(f"{name}: its worker process {died(error)} while its fits were probed") from None


def _probed(
    study: Study, raw: pl.DataFrame, series: Series, fold: int, forecasters: Sequence[str], *, lake: tuple[Path, ...]
) -> tuple[Report, Report]:
    fits = Fits.of(study, raw, series, fold, forecasters, lake=lake)
    return fits.poisoned(OF_FITS[:1]), fits.replayed(RECORD_POISONS[:1])


def _probed_by_all(
    study: Study,
    raw: pl.DataFrame,
    series: Series,
    fold: int,
    forecaster: str,
    seeds: Sequence[int],
    lake: tuple[Path, ...],
) -> Report:
    fits = Fits.of(study, raw, series, fold, (forecaster,), seeds, lake)
    return merged([fits.poisoned(), fits.replayed()])


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
    study = subject.study
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
                kind = forecaster_class(forecaster, study.forecasters[forecaster])
                seeds = range(study.seeds.count if all_fits and not kind.deterministic else 1)
                arguments = (study, subject.raw, series, fold, forecaster, tuple(seeds), lake)
                yield Step(f"{forecaster} on {name}/{fold}", partial(_probed_by_all, *arguments))
                permuted = partial(permuted_forecasts, study, subject.raw, series, fold, forecaster)
                yield Step(f"{forecaster} on permuted {name}/{fold}", permuted)
