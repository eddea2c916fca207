"""Layers with weights as a Keras file holds them, under the names that Keras gives to tensors. No torch here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py

from golden_core.legacy.keras_container import Contents, Parts, Tensors
from golden_core.legacy.untrusted import KerasCheckpointError

# What Keras numbers in vars/0, vars/1, … of a layer of a class or of a sublayer.
_VARIABLES = {
    **dict.fromkeys(("conv1d", "dense", "multi_head_attention", "mix_of_experts"), ("kernel", "bias")),
    "batch_normalization": ("gamma", "beta", "moving_mean", "moving_variance"),
    "additive_attention": ("scale",),
    "bidirectional": ("kernel", "recurrent_kernel", "bias"),
}
_SUBLAYERS = {
    "": "",
    **{"forward_layer/cell": "forward/", "backward_layer/cell": "backward/"},
    **{"query_dense": "query/", "key_dense": "key/", "value_dense": "value/", "output_dense": "attention_output/"},
    "gate": "gate/",
}
_EXPERT = re.compile(r"experts/dense(?:_(\d{1,6}))?")
_CONVOLUTION_AXES = 3  # of its kernel [tap, in, out]

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class StoredLayer:
    """A layer and its unread tensors: ``kernel``, ``query/bias``, ``forward/bias``, ``expert 3/bias`` and so on.

    ``kind`` is the class in Keras' snake case and ``position`` sorts the layers of a class as the model does; ``name``
    is what the user called it, where the file says so. A layer that Keras numbered (``conv1d_3``, where the process
    had made three before) has no name: the number tells neither its place nor its position.
    """

    kind: str
    position: int
    name: str | None
    tensors: dict[str, h5py.Dataset]

    @property
    def shapes(self) -> Shapes:
        """Declared shapes by tensor, sorted."""
        return {tensor: tuple(self.tensors[tensor].shape or ()) for tensor in sorted(self.tensors)}


def stored_layers(path: Path, contents: Contents) -> Iterator[StoredLayer]:
    """Yield the layers with weights. A tensor that Keras would not write there keeps its path, and so fits nothing.

    Raises
    ------
    KerasCheckpointError
        If two tensors of a layer are one to Keras.
    """
    for folder, tensors in contents.layers.items():
        if contents.named_by == "class":
            (kind, position), name = _numbered(folder), contents.names.get(folder)
            keys = {parts: _key_by_class(kind, parts) for parts in tensors}
        else:
            kind, position, name = _kind(tensors), 0, folder
            keys = _keys_by_user(kind, tensors)
        if len(set(keys.values())) < len(keys):
            expected, found = f"different tensors in {folder}", f"two of the same name among {sorted(keys.values())}"
            raise KerasCheckpointError(path, expected, found, "save the weights again")
        if folder in contents.order:
            position = contents.order.index(folder)
        if name and _numbered(name)[0] == kind and (contents.named_by == "class" or folder in contents.order):
            name = None
        yield StoredLayer(kind, position, name, {key: tensors[parts] for parts, key in keys.items()})


def _key_by_class(kind: str, parts: Parts) -> str:
    """Translate ``…/vars/<i>``: the path says which sublayer, the number which of its variables."""
    place = "/".join(parts[:-2])
    expert = _EXPERT.fullmatch(place)
    prefix = f"expert {int(expert[1] or 0)}/" if expert else _SUBLAYERS.get(place)
    variables: dict[Parts, str] = {("vars", str(i)): name for i, name in enumerate(_VARIABLES.get(kind, ()))}
    variable = variables.get(parts[-2:])
    return "/".join(parts) if prefix is None or variable is None else prefix + variable


def _kind(tensors: Tensors) -> str:
    """Tell the class of a layer that a file names by the user's name alone: its variables give it away."""
    variables = [parts[-1] for parts in tensors]
    if "gamma" in variables:
        return "batch_normalization"
    if "scale" in variables:
        return "additive_attention"
    if "recurrent_kernel" in variables:
        return "bidirectional"
    if any("query" in parts for parts in tensors):
        return "multi_head_attention"
    if variables.count("kernel") > 1:
        return "mix_of_experts"
    return "conv1d" if any(dataset.ndim == _CONVOLUTION_AXES for dataset in tensors.values()) else "dense"


def _keys_by_user(kind: str, tensors: Tensors) -> dict[Parts, str]:
    """Translate ``<layer>/…/<variable>``, where sublayers are called as the user or Keras called them."""
    match kind:
        case "bidirectional":  # forward_lstm_2/lstm_cell/bias
            prefixes = {parts: "".join(parts[-3:-2]).partition("_")[0] + "/" for parts in tensors}
        case "multi_head_attention":  # query/bias
            prefixes = {parts: "".join(parts[-2:-1]) + "/" for parts in tensors}
        case "mix_of_experts":  # expert_3/bias
            sublayers = _number_experts({"".join(parts[-2:-1]) for parts in tensors})
            prefixes = {parts: sublayers["".join(parts[-2:-1])] + "/" for parts in tensors}
        case _:
            prefixes = dict.fromkeys(tensors, "")
    return {parts: prefix + parts[-1] for parts, prefix in prefixes.items()}


def _number_experts(names: set[str]) -> dict[str, str]:
    """Return what each sublayer of a mixture is.

    They are expert_0, expert_1 … and a gate of another name; or dense layers all, numbered as they were made: the
    experts, then the gate.
    """
    numbers = {name: _numbered(name) for name in names}
    *experts, gate = sorted(names, key=lambda name: (numbers[name][0] not in {"expert", "dense"}, numbers[name]))
    return {name: f"expert {index}" for index, name in enumerate(experts)} | {gate: "gate"}


def _numbered(name: str) -> tuple[str, int]:
    """Split ``dense_10`` into ("dense", 10); the first of a class has no number."""
    match = re.fullmatch(r"(.+?)_(\d{1,6})", name)
    return (match[1], int(match[2])) if match else (name, 0)
