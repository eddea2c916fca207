"""Weights of a legacy variant, from a Keras file into the port and on into a checkpoint of this project.

Shape letters: I inputs, O outputs, K taps, C channels, H heads, D key dimension, E experts, U units.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from ruamel.yaml import YAML
from torch import Tensor, nn

from golden_core.inputs.windows import Float32Array
from golden_core.legacy.keras_files import KerasCheckpointError, Shapes, StoredLayer, read_tensor, stored_layers
from golden_core.models.architecture import VARIANTS
from golden_core.models.blocks import (
    AdditiveAttention,
    BatchNorm,
    BidirectionalLSTM,
    Convolution,
    Dense,
    MixtureOfExperts,
    MultiHeadAttention,
)
from golden_core.models.legacy import LegacyNetwork, build
from golden_core.store.lake import hash_file, shipped
from golden_core.training.checkpoint import save_checkpoint

__all__ = ["KerasCheckpointError", "import_checkpoint", "load_keras_checkpoint"]

LAYER_NAMES = shipped("legacy", "keras_layers.yaml")

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

_UNCHANGED = "save the weights of an unchanged legacy model"

Signature = tuple[str, tuple[tuple[str, tuple[int, ...]], ...]]


def load_keras_checkpoint(variant: str, path: Path | str) -> LegacyNetwork:
    """Return a variant's network for windows [B, 3, 4], in inference mode, float32, with weights that Keras saved.

    ``path`` is a ``.keras`` archive, a ``.weights.h5`` or a whole-model ``.h5`` file, told apart by content; nothing in
    it is executed or followed. Every tensor beside the optimiser's is in the network, each once. A file that is none of
    these, damaged, or holds other layers, shapes or names than the variant's is a ``KerasCheckpointError``.
    """
    path, network = Path(path), build(variant)
    blocks = blocks_in_order(network)
    state: dict[str, Tensor] = {}
    with stored_layers(path) as layers:
        _verify_shapes(path, variant, blocks.values(), layers)
        for place, layer in _match(path, variant, blocks, layers).items():
            tensors = {key: read_tensor(path, f"{place} {key}", dataset) for key, dataset in layer.tensors.items()}
            for name, values in torch_state(blocks[place], tensors).items():
                state[f"{place}.{name}"] = torch.from_numpy(values.copy(order="C"))
    network.load_state_dict(state)
    return network.eval()


def import_checkpoint(variant: str, path: Path | str, out: Path) -> None:
    """Turn a Keras file into a checkpoint whose state the variant's forecaster restores; ``out`` is replaced at once.

    The file holds no scalers: whoever forecasts with the checkpoint standardises as its training did.
    """
    path = Path(path)
    if out.exists() and out.samefile(path):
        raise KerasCheckpointError(path, "another file to write", "the checkpoint itself", "choose another name")
    state = {name: value.numpy() for name, value in load_keras_checkpoint(variant, path).state_dict().items()}
    source = {"file": path.name, "sha256": hash_file(path)}
    save_checkpoint(out, state, {"forecaster": variant, "context_length": 3, "num_features": 4, "source": source})


def _verify_shapes(path: Path, variant: str, blocks: Iterable[nn.Module], layers: Sequence[StoredLayer]) -> None:
    """Refuse layers whose classes, tensors or shapes are not the variant's, and say whose they are."""
    expected, found = _census(blocks), Counter((layer.kind, tuple(layer.shapes.items())) for layer in layers)
    if found == expected:
        return
    for other in VARIANTS:
        if found == _census(blocks_in_order(build(other)).values()):
            fix = f"import it as {other}, or name a checkpoint of {variant}"
            raise KerasCheckpointError(path, f"the layers of {variant}", f"those of {other}", fix)
    missing, extra = _listed(expected - found), _listed(found - expected)
    fix = f"no variant has these shapes, name a checkpoint of {variant} for windows of 3 bars and 4 features"
    raise KerasCheckpointError(path, f"the layers of {variant}, with {missing}", f"instead {extra}", fix)


def _match(
    path: Path, variant: str, blocks: dict[str, nn.Module], layers: Sequence[StoredLayer]
) -> dict[str, StoredLayer]:
    """Find every block's layer: by the user's name, or by position in its class where names are missing."""
    names: dict[str, str | None] = YAML(typ="safe").load(LAYER_NAMES)[variant]
    matched: dict[str, StoredLayer] = {}
    for kind in KINDS.values():
        places = {place: names[place] or "" for place, block in blocks.items() if KINDS[type(block)] == kind}
        stored = sorted((layer for layer in layers if layer.kind == kind), key=lambda layer: layer.position)
        if all(places.values()) and all(layer.name for layer in stored):
            found = {str(layer.name): layer for layer in stored}
            if missing := [f"{name} ({place})" for place, name in places.items() if name not in found]:
                unknown = ", ".join(sorted(set(found) - set(places.values()))) or "another of them twice"
                expected = f"{kind} layers of {variant} named {', '.join(missing)}"
                raise KerasCheckpointError(path, expected, unknown, _UNCHANGED)
            matched |= {place: found[name] for place, name in places.items()}
            continue
        for (place, name), layer in zip(places.items(), stored, strict=True):
            if layer.name and name and layer.name != name:
                expected = f"{kind} layers of {variant} in order, next {name} ({place})"
                raise KerasCheckpointError(path, expected, layer.name, _UNCHANGED)
            matched[place] = layer
    return matched


