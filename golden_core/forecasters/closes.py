"""The closes of forecasters that run a recursion over every bar. What the recursion is belongs elsewhere."""

from __future__ import annotations

import numpy as np

from golden_core.forecasters.base import FitError
from golden_core.inputs.windows import Examples, FloatArray, Windows


def training_closes(train: Examples, who: str, least: int) -> FloatArray:
    """Return the closes of the training rows [N], oldest first, none left out.

    Raises
    ------
    FitError
        If rows are missing between them, there are fewer than ``least``, or all are equal.
    """
    closes, rows = train.windows.last_close, train.windows.positions
    if len(closes) != rows[-1] - rows[0] + 1:
        raise FitError(
            f"{who} needs consecutive training rows, {len(closes)} of {rows[-1] - rows[0] + 1} are there; leave it out "
            "of the study, or keep rows that cross closures (splits.closures: flag)"
        )
    if len(closes) < least:
        raise FitError(f"{who} needs at least {least} training rows, there are {len(closes)}")
    if np.ptp(closes) == 0:
        raise FitError(f"{who} needs closes that vary, all {len(closes)} are {closes[0]:g}")
    return closes


def closes_since(windows: Windows, start: int) -> FloatArray:
    """Return the closes from the bar where a recursion starts to the last cutoff, oldest first.

    Raises
    ------
    ValueError
        If a cutoff lies before that bar, the first of the training rows.
    """
    if windows.positions[0] < start:
        raise ValueError(f"cutoff {windows.cutoffs[0]} lies before the first training row, bar {start}")
    return windows.past(len(windows) - 1)[start:]
