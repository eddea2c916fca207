"""The golden mixture of experts: a gate that is a distribution, and the whole window behind it.

Shape letters: B batch, L context, F features, D width, E experts, U units, C outputs.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from golden_core.models.blocks import Dense, MixtureOfExperts
from golden_core.models.transformer import EncoderLayer, Places, draw

SLOPE = 0.01  # of the experts' leaky activation


class GatedExperts(nn.Module):
    """Encoded bars; experts weighed by a softmax gate on the last of them; outputs, [B, L, F] → [B, C + E].

    The last bar has attended to all before it. The gate sees the same state as the experts, so that its weights say
    which regime the network takes a window for. The last E columns are the gate weights, which sum to one: what is
    asked of their balance over a batch (:meth:`Objective.penalty`) is a function of the outputs alone.

    Without a generator weights are zero, ready for a checkpoint.

    Raises
    ------
    ValueError
        If ``width`` is no multiple of ``heads``.

    References
    ----------
    Jacobs, Jordan, Nowlan & Hinton (1991), the mixture; Shazeer et al. (2017), section 4, the balance; all experts
    are evaluated, none is left out.
    """

    def __init__(
        self,
        context_length: int,
        num_features: int,
        *,
        width: int,
        heads: int,
        layers: int,
        hidden: int,
        experts: int,
        units: int,
        outputs: int = 1,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.embedding, self.places = Dense(num_features, width), Places(context_length, width)
        self.encoder = nn.Sequential(*(EncoderLayer(width, heads, hidden) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        self.experts = MixtureOfExperts(width, experts, units, SLOPE, "softmax")
        self.head = Dense(units, outputs)
        if generator is not None:
            draw(self, generator)

    def encode(self, x: Tensor) -> Tensor:
        """Return the state of the last bar, what gate and experts see, [B, L, F] → [B, D]."""
        state: Tensor = self.norm(self.encoder(self.places(self.embedding(x)))[:, -1])
        return state

    def gate_weights(self, x: Tensor) -> Tensor:
        """Return the weight of every expert, each row a distribution, [B, L, F] → [B, E]."""
        return self.experts.gate_weights(self.encode(x))

    def forward(self, x: Tensor) -> Tensor:
        """Map windows [B, L, F] to standardised targets and, behind them, gate weights, [B, C + E]."""
        state = self.encode(x)
        return torch.cat([self.head(self.experts(state)), self.experts.gate_weights(state)], dim=-1)
