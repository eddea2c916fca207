"""Whether closes look like averages over time, which are prices of no moment. Other faults of a feed are in quality.py.

Of a random walk, the changes of means over m moments have a first-order autocorrelation of (m² − 1) / (2 (2m² + 1)):
1/6 where m is 2, and 1/4 in the limit (Working 1960, Econometrica 28(4)). Whoever forecasts such bars can find a skill
that nobody can trade on: a part of the next change has happened by the time the last mean is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import polars as pl

from golden_core.bars.quality import Verdict


def expected_autocorrelation(moments: int) -> float:
    """Return the autocorrelation of changes of means over so many moments of a random walk."""
    return (moments**2 - 1) / (2 * (2 * moments**2 + 1))


CLAIM = "bars are prices"
FEWEST = 30  # changes
LEAST = expected_autocorrelation(2)
LEVEL = 0.01  # chance of a finding among the pairs of a study whose bars are prices
DECLARED = "declared: closes are means over the bar, no prices"


@dataclass(frozen=True)
class Autocorrelation:
    """First-order autocorrelation of changes of log closes."""

    value: float
    error: float  # standard error, whatever the changes' variances (Lo & MacKinlay 1988, Review of Financial Studies 1)


def autocorrelation(bars: pl.DataFrame) -> Autocorrelation | None:
    """Return the autocorrelation of the bars of one pair in the order of time; None for bars too few, or all equal."""
    steps = np.diff(np.log(bars["close"].to_numpy()))
    if len(steps) < FEWEST or not np.ptp(steps):
        return None
    steps = steps - steps.mean()
    products, squares = steps[1:] * steps[:-1], np.square(steps).sum()
    error = np.sqrt(np.square(products).sum()) / squares
    return Autocorrelation(float(products.sum() / squares), float(error))


def look_like_averages(bars_by_pair: Mapping[str, pl.DataFrame]) -> list[str]:
    """Return a sentence for every pair whose autocorrelation is above 0 beyond chance, and not below that of means.

    One-sided tests at ``LEVEL`` over all pairs. A short series says little: means over the months of ten years are
    found in some six of ten cases.
    """
    quantile = NormalDist().inv_cdf(1 - LEVEL / max(len(bars_by_pair), 1))
    found = []
    for pair, bars in bars_by_pair.items():
        seen = autocorrelation(bars)
        if seen and seen.value > quantile * seen.error and seen.value + quantile * seen.error >= LEAST:
            found.append(
                f"{pair}: {_seen(seen)}, as of means over time (0.17 to 0.25), not of prices (0): take the last "
                "price of each bar, or declare data.price: mean"
            )
    return found


def averages_verdict(bars_by_pair: Mapping[str, pl.DataFrame], *, declared: bool = False) -> Verdict:
    """Return whether the bars of some pairs are prices, in so far as that can be seen."""
    if declared:
        return Verdict(CLAIM, None, DECLARED)
    faults = look_like_averages(bars_by_pair)
    seen = [one for bars in bars_by_pair.values() if (one := autocorrelation(bars)) is not None]
    if not seen:
        return Verdict(CLAIM, None, f"fewer than {FEWEST} changes, or none")
    highest = max(seen, key=lambda one: one.value)
    return Verdict(CLAIM, not faults, "; ".join(faults) or f"{_seen(highest)} at most")


def _seen(found: Autocorrelation) -> str:
    return f"changes correlate with the ones before at {found.value:+.3f} (standard error {found.error:.3f})"
