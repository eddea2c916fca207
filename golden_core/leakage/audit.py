"""What is probed of a study: in every run a sample that costs little beside the trials, or everything, in steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
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
from golden_core.trials.run import TrialError
from golden_core.trials.workers import died, worker_pool

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

    Returns what depends on the future, and what fits read beyond what they declare; both start from the same fits.
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
    given = study, subject.raw, series, fold
    task = partial(_probed, *given, lake=subject.lake, poisons=OF_FITS[:1], of_record=RECORD_POISONS[:1])
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
    study: Study,
    raw: pl.DataFrame,
    series: Series,
    fold: int,
    forecasters: Sequence[str],
    *,
    lake: tuple[Path, ...],
    seeds: Sequence[int] = (0,),
    poisons: Sequence[str] = OF_FITS,
    of_record: Sequence[str] = RECORD_POISONS,
) -> tuple[Report, Report]:
    fits = Fits.of(study, raw, series, fold, forecasters, seeds, lake)
    return fits.poisoned(poisons), fits.replayed(of_record)


def audit_steps(study: Study, home: Home, times: int, *, all_fits: bool) -> Iterator[Callable[[], Report]]:
    """Yield the steps of a full audit, which any process can take; the source is read when the first is asked for.

    After so many ``times`` everything is replaced by every poison. ``all_fits`` probes every fold and seed of every
    forecaster, instead of one fold per series and the first seed.
    """
    subject = Subject.of(study, home)
    study = subject.study
    for time in subject.times(times):
        yield partial(poisoned_inputs, subject, time, POISONS)  # together: a study may refuse some of them
        yield partial(poisoned_features, subject, time)
        bad = (*POISONS, *OF_CLEANING)
        yield from (partial(poisoned_cleaning, subject, time, turn, bad) for turn in range(len(subject.faults)))
        yield partial(shortened_source, subject, time)
    tables = subject.clean_bars.partition_by("pair", as_dict=True, maintain_order=True)
    yield partial(screened_features, study, {str(pair): bars for (pair,), bars in tables.items()})
    yield partial(features_at_every_bar, subject, EVERY)
    for series in all_series(study):
        yield partial(structure, study, subject.raw, series)
        yield partial(replayed_scalers, subject, series, subject.folds(series))
        for fold in subject.folds(series) if all_fits else [drawn_fold(subject, "audit", series)[1]]:
            for name in sorted(study.forecasters):
                kind = forecaster_class(name, study.forecasters[name])
                seeds = range(study.seeds.count if all_fits and not kind.deterministic else 1)
                fits = partial(_probed, study, subject.raw, series, fold, (name,), lake=subject.lake, seeds=seeds)
                yield partial(_in_one, fits)
                yield partial(permuted_forecasts, study, subject.raw, series, fold, name)


def _in_one(probe: Callable[[], Iterable[Report]]) -> Report:
    return merged(probe())
