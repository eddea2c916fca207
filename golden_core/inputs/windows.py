"""Windows: what a forecaster may know at its cutoffs. Labels are a separate type, so the future cannot slip in.

Shape letters: N cutoffs, L context length, F features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
TimeArray = npt.NDArray[np.datetime64]
TargetName = Literal["log_return", "close"]


@dataclass(frozen=True)
class Target:
    """What a network is asked for, and how its output becomes a log return.

    ``log_return`` asks for the h-bar log return, ``close`` for the price level (the legacy target, whose R² is near
    one for a random walk). Both are standardised with the mean and scale of the fold's training rows.
    """

    name: TargetName
    mean: float
    scale: float

    def standardise(self, log_return: FloatArray, last_close: FloatArray) -> Float32Array:
        """Return the standardised target [N] for log returns [N] from the closes [N]."""
        raw = log_return if self.name == "log_return" else last_close * np.exp(log_return)
        return ((raw - self.mean) / self.scale).astype(np.float32)

    def log_return(self, standardised: npt.NDArray[np.floating], last_close: FloatArray) -> FloatArray:
        """Return log returns for standardised outputs, [N] or [N, Q]; closes [N] or [N, 1].

        Raises
        ------
        ValueError
            If a forecast price level is not positive.
        """
        raw = standardised.astype(np.float64) * self.scale + self.mean
        if self.name == "log_return":
            return raw
        if (raw <= 0).any():
            raise ValueError(f"{int((raw <= 0).sum())} forecast prices are not positive; the lowest is {raw.min():g}")
        return np.log(raw / last_close)


@dataclass(frozen=True, eq=False)
class Windows:
    """The past at N cutoffs, and nothing else. No value is NaN or infinite, so no forecaster ever sees one."""

    X: Float32Array  # [N, L, F] standardised features, oldest bar first; a read-only view
    cutoffs: TimeArray  # [N] when the last bar of each window is known, UTC
    horizon: int
    target: Target
    _closes: FloatArray  # up to the last cutoff; private because row i may only see its own past
    _rows: IntArray

    def __post_init__(self) -> None:
        if not np.isfinite(self.X).all():
            row, lag, feature = np.argwhere(~np.isfinite(self.X))[0]
            raise ValueError(
                f"feature {feature} is not finite at cutoff {self.cutoffs[row]}, {self.X.shape[1] - 1 - lag} bars back"
            )
        _refuse_disorder(self._rows)
        if not (np.isfinite(self._closes).all() and (self._closes > 0).all()):
            raise ValueError("a close up to the last cutoff is not a positive number")

    def __len__(self) -> int:
        return len(self.X)

    @property
    def positions(self) -> IntArray:
        """Place of each cutoff among the pair's bars [N]; a step of more than one shows that rows were left out."""
        return self._rows

    @property
    def last_close(self) -> FloatArray:
        """Close at each cutoff [N]."""
        return self._closes[self._rows]

    def past(self, index: int) -> FloatArray:
        """Return every close up to cutoff ``index``, oldest first."""
        return self._closes[: self._rows[index] + 1]

    def recent_closes(self, count: int) -> FloatArray:
        """Return the last ``count`` closes at each cutoff [N, count], oldest first.

        Raises
        ------
        ValueError
            If the first cutoff has fewer closes behind it.
        """
        if len(self._rows) and self._rows[0] + 1 < count:
            raise ValueError(f"needs {count} closes before the first cutoff, there are {self._rows[0] + 1}")
        return sliding_window_view(self._closes, count)[self._rows - count + 1]


@dataclass(frozen=True, eq=False)
class Examples:
    """Windows with their labels: what fitting may see. Test labels are never put into this type."""

    windows: Windows
    y: FloatArray

    def __post_init__(self) -> None:
        if len(self.windows) != len(self.y):
            raise ValueError(f"{len(self.windows)} windows but {len(self.y)} labels")
        if not np.isfinite(self.y).all():
            raise ValueError(f"label at cutoff {self.windows.cutoffs[~np.isfinite(self.y)][0]} is not finite")

    def __len__(self) -> int:
        return len(self.y)

    @property
    def standardised(self) -> Float32Array:
        """Labels [N] in the standardised space of the target."""
        return self.windows.target.standardise(self.y, self.windows.last_close)


def cut_windows(
    matrix: Float32Array,
    closes: FloatArray,
    available_at: TimeArray,
    rows: range | IntArray,
    *,
    context_length: int,
    horizon: int,
    target: Target,
) -> Windows:
    """Cut one window per row out of a standardised feature matrix; consecutive rows copy nothing of it.

    ``matrix`` (T, F) float32, ``closes`` and ``available_at`` (T,) are of every bar; rows increase, each is a cutoff.

    Raises
    ------
    ValueError
        If there are no rows, or the first row has fewer than ``context_length`` bars behind it.
    """
    _refuse_disorder(np.asarray(rows))
    if not len(rows):
        raise ValueError("there are no rows to cut windows from")
    if rows[0] + 1 < context_length:
        raise ValueError(f"row {rows[0]} has {rows[0] + 1} bars behind it, a window needs {context_length}")
    chosen = np.array(rows, dtype=np.int64)
    chosen.flags.writeable = False
    first, stop = int(chosen[0]), int(chosen[-1]) + 1
    view = sliding_window_view(
        matrix[first - context_length + 1 : stop], context_length, axis=0
    )  # [stop − first, F, L]
    X, cutoffs = np.swapaxes(view, 1, 2), available_at[first:stop]
    if len(chosen) < stop - first:
        X, cutoffs = X[chosen - first], cutoffs[chosen - first]
        X.flags.writeable = False
    past = closes[:stop]
    past.flags.writeable = False
    return Windows(X=X, cutoffs=cutoffs, horizon=horizon, target=target, _closes=past, _rows=chosen)


def _refuse_disorder(rows: IntArray) -> None:
    if (np.diff(rows) < 1).any():
        raise ValueError("windows must be cut in the order of time, each once")
