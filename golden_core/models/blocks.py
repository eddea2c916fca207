"""The layers that the legacy variants are made of, with Keras' semantics; every variant is a choice among these.

Parameters start at zero (scales and variances at one): :mod:`golden_core.models.initialisers` fills them.
Shape letters: B batch, L context, C channels, H heads, D key dimension, E experts, U units.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from golden_core.models.architecture import Gate
from golden_core.models.products import linear

# Keras' defaults for batch normalisation; its momentum 0.99 keeps what PyTorch calls 0.01.
EPSILON = 1e-3
MOMENTUM = 0.01


def _zeros(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.zeros(*shape))


class Dense(nn.Module):
    """A linear map of the last axis, [..., in] → [..., out]; ``weight`` is [out, in]."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = _zeros(outputs, inputs)
        self.bias = _zeros(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map [..., in] to [..., out]."""
        return linear(x, self.weight, self.bias)


class Convolution(nn.Module):
    """Cross-correlation along time with zero padding, [B, L, in] → [B, L, out], as one matrix product.

    ``weight`` is [out, kernel · in], the tap slow and the channel fast: a Keras kernel [kernel, in, out], its first
    two axes flattened, transposed.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        if kernel % 2 == 0:
            raise ValueError(f"a centred kernel has an odd length, got {kernel}")
        self.kernel = kernel
        self.weight = _zeros(outputs, kernel * inputs)
        self.bias = _zeros(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, L, in] to [B, L, out]."""
        half = self.kernel // 2
        padded = functional.pad(x, (0, 0, half, half))
        taps = [padded[:, offset : offset + x.shape[1]] for offset in range(self.kernel)]
        return linear(torch.cat(taps, dim=-1), self.weight, self.bias)


class BatchNorm(nn.Module):
    """Normalisation of the last axis over all others jointly, [..., C] → [..., C].

    Unlike ``torch.nn.BatchNorm1d``, the moving variance follows the biased variance of the batch, and a batch of one
    row is not an error.

    References
    ----------
    Ioffe and Szegedy (2015), algorithms 1 and 2, with Keras' running averages.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = _zeros(channels)
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Map [..., C] to [..., C]; in training mode, move the running statistics."""
        rows = x.reshape(-1, x.shape[-1]).to(self.weight.dtype)  # in full precision, whatever surrounds it
        if not self.training:
            scale = self.weight * torch.rsqrt(self.running_var + EPSILON)
            return torch.addcmul(self.bias - self.running_mean * scale, rows, scale).view(x.shape)
        y, mean, inverse = torch.native_batch_norm(rows, self.weight, self.bias, None, None, True, 0.0, EPSILON)
        with torch.no_grad():
            self.running_mean.lerp_(mean, MOMENTUM)
            self.running_var.lerp_(inverse.pow(-2).sub_(EPSILON).clamp_min_(0), MOMENTUM)
        return y.view(x.shape)


# oneDNN has the reduced LSTM only where the processor has AVX-512. In float32 it would be another network.
NO_BFLOAT16 = "this processor cannot run an LSTM in bfloat16"


class BidirectionalLSTM(nn.Module):
    """Two LSTMs, one reading backwards, [B, L, C] → [B, L, 2U]: forward states, then backward ones, aligned in time.

    Gates in the order input, forget, candidate, output, and one bias per gate: PyTorch's second bias is held at zero
    outside the parameters, since two biases would be decayed and stepped twice.

    References
    ----------
    Hochreiter and Schmidhuber (1997); forget gate of Gers, Schmidhuber and Cummins (2000).
    """

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.units = units
        self.forward_input, self.backward_input = _zeros(4 * units, inputs), _zeros(4 * units, inputs)
        self.forward_recurrent, self.backward_recurrent = _zeros(4 * units, units), _zeros(4 * units, units)
        self.forward_bias, self.backward_bias = _zeros(4 * units), _zeros(4 * units)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, L, C] to [B, L, 2U]."""
        start = x.new_zeros(2, x.shape[0], self.units)
        second = torch.zeros_like(self.forward_bias)
        weights = [
            *(self.forward_input, self.forward_recurrent, self.forward_bias, second),
            *(self.backward_input, self.backward_recurrent, self.backward_bias, second),
        ]
        try:
            states: Tensor = torch.lstm(x, (start, start), weights, True, 1, 0.0, self.training, True, True)[0]
        except RuntimeError as error:
            if torch.is_autocast_enabled("cpu"):
                raise RuntimeError(f"{NO_BFLOAT16}: use training.precision float32 ({error})") from error
            raise
        return states


class DotAttention(nn.Module):
    """Self-attention softmax(x xᵀ) x without parameters or scaling, [B, L, C] → [B, L, C].

    References
    ----------
    Luong, Pham and Manning (2015), the "dot" score.
    """

    def attention_weights(self, x: Tensor) -> Tensor:
        """Return what each step takes of every other, [B, L, C] → [B, 1, L, L]: the last axis adds up to one."""
        return torch.softmax(x @ x.transpose(1, 2), dim=-1).unsqueeze(1)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, L, C] to [B, L, C]."""
        return self.attention_weights(x).squeeze(1) @ x


class AdditiveAttention(nn.Module):
    """Self-attention with score(i, j) = Σ_c s_c tanh(x_ic + x_jc), [B, L, C] → [B, L, C].

    The scale s [C] is the only parameter. The score is symmetric, so each pair of steps is computed once:
    L(L + 1)/2 · C values per window are held in memory.

    References
    ----------
    Bahdanau, Cho and Bengio (2015), section 3.1, here without the projections of query and key.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = _zeros(channels)

    def attention_weights(self, x: Tensor) -> Tensor:
        """Return what each step takes of every other, [B, L, C] → [B, 1, L, L]: the last axis adds up to one."""
        length = x.shape[1]
        pairs = torch.cat([x[:, step:] + x[:, step : step + 1] for step in range(length)], dim=1)
        scores = torch.tanh(pairs) @ self.scale  # [B, L(L + 1)/2]
        first, second = torch.triu_indices(length, length)
        place = torch.zeros(length, length, dtype=torch.long)
        place[first, second] = place[second, first] = torch.arange(len(first))
        return torch.softmax(scores[:, place], dim=-1).unsqueeze(1)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, L, C] to [B, L, C]."""
        return self.attention_weights(x).squeeze(1) @ x


class MultiHeadAttention(nn.Module):
    """Scaled dot-product self-attention in H heads of dimension D, [B, L, C] → [B, L, C].

    Query, key and value come out of one product: ``weight_qkv`` is [3HD, C], in each third the head slow and the
    dimension fast.

    References
    ----------
    Vaswani et al. (2017), section 3.2.
    """

    def __init__(self, channels: int, heads: int, key_dimension: int) -> None:
        super().__init__()
        self.heads, self.key_dimension = heads, key_dimension
        width = heads * key_dimension
        self.weight_qkv, self.bias_qkv = _zeros(3 * width, channels), _zeros(3 * width)
        self.weight_output, self.bias_output = _zeros(channels, width), _zeros(channels)

    def attention_weights(self, x: Tensor) -> Tensor:
        """Return what each step takes of every other in each head, [B, L, C] → [B, H, L, L]: rows add up to one."""
        return self._attend(x)[0]

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, L, C] to [B, L, C]."""
        weights, value = self._attend(x)
        return linear((weights @ value).transpose(1, 2).flatten(2), self.weight_output, self.bias_output)

    def _attend(self, x: Tensor) -> tuple[Tensor, Tensor]:
        merged = linear(x, self.weight_qkv, self.bias_qkv)
        split = merged.view(*x.shape[:2], 3, self.heads, self.key_dimension)
        query, key, value = split.permute(2, 0, 3, 1, 4)  # [B, H, L, D] each
        query = query * self.key_dimension**-0.5
        return torch.softmax(query @ key.transpose(-1, -2), dim=-1), value  # [B, H, L, L], [B, H, L, D]


