"""Probes of what a run needs and leaves behind: packages, exports, checkpoints. No forecast depends on them."""

from __future__ import annotations

from typing import Any

import torch

from golden_core.legacy.facts.imports import Surroundings, classify
from golden_core.legacy.facts.scripts import ImportedModule
from golden_core.legacy.flow.protocol import read_facts
from golden_core.legacy.forensics.probes.result import STREAM, Practice, ProbeResult
from golden_core.legacy.frozen import frozen_checksums, frozen_inventory
from golden_core.models.blocks import Dense
from golden_core.models.initialisers import initialise
from golden_core.models.legacy import build
from golden_core.store.randomness import Stream

_DEPENDENT = "v_08/dependencies.py"


def package_missing(practice: Practice = "legacy", stream: Stream = STREAM) -> ProbeResult:  # noqa: ARG001
    """Look for what dependencies.py imports among the files of the tree. Alternative: the package is there."""
    script = next(script for script in frozen_inventory().scripts if script.path == _DEPENDENT)
    imported = [ImportedModule(name, 0, ()) for name in (*script.imports.standard, *script.imports.missing)]
    files = {checksum.path for checksum in frozen_checksums()}
    if practice == "alternative":
        files |= {f"v_08/{name.replace('.', '/')}.py" for name in script.imports.missing}
    value = len(classify(_DEPENDENT, imported, Surroundings.of(files)).missing)
    return ProbeResult(value, 0.0, f"Of the modules that {_DEPENDENT} imports, {value} are nowhere.")


def exports_bound_to_code(practice: Practice = "legacy", stream: Stream = STREAM) -> ProbeResult:
    """Make a layer again whose class has lost an argument since. Alternative: fill one with the exported tensors."""
    arguments: dict[str, Any] = {"inputs": 4, "outputs": 8, "score_mode": "dot"}
    tensors = {name: values.detach() for name, values in _started(stream).state_dict().items()}
    lost = 0
    try:
        if practice == "legacy":
            Dense(**arguments)
        else:
            Dense(4, 8).load_state_dict(tensors, strict=True)
    except TypeError:
        lost = 1
    return ProbeResult(lost, 0.0, f"Of 1 export, a class without the argument score_mode cannot take {lost}.")


def _started(stream: Stream) -> Dense:
    layer = Dense(4, 8)
    initialise(layer, "keras_3.8", torch.Generator().manual_seed(stream.child("export").integer()))
    return layer


def checkpoint_per_epoch(practice: Practice = "legacy", stream: Stream = STREAM) -> ProbeResult:  # noqa: ARG001
    """Add up what a run keeps, in sizes of its weights. Alternative: the best and the last weights alone."""
    network = build("v08")
    trainable = sum(weights.numel() for weights in network.parameters())
    total = trainable + sum(values.numel() for values in network.buffers() if values.is_floating_point())
    epochs = read_facts("v08").training.epochs
    kept = epochs * (total + 2 * trainable) if practice == "legacy" else 2 * total  # AdamW holds two moments
    value = kept / total
    return ProbeResult(value, 10.0, f"A run keeps {value:.0f} times the size of its weights.")
