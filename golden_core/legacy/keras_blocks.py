"""What each block of a network is in Keras: its class, the shapes of its tensors, and their way into the block.

Shape letters: I inputs, O outputs, K taps, C channels, H heads, D key dimension, E experts, U units.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from torch import nn

from golden_core.inputs.windows import Float32Array
from golden_core.legacy.keras_files import Shapes
from golden_core.models.blocks import (
    AdditiveAttention,
    BatchNorm,
    BidirectionalLSTM,
    Convolution,
    Dense,
    MixtureOfExperts,
    MultiHeadAttention,
)

# Keras numbers the layers of a class in the order of the model, which is sorted by distance from the output: the
# layers of the shortcut lie between those of the second stage.
ORDER = (
    *("front.conv1", "front.norm1", "front.attention1", "front.attention1_norm", "front.conv2", "front.norm2"),
    *("front.shortcut_conv", "front.attention2", "front.shortcut_norm", "front.attention2_norm"),
    *("lstm", "attention", "attention_norm", "experts", "experts_norm"),
    *("head.hidden", "head.hidden_norm", "head.output"),
)
KINDS = {
    Convolution: "conv1d",
    Dense: "dense",
    BatchNorm: "batch_normalization",
    BidirectionalLSTM: "bidirectional",
    AdditiveAttention: "additive_attention",
    MultiHeadAttention: "multi_head_attention",
    MixtureOfExperts: "mix_of_experts",
}

_INWARD = ("query", "key", "value")

Arrays = Mapping[str, Float32Array]


def blocks_in_order(network: nn.Module) -> dict[str, nn.Module]:
    """Return the blocks with weights by their place in the network, in the order of Keras' model."""
    blocks = {place: network.get_submodule(place) for place in ORDER}
    return {place: block for place, block in blocks.items() if type(block) in KINDS}


def keras_shapes(block: nn.Module) -> Shapes:
    """Return the shapes of a block's tensors in Keras, sorted by tensor."""
    shapes: Shapes = {}
    match block:
        case Dense():
            shapes = _affine("", *reversed(block.weight.shape))
        case Convolution():
            outputs, inputs = block.weight.shape
            shapes = _affine("", block.kernel, inputs // block.kernel, outputs)
        case BatchNorm():
            names = ("gamma", "beta", "moving_mean", "moving_variance")
            shapes = dict.fromkeys(names, tuple(block.weight.shape))
        case AdditiveAttention():
            shapes = {"scale": tuple(block.scale.shape)}
        case BidirectionalLSTM():
            gates, inputs = block.forward_input.shape
            for side in ("forward", "backward"):
                shapes |= _affine(f"{side}/", inputs, gates) | {f"{side}/recurrent_kernel": (block.units, gates)}
        case MultiHeadAttention():
            channels, heads = block.weight_output.shape[0], (block.heads, block.key_dimension)
            for part in _INWARD:
                shapes |= {f"{part}/kernel": (channels, *heads), f"{part}/bias": heads}
            shapes |= _affine("attention_output/", *heads, channels)
        case MixtureOfExperts():
            channels = block.weight_gate.shape[1]
            shapes = _affine("gate/", channels, block.experts)
            for expert in range(block.experts):
                shapes |= _affine(f"expert {expert}/", channels, block.units)
    return dict(sorted(shapes.items()))


def _affine(prefix: str, *kernel: int) -> Shapes:
    return {f"{prefix}kernel": kernel, f"{prefix}bias": kernel[-1:]}


def torch_state(block: nn.Module, tensors: Arrays) -> dict[str, Float32Array]:
    """Arrange a layer's tensors as the state of its block."""
    match block:
        case Dense():
            return {"weight": tensors["kernel"].T, "bias": tensors["bias"]}
        case Convolution():  # [K, I, O] to [O, K · I]
            return {"weight": _flattened(tensors["kernel"]).T, "bias": tensors["bias"]}
        case BatchNorm():
            moving = {"running_mean": tensors["moving_mean"], "running_var": tensors["moving_variance"]}
            return {"weight": tensors["gamma"], "bias": tensors["beta"], **moving}
        case AdditiveAttention():
            return {"scale": tensors["scale"]}
        case BidirectionalLSTM():
            names = {"input": "kernel", "recurrent": "recurrent_kernel", "bias": "bias"}
            sides = ("forward", "backward")
            return {f"{side}_{ours}": tensors[f"{side}/{its}"].T for side in sides for ours, its in names.items()}
        case MultiHeadAttention():  # query, key and value [C, H, D] to [3HD, C]; output [H, D, C] to [C, HD]
            inward = [tensors[f"{part}/kernel"] for part in _INWARD]
            return {
                "weight_qkv": np.concatenate([kernel.reshape(len(kernel), -1).T for kernel in inward]),
                "bias_qkv": np.concatenate([tensors[f"{part}/bias"].ravel() for part in _INWARD]),
                "weight_output": _flattened(tensors["attention_output/kernel"]).T,
                "bias_output": tensors["attention_output/bias"],
            }
        case MixtureOfExperts():  # experts [C, U] to [EU, C]
            experts = [f"expert {number}" for number in range(block.experts)]
            return {
                "weight_experts": np.concatenate([tensors[f"{expert}/kernel"].T for expert in experts]),
                "bias_experts": np.concatenate([tensors[f"{expert}/bias"] for expert in experts]),
                "weight_gate": tensors["gate/kernel"].T,
                "bias_gate": tensors["gate/bias"],
            }
    raise TypeError(f"{type(block).__name__} has no counterpart in Keras")


def _flattened(kernel: Float32Array) -> Float32Array:
    """Merge the first two axes into one."""
    return kernel.reshape(-1, kernel.shape[-1])