class MixtureOfExperts(nn.Module):
    """Σ_e gate_e(x) · expert_e(x) at every time step, all experts always evaluated, [B, L, C] → [B, L, U].

    The gate is linear, as in the legacy code: its weights may be negative and do not sum to one. ``softmax`` is the
    published equation. All experts come out of one product: ``weight_experts`` is [EU, C], the expert slow.

    References
    ----------
    Jacobs, Jordan, Nowlan and Hinton (1991), with a linear gate.
    """

    def __init__(self, channels: int, experts: int, units: int, slope: float, gate: Gate) -> None:
        super().__init__()
        self.experts, self.units, self.slope, self.gate = experts, units, slope, gate
        self.weight_experts, self.bias_experts = _zeros(experts * units, channels), _zeros(experts * units)
        self.weight_gate, self.bias_gate = _zeros(experts, channels), _zeros(experts)

    def gate_weights(self, x: Tensor) -> Tensor:
        """Return the weight of every expert, [B, L, C] → [B, L, E]."""
        weights = linear(x, self.weight_gate, self.bias_gate)
        return torch.softmax(weights, dim=-1) if self.gate == "softmax" else weights

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, L, C] to [B, L, U]."""
        merged = linear(x, self.weight_experts, self.bias_experts)
        outputs = functional.leaky_relu(merged, self.slope).view(*x.shape[:-1], self.experts, self.units)
        # A sum of products: a matrix product per time step would be one row by E by U, too small to be worth a call.
        return (self.gate_weights(x).unsqueeze(-1) * outputs).sum(dim=-2)
