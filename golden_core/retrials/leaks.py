"""A leak, shown at work: rolling means that end with the month to be forecast. No forecaster, and no study can name it.

What pandas calls ``rolling(3).mean()`` ends at its own row; put beside the target of that row without a shift, three
times it less the two months before is the target itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from golden_core.inputs.windows import FloatArray
from golden_core.statistics import diebold_mariano


@dataclass(frozen=True)
class Demonstration:
    """An expanding regression of the next price beside the random walk, by the errors of prices."""

    n: int  # forecasts
    rmse_ratio: float  # regression over random walk
    statistic: float | None  # Diebold–Mariano of squared errors, positive for the regression, two-sided p beside it
    p_value: float | None
    uncorrected: float | None  # without Harvey, Leybourne & Newbold's correction
    mape: float  # of the regression, percent
    random_walk_mape: float


def demonstrate(
    prices: FloatArray, *, lags: int, means: Sequence[int], tested: int, includes_target: bool
) -> Demonstration:
    """Forecast the last ``tested`` of ``prices`` (T,) one step ahead, each by a regression on all months before it.

    With ``includes_target`` the rolling means end with the month to be forecast, else with the one before.

    Raises
    ------
    ValueError
        If there are fewer months to fit the first regression on than it has coefficients.
    """
    first = max([lags, *means, 1])
    targets = np.arange(first, len(prices))
    end = targets + 1 if includes_target else targets  # one past the last month of a rolling mean
    columns: list[FloatArray] = [np.ones(len(targets)), *(prices[targets - 1 - lag] for lag in range(lags))]
    columns += [np.array([prices[stop - length : stop].mean() for stop in end]) for length in means]
    design, y = np.column_stack(columns), prices[targets]
    if len(y) - tested <= design.shape[1]:
        raise ValueError(f"{len(y) - tested} months before the first test do not fit {design.shape[1]} coefficients")
    fitted = (np.linalg.lstsq(design[:row], y[:row], rcond=None)[0] for row in range(len(y) - tested, len(y)))
    forecasts = np.array([row @ weights for row, weights in zip(design[-tested:], fitted, strict=True)])
    y, walk, n = y[-tested:], prices[targets - 1][-tested:], tested
    own, other = np.square(y - forecasts), np.square(y - walk)
    found = diebold_mariano(other, own, horizon=1)
    return Demonstration(
        n=n,
        rmse_ratio=float(np.sqrt(own.mean() / other.mean())),
        statistic=found.statistic,
        p_value=found.p_value,
        uncorrected=None if found.statistic is None else found.statistic * float(np.sqrt(n / (n - 1))),
        mape=float(100 * np.abs(1 - forecasts / y).mean()),
        random_walk_mape=float(100 * np.abs(1 - walk / y).mean()),
    )
