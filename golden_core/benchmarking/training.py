"""`golden bench training`: a legacy network's training step, timed beside that of a straightforward port."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from golden_core.benchmarking.machine import matrix_peak, operations
from golden_core.benchmarking.measurement import Measurement, Peaks, timed
from golden_core.benchmarking.sampling import Paired, compare
from golden_core.benchmarking.straightforward import straightforward
from golden_core.models.legacy import build
from golden_core.store.randomness import Stream
from golden_core.training.determinism import activate
from golden_core.training.optimiser import make_optimiser

CONTEXT_LENGTH, FEATURES = 3, 4  # windows of the legacy experiments
EPOCH = 90_611  # windows in one of their epochs
TOLERANCE = 1e-5  # relative to the range of the outputs: rounding of float32
REQUIRED = 1.5  # how many times as fast the network must train
# A benchmark asks the same on every machine and for every study, so this root is no setting.
STREAM = Stream(0, ("benchmarking", "training"))


class DifferentOutputsError(RuntimeError):
    """The two networks do not say the same, so that comparing their speed means nothing."""


@dataclass(frozen=True)
class Comparison:
    """Seconds of steps of the straightforward port and of the network, in pairs, and how far apart their outputs are.

    The port steps in float32 always, the network in ``precision``.
    """

    variant: str
    batch_size: int
    threads: int
    reference: tuple[float, ...]
    network: tuple[float, ...]
    difference: float  # largest, relative to the range of the outputs, both in float32
    precision: str = "float32"
    work: float | None = None  # operations of a step
    peak: float | None = None  # operations per second of a matrix product, measured in the same run

    @property
    def paired(self) -> Paired:
        """The steps compared, pair by pair."""
        return compare(np.array(self.network), np.array(self.reference))

    @property
    def ratio(self) -> float:
        """How many times as fast the network is."""
        return self.paired.ratio

    def rows(self) -> Iterator[Measurement]:
        """Yield both as measurements; the network's says what it was compared with."""
        told: dict[str, Any] = {"threads": self.threads, "operations": self.work, "peaks": Peaks(self.peak)}
        port = f"{self.variant}, one module per part"
        yield timed(port, "step", "window", self.reference, self.batch_size, **told, precision="float32")
        told |= {"precision": self.precision, "against": port, "paired": self.paired}
        yield timed(self.variant, "step", "window", self.network, self.batch_size, **told)

    def epoch_seconds(self, steps: Sequence[float]) -> float:
        """Return seconds of an epoch of the legacy experiments, from the median step."""
        return statistics.median(steps) * EPOCH / self.batch_size


def measure(
    variant: str,
    *,
    batch_size: int,
    threads: Sequence[int],
    steps: int,
    note: Callable[[str], None],
    precision: str = "float32",
) -> list[Comparison]:
    """Time training steps of a legacy network and of its straightforward port, in pairs, per number of threads.

    A step is what the trainer does for a batch: gather its windows, forward, backward, optimiser. Both start from the
    same weights and meet the same batches; a coin decides which goes first. The first step of each warms up and is not
    counted. ``precision`` bfloat16 is the network's, and the port's stays float32.

    Raises
    ------
    DifferentOutputsError
        If the outputs from equal weights differ by more than ``TOLERANCE`` of their range.
    """
    found, before = [], torch.get_num_threads()
    activate()
    try:
        for count in threads:
            note(f"{variant}, {steps} steps of {batch_size} windows, {count} thread{'s' if count > 1 else ''} …")
            torch.set_num_threads(count)
            found.append(_compare(variant, batch_size, count, steps, precision))
    finally:
        torch.set_num_threads(before)
    return found


def _compare(variant: str, batch_size: int, threads: int, steps: int, precision: str) -> Comparison:
    network = build(variant, generator=_generator("weights"))
    reference = straightforward(network)
    X = torch.randn(2 * batch_size, CONTEXT_LENGTH, FEATURES, generator=_generator("windows"))
    y = X[:, -1, -1] + 0.1 * torch.randn(len(X), generator=_generator("noise"))
    difference = output_difference(network, reference, X[:batch_size])
    shuffle = _generator("batches")
    taken: dict[nn.Module, list[float]] = {reference: [], network: []}
    trainers = {reference: _Trainer(reference, "float32"), network: _Trainer(network, precision)}
    work, peak, coin = operations(network, X[:2], training=True) / 2, matrix_peak("cpu", precision), STREAM.generator()
    for _ in range(steps + 1):
        rows = torch.randperm(len(X), generator=shuffle)[:batch_size]
        for module in (reference, network) if coin.random() < 0.5 else (network, reference):
            taken[module].append(trainers[module].step(X, y, rows))
    port, own = (tuple(taken[module][1:]) for module in (reference, network))
    return Comparison(variant, batch_size, threads, port, own, difference, precision, work * batch_size, peak)


def output_difference(network: nn.Module, reference: nn.Module, X: Tensor) -> float:
    """Return the largest difference of outputs, in training and in inference mode, as a share of their range.

    Raises
    ------
    DifferentOutputsError
        If it is above ``TOLERANCE``, or not a number.
    """
    largest = 0.0
    for training in (False, True):
        with torch.no_grad():
            ours, theirs = (module.train(training)(X) for module in (network, reference))
        largest = max(largest, ((ours - theirs).abs().max() / (theirs.max() - theirs.min())).item())
        if not largest <= TOLERANCE:
            mode = "training" if training else "inference"
            raise DifferentOutputsError(
                f"in {mode} mode the outputs of the two networks differ by {largest:.1e} of their range, expected at "
                f"most {TOLERANCE:g}: their speed cannot be compared"
            )
    return largest


class _Trainer:
    """One network under training, as the legacy protocol trains it."""

    def __init__(self, module: nn.Module, precision: str) -> None:
        self.module, self.reduced = module.train(), precision == "bfloat16"
        trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
        self.optimiser = make_optimiser("keras_adamw", trained, lr=1e-3, weight_decay=0.004)

    def step(self, X: Tensor, y: Tensor, rows: Tensor) -> float:
        started = time.perf_counter()
        self.optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.reduced):
            outputs = self.module(X[rows])
        loss = functional.mse_loss(outputs.float(), y[rows])
        torch.autograd.backward(loss)
        self.optimiser.step()
        return time.perf_counter() - started


def _generator(purpose: str) -> Generator:
    return Generator().manual_seed(STREAM.child(purpose).integer())
