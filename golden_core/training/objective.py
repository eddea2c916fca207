"""What a network's outputs are held against: the mean, quantiles beside it, the load of its experts. No loop here.

Shape letters: B batch, Q quantiles, E experts.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Objective:
    """The loss of outputs [B], a mean alone, or [B, 1 + Q + E]: a mean, Q quantiles, E gate weights.

    ``levels`` are those of the quantiles; ``balance`` weighs what :meth:`penalty` asks of the gate.
    """

    levels: tuple[float, ...] = ()
    balance: float = 0.0

    def loss(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Return the mean squared error of the mean plus the pinball loss, averaged over levels, of the quantiles.

        References
        ----------
        Koenker & Bassett (1978), the pinball loss.
        """
        if outputs.dim() == 1:
            return functional.mse_loss(outputs, y)
        squared = functional.mse_loss(outputs[:, 0], y)
        if not self.levels:
            return squared
        levels = torch.tensor(self.levels, dtype=outputs.dtype, device=outputs.device)
        errors = y[:, None] - outputs[:, 1 : 1 + len(self.levels)]
        return squared + torch.maximum(levels * errors, (levels - 1) * errors).mean()

    def penalty(self, outputs: Tensor) -> Tensor:
        """Return ``balance`` times the squared coefficient of variation of what a batch asks of each expert.

        For gate weights that sum to one this is ``E Σ_e p_e² − 1``, p the mean weights: zero when all experts carry
        the same, E − 1 when one carries all.

        References
        ----------
        Shazeer et al. (2017), equations 6 and 7, the importance loss.
        """
        load = outputs[:, 1 + len(self.levels) :].mean(dim=0)
        return self.balance * (len(load) * (load * load).sum() - 1)


MEAN = Objective()
