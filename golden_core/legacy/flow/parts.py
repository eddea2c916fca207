"""Rows, windows and steps of a legacy run, computed as the legacy code computes them. No text, no drawing."""

from __future__ import annotations

import math
from dataclasses import dataclass

from numpy.lib.stride_tricks import sliding_window_view

from golden_core.inputs.windows import FloatArray
from golden_core.legacy.flow.protocol import PARTS, Facts, Part, Ratios


@dataclass(frozen=True)
class Extent:
    """The rows of a part, and those of them that are targets."""

    rows: range
    targets: range


def extents(facts: Facts) -> dict[Part, Extent]:
    """Return the rows of every part, from the number of rows and the ratios alone.

    Windows are made inside a part, so its first rows are never targets.
    """
    first_target, stride = facts.windows.context_length, facts.windows.stride
    parts = split_rows(facts.candles.rows, facts.ratios)
    return {part: Extent(rows, rows[first_target::stride]) for part, rows in parts.items()}


def split_rows(count: int, ratios: Ratios) -> dict[Part, range]:
    """Return the rows of every part.

    A boundary is the number of rows times a sum of ratios, cut off to a whole number, in double precision as in the
    legacy code.
    """
    first, second = int(count * ratios.train), int(count * (ratios.train + ratios.validation))
    return dict(zip(PARTS, (range(first), range(first, second), range(second, count)), strict=True))


def batches(samples: int, batch_size: int) -> tuple[int, int, int]:
    """Return the steps of an epoch, how many of them are full, and the size of a smaller last one (0: none)."""
    return math.ceil(samples / batch_size), samples // batch_size, samples % batch_size


def legacy_windows(values: FloatArray, part: range, context_length: int) -> tuple[FloatArray, FloatArray]:
    """Return the windows [N, L] of a part and their targets [N], as the legacy code cuts them.

    Parameters
    ----------
    values : (T,) float64
        One column of all rows.
    part : range
        Rows of the part.
    context_length : int
        L; the target is the row after the window.
    """
    inside = values[part.start : part.stop]
    return sliding_window_view(inside[:-1], context_length), inside[context_length:]
