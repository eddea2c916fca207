"""Any forecaster of a study, timed: windows at once or one by one, starting, training. All are asked the same.

Everything is asked through the contract, so that a forecaster of another package is measured like ours. A network in
another number format or on a card is asked without the little that surrounds it, since forecasts are float32 on the
processor.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from golden_core.benchmarking import cold
from golden_core.benchmarking.energy import Meter
from golden_core.benchmarking.machine import bandwidth_peak, conditions, matrix_peak, operations, refusal
from golden_core.benchmarking.measurement import BATCHES, SECONDS, Condition, Measurement, Peaks, measure, waited
from golden_core.benchmarking.sampling import Call
from golden_core.forecasters.base import Forecaster
from golden_core.forecasters.neural import NeuralForecaster
from golden_core.inputs.windows import Windows
from golden_core.preparation import prepare_all
from golden_core.store.kernels import require
from golden_core.store.lake import Home
from golden_core.store.randomness import Stream
from golden_core.study import Study
from golden_core.trials.identity import Trial, all_series, series_inputs
from golden_core.trials.rows import FoldData, cut_folds, new_forecaster

UNCOUNTED = "no network: operations and traffic are not counted"
Note = Callable[[str], None]


@dataclass(frozen=True)
class Effort:
    """How much is measured: seconds of every scenario at least, timed calls at least (or the scenario's number)."""

    seconds: float = SECONDS
    samples: int | None = None
    batches: Sequence[int] = BATCHES
    threads: int = 1
    device: str = "cpu"
    precision: str = "float32"

    @property
    def plain(self) -> bool:
        """Whether this is what forecasts are made with."""
        return (self.device, self.precision) == ("cpu", "float32")


def first_fold(home: Home, study: Study) -> FoldData:
    """Return the first fold of a study's first series; what it needs is prepared if it is not there.

    Raises
    ------
    UnpinnedError
        If the study asks for portable kernels and this process has others: its scalers would have other last digits,
        and the trials that were trained with those of before would no longer be found.
    """
    require(study.training.kernels)
    pair, horizon = all_series(study)[0]
    prepare_all(home, study, [(pair, horizon)])
    return next(iter(cut_folds(study, horizon, series_inputs(home, study, pair, horizon))))


class Measured(NamedTuple):
    """What was measured, and who is left out because it failed, each with its error."""

    found: list[Measurement]
    left_out: list[str]


def inference(home: Home, study: Study, names: Sequence[str], effort: Effort, note: Note) -> Measured:
    """Measure the forecasts of some forecasters of a study, each fitted for one epoch: speed needs no more.

    Raises
    ------
    ValueError
        If the study has no such forecaster, or the device or number format is not here, or none can be measured.
    """
    measured = _measured(home, study, names, effort, note, _forecasts)
    windows = max((one.condition.batch for one in measured.found), default=0)
    if larger := [str(batch) for batch in effort.batches if batch > windows]:
        note(f"batches of {', '.join(larger)} windows are left out: the test part has {windows}")
    return measured


def fits(home: Home, study: Study, names: Sequence[str], effort: Effort, note: Note) -> Measured:
    """Measure what fitting some forecasters of a study takes, with the study's own budget."""
    return _measured(home, study, names, effort, note, _fit)


@dataclass(frozen=True, eq=False)
class _Subject:
    name: str
    study: Study
    trial: Trial
    fold: FoldData
    effort: Effort
    meter: Meter
    peaks: Peaks

    def timed(self, scenario: str, call: Call, condition: Condition, **facts: Any) -> Measurement:
        """Time a call for as long, with as many samples, as was asked for."""
        return measure(
            self.name, scenario, call, condition, **{"seconds": self.effort.seconds, **facts}, meter=self.meter
        )

    def fitted(self, study: Study) -> tuple[Forecaster, int]:
        """Return the forecaster fitted, and in how many epochs."""
        forecaster, stream = new_forecaster(study, self.trial), Stream(study.seeds.root)
        epochs = forecaster.fit(self.fold.train, self.fold.validation, stream.child("benchmarking", self.name))
        return forecaster, max(len(epochs), 1)


def _measured(
    home: Home,
    study: Study,
    names: Sequence[str],
    effort: Effort,
    note: Note,
    one: Callable[[_Subject], Iterator[Measurement]],
) -> Measured:
    if unknown := sorted(set(names) - set(study.forecasters)):
        raise ValueError(f"study {study.name} has no forecaster {unknown[0]!r}: {', '.join(study.forecasters)}")
    if why := refusal(effort.device, effort.precision):
        raise ValueError(f"{effort.precision} on {effort.device} is unmeasured: {why}")
    fold, (pair, horizon) = first_fold(home, study), all_series(study)[0]
    meter, found, failed = Meter.on(effort.device), list[Measurement](), list[str]()
    with conditions(effort.device, effort.precision, effort.threads):
        peaks = Peaks(matrix_peak(effort.device, effort.precision), bandwidth_peak(effort.device))
    for name in names or study.forecasters:
        note(f"{name} …")
        subject = _Subject(name, study, Trial(name, pair, horizon, 0), fold, effort, meter, peaks)
        try:
            with conditions("cpu", "float32", effort.threads):
                found += list(one(subject))
        except (Exception, SystemExit) as error:  # noqa: BLE001  as in a campaign: the others are measured
            failed.append(f"{name} is left out: {type(error).__name__}: {error}")
            note(failed[-1])
    if failed and not found:
        raise ValueError("; ".join(failed))
    return Measured(found, failed)


def _forecasts(subject: _Subject) -> Iterator[Measurement]:
    study, effort, test = subject.study, subject.effort, subject.fold.test
    brief = study.model_copy(update={"training": study.training.model_copy(update={"epochs": 1})})
    forecaster, _ = subject.fitted(brief)
    if not effort.plain and not isinstance(forecaster, NeuralForecaster):
        return  # it computes in float64 on the processor, whatever is asked
    state, first = forecaster.state(), _some(test, 1)
    sizes = {"single": [1], "batch": [n for n in effort.batches if n <= len(test)], "offline": [len(test)]}
    for scenario, counts in sizes.items():
        for count in counts:
            yield _call(subject, scenario, forecaster, _some(test, count))
    if not effort.plain:
        yield from _copies(subject, test) if effort.device == "cuda" else ()
        return

    def warm() -> None:
        restored = new_forecaster(study, subject.trial)
        restored.restore(state)
        restored.predict(first)

    once = _condition(subject, forecaster, 1)
    yield subject.timed("warm", warm, once)
    with tempfile.TemporaryDirectory(prefix="golden-cold-") as folder:
        command = cold.prepare_cold(Path(folder), study, subject.trial, state, first)
        yield waited(subject.timed("cold", lambda: cold.start(command), once, seconds=0.0))


def _fit(subject: _Subject) -> Iterator[Measurement]:
    """Time whole fits; a network in another number format is trained in it, anything else is left out."""
    study, effort, fold = subject.study, subject.effort, subject.fold
    forecaster = new_forecaster(study, subject.trial)
    neural = isinstance(forecaster, NeuralForecaster)
    if effort.device != "cpu" or not (effort.plain or neural):
        return
    asked = study.training.model_copy(update={"precision": effort.precision})
    budget, epochs = study.model_copy(update={"training": asked}), 1

    def fit() -> None:
        nonlocal epochs
        _, epochs = subject.fitted(budget)  # as many every time: the stream is the same

    once = _condition(subject, forecaster, len(fold.train))
    found = subject.timed("fit", fit, once, fewest=effort.samples)
    windows = epochs * len(fold.train)
    work: dict[str, Any] = {"missing": (*found.missing, UNCOUNTED)}
    if isinstance(forecaster, NeuralForecaster):
        batch = _tensor(fold.train.windows)[: study.training.batch_size]
        each = operations(forecaster.network(None), batch, training=True) / len(batch)
        work = {"operations": each * windows, "peaks": subject.peaks}
    yield dataclasses.replace(found, condition=dataclasses.replace(once, batch=windows), **work)


def _call(subject: _Subject, scenario: str, forecaster: Forecaster, windows: Windows) -> Measurement:
    """Time forecasts of some windows, with what is known of a network's operations and least traffic."""
    effort = subject.effort
    call: Call = partial(forecaster.predict, windows)
    work: dict[str, Any] = {"missing": (UNCOUNTED,)}
    if isinstance(forecaster, NeuralForecaster):
        module, X = _network(forecaster), _tensor(windows)
        weights = sum(value.numel() * value.element_size() for value in module.state_dict().values())
        least = weights + 4 * (X.numel() + len(X))
        work = {"operations": operations(module, X), "bytes": least, "peaks": subject.peaks}
        call = call if effort.plain else _network_call(module, X, effort.device)
    condition = _condition(subject, forecaster, len(windows))
    with conditions(effort.device, effort.precision, effort.threads):
        return subject.timed(scenario, call, condition, fewest=effort.samples, **work)


def _network(forecaster: NeuralForecaster) -> nn.Module:
    module = forecaster.network(None)
    module.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in forecaster.state().items()})
    return module.eval()


