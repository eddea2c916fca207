"""Keras files → layers with unread tensors, under Keras' own names. A file needs no trust. No torch here.

``.keras`` archives and ``.weights.h5`` files name folders by class, numbered in the order of the model
(``conv1d_1/vars/0``); whole models in ``.h5`` by what the user called a layer (``resblock0_conv2/…/kernel``).
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from golden_core.inputs.windows import Float32Array

# The largest legacy file, with optimiser state, has 10 MB. Nothing larger is unpacked.
MAXIMUM_BYTES = 64 * 2**20
MAXIMUM_QUOTE = 300

# What the libraries raise on a damaged file.
_DAMAGE = (
    *(OSError, EOFError, KeyError, ValueError, TypeError, RuntimeError, NotImplementedError, MemoryError),
    *(zipfile.BadZipFile, zlib.error),
)
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

Parts = tuple[str, ...]
Tensors = dict[Parts, h5py.Dataset]
Shapes = dict[str, tuple[int, ...]]


class KerasCheckpointError(ValueError):
    """A file does not hold what Keras should have put there; names it, what was expected and found, and the fix."""

    def __init__(self, path: Path, expected: str, found: str, fix: str) -> None:
        # Names out of the file may be of any length, and no terminal should see them as they are.
        shown = "".join(character if character.isprintable() else "?" for character in found[:MAXIMUM_QUOTE])
        super().__init__(f"{path}: expected {expected}, found {shown}: {fix}")


class ParityError(ValueError):
    """A folder holds nothing to compare with Keras, or a record of nothing that can be; says what was expected."""


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
def explaining(path: Path, expected: str) -> Iterator[None]:
    """Turn what a library raises on a damaged file into one :class:`KerasCheckpointError`."""
    try:
        yield
    except KerasCheckpointError:
        raise
    except _DAMAGE as error:
        fix = "the file is damaged or cut short, copy it again"
        raise KerasCheckpointError(path, expected, f"“{error}”", fix) from error


def unpack(path: Path, member: str, fix: str) -> bytes:
    """Return one member of a ZIP archive, of at most ``MAXIMUM_BYTES``; ``fix`` is for an archive without it."""
    with explaining(path, "a whole archive"), zipfile.ZipFile(path) as archive:
        if archive.namelist().count(member) != 1:
            raise KerasCheckpointError(path, f"one {member} in the archive", f"{archive.namelist()[:5]}", fix)
        if (size := archive.getinfo(member).file_size) > MAXIMUM_BYTES:
            fix = "no legacy model is a sixth as large, name its own checkpoint"
            raise KerasCheckpointError(path, f"at most {MAXIMUM_BYTES:,} bytes", f"{size:,}", fix)
        return archive.read(member)


@contextmanager
def stored_layers(path: Path) -> Iterator[list[StoredLayer]]:
    """Open a ``.keras``, ``.weights.h5`` or whole-model ``.h5`` file, told apart by content, whatever its name.

    The state of the optimiser is passed over. No value is read yet; the tensors live as long as the context. A tensor
    that Keras would not write there keeps its path, and so fits nothing. A file that is none of the three, is damaged,
    or holds tensors outside of the layers or two of one name is a ``KerasCheckpointError``.
    """
    if not path.is_file():
        found = "something else" if path.exists() else "nothing"
        raise KerasCheckpointError(path, "a file", found, "name a checkpoint")
    source: Path | io.BytesIO = path
    with path.open("rb") as stream:
        if stream.read(2) == b"PK":
            source = io.BytesIO(unpack(path, "model.weights.h5", "save the model with Keras 3, into one file"))
    with explaining(path, "a .keras, .weights.h5 or whole-model .h5 file"):
        file = h5py.File(source, "r")
    with file:
        with explaining(path, "layers as Keras writes them"):
            layers = list(_by_class(path, file) if "layers" in file else _by_user(path, file))
        yield layers


def read_tensor(path: Path, name: str, dataset: h5py.Dataset) -> Float32Array:
    """Read finite floating-point numbers of a verified shape, stored in the file itself, as float32."""
    with explaining(path, f"readable values of {name}"), np.errstate(over="ignore"):
        if dataset.dtype.kind != "f" or dataset.external or dataset.is_virtual:
            found = "values in another file" if dataset.dtype.kind == "f" else f"the type {dataset.dtype}"
            raise KerasCheckpointError(path, f"floating-point numbers in {name}", found, "save the weights again")
        values: Float32Array = np.asarray(dataset[()], dtype=np.float32)
    if wrong := int(np.count_nonzero(~np.isfinite(values))):
        fix = "choose an epoch before the training diverged"
        raise KerasCheckpointError(path, f"finite numbers in {name}", f"{wrong} of {values.size} that are not", fix)
    return values


def _tensors(path: Path, file: h5py.File, root: str, optimiser: str) -> dict[str, Tensors]:
    """Return the datasets of every layer, by their path below it. Links are not followed: what is behind is missing."""
    layers: dict[str, Tensors] = {}

    def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
        parts = tuple(name.split("/"))
        if parts[0] == optimiser or not isinstance(item, h5py.Dataset):
            return
        if parts[0] != root or len(parts) < 3:  # root, layer, tensor
            expected, found = f"every tensor in a layer under '{root}'", f"the tensor {name} elsewhere"
            raise KerasCheckpointError(path, expected, found, "save the weights again")
        layers.setdefault(parts[1], {})[parts[2:]] = item

    file.visititems(visit)
    return layers


def _by_class(path: Path, file: h5py.File) -> Iterator[StoredLayer]:
    for folder, tensors in _tensors(path, file, "layers", "optimizer").items():
        kind, position = _numbered(folder)
        name = file["layers"][folder]["vars"].attrs.get("name") if "vars" in file["layers"][folder] else None
        named = _named(path, folder, {parts: _key_by_class(kind, parts) for parts in tensors}, tensors)
        yield StoredLayer(kind, position, None if name is None or _numbered(name)[0] == kind else name, named)


def _by_user(path: Path, file: h5py.File) -> Iterator[StoredLayer]:
    if "model_weights" not in file:
        fix = "save the model or its weights with Keras 3"
        raise KerasCheckpointError(path, "a group 'layers' or 'model_weights'", f"{list(file)[:5]}", fix)
    names = file["model_weights"].attrs.get("layer_names", ())  # of all layers, in the order of the model
    order = [name.decode() if isinstance(name, bytes) else name for name in names]
    for folder, tensors in _tensors(path, file, "model_weights", "optimizer_weights").items():
        kind = _kind(tensors)
        position = order.index(folder) if folder in order else 0
        numbered = folder in order and _numbered(folder)[0] == kind
        named = _named(path, folder, _keys_by_user(kind, tensors), tensors)
        yield StoredLayer(kind, position, None if numbered else folder, named)


def _named(path: Path, folder: str, keys: dict[Parts, str], tensors: Tensors) -> dict[str, h5py.Dataset]:
    """Return the tensors of a layer by our names."""
    if len(set(keys.values())) < len(keys):
        expected, found = f"different tensors in {folder}", f"two of the same name among {sorted(keys.values())}"
        raise KerasCheckpointError(path, expected, found, "save the weights again")
    return {key: tensors[parts] for parts, key in keys.items()}


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
    telling = {"gamma": "batch_normalization", "scale": "additive_attention", "recurrent_kernel": "bidirectional"}
    if kinds := [kind for variable, kind in telling.items() if variable in variables]:
        return kinds[0]
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