def _census(blocks: Iterable[nn.Module]) -> Counter[Signature]:
    return Counter((KINDS[type(block)], tuple(keras_shapes(block).items())) for block in blocks)


def _listed(layers: Counter[Signature]) -> str:
    """Describe the first few layers, with the first few of their tensors."""
    described = [
        f"{kind} ({', '.join(f'{name} {list(shape)}' for name, shape in tensors[:4])}{', …' if tensors[4:] else ''})"
        for kind, tensors in sorted(layers)[:3]
    ]
    return ", ".join(described) + (f" and {len(layers) - 3} more" if len(layers) > 3 else "") or "nothing"


# -------------------------------------------------------------------------------------------------- each block in Keras


def blocks_in_order(network: nn.Module) -> dict[str, nn.Module]:
    """Return the blocks with weights by their place in the network, in the order of Keras' model."""
    blocks = {place: network.get_submodule(place) for place in ORDER}
    return {place: block for place, block in blocks.items() if type(block) in KINDS}


def keras_layout(block: nn.Module) -> dict[str, Shapes]:
    """Return the tensors of Keras, with their shapes, that each parameter of a block is joined of, in that order."""
    match block:
        case Dense():
            outputs, inputs = block.weight.shape
            return _affine("", [""], (inputs,), (outputs,))
        case Convolution():  # [K, I, O] to [O, K · I]
            outputs, inputs = block.weight.shape
            return _affine("", [""], (block.kernel, inputs // block.kernel), (outputs,))
        case BatchNorm():
            names = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
            return {ours: {its: tuple(block.weight.shape)} for ours, its in names.items()}
        case AdditiveAttention():
            return {"scale": {"scale": tuple(block.scale.shape)}}
        case BidirectionalLSTM():
            gates, inputs = block.forward_input.shape
            found: dict[str, Shapes] = {}
            for side in ("forward", "backward"):
                found[f"{side}_input"] = {f"{side}/kernel": (inputs, gates)}
                found[f"{side}_recurrent"] = {f"{side}/recurrent_kernel": (block.units, gates)}
                found[f"{side}_bias"] = {f"{side}/bias": (gates,)}
            return found
        case MultiHeadAttention():  # query, key and value [C, H, D] to [3HD, C]; output [H, D, C] to [C, HD]
            channels, heads = block.weight_output.shape[0], (block.heads, block.key_dimension)
            inward = _affine("_qkv", ["query/", "key/", "value/"], (channels,), heads)
            return inward | _affine("_output", ["attention_output/"], heads, (channels,))
        case MixtureOfExperts():  # experts [C, U] to [EU, C]
            channels = block.weight_gate.shape[1]
            experts = [f"expert {number}/" for number in range(block.experts)]
            gate = _affine("_gate", ["gate/"], (channels,), (block.experts,))
            return gate | _affine("_experts", experts, (channels,), (block.units,))
    raise TypeError(f"{type(block).__name__} has no counterpart in Keras")


def _affine(ours: str, places: Sequence[str], inputs: tuple[int, ...], outputs: tuple[int, ...]) -> dict[str, Shapes]:
    kernels: Shapes = {f"{place}kernel": (*inputs, *outputs) for place in places}
    return {f"weight{ours}": kernels, f"bias{ours}": {f"{place}bias": outputs for place in places}}


def keras_shapes(block: nn.Module) -> Shapes:
    """Return the shapes of a block's tensors in Keras, sorted by tensor."""
    return dict(sorted(shape for joined in keras_layout(block).values() for shape in joined.items()))


def torch_state(block: nn.Module, tensors: Mapping[str, Float32Array]) -> dict[str, Float32Array]:
    """Arrange a layer's tensors as the state of its block: a kernel [*inputs, *outputs] as [outputs, inputs]."""
    shapes = {name: tuple(values.shape) for name, values in block.state_dict().items()}
    return {
        ours: np.concatenate([tensors[its].reshape(*shapes[ours][1:], -1).T for its in joined])
        for ours, joined in keras_layout(block).items()
    }