def _network_call(module: nn.Module, X: Tensor, device: str) -> Call:
    """Return a call that copies windows to the device, forecasts, and copies back."""
    placed = module.to(device)

    def call() -> None:
        with torch.inference_mode():
            placed(X.to(device)).cpu()

    return call


def _copies(subject: _Subject, windows: Windows) -> Iterator[Measurement]:
    X = _tensor(windows)
    there = torch.empty(len(X), device=subject.effort.device)
    condition = Condition(subject.effort.device, subject.effort.precision, subject.effort.threads, len(X))
    yield subject.timed("to_device", lambda: X.to(there.device), condition)
    yield subject.timed("from_device", there.cpu, condition)


def _condition(subject: _Subject, forecaster: Forecaster, batch: int) -> Condition:
    effort = subject.effort
    precision = effort.precision if isinstance(forecaster, NeuralForecaster) else "float64"
    return Condition(effort.device, precision, effort.threads, batch)


def _some(windows: Windows, count: int) -> Windows:
    """Return the first windows of some; each keeps its whole past."""
    return dataclasses.replace(
        windows, X=windows.X[:count], cutoffs=windows.cutoffs[:count], _rows=windows.positions[:count]
    )


def _tensor(windows: Windows) -> Tensor:
    return torch.from_numpy(np.array(windows.X))
