"""`golden bench cohort`: one network trained alone and many together, by the trainers that studies use, in one run.

Windows are made up; networks, budget and shape are the study's. Nothing here is timed but whole epochs: shuffles,
steps, clipping, optimiser and validation.
"""

from __future__ import annotations

import dataclasses
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch

from golden_core.benchmarking.machine import matrix_peak, operations
from golden_core.benchmarking.measurement import Measurement, Peaks, timed
from golden_core.forecasters.neural import NeuralForecaster
from golden_core.inputs.features import FEATURES
from golden_core.inputs.windows import Examples, Target, cut_windows
from golden_core.market.clock import MINUTES, MONTH, closures, expected_days, month_ends
from golden_core.splits.folds import usable_rows
from golden_core.store.randomness import Stream
from golden_core.study import Study
from golden_core.training import device, trainer
from golden_core.training.cohort import Progress, train_cohort
from golden_core.training.substitute import Request, request_of
from golden_core.trials.cohorts import join_cohorts
from golden_core.trials.identity import Trial, all_series
from golden_core.trials.rows import new_forecaster

STREAM = Stream(0, ("benchmarking", "cohort"))
WARM_UP = 1  # epochs of each that are not counted


@dataclass(frozen=True)
class Speed:
    """How long some networks trained on ``windows`` each time, and the peak of the device that they ran on."""

    subject: str
    networks: int
    windows: int
    seconds: tuple[float, ...]
    device: device.Kind
    peak: float  # operations per second

    @property
    def windows_per_second(self) -> float:
        """Training windows per second, of all networks together."""
        return self.windows * len(self.seconds) / sum(self.seconds)


@dataclass(frozen=True)
class CohortRun:
    """What one run measured, and what follows for the study: windows, and seconds if all networks were like this."""

    forecaster: str
    kind: device.Kind
    card: str | None
    operations: float  # of one window, forward and backward
    speeds: tuple[Speed, ...]
    study: str
    study_windows: int

    @property
    def study_seconds(self) -> float:
        """How long the study's networks would train at the speed of the cohort, to their last epochs."""
        return self.study_windows / self.speeds[-1].windows_per_second

    def share(self, speed: Speed) -> float:
        """Return what share of its device's peak a speed is."""
        return speed.windows_per_second * self.operations / speed.peak

    def measurements(self) -> Iterator[Measurement]:
        """Yield a row of the table of benchmarks for each speed."""
        for one in self.speeds:
            yield timed(
                f"{self.forecaster}, {one.subject}",
                "epochs",
                "window",
                one.seconds,
                one.windows,
                device=one.device,
                precision="float32",
                operations=self.operations * one.windows,
                peaks=Peaks(one.peak),
            )


def measure(
    study: Study, forecaster: str, kind: device.Kind, *, members: int, epochs: int, note: Callable[[str], None]
) -> CohortRun:
    """Time a network by the single trainer, alone on the device, and in a cohort.

    Raises
    ------
    ValueError
        If the forecaster trains no network that joins cohorts.
    golden_core.training.device.DeviceError
        If there is no such device.
    """
    trial = Trial(forecaster, *all_series(study)[0], 0)
    if forecaster not in study.forecasters or not join_cohorts(study, [trial], asked=True):
        raise ValueError(f"study {study.name!r} has no network called {forecaster!r}")
    where = device.prepare(kind)
    budget = study.training.model_copy(update={"epochs": WARM_UP + epochs, "early_stopping": None})
    study = study.model_copy(update={"training": budget})
    note("peak of a matrix product …")
    peaks = {name: matrix_peak(name, "float32") for name in {"cpu", kind}}
    requests = [_request(study, trial, number) for number in range(members)]
    member = requests[0].member
    batch = torch.from_numpy(member.train.windows.X[: budget.batch_size].copy())
    of_window = operations(member.module, batch, training=True) / len(batch)

    note("one network, the single trainer …")
    single = _single(_request(study, trial, 0))
    found = [Speed("one, by the single trainer on the processor", 1, *single, "cpu", peaks["cpu"])]
    for number, subject in ((1, "a cohort of one"), (members, "a cohort")):
        note(f"{subject}, {number} networks on {kind} …")
        chosen = [_request(study, trial, place) for place in range(number)] if number == 1 else requests
        found.append(Speed(subject, number, *_together(chosen, where), kind, peaks[kind]))
    card = device.card(kind)
    return CohortRun(forecaster, kind, card, of_window, tuple(found), study.name, windows_of(study))


