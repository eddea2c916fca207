"""What a probe is and what it returns, and the prices that several probes share. No probe belongs here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from golden_core.inputs.windows import FloatArray
from golden_core.legacy.flow.protocol import extents, read_facts
from golden_core.store.randomness import Stream

# legacy: as the legacy code does it. alternative: with the remedy of the register, or, where the legacy practice is
# sound, with the mistake it avoids.
Practice = Literal["legacy", "alternative"]

# A register says the same on every machine and for every study, so this root is no setting.
STREAM = Stream(0, ("legacy", "probes"))
V08 = read_facts("v08")  # what most probes take: the network that the paper proposes
TEST_ROWS = len(extents(V08)["test"].rows)
HOURLY_VOLATILITY = 0.001  # of simulated log returns; about 8 % a year, as of EUR/USD
TRAINING_SCALE = 0.1  # standard deviation of the simulated training prices, in prices


@dataclass(frozen=True)
class ProbeResult:
    """What a probe measured; the risk is shown where the value is above the threshold."""

    value: float
    threshold: float
    sentence: str

    @property
    def shown(self) -> bool:
        """Whether the risk is there."""
        return self.value > self.threshold


Probe = Callable[[Practice, Stream], ProbeResult]


def walk(count: int, stream: Stream, volatility: FloatArray | float = HOURLY_VOLATILITY) -> FloatArray:
    """Return a random walk of closes [count] around 1.1, which no forecast of its direction can beat."""
    closes: FloatArray = 1.1 * np.exp(np.cumsum(volatility * stream.generator().standard_normal(count)))
    return closes


def percent(share: float, decimals: int = 0) -> str:
    """Return a share as text: 0.25 is 25 %."""
    return f"{100 * share:.{decimals}f} %"


def rms(errors: FloatArray) -> float:
    """Return the root mean square."""
    return float(np.sqrt(np.mean(np.square(errors))))
