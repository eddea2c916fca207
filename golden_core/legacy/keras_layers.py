"""Layers with weights as a Keras file holds them, under the names that Keras gives to tensors. No torch here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py

from golden_core.legacy.keras_container import Contents, Parts, Tensors, open_contents
from golden_core.legacy.untrusted import KerasCheckpointError

AFFINE = ("kernel", "bias")
NORMALISATION = ("gamma", "beta", "moving_mean", "moving_variance")
CELL = ("kernel", "recurrent_kernel", "bias")
CONVOLUTION_AXES = 3  # of its kernel [tap, in, out]

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


@contextmanager
def open_layers(path: Path) -> Iterator[list[StoredLayer]]:
    """Open a Keras file and yield its layers with weights; see :func:`~.keras_container.open_contents`.

    A tensor that Keras would not write there keeps its path as its name, and so fits nothing.

    Raises
    ------
    KerasCheckpointError
        If the file cannot be opened as one of Keras' containers, or two of its tensors are one to Keras.
    """
    with open_contents(path) as contents:
        yield list(_stored(path, contents))


def _stored(path: Path, contents: Contents) -> Iterator[StoredLayer]:
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
    prefix, variables = "", Parts()
    match (kind, *parts[:-2]):
        case ("conv1d" | "dense",):
            variables = AFFINE
        case ("batch_normalization",):
            variables = NORMALISATION
        case ("additive_attention",):
            variables = ("scale",)
        case ("bidirectional", ("forward_layer" | "backward_layer") as layer, "cell"):
            prefix, variables = layer.replace("_layer", "/"), CELL
        case ("multi_head_attention", ("query_dense" | "key_dense" | "value_dense") as dense):
            prefix, variables = dense.replace("_dense", "/"), AFFINE
        case ("multi_head_attention", "output_dense"):
            prefix, variables = "attention_output/", AFFINE
        case ("mix_of_experts", "experts", expert) if _numbered(expert)[0] == "dense":
            prefix, variables = f"expert {_numbered(expert)[1]}/", AFFINE
        case ("mix_of_experts", "gate"):
            prefix, variables = "gate/", AFFINE
    keys = {("vars", str(index)): prefix + variable for index, variable in enumerate(variables)}
    return keys.get((parts[-2], parts[-1]), "/".join(parts)) if len(parts) > 1 else parts[0]


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
    return "conv1d" if any(dataset.ndim == CONVOLUTION_AXES for dataset in tensors.values()) else "dense"


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
