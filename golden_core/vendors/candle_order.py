"""The test that tells a file's columns are the ones they are taken for. Single bad bars are cleaning's business."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from golden_core.vendors.base import VendorError


def require_candles(records: np.ndarray[Any, Any], layout: Sequence[str], where: str) -> None:
    """Refuse records of which more than half cannot be candles: the columns must be in another order.

    Parameters
    ----------
    records : (n,) structured
        With fields ``open``, ``high``, ``low``, ``close``. Flat candles fit every order and are not counted.
    layout : sequence of str
        The order in which the format holds the prices, for the message.
    where : str
        Path of the file.

    Raises
    ------
    VendorError
        With the count.
    """
    low, high = records["low"], records["high"]
    ends = np.minimum(records["open"], records["close"]), np.maximum(records["open"], records["close"])
    moving = len(records) - np.count_nonzero((low == high) & (ends[0] == low) & (ends[1] == low))
    impossible = np.count_nonzero((ends[0] < low) | (ends[1] > high) | (low > high))
    if 2 * impossible > moving:
        raise VendorError(
            f"{where}: read as {', '.join(layout)}, {impossible} of {moving} candles that move have an open or a close"
            " outside low to high: the columns are in another order, or the file is damaged"
        )
