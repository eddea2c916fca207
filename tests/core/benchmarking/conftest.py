"""Measurements made up for the tests: no test waits for a clock or asks how fast this machine is."""

import numpy as np
import pytest

from golden_core.benchmarking.measurement import Condition, Measurement
from golden_core.benchmarking.sampling import Sample
from golden_core.store.lake import Home


@pytest.fixture
def home():
    return Home.from_environment()


@pytest.fixture
def measured():
    def make(subject="v08", scenario="single", seconds=1e-3, samples=100, steady=True, batch=1, **facts):
        durations = seconds * (1 + 0.01 * np.arange(samples) / samples)
        taken = Sample(durations, 20, steady)
        return Measurement(subject, scenario, "window", Condition(batch=batch), taken, **facts)

    return make
