"""What is measured, as data: what a scenario calls, how long and how often. The plan is printed from here."""

from __future__ import annotations

from dataclasses import dataclass

from golden_core.benchmarking.summary import least_size


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
PRECISIONS = ("float32", "bfloat16", "tf32")
BATCHES = (8, 64, 512)
SECONDS = 2.0
