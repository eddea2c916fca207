"""Which rows a cohort reads in which step. What is done with them belongs elsewhere.

Shape letters: M members, N windows, B batch, L context, F features, S steps of an epoch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from golden_core.inputs.windows import Examples, IntArray


class Rows:
    """The examples of all members, each set once however many members share it, on the device of ``like``."""

    def __init__(self, examples: Sequence[Examples], like: Tensor) -> None:
        distinct = {id(one): one for one in examples}
        first, stop = dict[int, int](), 0
        for key, one in distinct.items():
            first[key] = stop
            stop += len(one)
        self.first = [first[id(one)] for one in examples]
        self.counts = [len(one) for one in examples]
        self.X = torch.from_numpy(np.concatenate([one.windows.X for one in distinct.values()])).to(like)
        self.y = torch.from_numpy(np.concatenate([one.standardised for one in distinct.values()])).to(like)

    def all_of(self, place: int) -> IntArray:
        """Return the rows of one member, in the order of time."""
        return np.arange(self.first[place], self.first[place] + self.counts[place])

    def take(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return windows [M, B, L, F] and standardised targets [M, B] for rows [M, B]."""
        return self.X[rows], self.y[rows]


class Batches:
    """The rows of every member cut into batches; where a member has fewer rows than another, padding.

    ``counts`` (S, M) are rows that are no padding, ``totals`` (M,) those of all steps. A short batch is filled up with
    its own first row: what a network says of it is finite whenever it is for the batch.
    """

    def __init__(self, orders: Sequence[IntArray], size: int) -> None:
        self.totals = np.array([len(order) for order in orders])
        steps = -(-int(self.totals.max()) // size)
        self.counts = np.clip(self.totals - size * np.arange(steps)[:, None], 0, size)
        rows = np.empty((len(orders), steps * size), dtype=np.int64)
        for row, order in zip(rows, orders, strict=True):
            row[:] = order[0]
            row[: len(order)] = order
            start = len(order) // size * size
            row[len(order) : start + size] = order[min(start, len(order) - 1)]
        self.rows = rows.reshape(len(orders), steps, size)

    def on(self, device: torch.device) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
        """Yield rows [M, B], counts [M] and mask [M, B] of each step, no mask where no member has padding."""
        rows, counts = torch.from_numpy(self.rows).to(device), torch.from_numpy(self.counts).to(device)
        for step, host in enumerate(self.counts):
            width = int(host.max())
            mask = torch.arange(width, device=device) < counts[step, :, None] if host.min() < width else None
            yield rows[:, step, :width], counts[step], mask
