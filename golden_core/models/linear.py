"""Linear networks for forecasting: DLinear.

Shape letters: B batch, L context, F features, C outputs.
"""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor, nn

from golden_core.models.blocks import Dense


class DLinear(nn.Module):
    """Trend and remainder of a window, each through one linear layer over all its L · F values; [B, L, F] → [B, C].

    The trend is a centred moving average that repeats the window's first and last value beyond its edges, so nothing
    outside the window is read. The decomposition is the same for every feature; the weights are not shared.

    C is ``outputs``; a single one gives [B]. Without a generator, which draws the values uniform on ±1/√(L · F), they
    are zero, ready for a checkpoint.

    Raises
    ------
    ValueError
        If ``moving_average`` is not a positive odd number.

    References
    ----------
    Zeng, Chen, Zhang and Xu (2023), "Are Transformers Effective for Time Series Forecasting?", AAAI, section 4.
    """

    average: Tensor

    def __init__(
        self,
        context_length: int,
        num_features: int,
        moving_average: int,
        *,
        outputs: int = 1,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        inputs = context_length * num_features
        self.register_buffer("average", averaging_matrix(context_length, moving_average), persistent=False)
        self.trend, self.remainder = Dense(inputs, outputs), Dense(inputs, outputs)
        if generator is not None:
            bound = 1 / math.sqrt(inputs)
            for parameter in self.parameters():
                nn.init.uniform_(parameter, -bound, bound, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        """Map windows [B, L, F] to standardised targets [B], or to [B, C]."""
        trend = self.average @ x
        prediction: Tensor = self.trend(trend.flatten(1)) + self.remainder((x - trend).flatten(1))
        return prediction.squeeze(-1)


def averaging_matrix(length: int, window: int) -> Tensor:
    """Return the matrix [L, L] whose product with a series is its centred, edge-padded moving average.

    Raises
    ------
    ValueError
        If ``window`` is not a positive odd number: only then does the average have a centre.
    """
    if window < 1 or window % 2 == 0:
        raise ValueError(f"moving_average must be a positive odd number of bars, got {window}")
    steps, half = torch.arange(length), window // 2
    read = (steps[:, None] + torch.arange(-half, half + 1)).clamp(0, length - 1)  # [L, window]
    return (read[:, :, None] == steps).sum(dim=1) / window
