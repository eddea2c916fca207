"""One measurement: in which scenario and under which conditions, the sample of durations, and the row it comes to."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from golden_core.benchmarking.energy import NOT_IDLE, UNMEASURED, Meter
from golden_core.benchmarking.machine import PeakMemory, synchronised
from golden_core.benchmarking.sampling import Call, Paired, Sample, least_size, sample, summarise

PRECISIONS = ("float32", "bfloat16", "tf32")
BATCHES = (8, 64, 512)
SECONDS = 2.0


@dataclass(frozen=True)
class Scenario:
    """One way of asking a forecaster for work.

    ``fewest`` is the least number of timed calls, and ``block`` of the calls that warm-up looks at together.
    """

    name: str
    task: str
    says: str
    unit: str
    fewest: int
    block: int = 10


_ALL = (
    Scenario("single", "inference", "one window at a time, a call each", "window", least_size(0.99)),
    Scenario("batch", "inference", "so many windows in one call, for every batch size", "window", least_size(0.90)),
    Scenario("offline", "inference", "all test windows of a fold in one call", "window", least_size(0.50)),
    Scenario("warm", "start", "restored from its state in a running process, and one forecast", "start", 11),
    Scenario("cold", "start", "a new process that imports, restores and gives one forecast", "start", 3, block=1),
    Scenario("to_device", "copy", "the windows of the offline call copied to the device", "window", 64),
    Scenario("from_device", "copy", "their forecasts copied back", "window", 64),
    Scenario("fit", "training", "one fit of a fold, with the study's budget", "window and epoch", 3, block=1),
    Scenario("part", "platform", "one call of a part of the platform, on the data of a study", "row", 11, block=3),
    Scenario("process", "start", "a new process, from its start to its end", "start", 5, block=1),
    Scenario("campaign", "platform", "trials of a small study, or what guards them", "trial", 1, block=1),
    Scenario("step", "training", "one step on a batch: forward, backward, optimiser", "window", 9),
    Scenario("epochs", "training", "epochs of one network or a cohort, validation included", "window", 1, block=1),
)
SCENARIOS = {scenario.name: scenario for scenario in _ALL}


@dataclass(frozen=True)
class Condition:
    """Under which conditions something is called; ``batch`` units of work in one call."""

    device: str = "cpu"
    precision: str = "float32"
    threads: int = 1
    batch: int = 1


@dataclass(frozen=True)
class Peaks:
    """What the machine gave in the same run: operations and bytes per second."""

    operations: float | None = None
    bytes: float | None = None


@dataclass(frozen=True, eq=False)
class Measurement:
    """What one row of the table is made from."""

    subject: str
    scenario: str
    unit: str
    condition: Condition
    sample: Sample
    peaks: Peaks = field(default_factory=Peaks)
    operations: float | None = None  # of one call
    bytes: float | None = None  # that one call reads and writes at least: weights, inputs, outputs
    memory_mb: float | None = None
    joules: float | None = None  # of one call, idling left out
    against: str = ""  # what it was compared with, in pairs
    paired: Paired | None = None
    missing: tuple[str, ...] = ()  # what else is undefined, and why

    def row(self) -> dict[str, Any]:
        """Return the columns of the table that are this measurement's own."""
        found = summarise(self.sample.seconds, self.condition.batch)
        each = float(self.sample.seconds.mean())
        rate = None if self.operations is None else self.operations / each
        pair = self.paired
        return {
            "subject": self.subject,
            "scenario": self.scenario,
            "unit": self.unit,
            **self.condition.__dict__,
            **found,
            "undefined": "; ".join(filter(None, (found["undefined"], *self.missing))),
            "warm_up": self.sample.warm_up,
            "steady": self.sample.steady,
            "memory_mb": self.memory_mb,
            "flops": self.operations,
            "peak_share": _share(rate, self.peaks.operations),
            "bandwidth_share": _share(None if self.bytes is None else self.bytes / each, self.peaks.bytes),
            "energy_j": self.joules,
            "against": self.against,
            "ratio": pair.ratio if pair else None,
            "ratio_low": pair.low if pair else None,
            "ratio_high": pair.high if pair else None,
            "p_value": pair.p_value if pair else None,
        }


def measure(
    subject: str,
    scenario: str,
    call: Call,
    condition: Condition,
    *,
    seconds: float,
    meter: Meter,
    fewest: int | None = None,
    missing: Sequence[str] = (),
    **facts: Any,
) -> Measurement:
    """Time a call as its scenario asks, with the memory and the energy that it took.

    ``facts`` are further fields of the measurement: peaks, operations, bytes.
    """
    asked = SCENARIOS[scenario]
    with PeakMemory(condition.device) as memory:
        started = time.perf_counter()
        meter.start()
        least = asked.fewest if fewest is None else fewest
        taken = sample(synchronised(call, condition.device), seconds=seconds, fewest=least, block=asked.block)
        joules = meter.joules(time.perf_counter() - started)
    calls = taken.warm_up + taken.calls
    why = [UNMEASURED] if joules is None else [NOT_IDLE] * (joules <= 0)
    return Measurement(
        subject,
        scenario,
        asked.unit,
        condition,
        taken,
        memory_mb=memory.megabytes,
        joules=None if joules is None or why else joules / calls,
        missing=(*missing, *why),
        **facts,
    )


def waited(found: Measurement) -> Measurement:
    """Return a measurement of a process that was waited for, without the memory of the one that waits."""
    missing = (*found.missing, "memory is that of the process that waits")
    return dataclasses.replace(found, memory_mb=None, missing=missing)


_CONDITIONS = {"device", "precision", "threads"}


def timed(subject: str, scenario: str, unit: str, seconds: Sequence[float], batch: int, **facts: Any) -> Measurement:
    """Return a measurement of what was timed elsewhere, each duration of ``batch`` units and none of them warm-up."""
    asked = {"precision": "float64"} | {name: facts.pop(name) for name in _CONDITIONS & facts.keys()}
    taken = Sample(np.asarray(seconds, dtype=np.float64), 0, False)
    missing = ("not repeated until steady", UNMEASURED)
    return Measurement(subject, scenario, unit, Condition(batch=batch, **asked), taken, missing=missing, **facts)


def _share(rate: float | None, peak: float | None) -> float | None:
    return None if rate is None or not peak else rate / peak
