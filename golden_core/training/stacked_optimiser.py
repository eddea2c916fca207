"""The optimisers of optimiser.py over stacked weights [M, P], each member with its own rate and count of steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from golden_core.study import TrainingSection
from golden_core.training.optimiser import BETAS, KERAS_EPSILON, keras_correction

EPSILON = 1e-8  # of torch.optim.AdamW
CLIP_EPSILON = 1e-6  # of torch.nn.utils.clip_grad_norm_


class StackedAdamW:
    """AdamW, PyTorch's or Keras', with decoupled decay of everything; both moments are [M, P].

    Where the single trainer reads one learning rate, this reads one per member; what depends on rate and count of
    steps only is computed on the host, for a whole epoch at a time.
    """

    def __init__(self, weights: Tensor, training: TrainingSection) -> None:
        self.training = training
        self.means, self.squares = torch.zeros_like(weights), torch.zeros_like(weights)
        self.steps = np.zeros(len(weights), dtype=np.int64)

    def factors(self, takes: npt.NDArray[np.bool_], rates: Sequence[float]) -> npt.NDArray[np.float64]:
        """Return what an epoch's steps multiply by, [steps, 3, M], for the members that take each step [steps, M].

        The three are 1 − rate · decay, the size of the step, and what the root of the second moment is divided by.
        """
        counts = self.steps + np.cumsum(takes, axis=0)
        self.steps = counts[-1]
        rate = np.asarray(rates, dtype=np.float64)
        decay = np.broadcast_to(1 - rate * self.training.weight_decay, counts.shape)
        if self.training.optimiser == "keras_adamw":
            known, places = np.unique(counts, return_inverse=True)
            corrections = [keras_correction(count) if count else 1.0 for count in known.tolist()]  # 0: takes none yet
            size = rate * np.array(corrections)[places.reshape(counts.shape)]
            return np.stack([decay, size, np.ones_like(decay)], axis=1)
        first, second = (1 - beta**counts for beta in BETAS)
        with np.errstate(divide="ignore"):
            return np.stack([decay, rate / first, np.sqrt(second)], axis=1)

    @torch.no_grad()
    def step(self, weights: Tensor, gradients: Tensor, factors: Tensor, takes: Tensor | None) -> None:
        """Move weights [M, P] in place; members that do not take the step (``takes`` [M] false) stay as they are."""
        decay, size, divisor = factors.unsqueeze(-1)  # [M, 1] each
        means = torch.lerp(self.means, gradients, 1 - BETAS[0])
        squares = (self.squares * BETAS[1]).addcmul_(gradients, gradients, value=1 - BETAS[1])
        epsilon = KERAS_EPSILON if self.training.optimiser == "keras_adamw" else EPSILON
        moved = weights * decay - size * means / (squares.sqrt() / divisor + epsilon)
        if takes is not None:
            old = (weights, self.means, self.squares)
            moved, means, squares = (
                torch.where(takes.unsqueeze(-1), *pair) for pair in zip((moved, means, squares), old, strict=True)
            )
        self.means, self.squares = means, squares
        weights.copy_(moved)

    def keep(self, places: Tensor) -> None:
        """Go on with some members only, by their places."""
        self.means, self.squares = self.means[places], self.squares[places]
        self.steps = self.steps[places.cpu().numpy()]


def clip(gradients: Tensor, limit: float) -> Tensor:
    """Return gradients [M, P], each member's scaled down to a norm of at most ``limit``."""
    norms = torch.linalg.vector_norm(gradients, dim=1, keepdim=True)
    scale: Tensor = (limit / (norms + CLIP_EPSILON)).clamp(max=1.0)
    return gradients * scale
