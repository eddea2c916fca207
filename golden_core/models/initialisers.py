"""Starting values of the blocks, as Keras draws them, from an explicit generator. Nothing here knows a variant."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Generator, Tensor, nn

from golden_core.models.blocks import (
    AdditiveAttention,
    BidirectionalLSTM,
    Convolution,
    Dense,
    MixtureOfExperts,
    MultiHeadAttention,
)

KerasVersion = Literal["keras_3.8", "keras_3.15"]


@torch.no_grad()
def initialise(network: nn.Module, version: KerasVersion, generator: Generator) -> None:
    """Fill every block of a network: Glorot uniform kernels, orthogonal recurrent kernels, biases of zero.

    The forget gate's bias is one. Batch normalisation keeps the values it is made with: scale and variance one, shift
    and mean zero.

    ``version`` says which Keras to follow where they differ, see :func:`attention_fans`. All randomness comes from the
    generator.

    References
    ----------
    Glorot and Bengio (2010), equation 16; Saxe, McClelland and Ganguli (2014); Jozefowicz, Zaremba and
    Sutskever (2015), section 4.3, for the forget gate.
    """
    for block in network.modules():
        match block:
            case Dense():
                outputs, inputs = block.weight.shape
                glorot_uniform(block.weight, inputs, outputs, generator)
            case Convolution():
                outputs, inputs = block.weight.shape
                glorot_uniform(block.weight, inputs, outputs * block.kernel, generator)
            case AdditiveAttention():
                glorot_uniform(block.scale, len(block.scale), len(block.scale), generator)
            case MultiHeadAttention():
                into, out = attention_fans(block.weight_output.shape[0], block.heads, block.key_dimension, version)
                glorot_uniform(block.weight_qkv, into[0], into[1], generator)
                glorot_uniform(block.weight_output, out[0], out[1], generator)
            case MixtureOfExperts():
                channels = block.weight_experts.shape[1]
                glorot_uniform(block.weight_experts, channels, block.units, generator)
                glorot_uniform(block.weight_gate, channels, block.experts, generator)
            case BidirectionalLSTM():
                _lstm(block, generator)
            case _:  # containers and batch normalisation
                pass


def glorot_uniform(weight: Tensor, fan_in: int, fan_out: int, generator: Generator) -> None:
    """Fill a tensor from the uniform distribution on ±√(6 / (fan_in + fan_out))."""
    bound = math.sqrt(6 / (fan_in + fan_out))
    nn.init.uniform_(weight, -bound, bound, generator=generator)


def attention_fans(
    channels: int, heads: int, key_dimension: int, version: KerasVersion
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return (fan_in, fan_out) of the query, key and value kernels and of the output kernel.

    Keras 3.15 reads the kernels as the matrices they are. Keras 3.8 takes the three axes for those of a convolution,
    the first being its window, which makes the bounds of a wide layer a quarter as large.
    """
    width = heads * key_dimension
    if version == "keras_3.15":
        return (channels, width), (width, channels)
    return (channels * heads, channels * key_dimension), (width, heads * channels)


def _lstm(block: BidirectionalLSTM, generator: Generator) -> None:
    gates, inputs = block.forward_input.shape
    forget_gate = slice(block.units, 2 * block.units)
    for kernel, recurrent, bias in (
        (block.forward_input, block.forward_recurrent, block.forward_bias),
        (block.backward_input, block.backward_recurrent, block.backward_bias),
    ):
        glorot_uniform(kernel, inputs, gates, generator)
        nn.init.orthogonal_(recurrent, generator=generator)
        bias.zero_()[forget_gate] = 1
