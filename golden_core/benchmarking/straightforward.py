"""The reference of `golden bench training`: a legacy network ported layer by layer, one module for every part.

One Linear per expert, three per attention head, PyTorch's convolution, normalisation and LSTM. No forecaster uses it.
Shape letters: B batch, L context, C channels, E experts, U units.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from golden_core.models.blocks import (
    EPSILON,
    MOMENTUM,
    BatchNorm,
    BidirectionalLSTM,
    Convolution,
    Dense,
    MixtureOfExperts,
    MultiHeadAttention,
)

Layer = TypeVar("Layer", bound=nn.Module)


def straightforward(network: nn.Module) -> nn.Module:
    """Return a port of a legacy network with the same weights, made of one module per part."""
    port = copy.deepcopy(network)
    for name, block in list(port.named_modules()):
        make = _PORTS.get(type(block))
        if make is not None:
            port.set_submodule(name, make(block))
    return port


class _ChannelsFirst(nn.Module):
    """A layer of PyTorch's that wants [B, C, L], for [B, L, C]; rows without a time axis pass as they are."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim == 2:
            rows: Tensor = self.layer(x)
            return rows
        y: Tensor = self.layer(x.transpose(1, 2))
        return y.transpose(1, 2)


class _FirstResult(nn.Module):
    """A layer that returns its outputs and more, without the more."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layer(x)[0]
        return y


class _Head(nn.Module):
    """One attention head, [B, L, C] → [B, L, D]."""

    def __init__(self, query: nn.Linear, key: nn.Linear, value: nn.Linear) -> None:
        super().__init__()
        self.query, self.key, self.value = query, key, value

    def forward(self, x: Tensor) -> Tensor:
        query: Tensor = self.query(x)
        scores = query @ self.key(x).transpose(1, 2) / query.shape[-1] ** 0.5
        context: Tensor = torch.softmax(scores, dim=-1) @ self.value(x)
        return context


class _Heads(nn.Module):
    """All heads one after another, then the output map, [B, L, C] → [B, L, C]."""

    def __init__(self, block: MultiHeadAttention) -> None:
        super().__init__()
        kernels = block.weight_qkv.view(3, block.heads, block.key_dimension, -1)
        biases = block.bias_qkv.view(3, block.heads, block.key_dimension)
        self.heads = nn.ModuleList(
            _Head(*(_linear(kernels[part, head], biases[part, head]) for part in range(3)))
            for head in range(block.heads)
        )
        self.output = _linear(block.weight_output, block.bias_output)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.output(torch.cat([head(x) for head in self.heads], dim=-1))
        return y


class _Experts(nn.Module):
    """All experts one after another, weighted by the gate, [B, L, C] → [B, L, U]."""

    def __init__(self, block: MixtureOfExperts) -> None:
        super().__init__()
        kernels = block.weight_experts.view(block.experts, block.units, -1)
        biases = block.bias_experts.view(block.experts, block.units)
        self.experts = nn.ModuleList(map(_linear, kernels, biases))
        self.gate = _linear(block.weight_gate, block.bias_gate)
        self.slope, self.softmax = block.slope, block.gate == "softmax"

    def forward(self, x: Tensor) -> Tensor:
        gate: Tensor = self.gate(x)
        gate = torch.softmax(gate, dim=-1) if self.softmax else gate
        outputs = torch.stack([functional.leaky_relu(expert(x), self.slope) for expert in self.experts], dim=-2)
        return (gate.unsqueeze(-1) * outputs).sum(dim=-2)


def _linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    return _filled(layer, weight=weight, bias=bias)


def _convolution(block: Convolution) -> nn.Module:
    kernel = block.weight.view(len(block.bias), block.kernel, -1).transpose(1, 2)  # [out, in, kernel]
    layer = nn.Conv1d(kernel.shape[1], kernel.shape[0], block.kernel, padding="same")
    return _ChannelsFirst(_filled(layer, weight=kernel, bias=block.bias))


def _normalisation(block: BatchNorm) -> nn.Module:
    layer = nn.BatchNorm1d(len(block.weight), eps=EPSILON, momentum=MOMENTUM)
    return _ChannelsFirst(_filled(layer, **block.state_dict(), num_batches_tracked=torch.tensor(0)))


def _lstm(block: BidirectionalLSTM) -> nn.Module:
    layer = nn.LSTM(block.forward_input.shape[1], block.units, batch_first=True, bidirectional=True)
    values = {}
    for ours, theirs in (("forward", "l0"), ("backward", "l0_reverse")):
        values[f"weight_ih_{theirs}"] = getattr(block, f"{ours}_input")
        values[f"weight_hh_{theirs}"] = getattr(block, f"{ours}_recurrent")
        values[f"bias_ih_{theirs}"] = getattr(block, f"{ours}_bias")
        values[f"bias_hh_{theirs}"] = torch.zeros_like(values[f"bias_ih_{theirs}"])
    _filled(layer, **values)
    # Keras has one bias; a second one that is trained would take a second step.
    layer.bias_hh_l0.requires_grad = False
    layer.bias_hh_l0_reverse.requires_grad = False
    return _FirstResult(layer)


def _filled(layer: Layer, **values: Tensor) -> Layer:
    layer.load_state_dict({name: value.detach() for name, value in values.items()})
    return layer


_PORTS: dict[type[nn.Module], Callable[..., nn.Module]] = {
    Dense: lambda block: _linear(block.weight, block.bias),
    Convolution: _convolution,
    BatchNorm: _normalisation,
    BidirectionalLSTM: _lstm,
    MultiHeadAttention: _Heads,
    MixtureOfExperts: _Experts,
}
