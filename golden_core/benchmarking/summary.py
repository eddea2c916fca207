"""What a sample of durations comes to, as far as its size carries it. No clock and no file belongs here."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from scipy import stats

from golden_core.inputs.windows import FloatArray

CONFIDENCE = 0.99
TAILS = (0.90, 0.95, 0.99)
_GRAIN = 2**13  # MLPerf rounds sizes up to whole multiples of this
_WIDTH = 20  # and asks for a margin of this part of the tail


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