def windows_of(study: Study) -> int:
    """Return how many windows the networks of a study are trained on, if none stops before its last epoch.

    Folds are counted on the days that have a price by the source's calendar; no window falls out at a closure.
    """
    warm_up = max(study.evaluation.volatility_window, *(FEATURES[name].warm_up for name in study.features))
    days = {*expected_days(study.data.start, study.data.end)}
    days -= {*closures(study.data.source, study.data.start, study.data.end)["date"]}
    months = len(month_ends(study.data.source, study.data.start, study.data.end))
    bars = months if study.data.bar == MONTH else len(days) * MINUTES["1d"] // MINUTES[study.data.bar]
    splits, total = study.splits, 0
    trials = [Trial(name, *series, 0) for name in study.forecasters for series in all_series(study)]
    for trial in join_cohorts(study, trials, asked=True):
        rows = usable_rows(bars, warm_up=warm_up, context_length=study.context_length, horizon=trial.horizon)
        folds = max(0, (len(rows) - splits.train - splits.validation - splits.test) // splits.step + 1)
        each = splits.train - trial.horizon - splits.embargo
        total += study.seeds.count * folds * each * cast(NeuralForecaster, new_forecaster(study, trial)).budget().epochs
    return total


def _request(study: Study, trial: Trial, seed: int) -> Request:
    """Return what a forecaster asks of the trainer, for made-up windows in the number of the study's first fold."""
    generator, horizon = STREAM.child("windows").generator(), study.horizons[0]
    splits = study.splits
    counts = [rows - horizon - splits.embargo for rows in (splits.train, splits.validation)]
    bars = sum(counts) + study.context_length
    matrix = generator.normal(size=(bars, len(study.features))).astype(np.float32)
    times = np.datetime64("2001-01-01", "us") + np.arange(bars) * np.timedelta64(1, "D")
    returns = 0.01 * generator.normal(size=bars)

    def examples(first: int, count: int) -> Examples:
        rows = range(first, first + count)
        target = Target("log_return", mean=0.0, scale=0.01)
        shape = {"context_length": study.context_length, "horizon": horizon}
        return Examples(cut_windows(matrix, np.ones(bars), times, rows, target=target, **shape), returns[rows])

    start = study.context_length
    train, validation = examples(start, counts[0]), examples(start + counts[0], counts[1])
    forecaster = new_forecaster(study, dataclasses.replace(trial, seed=seed))
    request = request_of(lambda: forecaster.fit(train, validation, STREAM.child("fit", seed)))
    if request is None:
        raise ValueError(f"forecaster {trial.forecaster!r} does not hand its network to the trainer")
    return request


def _single(request: Request) -> tuple[int, tuple[float, ...]]:
    """Return how many windows were trained on in how many seconds: all epochs in one, for the trainer says nothing."""
    member, epochs, seconds = request.member, request.training.epochs, 0.0
    for training in (request.training.model_copy(update={"epochs": WARM_UP}), request.training):
        started = time.perf_counter()
        trainer.train(member.module, member.train, member.validation, training, member.stream, request.objective)
        seconds = time.perf_counter() - started
    return epochs * len(member.train), (seconds,)


def _together(requests: Sequence[Request], where: torch.device) -> tuple[int, tuple[float, ...]]:
    """Return how many windows a cohort was trained on in each epoch, and its seconds."""
    seen: list[Progress] = []
    first = requests[0]
    members = [one.member for one in requests]
    deque(train_cohort(members, first.training, where, objective=first.objective, watch=seen.append), maxlen=0)
    counted = seen[WARM_UP:]
    return counted[0].windows, tuple(one.seconds for one in counted)
