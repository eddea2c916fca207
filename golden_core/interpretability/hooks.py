"""What a network lets one see from inside: attention maps by layer and head, weights of gates over time.

A layer shows itself by a method: ``attention_weights`` [B, L, C] → [B, H, L, L], or ``gate_weights`` [B, L, C] →
[B, L, E]. Shape letters: N windows, L context, F features, H heads, E experts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from golden_core.interpretability.measures import FloatArray
from golden_core.interpretability.subject import Subject, UnexplainableError, outputs
from golden_core.models.patch import PatchTST

ATTENTION, GATE = "attention_weights", "gate_weights"


@dataclass(frozen=True, eq=False)
class Gate:
    """The weights of one gate [N, L, E], and what each expert adds to the forecast [N, E], with its sign.

    A contribution is the forecast less the forecast with the expert's weight at zero, in standardised units.
    """

    layer: str
    weights: FloatArray
    contributions: FloatArray


def has(network: nn.Module, method: str) -> bool:
    """Whether any layer of a network shows itself in this way."""
    return any(hasattr(module, method) for module in network.modules())


def attention_maps(subject: Subject) -> dict[str, FloatArray]:
    """Return what each step takes of every other, by layer: [N, H, L, L], rows adding up to one.

    Raises
    ------
    UnexplainableError
        If no layer shows its attention, or if what it attends to are not the bars of the window.
    """
    found = _seen(subject, ATTENTION, "attention")
    for layer, maps in found.items():  # of one feature there may be as many patches as bars
        if isinstance(subject.network, PatchTST) or (len(maps), maps.shape[-1]) != subject.X.shape[:2]:
            raise UnexplainableError(f"{subject.name}: {layer} attends to {maps.shape[-1]} patches and not to bars")
    return found


def gates(subject: Subject) -> list[Gate]:
    """Return every gate of a network.

    Raises
    ------
    UnexplainableError
        If no layer shows the weights of a gate.
    """
    found = _seen(subject, GATE, "a gate of experts")
    modules = dict(subject.network.named_modules())
    whole = outputs(subject.network, subject.X)
    gates = []
    for layer, weights in found.items():
        lost = []
        for expert in range(weights.shape[-1]):
            with _without(modules[layer], expert):
                lost.append(whole - outputs(subject.network, subject.X))
        over_time = weights if weights.ndim == 3 else weights[:, None]
        gates.append(Gate(layer, over_time, np.stack(lost, axis=1)))
    return gates


def _seen(subject: Subject, method: str, what: str) -> dict[str, FloatArray]:
    if not has(subject.network, method):
        raise UnexplainableError(f"{subject.name}: {type(subject.network).__name__} has no layer that shows {what}")
    found: dict[str, FloatArray] = {}

    def looked_at(name: str) -> Callable[[nn.Module, Any], None]:
        def look(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            found[name] = getattr(module, method)(inputs[0]).numpy().astype(np.float64)

        return look

    layers = [(name, module) for name, module in subject.network.named_modules() if _shows(module, method)]
    handles = [module.register_forward_pre_hook(looked_at(name)) for name, module in layers]
    try:
        with torch.no_grad():
            subject.network(torch.from_numpy(subject.X))
    finally:
        for handle in handles:
            handle.remove()
    return found


def _shows(module: nn.Module, method: str) -> bool:
    """Whether a layer shows itself; what only repeats a layer within it does not count."""
    within = (one for one in module.modules() if one is not module)
    return hasattr(module, method) and not any(hasattr(one, method) for one in within)


@contextmanager
def _without(module: nn.Module, expert: int) -> Iterator[None]:
    """Let a gate give one expert nothing; the others keep what they had."""
    whole: Callable[[Tensor], Tensor] = getattr(module, GATE)

    def masked(x: Tensor) -> Tensor:
        weights = whole(x)
        kept = torch.ones(weights.shape[-1], dtype=weights.dtype)
        kept[expert] = 0
        return weights * kept

    setattr(module, GATE, masked)
    try:
        yield
    finally:
        delattr(module, GATE)
