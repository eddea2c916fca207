"""Rows that are set apart to calibrate on. The purge that keeps them apart is that of every other part."""

from __future__ import annotations

import math

from golden_core.inputs.windows import TimeArray
from golden_core.splits.purging import purge
from golden_core.splits.segments import Segments, positions, segments, size


def set_apart(
    validation: Segments, share: float, available_at: TimeArray, *, horizon: int, embargo: int
) -> tuple[Segments, Segments]:
    """Return the validation rows that remain, and the last ``share`` of them, rounded up, to calibrate on.

    What remains is purged of rows whose labels touch those of the calibration rows, and embargoed, as training and
    validation rows are against parts held out from them; the calibration rows have been, against the test part.

    Raises
    ------
    ValueError
        If nothing remains.

    Examples
    --------
    >>> import numpy as np
    >>> days = np.datetime64("2024-01-01", "us") + np.arange(30) * np.timedelta64(1, "D")
    >>> set_apart((range(10, 20),), 0.4, days, horizon=2, embargo=1)
    ((range(10, 13),), (range(16, 20),))
    """
    rows = positions(validation)
    # 0.07 of 100 rows is 7.000000000000001 of them in floating point, and 7 in a study.
    first = len(rows) - math.ceil(share * len(rows) - 1e-9)
    calibration = segments(rows[first:])
    kept = purge(segments(rows[:first]), calibration, available_at, horizon=horizon, embargo=embargo)
    if not kept.rows:
        raise ValueError(
            f"no validation row is left beside {size(calibration)} of {len(rows)} that calibrate, behind the purge and "
            "the embargo: lower quantiles.calibration.share or lengthen splits.validation"
        )
    return kept.rows, calibration
