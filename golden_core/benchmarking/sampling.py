"""How a call is timed, and what durations come to: warmed up by rule, long enough, percentiles as far as they carry."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from golden_core.inputs.windows import FloatArray

STEADY = 0.05  # medians of neighbouring blocks differ by no more than this
LEAST_HALF = 10  # of a smaller half the median is chance
MOST_BLOCKS = 20  # after so many a call counts as warm, and as unsteady
ALPHA = 0.01  # of a comparison
PAIRS = 200  # so many find 5 % on a noisy machine, in simulation
LEAST_PAIRS = 8  # fewer can never be significant at ALPHA
_EXACT = 50  # pairs up to which SciPy's test is

CONFIDENCE = 0.99
TAILS = (0.90, 0.95, 0.99)
_GRAIN = 2**13  # MLPerf rounds sizes up to whole multiples of this
_WIDTH = 20  # and asks for a margin of this part of the tail

Call = Callable[[], object]
Clock = Callable[[], float]


@dataclass(frozen=True, eq=False)
class Sample:
    """Durations [N] in seconds of calls after the warm-up, how many were left out for it, and whether it settled."""

    seconds: FloatArray
    warm_up: int
    steady: bool
    calls: int = 0  # that were timed, if they were counted; of very short ones fewer are kept


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
    return Sample(np.array(kept), len(warm), steady and (halves < LEAST_HALF or settled(kept, halves)), calls)


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
    p_value, cut = float(stats.wilcoxon(logs).pvalue), _cut(len(logs))
    return Paired(ratio, float(np.exp(walsh[cut])), float(np.exp(walsh[-1 - cut])), p_value)


def _cut(n: int) -> int:
    """Return the largest sum of ranks of n pairs that is rejected at 1 %: exact where SciPy's test is."""
    if n > _EXACT:
        return int(n * (n + 1) / 4 - stats.norm.isf(ALPHA / 2) * np.sqrt(n * (n + 1) * (2 * n + 1) / 24))
    chances = np.ones(1)
    for rank in range(1, n + 1):
        chances = (np.pad(chances, (0, rank)) + np.pad(chances, (rank, 0))) / 2
    return int((chances.cumsum() <= ALPHA / 2).sum()) - 1


def _timed(call: Call, clock: Clock) -> float:
    started = clock()
    call()
    return clock() - started


def full_size(p: float) -> int:
    """Return how many samples carry a percentile: it is then within (1 − p) / 20 with 99 % confidence.

    24,576 for the 90th, 57,344 for the 95th and 270,336 for the 99th percentile.

    References
    ----------
    MLPerf inference rules, appendix "Statistical confidence" (Reddi et al. 2020, section V).
    """
    z = float(stats.norm.isf((1 - CONFIDENCE) / 2))
    needed = z**2 * p * (1 - p) / ((1 - p) / _WIDTH) ** 2
    return math.ceil(needed / _GRAIN) * _GRAIN


@functools.cache
def least_size(p: float) -> int:
    """Return the fewest samples that bound a percentile: 11 for the median, 64 for the 90th, 662 for the 99th.

    All of so many, but for one, lie below it with a probability of 1 % at most: MLPerf's early stopping.
    """
    n = 2
    while stats.binom.cdf(1, n, 1 - p) > 1 - CONFIDENCE:
        n += 1
    return n


def percentile(seconds: FloatArray, p: float) -> float | None:
    """Return the p-th quantile of a sample (N,), or nothing where it is too small to carry it.

    The median, and what lies below, asks for as many as bound it; the tail for MLPerf's full size.
    """
    needed = full_size(p) if p > 0.5 else least_size(p)
    return float(np.quantile(seconds, p, method="inverted_cdf")) if len(seconds) >= needed else None


@functools.cache
def _above(n: int, p: float) -> int:
    """Return how many of n samples can at most lie above the p-th quantile with a probability of 1 % or less."""
    above = int(stats.binom.ppf(1 - CONFIDENCE, n, 1 - p))
    return above if stats.binom.cdf(above, n, 1 - p) <= 1 - CONFIDENCE else above - 1


def bound(seconds: FloatArray, p: float) -> float | None:
    """Return what the p-th quantile does not exceed with 99 % confidence, whatever the distribution, or nothing.

    An order statistic: the largest sample but so many as can all lie above the quantile with a probability above 1 %.
    """
    n = len(seconds)
    if n < least_size(p):
        return None
    return float(np.sort(seconds)[n - 1 - _above(n, p)])


def summarise(seconds: FloatArray, units: int) -> dict[str, Any]:
    """Return mean, spread, percentiles and bounds in ms, and units per second, of calls (N,) of so many units.

    ``undefined`` says in words what the sample does not carry.

    Raises
    ------
    ValueError
        If there is no sample, or one is not a positive number.
    """
    if not len(seconds) or not np.isfinite(seconds).all() or (seconds <= 0).any():
        raise ValueError("a measurement needs durations, each a positive number of seconds")
    found: dict[str, float | None] = {
        "mean_ms": float(seconds.mean()),
        "sd_ms": float(seconds.std(ddof=1)) if len(seconds) > 1 else None,
        "p50_ms": percentile(seconds, 0.5),
    }
    missing = [] if found["p50_ms"] else [f"p50 needs {least_size(0.5)} samples"]
    for p in TAILS:
        name = f"p{round(100 * p)}"
        found[f"{name}_ms"], found[f"{name}_bound_ms"] = percentile(seconds, p), bound(seconds, p)
        if found[f"{name}_bound_ms"] is None:
            missing.append(f"{name} needs {full_size(p):,} samples, its bound {least_size(p)}")
        elif found[f"{name}_ms"] is None:
            missing.append(f"{name} needs {full_size(p):,} samples")
    milliseconds = {name: None if value is None else 1e3 * value for name, value in found.items()}
    reason = f"{len(seconds):,} samples: {', '.join(missing)}" if missing else ""
    return {
        **milliseconds,
        "samples": len(seconds),
        "throughput": units * len(seconds) / float(seconds.sum()),
        "undefined": reason,
    }
