"""The containers of Keras weights, opened without trust: bytes in, unread datasets out. Nothing here knows a layer."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import h5py
import numpy as np

from golden_core.inputs.windows import Float32Array
from golden_core.legacy.untrusted import ZIP, KerasCheckpointError, explaining, read_file, unpack

# The deepest legacy dataset lies seven names down, and no legacy file has more than 300 objects beside the optimiser.
MAXIMUM_DEPTH, MAXIMUM_OBJECTS = 10, 2_000

_ARCHIVED_WEIGHTS = "model.weights.h5"
_HDF5, _HEAP = b"\x89HDF\r\n\x1a\n", b"GCOL\1\0\0\0"

Parts = tuple[str, ...]
Tensors = dict[Parts, h5py.Dataset]


@dataclass(frozen=True, eq=False)
class Contents:
    """Unread datasets of every layer, by their path below it."""

    # How folders and datasets are called: by class, numbered in the order of the model (conv1d_1: vars/0), or by the
    # user (resblock0_conv2: resblock0_conv2/kernel).
    named_by: Literal["class", "user"]
    layers: dict[str, Tensors]
    names: dict[str, str]  # the user's, where a file named by class records them
    order: tuple[str, ...]  # of the model's layers, those without weights included, where one named by the user has it


@contextmanager
def open_contents(path: Path) -> Iterator[Contents]:
    """Open a ``.keras``, ``.weights.h5`` or whole-model ``.h5`` file, told apart by content, whatever its name.

    The state of the optimiser is passed over. No value is read yet; the datasets live as long as the context.

    Raises
    ------
    KerasCheckpointError
        If the file is none of the three, damaged, too large, or holds links, or tensors outside of the layers.
    """
    with explaining(path, "a whole HDF5 file"):
        content = _weights(path)
        _verify_heaps(path, content)
        file = h5py.File(h5py.h5f.open_file_image(content))
    with file:
        with explaining(path, "layers as Keras writes them"):
            contents = _contents(path, file)
        yield contents


def read_tensor(path: Path, name: str, dataset: h5py.Dataset) -> Float32Array:
    """Read a dataset whose shape has been verified, of float16, float32 or float64, as float32.

    Raises
    ------
    KerasCheckpointError
        If it holds anything but finite floating-point numbers stored in the file itself.
    """
    with explaining(path, f"readable values of {name}"), np.errstate(over="ignore"):
        if dataset.dtype.kind != "f" or dataset.dtype.itemsize > np.dtype(np.float64).itemsize:
            found = f"the type {dataset.dtype}"
            raise KerasCheckpointError(path, f"floating-point numbers in {name}", found, "save the weights again")
        # Keras filters nothing, and libhdf5 unpacks whatever a filter's input becomes, or loads code to do so.
        if dataset.id.get_create_plist().get_nfilters():
            expected, found = f"plain values of {name}, as Keras stores them", "a filter, such as compression"
            raise KerasCheckpointError(path, expected, found, "save the weights again, or run h5repack -f NONE")
        # Never written, elsewhere, or in chunks larger than the whole, which would be unpacked before they are cut.
        chunk = int(np.prod(dataset.chunks)) if dataset.chunks else 0
        if dataset.external or dataset.is_virtual or chunk > dataset.size or not dataset.id.get_storage_size():
            expected, found = f"the values of {name} in the file itself", "a declaration without them"
            raise KerasCheckpointError(path, expected, found, "save the weights again")
        values: Float32Array = np.asarray(dataset[()], dtype=np.float32)
    wrong = int(np.count_nonzero(~np.isfinite(values)))
    if wrong:
        fix = "choose an epoch before the training diverged"
        raise KerasCheckpointError(path, f"finite numbers in {name}", f"{wrong} of {values.size} that are not", fix)
    return values


def _weights(path: Path) -> bytes:
    """Return the bytes of the HDF5 file that ``path`` is or contains."""
    content = read_file(path)
    if content.startswith(_HDF5):
        return content
    if content.startswith(ZIP):
        return unpack(path, content, _ARCHIVED_WEIGHTS, "save the model with Keras 3, into one file")
    found = f"a file that begins with {content[:8]!r}" if content else "an empty file"
    raise KerasCheckpointError(path, "a .keras, .weights.h5 or whole-model .h5 file", found, "name a Keras checkpoint")


def _verify_heaps(path: Path, content: bytes) -> None:
    """Refuse heaps of strings whose objects do not lead to the end: libhdf5 would walk such a heap for ever."""
    bytes_left = len(content)  # heaps share no byte; walking ones that do would take the square of their number
    for start in (match.start() for match in re.finditer(_HEAP, content)):
        end = start + int.from_bytes(content[start + 8 : start + 16], "little")
        bytes_left -= end - start
        position = start + 16
        while position + 16 <= end:
            index = int.from_bytes(content[position : position + 2], "little")
            size = int.from_bytes(content[position + 8 : position + 16], "little")
            # An object's size is without its header and rounded up to 8; what is left over is one object, number 0.
            step = 16 + (size + 7) // 8 * 8 if index else size
            if end > len(content) or bytes_left < 0 or not 0 < step <= end - position:
                fix = "the file is damaged, copy it again"
                raise KerasCheckpointError(path, "a heap of strings with an end", f"none at byte {start}", fix)
            position += step


def _contents(path: Path, file: h5py.File) -> Contents:
    if "layers" in file:
        root, optimiser = "layers", "optimizer"
    elif "model_weights" in file:
        root, optimiser = "model_weights", "optimizer_weights"
    else:
        fix = "save the model or its weights with Keras 3"
        raise KerasCheckpointError(path, "a group 'layers' or 'model_weights'", f"{list(file)[:5]}", fix)
    layers: dict[str, Tensors] = {}
    for parts, dataset in _datasets(path, file, optimiser):
        if parts[0] != root or len(parts) < 3:  # root, layer, tensor
            found = f"the tensor {'/'.join(parts)} elsewhere"
            raise KerasCheckpointError(path, f"every tensor in a layer under '{root}'", found, "save the weights again")
        layers.setdefault(parts[1], {})[parts[2:]] = dataset
    if root == "model_weights":
        return Contents("user", layers, {}, _strings(file[root], "layer_names"))
    names = {layer: _strings(file[root][layer].get("vars"), "name") for layer in layers}
    return Contents("class", layers, {layer: name[0] for layer, name in names.items() if len(name) == 1}, ())


def _strings(group: h5py.Group | None, attribute: str) -> tuple[str, ...]:
    """Return an attribute that is a string or a short list of strings; nothing where there is none."""
    if group is None or attribute not in group.attrs:
        return ()
    # Strings alone: libhdf5 may write past its memory when a damaged type says that it is a list of numbers.
    stored = group.attrs.get_id(attribute)
    if len(stored.shape) > 1 or math.prod(stored.shape) > MAXIMUM_OBJECTS:
        return ()
    if not isinstance(stored.get_type(), h5py.h5t.TypeStringID):
        return ()
    value = group.attrs[attribute]
    texts = (value,) if isinstance(value, str) else np.ravel(value)
    kept = (text for text in texts if isinstance(text, str | bytes))
    return tuple(text.decode(errors="replace") if isinstance(text, bytes) else str(text) for text in kept)


def _datasets(path: Path, file: h5py.File, skip: str) -> Iterator[tuple[Parts, h5py.Dataset]]:
    """Yield every dataset outside of one group of the root; refuse links, cycles and second names."""
    seen: set[int] = set()
    pending: list[tuple[Parts, h5py.Group]] = [((), file)]
    while pending:
        above, group = pending.pop()
        for name in group:
            parts = (*above, name)
            if parts == (skip,):
                continue
            item = group[name] if isinstance(group.get(name, getlink=True), h5py.HardLink) else None
            address = h5py.h5o.get_info(item.id).addr if isinstance(item, h5py.Group | h5py.Dataset) else None
            if address is None or address in seen or len(parts) > MAXIMUM_DEPTH or len(seen) >= MAXIMUM_OBJECTS:
                expected, found = "a tree of groups and datasets, each with one name", f"{'/'.join(parts)}"
                raise KerasCheckpointError(path, expected, found, "save the weights again")
            seen.add(address)
            if isinstance(item, h5py.Group):
                pending.append((parts, item))
            else:
                yield parts, item
