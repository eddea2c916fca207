"""What transformers of windows share: patches, places, encoder layers, and their starting values. No whole network.

Shape letters: B batch, L context, F features, P patches, S steps, C channels.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from golden_core.models.blocks import Dense, MultiHeadAttention
from golden_core.models.initialisers import initialise


class Places(nn.Module):
    """A learned vector per step, added to it, [..., S, C] → [..., S, C]."""

    def __init__(self, steps: int, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(steps, channels))

    def forward(self, x: Tensor) -> Tensor:
        """Map [..., S, C] to [..., S, C]."""
        placed: Tensor = x + self.weight
        return placed


class EncoderLayer(nn.Module):
    """Self-attention, then two dense layers at every step, each added to its input, [B, S, C] → [B, S, C].

    Each part is normalised before it and not after, which trains without a warm-up of the learning rate. There is no
    dropout: weight decay and early stopping are what the study has for all networks.

    References
    ----------
    Vaswani et al. (2017), section 3.1; Xiong et al. (2020), where the normalisation stands.
    """

    def __init__(self, channels: int, heads: int, hidden: int) -> None:
        super().__init__()
        if channels % heads:
            raise ValueError(f"width must be a multiple of heads ({heads}), got {channels}")
        self.attention_norm = nn.LayerNorm(channels)
        self.attention = MultiHeadAttention(channels, heads, channels // heads)
        self.hidden_norm = nn.LayerNorm(channels)
        self.hidden, self.output = Dense(channels, hidden), Dense(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, S, C] to [B, S, C]."""
        x = x + self.attention(self.attention_norm(x))
        y = functional.gelu(self.hidden(self.hidden_norm(x)))
        added: Tensor = x + self.output(y)
        return added


def patches(x: Tensor, length: int, stride: int) -> Tensor:
    """Cut every feature's series into patches, [B, L, F] → [B, F, P, length], P = ⌊(L − length) / stride⌋ + 2.

    The last value is repeated ``stride`` times first, so that the latest bar is in every last patch.

    References
    ----------
    Nie, Nguyen, Sinthong & Kalagnanam (2023), section 3.1, patching.
    """
    series = x.transpose(1, 2)
    padded = torch.cat([series, series[..., -1:].expand(-1, -1, stride)], dim=-1)
    count = (x.shape[1] - length) // stride + 2
    return torch.stack([padded[..., start : start + length] for start in range(0, count * stride, stride)], dim=2)


@torch.no_grad()
def draw(network: nn.Module, generator: Generator) -> None:
    """Fill every block from a generator, as :func:`initialise` does, and places from N(0, 0.02²)."""
    initialise(network, "keras_3.15", generator)
    for block in network.modules():
        if isinstance(block, Places):
            nn.init.normal_(block.weight, std=0.02, generator=generator)
