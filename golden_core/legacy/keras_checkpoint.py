"""Weights of a legacy variant, from a Keras file into the port and on into a checkpoint of this project."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import torch
from ruamel.yaml import YAML
from torch import Tensor, nn

from golden_core.legacy.keras_blocks import KINDS, blocks_in_order, keras_shapes, torch_state
from golden_core.legacy.keras_files import KerasCheckpointError, StoredLayer, read_tensor, stored_layers
from golden_core.models.architecture import VARIANTS
from golden_core.models.legacy import LegacyNetwork, build
from golden_core.store.lake import hash_file, shipped
from golden_core.training.checkpoint import save_checkpoint

__all__ = ["KerasCheckpointError", "import_checkpoint", "load_keras_checkpoint"]

LAYER_NAMES = shipped("legacy", "keras_layers.yaml")

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
        if found == _layers_of(other):
            fix = f"import it as {other}, or name a checkpoint of {variant}"
            raise KerasCheckpointError(path, f"the layers of {variant}", f"those of {other}", fix)
    missing, extra = _listed(expected - found), _listed(found - expected)
    fix = f"no variant has these shapes, name a checkpoint of {variant} for windows of 3 bars and 4 features"
    raise KerasCheckpointError(path, f"the layers of {variant}, with {missing}", f"instead {extra}", fix)


def _match(
    path: Path, variant: str, blocks: dict[str, nn.Module], layers: Sequence[StoredLayer]
) -> dict[str, StoredLayer]:
    """Find every block's layer: by the user's name, or by position in its class where names are missing."""
    names = _layer_names()[variant]
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


@cache
def _layer_names() -> dict[str, dict[str, str | None]]:
    names: dict[str, dict[str, str | None]] = YAML(typ="safe").load(LAYER_NAMES)
    return names


@cache
def _layers_of(variant: str) -> Counter[Signature]:
    return _census(blocks_in_order(build(variant)).values())


def _census(blocks: Iterable[nn.Module]) -> Counter[Signature]:
    return Counter((KINDS[type(block)], tuple(keras_shapes(block).items())) for block in blocks)


def _listed(layers: Counter[Signature]) -> str:
    """Describe the first few layers, with the first few of their tensors."""
    described = [
        f"{kind} ({', '.join(f'{name} {list(shape)}' for name, shape in tensors[:4])}{', …' if tensors[4:] else ''})"
        for kind, tensors in sorted(layers)[:3]
    ]
    return ", ".join(described) + (f" and {len(layers) - 3} more" if len(layers) > 3 else "") or "nothing"
