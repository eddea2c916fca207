"""How a call is timed: warmed up by rule, long enough, or in turns with another. What is called is not here."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from golden_core.benchmarking.summary import TAILS, full_size
from golden_core.inputs.windows import FloatArray

STEADY = 0.05  # medians of neighbouring blocks differ by no more than this
LEAST_HALF = 10  # of a smaller half the median is chance
MOST_BLOCKS = 20  # after so many a call counts as warm, and as unsteady
ALPHA = 0.01  # of a comparison
PAIRS = 200  # so many find 5 % on a noisy machine, in simulation
LEAST_PAIRS = 8  # fewer can never be significant at ALPHA

Call = Callable[[], object]
Clock = Callable[[], float]


@dataclass(frozen=True, eq=False)
class Sample:
    """Durations [N] in seconds of calls after the warm-up, how many were left out for it, and whether it settled."""

    seconds: FloatArray
    warm_up: int
    steady: bool


def sample(call: Call, *, seconds: float, fewest: int, block: int = 10, clock: Clock = time.perf_counter) -> Sample:
    """Time a call until so many seconds and so many samples have been measured, whichever comes last.

    Of a call so short that they would be millions, every second one is kept, or every fourth, and so on: from as many
    as carry the 99th percentile to twice that.

    Warm-up ends when the medians of two neighbouring blocks of calls differ by 5 % or less, or after 20 blocks, or
    after as many seconds as are to be measured; in the last two cases the sample is not steady, and says so. Nor is one
    whose halves have medians that far apart: neighbouring blocks of a clock that creeps are alike.
    """
    warm, steady = list[float](), False
    while not steady and len(warm) < MOST_BLOCKS * block and (len(warm) < 2 * block or sum(warm) < seconds):
        warm += (_timed(call, clock) for _ in range(block))
        steady = settled(warm, block)
    kept, spent, calls, stride = list[float](), 0.0, 0, 1
    most = 2 * max(fewest, full_size(TAILS[-1]))
    while calls < fewest or spent < seconds:
        took = _timed(call, clock)
        spent += took
        if calls % stride == 0:
            kept.append(took)
        calls += 1
        if len(kept) == most:
            kept, stride = kept[::2], 2 * stride
    halves = len(kept) // 2
    return Sample(np.array(kept), len(warm), steady and (halves < LEAST_HALF or settled(kept, halves)))


def settled(durations: list[float], block: int) -> bool:
    """Return whether the last two blocks of durations have the same median, to within 5 %."""
    if len(durations) < 2 * block:
        return False
    before, after = np.median(durations[-2 * block : -block]), np.median(durations[-block:])
    return bool(abs(np.log(after / before)) <= np.log1p(STEADY))


@dataclass(frozen=True)
class Paired:
    """How much longer the second of two calls takes: the ratio with its 99 % interval, and p of no difference.

    Interval and p are undefined for fewer than eight pairs.
    """

    ratio: float
    low: float | None
    high: float | None
    p_value: float | None

    @property
    def different(self) -> bool:
        """Whether a difference was found at 1 %."""
        return self.p_value is not None and self.p_value <= ALPHA


def interleaved(
    one: Call, other: Call, pairs: int, chance: np.random.Generator, clock: Clock = time.perf_counter
) -> tuple[FloatArray, FloatArray]:
    """Time two calls in pairs, a coin deciding which goes first; return durations [N] of both.

    Neighbours in time share the machine's other work, and the coin makes :func:`compare` exact whatever that does.
    """
    found = np.empty((pairs, 2))
    for row in found:
        order = (0, 1) if chance.random() < 0.5 else (1, 0)
        for which in order:
            row[which] = _timed((one, other)[which], clock)
    return found[:, 0], found[:, 1]


def compare(one: FloatArray, other: FloatArray) -> Paired:
    """Compare durations [N] of two calls that were timed in pairs, by Wilcoxon's signed ranks of their log ratios.

    Where a coin decided which call of a pair goes first, the sign of a log ratio is that coin's if both calls cost the
    same: the test then keeps its size for any noise, drifting, bursting or dependent. A bootstrap of the ratios would
    need them to be independent. The ratio is the median of all means of two (Hodges & Lehmann 1963), and its interval
    holds what the same test at 1 % would not reject.

    Raises
    ------
    ValueError
        If there is no pair, or a duration is not a positive number.

    References
    ----------
    Wilcoxon (1945); Fisher (1935), "The Design of Experiments", section 21; Kalibera & Jones (2013) on pairing.
    """
    if not len(one) or not all((durations > 0).all() and np.isfinite(durations).all() for durations in (one, other)):
        raise ValueError("a comparison needs pairs of durations, each a positive number of seconds")
    logs = np.log(other / one)
    first, second = np.triu_indices(len(logs))
    walsh = np.sort((logs[first] + logs[second]) / 2)
    ratio = float(np.exp(np.median(walsh)))
    if len(logs) < LEAST_PAIRS:
        return Paired(ratio, None, None, None)
    if not logs.any():
        return Paired(1.0, 1.0, 1.0, 1.0)
    p_value = float(stats.wilcoxon(logs).pvalue)
    n = len(logs)
    spread = np.sqrt(n * (n + 1) * (2 * n + 1) / 24)
    cut = max(0, int(n * (n + 1) / 4 - stats.norm.isf(ALPHA / 2) * spread))
    return Paired(ratio, float(np.exp(walsh[cut])), float(np.exp(walsh[-1 - cut])), p_value)


def _timed(call: Call, clock: Clock) -> float:
    started = clock()
    call()
    return clock() - started
